"""What tests of the platform share."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from console.lab.platform import settings
from console.lab.platform.admin import Admin

KUBECTL = Path(sys.executable).parent / "kubectl"
PROGRAM = Path(__file__).with_name("program.py")
SMALL = "node-6"
NODES = [
    *settings.NODES[:5],
    settings.Node(SMALL, "c", memory="140Mi", taints=[{"key": "small", "effect": "NoSchedule"}]),
]
"""As in a laboratory, but for one node with hardly any memory, for those that tolerate it."""
Json = dict[str, Any]


class Platform:
    """A running platform."""

    def __init__(
        self, directory: Path, admin: Admin, start: Callable[[], Any], process: subprocess.Popen[bytes]
    ) -> None:
        self.directory = directory
        self.admin = admin
        self.start = start
        self.process = process

    def namespace(self, name: str) -> str:
        """A new namespace."""
        self.admin.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    def command(self, *arguments: str, config: Path | None = None) -> list[str]:
        chosen = str(config or self.directory / "kubeconfig")
        return [str(KUBECTL), "--kubeconfig", chosen, "--cache-dir", str(self.directory / "cache"), *arguments]

    def kubectl(self, *arguments: str, code: int = 0, config: Path | None = None) -> str:
        """Run kubectl; returns what it prints, and expects it to end as told."""
        done = subprocess.run(
            self.command(*arguments, config=config), capture_output=True, text=True, timeout=40, check=False
        )
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def pods(self, namespace: str) -> list[Json]:
        """Pods that nobody has deleted yet, by name."""
        found = self.admin.objects("Pod", namespace)
        return [each for each in found if "deletionTimestamp" not in each["metadata"]]

    def wait_event(self, namespace: str, text: str, seconds: float = 15) -> None:
        """Wait for an Event with this in its message."""

        def holds(_: Json) -> bool:
            return any(text in each["message"] for each in self.admin.objects("Event", namespace))

        self.admin.wait_for("Namespace", namespace, "", holds, seconds, f"no event says {text!r}")

    def wait_pods(self, namespace: str, test: Callable[[list[Json]], object], seconds: float = 15) -> list[Json]:
        """Wait until something holds of all pods of a namespace."""
        found: list[Json] = []

        def holds(_: Json) -> object:
            found[:] = self.pods(namespace)
            return test(found)

        self.admin.wait_for("Namespace", namespace, "", holds, seconds)
        return found


def deployment(namespace: str, *words: str, name: str = "web", replicas: int = 1, **more: Any) -> Json:
    """A Deployment of the test's image; ``more``: of its spec, or ``pod`` (of the pod's spec), ``container``."""
    pod, container = more.pop("pod", {}), more.pop("container", {})
    web = {
        "name": "web",
        "image": "test/web:1",
        "args": ["$(ADDRESS)", *words],
        "env": [
            {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "ports": [{"name": "http", "containerPort": 8000}],
        "readinessProbe": {"httpGet": {"port": "http"}, "periodSeconds": 1, "failureThreshold": 1},
        "resources": {"requests": {"cpu": "100m", "memory": "20Mi"}},
        **container,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [web], **pod}},
            **more,
        },
    }


def container(pod: Json) -> Json:
    """The status of a pod's only container; empty before it has one."""
    found: list[Json] = (pod.get("status") or {}).get("containerStatuses") or [{}]
    return found[0]


def state(pod: Json) -> str:
    """Why its container waits or how it ended; "" while it runs."""
    now = container(pod).get("state") or {}
    return str((now.get("waiting") or now.get("terminated") or {}).get("reason", ""))


def pid(pod: Json) -> int:
    return int(container(pod)["containerID"].removeprefix("process://"))


def ready(pod: Json) -> bool:
    return bool(container(pod).get("ready"))


def fetch(pod: Json, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8000{path}", timeout=5) as answer:
        return str(answer.read().decode())
