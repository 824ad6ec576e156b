"""The kinds that every cluster has, as far as the laboratory uses them; groups in the order of a real server."""

from __future__ import annotations

from console.lab.kube.kinds import Kind, Subresource

_CREATE = ("create",)
_WORKLOAD = {"categories": ("all",), "status": True, "generation": True}

NAMESPACE = Kind(
    "",
    "v1",
    "Namespace",
    "namespaces",
    namespaced=False,
    short=("ns",),
    status=True,
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    more=(Subresource("finalize", "Namespace", ("update",)),),
)
POD = Kind(
    "",
    "v1",
    "Pod",
    "pods",
    short=("po",),
    categories=("all",),
    status=True,
    generation=True,
    more=(Subresource("eviction", "Eviction", _CREATE, "policy", "v1"), Subresource("log", "Pod", ("get",))),
)
QUOTA = Kind("", "v1", "ResourceQuota", "resourcequotas", short=("quota",), status=True)
CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", short=("pvc",), status=True)
SERVICE = Kind("", "v1", "Service", "services", short=("svc",), categories=("all",), status=True)
DEFINITION = Kind(
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    namespaced=False,
    short=("crd", "crds"),
    categories=("api-extensions",),
    status=True,
    generation=True,
)
BUDGET = Kind(
    "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", short=("pdb",), status=True, generation=True
)

_RBAC = "rbac.authorization.k8s.io"
CLUSTER_ROLE = Kind(_RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDING = Kind(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)
ROLE = Kind(_RBAC, "v1", "Role", "roles")
ROLE_BINDING = Kind(_RBAC, "v1", "RoleBinding", "rolebindings")

_AUTHORIZATION = "authorization.k8s.io"
REVIEWS = (
    Kind("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False, verbs=_CREATE),
    Kind(_AUTHORIZATION, "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False, verbs=_CREATE),
    Kind(_AUTHORIZATION, "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", namespaced=False, verbs=_CREATE),
    Kind(_AUTHORIZATION, "v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False, verbs=_CREATE),
)
"""Asked, answered and not kept."""

_READ = ("get", "list")
METRICS = (
    Kind("metrics.k8s.io", "v1beta1", "NodeMetrics", "nodes", namespaced=False, verbs=_READ),
    Kind("metrics.k8s.io", "v1beta1", "PodMetrics", "pods", verbs=_READ),
)
"""Served only while somebody provides them; nodes first."""

BUILTIN: tuple[Kind, ...] = (
    Kind("", "v1", "ConfigMap", "configmaps", short=("cm",)),
    Kind("", "v1", "Event", "events", short=("ev",)),
    Kind("", "v1", "LimitRange", "limitranges", short=("limits",)),
    NAMESPACE,
    Kind("", "v1", "Node", "nodes", namespaced=False, short=("no",), status=True),
    CLAIM,
    Kind("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False, short=("pv",), status=True),
    POD,
    QUOTA,
    Kind("", "v1", "Secret", "secrets"),
    Kind("", "v1", "ServiceAccount", "serviceaccounts", short=("sa",)),
    SERVICE,
    Kind("apps", "v1", "ControllerRevision", "controllerrevisions"),
    Kind("apps", "v1", "DaemonSet", "daemonsets", short=("ds",), **_WORKLOAD),  # type: ignore[arg-type]
    Kind("apps", "v1", "Deployment", "deployments", short=("deploy",), scale="replicas", **_WORKLOAD),  # type: ignore[arg-type]
    Kind("apps", "v1", "ReplicaSet", "replicasets", short=("rs",), scale="replicas", **_WORKLOAD),  # type: ignore[arg-type]
    Kind("apps", "v1", "StatefulSet", "statefulsets", short=("sts",), scale="replicas", **_WORKLOAD),  # type: ignore[arg-type]
    *REVIEWS,
    Kind(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        short=("hpa",),
        categories=("all",),
        status=True,
    ),
    Kind("batch", "v1", "CronJob", "cronjobs", short=("cj",), **_WORKLOAD),  # type: ignore[arg-type]
    Kind("batch", "v1", "Job", "jobs", **_WORKLOAD),  # type: ignore[arg-type]
    Kind("networking.k8s.io", "v1", "Ingress", "ingresses", short=("ing",), status=True, generation=True),
    Kind("networking.k8s.io", "v1", "IngressClass", "ingressclasses", namespaced=False, generation=True),
    Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", short=("netpol",), generation=True),
    BUDGET,
    CLUSTER_ROLE_BINDING,
    CLUSTER_ROLE,
    ROLE_BINDING,
    ROLE,
    Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False, short=("sc",)),
    DEFINITION,
    Kind(
        "scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False, short=("pc",), generation=True
    ),
    Kind("coordination.k8s.io", "v1", "Lease", "leases", unconditional=False),
    Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", generation=True),
)
