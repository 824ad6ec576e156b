"""Kinds, thresholds, runbooks and the code that asks for them stay in step."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec
import pytest

import console.assessment.kinds
from console.assessment import KINDS, Assessor
from console.assessment.symptom import kind
from console.readings import NOT_RECORDED, Evidence, Finding, Findings, hide_text
from console.settings import config_dir, load_defaults
from tests.assessment.scene import START, Scene, environment

RUNBOOKS = config_dir() / "runbooks"
SECTIONS = ("What it means", "Who feels it", "Check first", "Mend", "What not to do", "When to call someone")


def test_thresholds_are_those_that_kinds_ask_for() -> None:
    wanted = {name: set(each.thresholds) for name, each in KINDS.items() if each.thresholds}
    assert {name: set(values) for name, values in load_defaults().thresholds.items()} == wanted


def test_every_threshold_is_used_and_none_is_made_up() -> None:
    """What the code asks for by name is what the kinds declare."""
    asked: dict[str, set[str]] = {}
    for path in Path(console.assessment.kinds.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("limit", "threshold")
            ):
                constants = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                if len(constants) >= 2:
                    asked.setdefault(str(constants[0]), set()).add(str(constants[1]))
    for name, thresholds in asked.items():
        assert thresholds <= set(KINDS[name].thresholds), name


def test_kinds_are_those_that_were_agreed() -> None:
    assert set(KINDS) == {
        "two-primaries", "no-primary", "primary-unreachable", "primary-restarted", "primary-hung", "standby-unreachable",
        "standby-lagging", "standby-not-streaming", "sync-standby-missing", "patroni-paused", "patroni-unreachable",
        "dcs-unreachable", "leader-stale", "lock-waits", "connections-near-limit", "idle-in-transaction", "long-transaction",
        "slot-retains-wal", "archiving-failing", "wraparound-near", "settings-differ", "clock-off", "cache-primary-down",
        "cache-no-replica", "cache-replica-lagging", "cache-memory-full", "cache-writes-refused", "cache-evicting",
        "cache-failover", "sentinel-lost", "sentinel-no-quorum", "big-keys", "cache-slow", "queue-backlog",
        "api-server-unreachable", "api-server-unready", "metrics-missing", "zone-lost", "node-not-ready", "node-pressure",
        "crash-loop", "image-unpullable", "pod-unschedulable", "workload-short", "pdb-blocks", "quota-exhausted", "hpa-at-limit",
        "hpa-blind", "tenant-unreachable", "workers-busy", "worker-killed", "transaction-failing", "transaction-slow",
        "module-to-upgrade", "cron-stuck", "cron-failing", "queue-blocked", "jobs-failing", "mail-refused", "mail-stuck",
        "attachment-missing", "backend-down", "backend-slow", "requests-flood", "middleware-missing", "router-broken",
        "config-not-reloaded", "cert-expiring", "cert-wrong-host", "cert-untrusted", "ingress-unreachable", "ingress-errors",
    }  # fmt: skip


def test_every_kind_has_a_runbook_and_every_runbook_a_kind() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == set(KINDS)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_runbook_is_short_and_whole(name: str) -> None:
    lines = (RUNBOOKS / f"{name}.md").read_text().splitlines()
    assert len(lines) <= 60
    assert lines[0].startswith("# ")
    assert [line[3:] for line in lines if line.startswith("## ")] == list(SECTIONS)
    assert all(len(line) <= 120 for line in lines)
    text = "\n".join(lines)
    for section in SECTIONS:
        body = text.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0].strip()
        assert len(body) >= len("Nobody."), section


def test_what_is_declared_by_the_laboratory_exists() -> None:
    from console.lab.faults.registry import FAULTS

    for fault in FAULTS.values():
        for signs in (fault.signs, *(variant.signs for variant in fault.variants)):
            assert set(signs.findings) | set(signs.allowed) | {signs.truth.cause} <= set(KINDS), fault.name


def test_a_kind_is_declared_once() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        kind("lock-waits", "database")(lambda _look: ())


def test_a_missing_threshold_is_told_at_once() -> None:
    defaults = msgspec.structs.replace(load_defaults(), thresholds={})
    with pytest.raises(ValueError, match="are missing from the defaults"):
        Assessor(environment(), defaults)


def test_texts_of_evidence_are_hidden_from_a_recording() -> None:
    finding = Finding(
        "a:b", "a", "database", "b", "warning", "t", "i", "a", START, evidence=(Evidence("w", "v", text="salary 9000"),)
    )
    hidden = hide_text(Findings(taken_at=START, rows={"a:b": finding}))
    assert hidden.rows["a:b"].evidence[0].text == NOT_RECORDED
    assert "salary" not in str(msgspec.to_builtins(hidden))


def test_a_look_is_cheap_enough_to_be_taken_after_every_reading() -> None:
    """Not a benchmark: a guard against something quadratic. 500 sessions, 200 of them blocked in a long chain."""
    from console.readings import Activity, BlockedSession, Session

    scene = Scene()
    sessions = {
        pid: Session(pid, f"db{pid % 40}", "u", "odoo", state="active", xact_start=START) for pid in range(1, 501)
    }
    blocked = {pid: BlockedSession(pid, (pid - 1,), START) for pid in range(2, 202)}
    scene.change(Activity, "main/pg-1", sessions=sessions, blocked=blocked)
    scene.step(times=2)
    from time import process_time

    began = process_time()
    for _ in range(10):
        scene.look()
    assert (process_time() - began) / 10 < 0.25
