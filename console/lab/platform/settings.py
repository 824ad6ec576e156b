"""What the platform's process is told: ``DIRECTORY/kubernetes/platform.json``, and where its files are."""

from __future__ import annotations

import random
import socket
from pathlib import Path

import msgspec

from console.lab.errors import LabError
from console.lab.state import write_file

FOLDER = "kubernetes"
FILE = "platform.json"
_KUBELET_PORT = 10250


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One machine of the cluster: it has no processor of its own, so what it has is declared."""

    name: str
    zone: str
    cpu: str = "4"
    memory: str = "2Gi"
    pods: int = 20
    disk: str = "64Mi"
    """Size of its disk, which is its directory below ``kubernetes/nodes``."""
    labels: dict[str, str] = {}
    taints: list[dict[str, str]] = []


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program that pods may name as their image, beside those of ``images``."""

    argv: list[str]
    """Its beginning; a pod's ``args`` follow (``command`` takes its place, as in Kubernetes)."""
    files: list[str] = []
    """Files whose content is what the digest is of."""


REGION = "lab"
NODES = [Node(f"node-{number}", zone) for number, zone in enumerate(("a", "b", "c", "a", "b", "c"), 1)]
"""Two in each of three zones."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One platform."""

    port: int
    """Of the API over TLS, on 127.0.0.1; 0: any (then the kubeconfig tells which)."""
    subnet: str
    """``127.A.B``: nodes are .1 to .9, pods .10 to .254; no other laboratory may have it."""
    plain_port: int | None = None
    """Of the same over plain HTTP; None: not served."""
    nodes: list[Node] = msgspec.field(default_factory=lambda: list(NODES))
    images: dict[str, Image] = {}
    """By name with tag."""
    measure_s: float = 10.0
    """Between two measurements of what pods use."""
    scale_s: float = 5.0
    """Between two looks of an autoscaler (Kubernetes: 15)."""


class Files:
    """Where the platform of a laboratory keeps what."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.folder = directory / FOLDER
        self.settings = self.folder / FILE
        self.state = self.folder / "state.json"
        self.tls = self.folder / "tls"
        self.authority = self.tls / "ca.pem"
        self.admin = directory / "kubeconfig"
        """Kubeconfig of people, tests and faults: may do everything."""
        self.viewer = self.folder / "viewer.kubeconfig"
        """Kubeconfig of the user ``banksman``, who may do what roles grant."""
        self.traefik = self.folder / "traefik.token"
        """Token of the service account ``traefik`` in the namespace ``ingress``, who may do what roles grant."""
        self.pods = directory / "pods"

    def node(self, name: str) -> Path:
        """A node's disk."""
        return self.folder / "nodes" / name

    def log(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> Path:
        """A container's log, or that of the run before."""
        return self.pods / f"{namespace}_{pod}" / f"{container}{'.previous' if previous else ''}.log"


def hold_subnet(subnet: str) -> socket.socket | None:
    """Take a subnet for as long as the socket is open; None if another laboratory has it."""
    held = socket.socket()
    try:
        held.bind((f"{subnet}.1", _KUBELET_PORT))
        held.listen(1)
    except OSError:
        held.close()
        return None
    return held


def free_subnet() -> str:
    """A subnet that no laboratory has now.

    Raises:
        LabError: A hundred tried were taken, or this machine has no 127.0.0.0/8.
    """
    for _ in range(100):
        subnet = f"127.{random.randint(16, 254)}.{random.randint(0, 254)}"
        if (held := hold_subnet(subnet)) is not None:
            held.close()
            return subnet
    raise LabError("found no free subnet in 127.0.0.0/8")


def read(directory: Path) -> Settings:
    """The settings of the platform in this laboratory.

    Raises:
        LabError: There are none, or they make no sense.
    """
    path = Files(directory).settings
    try:
        return msgspec.json.decode(path.read_bytes(), type=Settings)
    except (OSError, msgspec.MsgspecError) as problem:
        raise LabError(f"{path} cannot be read: {problem}") from problem


def write(directory: Path, settings: Settings) -> None:
    """Keep the settings; makes the folder."""
    files = Files(directory)
    files.folder.mkdir(mode=0o700, exist_ok=True)
    write_file(files.settings, msgspec.json.format(msgspec.json.encode(settings), indent=1))
