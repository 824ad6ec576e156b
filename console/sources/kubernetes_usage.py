"""CPU and memory in use by the metrics API (metrics.k8s.io/v1beta1). It can only be listed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from console.clients.clean import clean
from console.clients.kubernetes import Kubernetes, KubernetesError
from console.clients.kubernetes_mirror import unserved
from console.clients.quantity import quantity
from console.readings.kubernetes import KubernetesUsage, KubeUse
from console.sources.base import SourceError

GROUP = "metrics.k8s.io"
ROOT = f"/apis/{GROUP}/v1beta1"
_MIB = 2**20
_NAME = 253


class _Meta(msgspec.Struct, frozen=True, gc=False):
    name: str = ""
    namespace: str = ""


class _Container(msgspec.Struct, frozen=True, gc=False):
    usage: dict[str, str] | None = None


class _Item(msgspec.Struct, frozen=True, gc=False):
    metadata: _Meta = _Meta()
    timestamp: datetime | None = None
    usage: dict[str, str] | None = None
    containers: list[_Container] | None = None


class _Page(msgspec.Struct, frozen=True, gc=False):
    items: list[_Item] | None = None


async def measured(api: Kubernetes, cluster: str, namespaces: tuple[str, ...], patience_s: float) -> KubernetesUsage:
    """What nodes and pods use now. ``not-configured`` where nobody serves it. Raises SourceError."""
    paths = [f"{ROOT}/nodes", *(f"{ROOT}/namespaces/{each}/pods" for each in namespaces or ())]
    if not namespaces:
        paths.append(f"{ROOT}/pods")
    pages = await asyncio.gather(*(_page(api, path, patience_s) for path in paths))
    failures = [page for page in pages if isinstance(page, KubernetesError)]
    taken_at = datetime.now(UTC)
    if failures and all(failure.status == 404 for failure in failures):
        problem = "the cluster serves no metrics API (metrics.k8s.io)"
        return KubernetesUsage(key=cluster, taken_at=taken_at, status="not-configured", problem=problem)
    problem = "; ".join(failure.problem for failure in failures)[:500]
    if len(failures) == len(pages):
        raise SourceError(problem, denied=all(failure.denied for failure in failures))
    nodes, *pods = (page if isinstance(page, _Page) else _Page() for page in pages)
    items = [item for page in pods for item in page.items or ()]
    return KubernetesUsage(
        key=cluster,
        taken_at=taken_at,
        status="partial" if failures else "ok",
        problem=problem,
        nodes={clean(item.metadata.name, _NAME): _use(item) for item in nodes.items or ()},
        pods={
            f"{clean(item.metadata.namespace, _NAME)}/{clean(item.metadata.name, _NAME)}": _use(item) for item in items
        },
        measured_at=max((item.timestamp for item in (*(nodes.items or ()), *items) if item.timestamp), default=None),
    )


async def _page(api: Kubernetes, path: str, patience_s: float) -> _Page | KubernetesError:
    try:
        return msgspec.json.decode(await api.get(path, patience_s), type=_Page)
    except KubernetesError as error:
        return await unserved(api, ROOT, error) if error.status == 403 else error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return KubernetesError(f"{path}: not of the shape expected: {clean(str(error), 160)}")


def _use(item: _Item) -> KubeUse:
    """Of a node, or of a pod's containers together: thousandths of a core and whole MiB, so that rest looks like rest."""
    amounts: list[Mapping[str, Any] | None] = [item.usage, *(each.usage for each in item.containers or ())]
    cpu = sum(quantity(each.get("cpu", "0")) or 0.0 for each in amounts if each)
    memory = sum(quantity(each.get("memory", "0")) or 0.0 for each in amounts if each)
    return KubeUse(cpu=round(cpu, 3), memory=round(memory / _MIB) * _MIB)
