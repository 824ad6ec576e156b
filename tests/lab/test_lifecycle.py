"""Up, down, and what must never be left behind."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from console.lab import health
from console.lab.errors import LabError
from console.lab.faults.operate import active, break_, heal
from console.lab.lifecycle import down, running, status, up
from console.lab.process import identify, postmaster, processes_of, send, wait_gone
from console.lab.sweep import shared_memory_ids
from console.lab.tenants import TENANTS
from console.lab.users.base import read_felt, set_factor
from console.settings import load_environment

pytestmark = [pytest.mark.lab, pytest.mark.timeout(400)]

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PYTHON = Path("/usr/bin/python3.11")


def shared_memory() -> set[int]:
    """Numbers of the System V segments on this machine."""
    return {int(line.split()[1]) for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def wait_until(condition: object, seconds: float = 60) -> None:
    assert callable(condition)
    health.wait_for(lambda: "" if condition() else f"{condition} does not hold", seconds)


def test_two_laboratories_side_by_side_and_one_whose_supervisor_was_killed(tmp_path: Path) -> None:
    places = [tmp_path / "one", tmp_path / "two"]
    try:
        with ThreadPoolExecutor() as pool:
            first, second = pool.map(lambda place: up(place, owner=os.getpid()), places)
        ports = [{port for server in lab.servers.values() for port in server.ports.values()} for lab in (first, second)]
        assert not ports[0] & ports[1]
        assert status(places[0])[1] == {}
        assert status(places[1])[1] == {}

        segments = {number for place in places for number in shared_memory_ids(place)}
        assert len(segments & shared_memory()) == 6  # one of each PostgreSQL server
        assert first.supervisor is not None
        assert send(first.supervisor, signal.SIGKILL)
        assert wait_gone([first.supervisor], 10) == []
        assert running(places[0]) is None
        assert len(processes_of(places[0])) > 20  # the servers run on without it
        assert down(places[0])
        assert processes_of(places[0]) == []
        assert not places[0].exists()

        assert status(places[1])[1] == {}
        platform = second.servers["kubernetes"].process
        assert platform is not None
        assert send(platform, signal.SIGKILL)  # its pods are processes that nobody looks after now
        assert down(places[1])
        assert not down(places[1])
        assert processes_of(places[1]) == []
        assert list(tmp_path.iterdir()) == []
        assert not segments & shared_memory()
    finally:
        for place in places:
            down(place)


def test_interrupted_on_its_way_up_it_leaves_nothing_running(tmp_path: Path) -> None:
    place = tmp_path / "lab"
    rising = subprocess.Popen(
        [sys.executable, "-m", "console.lab", "up", "--dir", str(place)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert rising.stdout is not None
        assert rising.stdout.readline().startswith("etcd")
        rising.send_signal(signal.SIGINT)
        rising.communicate(timeout=60)
        assert rising.returncode == 130
        assert processes_of(place) == []
    finally:
        rising.kill()
        down(place)


def test_a_directory_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(LabError, match="is not empty"):
        up(tmp_path)
    assert not down(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_laboratory_that_is_up_is_taken_as_it_is(laboratory: Path) -> None:
    lab = running(laboratory)
    assert lab is not None
    said: list[str] = []
    assert up(laboratory, report=said.append).supervisor == lab.supervisor
    assert "up already" in said[0]


def test_its_environment_file_is_valid_and_its_secrets_are_the_owners_alone(laboratory: Path) -> None:
    loaded = load_environment(str(laboratory / "environment.yaml"))
    assert loaded.environment.laboratory
    assert set(loaded.environment.postgres["main"].servers) == {"pg-1", "pg-2", "pg-3"}
    text = (laboratory / "environment.yaml").read_text() + (laboratory / "lab.json").read_text()
    for file in (laboratory / "secrets").iterdir():
        assert file.stat().st_mode & 0o077 == 0
        assert file.read_text().strip() not in text
        for process in processes_of(laboratory):
            assert file.read_bytes().strip() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()


def test_a_server_that_ends_by_itself_is_started_again(laboratory: Path) -> None:
    lab = running(laboratory)
    assert lab is not None
    killed = lab.servers["sentinel-2"].process
    assert killed is not None
    send(killed, signal.SIGKILL)

    def again() -> bool:
        now = running(laboratory)
        process = now.servers["sentinel-2"].process if now else None
        return process not in (None, killed) and not status(laboratory)[1]

    wait_until(again)


@pytest.fixture
def busier(laboratory: Path) -> Iterator[None]:
    """Users who do not come by three times a minute."""
    for tenant in TENANTS:
        set_factor(laboratory, tenant.name, 20)
    yield
    for tenant in TENANTS:
        set_factor(laboratory, tenant.name, 1)


@pytest.mark.usefixtures("busier")
def test_its_users_work(laboratory: Path) -> None:
    before = {name: felt.done for name, felt in read_felt(laboratory).items()}
    assert set(before) == {"acme", "bauhof", "cobalt", "delta", "ebene", "fjord", "granit", "hafen", "cache"}
    wait_until(lambda: all(felt.done > before[name] + 5 for name, felt in read_felt(laboratory).items()))


@pytest.mark.usefixtures("busier")
def test_tenants_follow_their_sessions_to_the_caches_new_primary(laboratory: Path) -> None:
    break_(laboratory, "cache-primary-killed")
    in_cache = [tenant.name for tenant in TENANTS if tenant.version < 18]
    before = {name: felt.done for name, felt in read_felt(laboratory).items()}

    def served() -> bool:
        now = read_felt(laboratory)
        return all(now[name].done > before[name] + 5 and not now[name].problem for name in in_cache)

    wait_until(served)
    assert "cache" in status(laboratory)[1], "the old primary is still down"


def test_a_fault_is_struck_once_and_healed_twice(laboratory: Path) -> None:
    struck = break_(laboratory, "pause-patroni")
    assert struck.visible_at is not None
    assert struck.visible_at >= struck.began_at
    with pytest.raises(LabError, match="struck already"):
        break_(laboratory, "pause-patroni")
    assert "main" in status(laboratory)[1]
    heal(laboratory, "pause-patroni")
    assert active(laboratory) == {}
    heal(laboratory, "pause-patroni")
    assert status(laboratory)[1] == {}


def _interpreter(base: Path) -> Path:
    """An interpreter that any user may run, with this checkout and its packages: the one of these tests may be root's alone.

    The packages were chosen for another patch version of Python: before 3.11.3 redis wants async_timeout, which is what
    asyncio has.
    """
    subprocess.run(
        [str(SYSTEM_PYTHON), "-m", "venv", "--without-pip", str(base / "venv")], check=True, capture_output=True
    )
    packages = base / "venv" / "lib" / "python3.11" / "site-packages"
    (packages / "async_timeout.py").write_text("from asyncio import timeout\n")
    (packages / "checkout.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    return base / "venv" / "bin" / "python"


def _works_for(user: pwd.struct_passwd, interpreter: Path) -> bool:
    probe = [str(interpreter), "-c", "import console.lab, patroni, psycopg, msgspec, redis"]
    tried = subprocess.run(
        probe, user=user.pw_uid, group=user.pw_gid, cwd="/", env={}, capture_output=True, check=False
    )
    return tried.returncode == 0


@pytest.fixture
def folder_for_anybody() -> Iterator[Path]:
    """Not below pytest's own folder: each run of pytest closes that to everybody else, this one's siblings too."""
    folder = Path(tempfile.mkdtemp(prefix="banksman-lab-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="no interpreter that another user could run")
@pytest.mark.parametrize("way", ["plain", "setuid"])
def test_it_runs_without_a_user_namespace(folder_for_anybody: Path, way: str) -> None:
    """As an ordinary user, and as root on a machine that allows no user namespaces."""
    user = pwd.getpwnam("nobody")
    base = folder_for_anybody
    interpreter = _interpreter(base)
    if not _works_for(user, interpreter):
        pytest.skip("another user cannot read this checkout or its packages")
    os.chown(base, user.pw_uid, user.pw_gid)
    place = base / "lab"
    extra: dict[str, int] = {"user": user.pw_uid, "group": user.pw_gid} if way == "plain" else {}
    environment = {"PATH": os.environ["PATH"], "HOME": str(base), "BANKSMAN_LAB_PRIVILEGE": way}
    command = [str(interpreter), "-m", "console.lab"]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *words, "--dir", str(place)],
            cwd="/", env=environment, capture_output=True, text=True, check=False, timeout=180, **extra,
        )  # fmt: skip

    try:
        risen = run("up", *(["--without-platform"] if way == "setuid" else []))  # only PostgreSQL refuses root
        assert risen.returncode == 0, risen.stderr
        lab = running(place)
        assert lab is not None
        assert lab.privilege == way
        main = postmaster(Path(lab.servers["pg-1"].data_directory))
        assert main is not None
        assert Path(f"/proc/{main.pid}").stat().st_uid == user.pw_uid
        assert run("status").returncode == 0
        struck = run("break", "hang-standby")
        assert struck.returncode == 0, struck.stderr
        healed = run("heal", "--all")
        assert healed.returncode == 0, healed.stderr
        assert run("down").returncode == 0
        assert processes_of(place) == []
        assert not place.exists()
    finally:
        down(place)


def test_it_ends_with_its_owner(tmp_path: Path) -> None:
    place = tmp_path / "lab"
    script = f"import os, time; from console.lab import up; up({str(place)!r}, owner=os.getpid()); print('up', flush=True); time.sleep(600)"
    owner = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "up\n"
        assert processes_of(place)
        owner.kill()
        owner.wait()
        assert identify(owner.pid) is None
        wait_until(lambda: not processes_of(place) and not place.exists())
    finally:
        owner.kill()
        down(place)
