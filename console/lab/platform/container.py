"""A container: its image, its process, its probes, and starting it again when it ends."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, NamedTuple

from console.lab.kube.api import now
from console.lab.kube.kinds import Json
from console.lab.platform import probes
from console.lab.platform.child import Child
from console.lab.platform.images import Program
from console.lab.platform.variables import ConfigError, command

if TYPE_CHECKING:
    from console.lab.platform.podrun import PodRun

FIRST_S, MOST_S = 2.0, 20.0
"""Back-off before the second restart, doubled with each, to the most (Kubernetes: 10 s to 300 s)."""
SETTLED_S = 60.0
"""A run that lasts so long is forgiven what was before (Kubernetes: ten minutes)."""
_EARLY_S = 0.5
"""Between two looks whether a container is ready, while it is not (Kubernetes: the probe's period)."""


class Backoff:
    """How long to wait before trying again."""

    def __init__(self) -> None:
        self._next = 0.0

    def step(self, first_s: float = 0.0) -> float:
        """The wait that is due now: at first ``first_s``."""
        wait = max(self._next, first_s)
        self._next = min(max(wait * 2, FIRST_S), MOST_S)
        return wait

    def clear(self) -> None:
        """Begin anew."""
        self._next = 0.0


class Usage(NamedTuple):
    """What a container's processes use, over the window that ended at a moment."""

    cores: float
    memory: int
    """Bytes."""
    measured_at: str
    window_s: float


class Container:
    """One container of a pod on its node."""

    def __init__(self, run: PodRun, spec: Json, old: Json | None) -> None:
        """``old``: its status from an earlier life of the node, with which its restarts are counted on."""
        self.spec = spec
        self.name: str = spec["name"]
        self.state: Json = {"waiting": {"reason": "ContainerCreating"}}
        self.last: Json = {}
        self.restarts = 0
        self.ready = False
        self.started = False
        self.child: Child | None = None
        self.over_memory = False
        self.usage: Usage | None = None
        self._run = run
        self._program: Program | None = None
        self._backoff = Backoff()
        self._id = ""
        if old and (old.get("state") or {}).keys() & {"running", "terminated"}:
            self._recall(old)

    def _recall(self, old: Json) -> None:
        self.restarts = old.get("restartCount", 0) + 1
        ran = (old["state"].get("running") or old["state"].get("terminated") or {}).get("startedAt")
        ended = {"exitCode": 255, "reason": "Unknown", "finishedAt": now(), "containerID": old.get("containerID", "")}
        self.last = {"terminated": {**ended, **({"startedAt": ran} if ran else {})}}

    def status(self) -> Json:
        """As in ``containerStatuses``."""
        found: Json = {"name": self.name, "image": self.spec["image"], "imageID": ""}
        if self._program is not None:
            found["imageID"] = f"{self.spec['image'].rpartition(':')[0]}@{self._program.digest}"
        found |= {"ready": self.ready, "started": self.started, "restartCount": self.restarts}
        found |= {"state": self.state, "lastState": self.last}
        return {**found, "containerID": self._id} if self._id else found

    def _turn(self, **state: Json) -> None:
        self.state = state
        if "running" not in state:
            self.ready = self.started = False
        self._run.report()

    def _wait(self, reason: str, message: str) -> None:
        self._turn(waiting={"reason": reason, "message": message})

    async def live(self) -> None:
        """Start, and start again, as long as the pod's policy wants it."""
        while True:
            await self._pull()
            code = await self._once()
            if code is None:
                continue
            policy = self._run.policy
            if policy == "Never" or (policy == "OnFailure" and code == 0):
                return
            await self._run.awake()
            pause = self._backoff.step()
            if pause:
                await self._rest(pause)
            self.restarts += 1

    async def _rest(self, pause: float) -> None:
        where = f"{self._run.name}_{self._run.namespace}({self._run.uid})"
        told = f"restarting failed container={self.name} pod={where}"
        self.last = self.state if "terminated" in self.state else self.last
        self._wait("CrashLoopBackOff", f"back-off {pause:g}s {told}")
        self._note("BackOff", f"Back-off {told.replace('container=', 'container ').replace('pod=', 'in pod ')}", True)
        await asyncio.sleep(pause)

    async def _pull(self) -> None:
        """Have the image; returns when it is there."""
        image, backoff = self.spec["image"], Backoff()
        while True:
            known = self._program is not None
            self._program = await self._run.pull(image)
            if self._program is not None:
                if not known:
                    self._note("Pulled", f'Container image "{image}" already present on machine')
                return
            why = (
                f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'
            )
            why = f"rpc error: code = NotFound desc = {why}"
            self._note("Pulling", f'Pulling image "{image}"')
            self._note("Failed", f'Failed to pull image "{image}": {why}', True)
            self._note("Failed", "Error: ErrImagePull", True)
            self._wait("ErrImagePull", why)
            pause = backoff.step(FIRST_S)
            await asyncio.sleep(min(pause, 1.0))
            self._note("BackOff", f'Back-off pulling image "{image}"', False)
            self._note("Failed", "Error: ImagePullBackOff", True)
            self._wait("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {why}')
            await asyncio.sleep(pause)

    async def _once(self) -> int | None:
        """Run it once; its exit code, or None if its configuration is not there yet."""
        assert self._program is not None
        self.last = self.state if "terminated" in self.state else self.last
        try:
            what = command(
                self._run.cluster, self._run.directory, self._run.pod, self.spec, self._program, self._run.port
            )
        except ConfigError as problem:
            self._note("Failed", f"Error: {problem}", True)
            self._wait("CreateContainerConfigError", str(problem))
            await asyncio.sleep(FIRST_S)
            return None
        began = now()
        try:
            child = Child(what.argv, what.environment, self._run.folder, self._run.fresh_log(self.name))
        except OSError as problem:
            self._note("Failed", f"Error: failed to start container: {problem}", True)
            ended = {"exitCode": 128, "reason": "StartError", "message": str(problem)}
            self._turn(terminated={**ended, "startedAt": began, "finishedAt": now()})
            return 128
        self.child, self.over_memory, self.usage = child, False, None
        self._id = f"process://{child.pid}"
        self._note("Created", f"Created container: {self.name}")
        self._note("Started", f"Started container {self.name}")
        self.started = "startupProbe" not in self.spec
        self.ready = self.started and "readinessProbe" not in self.spec
        self._turn(running={"startedAt": began})
        watching = asyncio.create_task(self._watch(child))
        begun = asyncio.get_running_loop().time()
        try:
            await asyncio.wait([child.ended])
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
        if asyncio.get_running_loop().time() - begun > SETTLED_S:
            self._backoff.clear()
        self.finish(began)
        return child.ended.result()

    def finish(self, began: str = "") -> None:
        """Take down how it ended."""
        if self.child is None or self.child.runs or "terminated" in self.state:
            return
        code = self.child.ended.result()
        reason = "OOMKilled" if self.over_memory else "Error" if code else "Completed"
        began = began or (self.state.get("running") or {}).get("startedAt") or now()
        ended = {"exitCode": code, "reason": reason, "startedAt": began, "finishedAt": now(), "containerID": self._id}
        self._turn(terminated=ended)

    def kill_for_memory(self) -> None:
        """End it: it uses more than its limit."""
        if self.child is not None and self.child.runs:
            self.over_memory = True
            self.child.kill()

    async def stop(self, grace_s: float) -> None:
        """End it for good."""
        if self.child is not None and self.child.runs:
            self._note("Killing", f"Stopping container {self.name}")
            await self.child.stop(grace_s)
        self.finish()

    async def _watch(self, child: Child) -> None:
        """Run its probes."""
        if "startupProbe" in self.spec:
            await self._until_started(child)
        async with asyncio.TaskGroup() as group:
            for name in ("readinessProbe", "livenessProbe"):
                if name in self.spec:
                    group.create_task(self._probe(child, name))

    async def _until_started(self, child: Child) -> None:
        probe, failures = self.spec["startupProbe"], 0
        await asyncio.sleep(float(probe.get("initialDelaySeconds", 0)))
        while why := await self._check("Startup", probe):
            failures += 1
            if failures >= probe["failureThreshold"]:
                await self._fail(child, "startup", why)
                return
            await asyncio.sleep(float(probe["periodSeconds"]))
        self.started = True
        self.ready = "readinessProbe" not in self.spec
        self._run.report()

    async def _probe(self, child: Child, name: str) -> None:
        probe, failures, successes = self.spec[name], 0, 0
        await asyncio.sleep(float(probe.get("initialDelaySeconds", 0)))
        while child.runs:
            why = await self._check("Readiness" if name == "readinessProbe" else "Liveness", probe)
            failures, successes = (failures + 1, 0) if why else (0, successes + 1)
            if name == "livenessProbe" and failures >= probe["failureThreshold"]:
                await self._fail(child, "liveness", why)
                return
            if name == "readinessProbe":
                self._became(why, failures >= probe["failureThreshold"], successes >= probe["successThreshold"])
            early = name == "readinessProbe" and not self.ready
            await asyncio.sleep(_EARLY_S if early else float(probe["periodSeconds"]))

    def _became(self, why: str, failed: bool, served: bool) -> None:
        ready = served if not why else self.ready and not failed
        if ready != self.ready:
            self.ready = ready
            self._run.report()

    async def _check(self, what: str, probe: Json) -> str:
        while True:
            await self._run.awake()
            why = await probes.check(probe, self.spec, self._run.address)
            if self._run.is_awake:
                break
        if why:
            self._note("Unhealthy", f"{what} probe failed: {why}", True)
        return why

    async def _fail(self, child: Child, what: str, why: str) -> None:
        self._note("Killing", f"Container {self.name} failed {what} probe, will be restarted")
        await child.stop(self._run.grace_s)

    def _note(self, reason: str, message: str, warning: bool = False) -> None:
        self._run.note(reason, message, warning=warning, field=f"spec.containers{{{self.name}}}")
