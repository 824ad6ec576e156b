"""Short-lived topics that answer a request; subscribed only while a screen shows them.

A console asks ``log TARGET`` (ends with ``unlog TARGET``) or ``describe TARGET`` (ends with ``undescribe TARGET``); the answer is on
the board under the topic ``log`` or ``describe`` with the target as its key, and is kept up until nobody asks for it any more.

A target is the address of a reading, with the row's own key behind the cluster where it is about a row of Kubernetes:

- ``log postgres main/pg-1``, ``log redis CACHE/SERVER``, ``log sentinel CACHE/SENTINEL``: as the environment file names it.
- ``log kubernetes.pods CLUSTER/NAMESPACE/POD`` for its first container; ``…/POD/CONTAINER`` for another; with `` previous`` at the end
  (``kubernetes.pods lab/tenant-acme/odoo-7d9f-x2x previous``) for the run before the last restart.
- ``log kubernetes.workloads CLUSTER/deployments/NAMESPACE/NAME``: of the pod of it that is worst off, else of the newest.
- ``describe kubernetes.pods CLUSTER/NAMESPACE/POD``, ``kubernetes.nodes CLUSTER/NODE``, ``kubernetes.workloads CLUSTER/deployments/NAMESPACE/NAME``
  (statefulsets, daemonsets), ``kubernetes.scalers``, ``kubernetes.quotas``, ``kubernetes.budgets`` ``CLUSTER/NAMESPACE/NAME``,
  ``kubernetes.databases CLUSTER/clusters/NAMESPACE/NAME`` (or poolers), ``kubernetes.warnings CLUSTER/NAMESPACE/KIND/NAME/REASON`` (what it is
  about), ``kubernetes.images CLUSTER/NAMESPACE/KIND/NAME/IMAGE`` (the workload): topic and row key as they are.
- ``describe kubernetes CLUSTER/GROUP/VERSION/PLURAL/NAMESPACE/NAME``: any other object (``lab/traefik.io/v1alpha1/middlewares/ingress/limit``),
  without the namespace where the kind has none; the core group is written ``core``.
"""

from __future__ import annotations

from console.readings.base import PrivateText, Reading, topic


@topic("log")
class LogTail(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Tail of a log. Key: the target it was asked for with."""

    origin: str = ""
    """The path or command it comes from; ``NAMESPACE/POD CONTAINER`` of a pod's."""
    containers: tuple[str, ...] = ()
    """Of a pod, all that have a log; the one shown is the end of ``origin``."""
    ended: str = ""
    """Why nothing more will come, in words; empty: it is followed."""
    lines: dict[int, PrivateText] = {}
    """Line number → cleaned line, the newest 500."""


@topic("describe")
class Description(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """An object as YAML, without managed fields; values that look secret are masked. Key: the target."""

    title: str = ""
    """``Pod tenant-acme/odoo-7d9f-x2x``."""
    lines: dict[int, PrivateText] = {}
    """Line number from 1 → cleaned line; at most 3000, then one that says how many were left out."""
