"""The custom kinds that a platform of this sort has installed: Traefik's, cert-manager's, CloudNativePG's.

A cluster starts with a CustomResourceDefinition of each, which is what has them served.
"""

from __future__ import annotations

from console.lab.kube.kinds import Column, Json, Kind, custom_kind

_READY = Column("Ready", '.status.conditions[?(@.type=="Ready")].status')
_AGE = Column("Age", ".metadata.creationTimestamp", "date")


def _traefik() -> tuple[Kind, ...]:
    names = {
        "IngressRoute": "ingressroutes",
        "IngressRouteTCP": "ingressroutetcps",
        "IngressRouteUDP": "ingressrouteudps",
        "Middleware": "middlewares",
        "MiddlewareTCP": "middlewaretcps",
        "ServersTransport": "serverstransports",
        "ServersTransportTCP": "serverstransporttcps",
        "TLSOption": "tlsoptions",
        "TLSStore": "tlsstores",
        "TraefikService": "traefikservices",
    }
    return tuple(custom_kind("traefik.io", "v1alpha1", kind, plural) for kind, plural in names.items())


_CERTIFICATES = (
    custom_kind(
        "cert-manager.io",
        "v1",
        "Certificate",
        "certificates",
        short=("cert", "certs"),
        categories=("cert-manager",),
        status=True,
        columns=(_READY, Column("Secret", ".spec.secretName"), _AGE),
    ),
    custom_kind(
        "cert-manager.io",
        "v1",
        "CertificateRequest",
        "certificaterequests",
        short=("cr", "crs"),
        status=True,
        columns=(_READY, _AGE),
    ),
    custom_kind("cert-manager.io", "v1", "Issuer", "issuers", status=True, columns=(_READY, _AGE)),
    custom_kind(
        "cert-manager.io",
        "v1",
        "ClusterIssuer",
        "clusterissuers",
        namespaced=False,
        status=True,
        columns=(_READY, _AGE),
    ),
    custom_kind(
        "acme.cert-manager.io", "v1", "Order", "orders", status=True, columns=(Column("State", ".status.state"), _AGE)
    ),
    custom_kind(
        "acme.cert-manager.io",
        "v1",
        "Challenge",
        "challenges",
        status=True,
        columns=(Column("State", ".status.state"), _AGE),
    ),
)

_PG = "postgresql.cnpg.io"
_POSTGRES = (
    custom_kind(
        _PG,
        "v1",
        "Cluster",
        "clusters",
        status=True,
        scale="instances",
        columns=(
            _AGE,
            Column("Instances", ".status.instances", "integer"),
            Column("Ready", ".status.readyInstances", "integer"),
            Column("Status", ".status.phase"),
            Column("Primary", ".status.currentPrimary"),
        ),
    ),
    custom_kind(
        _PG,
        "v1",
        "Backup",
        "backups",
        status=True,
        columns=(
            _AGE,
            Column("Cluster", ".spec.cluster.name"),
            Column("Method", ".spec.method"),
            Column("Phase", ".status.phase"),
        ),
    ),
    custom_kind(
        _PG,
        "v1",
        "ScheduledBackup",
        "scheduledbackups",
        status=True,
        columns=(
            _AGE,
            Column("Cluster", ".spec.cluster.name"),
            Column("Last Backup", ".status.lastScheduleTime", "date"),
        ),
    ),
    custom_kind(
        _PG,
        "v1",
        "Pooler",
        "poolers",
        status=True,
        scale="instances",
        columns=(_AGE, Column("Cluster", ".spec.cluster.name"), Column("Type", ".spec.type")),
    ),
)

CUSTOM: tuple[Kind, ...] = (*_traefik(), *_CERTIFICATES, *_POSTGRES)


def definition(kind: Kind) -> Json:
    """The CustomResourceDefinition of a kind."""
    subresources: Json = {"status": {}} if kind.status else {}
    if kind.scale:
        subresources["scale"] = {
            "specReplicasPath": f".spec.{kind.scale}",
            "statusReplicasPath": f".status.{kind.scale}",
        }
    columns = [{"name": c.name, "type": c.type, "jsonPath": c.path, "priority": c.priority} for c in kind.columns]
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": kind.version, "served": True, "storage": True, "schema": schema, "subresources": subresources}
    names = {
        "kind": kind.kind,
        "plural": kind.plural,
        "shortNames": list(kind.short),
        "categories": list(kind.categories),
    }
    spec = {"group": kind.group, "names": names, "scope": "Namespaced" if kind.namespaced else "Cluster"}
    return {
        "metadata": {"name": kind.resource},
        "spec": {**spec, "versions": [{**version, "additionalPrinterColumns": columns}]},
    }
