"""Parts of scripted boards: a Kubernetes cluster of six nodes in three zones with eight tenants, well and on bad days."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from console.board import Board
from console.readings import (
    CnpgCluster,
    CnpgCondition,
    CnpgPooler,
    Evidence,
    KindState,
    KubeBudget,
    KubeImage,
    KubeNode,
    KubePod,
    KubeQuota,
    KubernetesApi,
    KubernetesBudgets,
    KubernetesDatabases,
    KubernetesImages,
    KubernetesNodes,
    KubernetesPods,
    KubernetesQuotas,
    KubernetesScalers,
    KubernetesUsage,
    KubernetesWarnings,
    KubernetesWorkloads,
    KubeScaler,
    KubeUse,
    KubeWarning,
    KubeWorkload,
    Reading,
    Trend,
)
from console.readings.environment import Tenant
from tests.screens.board_ground import NOW, ago, change, environment, failed, finding, findings, put
from tests.tools.hostile import readings_with

CLUSTER = "lab"
TENANTS = {"acme": 18, "bauhof": 17, "cobalt": 16, "delta": 18, "ebene": 17, "fjord": 16, "granit": 18, "hafen": 17}
NODES = {f"node-{number}": f"zone-{'abc'[(number - 1) % 3]}" for number in range(1, 7)}
KB, MB, GB = 1024, 1024**2, 1024**3
DIGESTS = {version: f"sha256:{version:02x}" + "5e91c0a7" * 7 + "d4f2a1" for version in (16, 17, 18, 3)}
EVERY = (
    KubernetesApi,
    KubernetesNodes,
    KubernetesPods,
    KubernetesWorkloads,
    KubernetesScalers,
    KubernetesQuotas,
    KubernetesBudgets,
    KubernetesWarnings,
    KubernetesUsage,
    KubernetesImages,
    KubernetesDatabases,
)
KINDS = (
    "nodes", "pods", "deployments", "statefulsets", "daemonsets", "horizontalpodautoscalers", "resourcequotas",
    "poddisruptionbudgets", "events",
)  # fmt: skip


def _base(now: datetime, seconds: float = 0.8, every_s: float = 5) -> dict[str, Any]:
    taken = now - timedelta(seconds=seconds)
    return {"key": CLUSTER, "taken_at": taken, "good_at": taken, "took_ms": 0.4, "every_s": every_s}


def namespace_of(tenant: str) -> str:
    return f"tenant-{tenant}"


def pod(now: datetime, tenant: str, node: str, suffix: str = "x2x4z", **changes: Any) -> KubePod:
    version = TENANTS[tenant]
    plain = KubePod(
        namespace=namespace_of(tenant),
        name=f"odoo-7c9d8f6b5-{suffix}",
        phase="Running",
        ready=1,
        containers=1,
        node=node,
        owner="Deployment/odoo",
        images=(f"registry.lab/odoo:{version}.0",),
        digests=(DIGESTS[version],),
        cpu_request=0.25,
        memory_request=256 * MB,
        cpu_limit=2.0,
        memory_limit=512 * MB,
        created_at=now - timedelta(days=3, hours=4),
        started_at=now - timedelta(days=3, hours=4),
    )
    return msgspec.structs.replace(plain, **changes)


def pods(now: datetime) -> dict[str, KubePod]:
    names = list(NODES)
    rows = [pod(now, tenant, names[at % 6], f"{tenant[:2]}4z{at}") for at, tenant in enumerate(TENANTS)]
    rows.append(pod(now, "acme", "node-4", "ac9k1"))
    rows += [
        msgspec.structs.replace(
            pod(now, "acme", node),
            namespace="ingress",
            name=f"traefik-5d4f7c-{suffix}",
            owner="Deployment/traefik",
            images=("registry.lab/traefik:3.7",),
            digests=(DIGESTS[3],),
            restarts=restarts,
            ended_reason="Completed" if restarts else "",
            ended_code=0 if restarts else None,
            ended_at=now - timedelta(hours=9) if restarts else None,
        )
        for suffix, node, restarts in (("h8k2p", "node-1", 0), ("q7z4m", "node-2", 1))
    ]
    return {f"{row.namespace}/{row.name}": row for row in rows}


def nodes(now: datetime, placed: dict[str, KubePod]) -> dict[str, KubeNode]:
    found = {}
    for name, zone in NODES.items():
        here = [row for row in placed.values() if row.node == name]
        found[name] = KubeNode(
            zone=zone,
            region="lab-1",
            ready="True",
            ready_since=now - timedelta(days=12, hours=2),
            cpu_capacity=2.0,
            memory_capacity=2 * GB,
            pods_capacity=110,
            cpu_allocatable=1.9,
            memory_allocatable=int(1.8 * GB),
            pods_allocatable=110,
            kubelet="v1.34.1",
            created_at=now - timedelta(days=40),
            pods=len(here),
            cpu_requested=sum(row.cpu_request for row in here),
            memory_requested=sum(row.memory_request for row in here),
            memory_limits=sum(row.memory_limit for row in here),
        )
    return found


def workload(now: datetime, namespace: str, name: str, image: str, replicas: int, **changes: Any) -> KubeWorkload:
    plain = KubeWorkload(
        kind="Deployment",
        namespace=namespace,
        name=name,
        desired=replicas,
        ready=replicas,
        updated=replicas,
        available=replicas,
        images=(image,),
        created_at=now - timedelta(days=40),
        zones=("zone-a",) if replicas == 1 else ("zone-a", "zone-b"),
        nodes=("node-1",) if replicas == 1 else ("node-1", "node-2"),
        single="one replica" if replicas == 1 else "",
    )
    return msgspec.structs.replace(plain, **changes)


def workloads(now: datetime) -> dict[str, KubeWorkload]:
    rows = [
        workload(now, namespace_of(tenant), "odoo", f"registry.lab/odoo:{version}.0", 2 if tenant == "acme" else 1)
        for tenant, version in TENANTS.items()
    ]
    rows.append(workload(now, "ingress", "traefik", "registry.lab/traefik:3.7", 2))
    return {f"deployments/{row.namespace}/{row.name}": row for row in rows}


def quotas() -> dict[str, KubeQuota]:
    found = {}
    for at, tenant in enumerate(TENANTS):
        space = namespace_of(tenant)
        used = 2 if tenant == "acme" else 1
        found[f"{space}/tenant"] = KubeQuota(
            space,
            "tenant",
            {"requests.cpu": 2.0, "requests.memory": 1.0 * GB, "pods": 5.0},
            {"requests.cpu": 0.25 * used, "requests.memory": (256 + 16 * at) * MB * used * 1.0, "pods": float(used)},
        )
    return found


def warnings(now: datetime) -> dict[str, KubeWarning]:
    return {
        "tenant-fjord/Pod/odoo-7c9d8f6b5-fj4z5/Unhealthy": KubeWarning(
            "tenant-fjord",
            "Pod/odoo-7c9d8f6b5-fj4z5",
            "Unhealthy",
            "Readiness probe failed: Get http://127.30.4.6:8069/web/health: context deadline exceeded",
            1,
            now - timedelta(hours=5),
            now - timedelta(hours=5),
        )
    }


def images() -> dict[str, KubeImage]:
    rows = [
        KubeImage(
            namespace_of(tenant),
            "Deployment/odoo",
            f"registry.lab/odoo:{version}.0",
            (DIGESTS[version],),
            2 if tenant == "acme" else 1,
        )
        for tenant, version in TENANTS.items()
    ]
    rows.append(KubeImage("ingress", "Deployment/traefik", "registry.lab/traefik:3.7", (DIGESTS[3],), 2))
    return {f"{row.namespace}/{row.workload}/{row.image}": row for row in rows}


def readings(now: datetime) -> list[Reading]:
    """Everything that a healthy cluster says at ``now``."""
    base, placed = _base(now), pods(now)
    found_nodes = nodes(now, placed)
    return [
        KubernetesApi(
            **_base(now, 1, 5), cluster=CLUSTER, ready=True, checks=42, version="v1.34.1",
            kinds={kind: KindState("watching", "", 9) for kind in KINDS},
        ),
        KubernetesNodes(**base, nodes=found_nodes),
        KubernetesPods(**base, pods=placed),
        KubernetesWorkloads(**base, workloads=workloads(now)),
        KubernetesScalers(
            **base,
            scalers={
                "tenant-acme/odoo": KubeScaler(
                    "tenant-acme", "odoo", "Deployment/odoo", 1, 3, 2, 2, scaled_at=now - timedelta(hours=2, minutes=7)
                )
            },
        ),
        KubernetesQuotas(**base, quotas=quotas()),
        KubernetesBudgets(
            **base, budgets={"tenant-acme/odoo": KubeBudget("tenant-acme", "odoo", "1", "", 1, 2, 1, 2, ("Deployment/odoo",))}
        ),
        KubernetesWarnings(**base, warnings=warnings(now)),
        KubernetesUsage(
            **_base(now, 6, 15),
            nodes={name: KubeUse(0.31 + 0.05 * at, (520 + 40 * at) * MB) for at, name in enumerate(found_nodes)},
            pods={name: KubeUse(0.04 + 0.01 * at, (118 + 9 * at) * MB) for at, name in enumerate(placed)},
            measured_at=now - timedelta(seconds=9),
        ),
        KubernetesImages(**base, images=images(), vulnerability_reports="absent", policy_reports="absent"),
        KubernetesDatabases(
            **{**base, "good_at": None}, status="not-configured", problem="the server has no CloudNativePG"
        ),
    ]  # fmt: skip


def trends(now: datetime) -> list[Reading]:
    step = int(now.timestamp()) // 10
    series = {"cpu": ("cores", 2.5), "memory": ("B", 3.7 * GB), "not_ready": ("pods", 0.0)}
    return [
        Trend(
            key=f"cluster/{CLUSTER}/{name}",
            taken_at=ago(now, 2),
            unit=unit,
            points={step - 90 + at: level * (0.7 + 0.6 * ((at * 37 % 90) / 90)) for at in range(90)},
        )
        for name, (unit, level) in series.items()
    ]


def tenants() -> dict[str, Tenant]:
    return {name: Tenant(databases=(name,), namespace=namespace_of(name)) for name in TENANTS}


def alone(now: datetime = NOW) -> Board:
    """A cluster that is well, and nothing else."""
    return on(Board(), now)


def on(board: Board, now: datetime = NOW) -> Board:
    """``board`` with a cluster that is well."""
    old = board.environment
    everything = [reading for reading in board if reading.pane is not None] + readings(now)
    about = environment(now, everything, applications=tenants())
    if old is not None:
        about = msgspec.structs.replace(old, panes=about.panes, applications=tenants())
    put(board, about, *readings(now), *trends(now))
    return put(board, findings(now, board, board.findings))


# -- bad days ----------------------------------------------------------------------------------------------------------


def _pods(board: Board, **changes: dict[str, Any]) -> None:
    """Change pods by their key (``/`` written ``__``)."""
    reading = board.get(KubernetesPods, CLUSTER)
    assert reading is not None
    rows = dict(reading.pods)
    for key, what in changes.items():
        rows[key] = msgspec.structs.replace(rows[key], **what)
    change(board, KubernetesPods, CLUSTER, pods=rows)


def broken(now: datetime = NOW) -> Board:
    """node-2 is lost, bauhof crashes in a loop, cobalt's image cannot be pulled, acme's quota is used up."""
    board = alone(now)
    found = board.get(KubernetesNodes, CLUSTER)
    assert found is not None
    rows = dict(found.nodes)
    rows["node-2"] = msgspec.structs.replace(
        rows["node-2"], ready="Unknown", ready_since=ago(now, 190), reason="NodeStatusUnknown",
        taints=("node.kubernetes.io/unreachable:NoExecute",),
    )  # fmt: skip
    rows["node-5"] = msgspec.structs.replace(rows["node-5"], pressures=("MemoryPressure",))
    rows["node-6"] = msgspec.structs.replace(rows["node-6"], cordoned=True)
    change(board, KubernetesNodes, CLUSTER, nodes=rows)
    crash = {
        "node": "node-5", "reason": "CrashLoopBackOff", "ready": 0, "restarts": 14, "ended_reason": "Error", "ended_code": 1,
        "ended_at": ago(now, 47), "message": "back-off 5m0s restarting failed container=odoo pod=odoo-7c9d8f6b5-ba4z1",
    }  # fmt: skip
    pull = {
        "phase": "Pending", "reason": "ImagePullBackOff", "ready": 0, "digests": (), "created_at": ago(now, 260),
        "message": 'Back-off pulling image "registry.lab/odoo:16.1": manifest unknown', "images": ("registry.lab/odoo:16.1",),
    }  # fmt: skip
    killed = {"restarts": 3, "ended_reason": "OOMKilled", "ended_code": 137, "ended_at": ago(now, 1300)}
    _pods(
        board,
        **{
            "tenant-bauhof/odoo-7c9d8f6b5-ba4z1": crash,
            "tenant-cobalt/odoo-7c9d8f6b5-co4z2": pull,
            "tenant-delta/odoo-7c9d8f6b5-de4z3": killed,
            "tenant-hafen/odoo-7c9d8f6b5-ha4z7": {"node": "node-2"},
        },
    )
    pending = pod(
        now, "acme", "", "ac7n2", phase="Pending", reason="Unschedulable", ready=0, digests=(), created_at=ago(now, 130),
        message="0/6 nodes are available: 1 node(s) were unschedulable, 5 Insufficient memory.", started_at=None,
    )  # fmt: skip
    reading = board.get(KubernetesPods, CLUSTER)
    assert reading is not None
    change(board, KubernetesPods, CLUSTER, pods={**reading.pods, f"{pending.namespace}/{pending.name}": pending})
    known = board.get(KubernetesWorkloads, CLUSTER)
    assert known is not None
    work = dict(known.workloads)
    for tenant, ready, reason in (("bauhof", 0, ""), ("cobalt", 0, "ProgressDeadlineExceeded"), ("hafen", 0, "")):
        key = f"deployments/tenant-{tenant}/odoo"
        work[key] = msgspec.structs.replace(work[key], ready=ready, available=ready, reason=reason)
    work["deployments/tenant-cobalt/odoo"] = msgspec.structs.replace(
        work["deployments/tenant-cobalt/odoo"], message='ReplicaSet "odoo-6f" has timed out progressing.',
        images=("registry.lab/odoo:16.1",),
    )  # fmt: skip
    work["deployments/tenant-acme/odoo"] = msgspec.structs.replace(
        work["deployments/tenant-acme/odoo"], desired=4, ready=2, updated=3, reason="FailedCreate",
        message="pods \"odoo-7c9d8f6b5-zz\" is forbidden: exceeded quota: tenant, requested: requests.memory=256Mi",
    )  # fmt: skip
    change(board, KubernetesWorkloads, CLUSTER, workloads=work)
    limits = board.get(KubernetesQuotas, CLUSTER)
    assert limits is not None
    full = {"requests.cpu": 0.75, "requests.memory": 1.0 * GB, "pods": 3.0}
    quota = msgspec.structs.replace(limits.quotas["tenant-acme/tenant"], used=full)
    change(board, KubernetesQuotas, CLUSTER, quotas={**limits.quotas, "tenant-acme/tenant": quota})
    change(
        board, KubernetesScalers, CLUSTER,
        scalers={
            "tenant-acme/odoo": KubeScaler(
                "tenant-acme", "odoo", "Deployment/odoo", 1, 4, 4, 4, "TooManyReplicas", scaled_at=ago(now, 150)
            )
        },
    )  # fmt: skip
    change(
        board, KubernetesBudgets, CLUSTER,
        budgets={
            "tenant-acme/odoo": KubeBudget("tenant-acme", "odoo", "2", "", 0, 2, 2, 4, ("Deployment/odoo",), ("node-6",)),
            "tenant-bauhof/odoo": KubeBudget("tenant-bauhof", "odoo", "1", "", 0, 0, 1, 1, ("Deployment/odoo",)),
        },
    )  # fmt: skip
    change(board, KubernetesWarnings, CLUSTER, warnings={**warnings(now), **_bad_events(now)})
    pictures = images()
    pictures["tenant-cobalt/Deployment/odoo/registry.lab/odoo:16.1"] = KubeImage(
        "tenant-cobalt", "Deployment/odoo", "registry.lab/odoo:16.1", (), 1
    )
    del pictures["tenant-cobalt/Deployment/odoo/registry.lab/odoo:16.0"]
    key = "tenant-delta/Deployment/odoo/registry.lab/odoo:18.0"
    pictures[key] = msgspec.structs.replace(
        pictures[key], digests=(DIGESTS[18], DIGESTS[17]), differs="two digests under one tag"
    )
    change(board, KubernetesImages, CLUSTER, images=pictures)
    used = board.get(KubernetesUsage, CLUSTER)
    assert used is not None
    change(
        board, KubernetesUsage, CLUSTER,
        nodes={name: each for name, each in used.nodes.items() if name != "node-2"},
        pods={**used.pods, "tenant-delta/odoo-7c9d8f6b5-de4z3": KubeUse(0.8, 489 * MB)},
    )  # fmt: skip
    return put(board, findings(now, board, bad_findings(now)))


def _bad_events(now: datetime) -> dict[str, KubeWarning]:
    rows = (
        KubeWarning("tenant-bauhof", "Pod/odoo-7c9d8f6b5-ba4z1", "BackOff", "Back-off restarting failed container odoo", 61, ago(now, 2400), ago(now, 12)),
        KubeWarning("tenant-cobalt", "Pod/odoo-7c9d8f6b5-co4z2", "Failed", "Error: ImagePullBackOff", 9, ago(now, 250), ago(now, 31)),
        KubeWarning("tenant-acme", "ReplicaSet/odoo-7c9d8f6b5", "FailedCreate", "exceeded quota: tenant, requested: requests.memory=256Mi, used: requests.memory=1Gi, limited: requests.memory=1Gi", 6, ago(now, 140), ago(now, 8)),
        KubeWarning("tenant-acme", "Pod/odoo-7c9d8f6b5-ac7n2", "FailedScheduling", "0/6 nodes are available: 1 node(s) were unschedulable, 5 Insufficient memory.", 3, ago(now, 130), ago(now, 70)),
        KubeWarning("default", "Node/node-5", "EvictionThresholdMet", "Attempting to reclaim memory", 2, ago(now, 600), ago(now, 300)),
    )  # fmt: skip
    return {f"{row.namespace}/{row.object}/{row.reason}": row for row in rows}


def bad_findings(now: datetime) -> list[Any]:
    def said(kind: str, subject: str, severity: str, title: str, age_s: float, **more: Any) -> Any:
        return finding(now, kind, subject, severity, title, age_s, pane="cluster", **more)

    return [
        said(
            "node-not-ready", f"{CLUSTER}/node-2", "critical", "Node node-2 of lab does not report", 190,
            impact="Odoo of hafen cannot be reached; its pod is placed anew after 5 min.",
            action="Look at the machine of node-2 and its kubelet; if it is gone, delete the node.",
            affects=("hafen",), tenants=("hafen",),
            evidence=(Evidence("Ready", "Unknown", "", "kubernetes.nodes lab", ago(now, 1)),),
        ),
        said(
            "pod-crash-loop", f"{CLUSTER}/tenant-bauhof/odoo", "critical", "odoo of tenant-bauhof crashes in a loop, 14 restarts", 2400,
            impact="bauhof cannot log in.", action="Read its log (l); roll back if it follows a change.", affects=("bauhof",), tenants=("bauhof",),
        ),
        said(
            "image-unpullable", f"{CLUSTER}/tenant-cobalt/odoo", "critical", "Image odoo:16.1 of tenant-cobalt cannot be pulled", 250,
            impact="cobalt cannot log in.", action="Set the image back to 16.0.", affects=("cobalt",), tenants=("cobalt",),
        ),
        said("quota-exhausted", f"{CLUSTER}/tenant-acme", "warning", "Quota of tenant-acme is used up: requests.memory", 140),
        said("node-pressure", f"{CLUSTER}/node-5", "warning", "Node node-5 of lab is short of memory", 610),
    ]  # fmt: skip


def denied(now: datetime = NOW) -> Board:
    """The role lacks quotas and events, pods are seen in some namespaces alone, there is no metrics API."""
    board = alone(now)
    for cls, what in ((KubernetesQuotas, "resourcequotas"), (KubernetesWarnings, "events")):
        old = board.get(cls, CLUSTER)
        assert old is not None
        problem = f'{what} is forbidden: User "banksman" cannot list resource "{what}" at the cluster scope'
        put(board, cls(key=CLUSTER, taken_at=old.taken_at, every_s=old.every_s, status="denied", problem=problem))
    change(board, KubernetesPods, CLUSTER, status="partial", problem="pods in tenant-hafen: forbidden")
    old = board.get(KubernetesUsage, CLUSTER)
    assert old is not None
    put(
        board,
        KubernetesUsage(
            key=CLUSTER, taken_at=old.taken_at, every_s=15, status="not-configured", problem="no metrics API"
        ),
    )
    kinds = {kind: KindState("watching", "", 9) for kind in KINDS}
    kinds |= {kind: KindState("denied", "forbidden") for kind in ("resourcequotas", "events")}
    change(board, KubernetesApi, CLUSTER, kinds=kinds)
    return put(board, findings(now, board, []))


def unknown(now: datetime = NOW) -> Board:
    """The API server has not answered for 42 s."""
    board = broken(now)
    for cls in EVERY:
        never = cls is KubernetesDatabases
        failed(board, cls, CLUSTER, now, "no answer within 2 s", None if never else 42)
    return put(
        board, findings(now, board, [msgspec.structs.replace(each, state="unknown") for each in bad_findings(now)])
    )


def operators(now: datetime = NOW) -> Board:
    """CloudNativePG keeps two clusters, one of which fails over; one pooler is paused."""
    board = alone(now)
    found = {
        "tenant-acme/pg": CnpgCluster(
            "tenant-acme", "pg", 3, 3, "Cluster in healthy state", primary="pg-1", primary_since=now - timedelta(days=4), target="pg-1",
            timeline=3, image="ghcr.io/cloudnative-pg/postgresql:18.1", last_backup_at=now - timedelta(hours=7),
            first_recoverable_at=now - timedelta(days=14), certificates_expire_at=now + timedelta(days=61), healthy=("pg-1", "pg-2", "pg-3"),
        ),
        "tenant-delta/pg": CnpgCluster(
            "tenant-delta", "pg", 3, 2, "Failing over", primary="pg-2", primary_since=now - timedelta(days=4), target="pg-3", timeline=5,
            image="ghcr.io/cloudnative-pg/postgresql:17.7", healthy=("pg-1", "pg-3"), unhealthy=("pg-2",),
            conditions={"Ready": CnpgCondition("ClusterIsNotReady", "Cluster Is Not Ready", ago(now, 20))},
        ),
    }  # fmt: skip
    pools = {
        "tenant-acme/pool": CnpgPooler("tenant-acme", "pool", "pg", "rw", "transaction", 2, 2),
        "tenant-delta/pool": CnpgPooler("tenant-delta", "pool", "pg", "rw", "session", 2, 2, paused=True),
    }
    put(board, KubernetesDatabases(**_base(now), clusters=found, poolers=pools))
    return put(board, findings(now, board, []))


def crowd(now: datetime = NOW, many: int = 5000) -> Board:
    """5,000 pods on 100 nodes in 500 namespaces; one in a hundred does not run."""
    board = alone(now)
    rows: dict[str, KubePod] = {}
    use: dict[str, KubeUse] = {}
    for at in range(many):
        row = KubePod(
            namespace=f"team-{at % 500:03}",
            name=f"web-6d5f9c7b8d-{at:05}",
            phase="Running",
            reason="" if at % 100 else "CrashLoopBackOff",
            ready=1 if at % 100 else 0,
            containers=1,
            restarts=0 if at % 100 else at % 17,
            node=f"node-{at % 100:03}",
            owner="Deployment/web",
            images=("registry.lab/web:1.2",),
            cpu_request=0.1,
            memory_request=64 * MB,
            created_at=now - timedelta(seconds=700 + at * 61),
        )
        rows[f"{row.namespace}/{row.name}"] = row
        use[f"{row.namespace}/{row.name}"] = KubeUse(0.02, 40 * MB)
    work = {
        f"deployments/team-{at:03}/web": workload(
            now, f"team-{at:03}", "web", "registry.lab/web:1.2", 10, ready=10 if at % 100 else 0
        )
        for at in range(500)
    }
    template = nodes(now, {})["node-1"]
    found = {
        f"node-{at:03}": msgspec.structs.replace(template, zone=f"zone-{'abc'[at % 3]}", pods=50) for at in range(100)
    }
    change(board, KubernetesPods, CLUSTER, pods=rows)
    change(board, KubernetesUsage, CLUSTER, pods=use, nodes={})
    change(board, KubernetesWorkloads, CLUSTER, workloads=work)
    change(board, KubernetesNodes, CLUSTER, nodes=found)
    return put(board, findings(now, board, []))


def hostile_cluster(board: Board, text: str) -> Board:
    """``board`` with a cluster that has ``text`` in all its texts."""
    on(board)
    kinds = tuple(cls.topic for cls in EVERY)
    for reading in readings_with(text):
        if reading.topic in kinds:
            put(board, msgspec.structs.replace(reading, key=CLUSTER, taken_at=ago(NOW, 1), every_s=5, status="ok"))
    return board


DAYS = {"well": alone, "broken": broken, "denied": denied, "unknown": unknown, "operators": operators, "crowd": crowd}
