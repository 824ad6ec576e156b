"""Faults on the way to a tenant: Traefik's routes, certificates and traffic, and a backend that fails or dawdles."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial

from cryptography import x509

from console.lab.faults import platform, tools
from console.lab.faults.base import Deed, Fault, Parameter, Signs, Stroke, Truth
from console.lab.faults.flood import sent
from console.lab.kube.kinds import Json
from console.lab.manifests import tenant as manifests
from console.lab.platform.admin import Admin

_NOBODY = 8070
_MIDDLEWARE = "headers"
_OTHER = "portal.lab.test"


# -- backends ------------------------------------------------------------------------------------------------------------


def _misdirect(stroke: Stroke) -> None:
    steps = ("spec", "ports", 0, "targetPort")
    platform.change(stroke, "Service", manifests.NAME, platform.of(stroke).namespace, steps, _NOBODY)


def _answers(stroke: Stroke, *codes: int) -> bool:
    return platform.visit(stroke.lab, platform.of(stroke)) in codes


BACKEND_DOWN = Fault(
    name="backend-down",
    does=f"the tenant's Service is changed to port {_NOBODY} of its pods, where nobody listens. The pods themselves are well",
    observable_from="a request through Traefik is answered with 502 or 503",
    needs_platform=True,
    parameters=(platform.whose("cobalt"),),
    signs=Signs(
        findings=("backend-down",),
        panes={"ingress": "critical"},
        latency_s=40,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="Traefik reaches no server of the tenant: its Service leads to a port where nobody listens",
            felt="the tenant: every page fails; nobody else",
            cause="backend-down",
        ),
    ),
)

BACKEND_SLOW = Fault(
    name="backend-slow",
    does="the tenant's web workers are stopped and continued (SIGSTOP, SIGCONT) in turns until heal: they work for 50 ms "
    "and stand still for 3.6 s, as on a machine that is far too busy",
    observable_from="a request through Traefik has taken longer than a second",
    needs_platform=True,
    parameters=(platform.whose("ebene"),),
    signs=Signs(
        findings=("backend-slow",),
        allowed=("workers-busy", "transaction-slow"),
        panes={"ingress": "warning"},
        latency_s=100,
        lingers_s=60,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="the tenant's Odoo gets hardly any processor time: each request takes seconds",
            felt="the tenant: every click takes seconds; nobody else",
            cause="backend-slow",
        ),
    ),
)


def _slow(stroke: Stroke) -> bool:
    begun = datetime.now(UTC)
    platform.visit(stroke.lab, platform.of(stroke))
    return datetime.now(UTC) - begun > timedelta(seconds=1)


def _continue(stroke: Stroke) -> None:
    tools.end_worker(stroke, BACKEND_SLOW.name)
    tools.resume(platform.processes(stroke.lab, platform.of(stroke)))


# -- traffic and routes --------------------------------------------------------------------------------------------------

REQUESTS_FLOOD = Fault(
    name="requests-flood",
    does="a program at 127.66.6.6 asks the tenant's /web/health through Traefik so many times a second, until heal or for ten minutes. "
    "Of an address Traefik's rate-limit lets 50 a second through and answers the others with 429",
    observable_from="as many requests a second as asked for, less a fifth, have been answered for two seconds",
    needs_platform=True,
    parameters=(platform.whose("hafen"), Parameter("per_s", 80, "requests a second")),
    signs=Signs(
        findings=("requests-flood",),
        allowed=("workers-busy",),
        panes={"ingress": "warning"},
        latency_s=45,
        lingers_s=60,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="one address floods the tenant's entrance with requests",
            felt="the tenant: slower pages while its workers answer the flood",
            cause="requests-flood",
        ),
    ),
)


def _forget_middleware(stroke: Stroke) -> None:
    namespace = platform.of(stroke).namespace
    with Admin.of(stroke.lab.path) as admin:
        there = admin.get("Middleware", _MIDDLEWARE, namespace)
        kept = {"name": _MIDDLEWARE, "namespace": namespace, "labels": there["metadata"].get("labels") or {}}
        stroke.notes["middleware"] = json.dumps({**there, "metadata": kept})
        admin.delete("Middleware", _MIDDLEWARE, namespace)


def _remember_middleware(stroke: Stroke) -> None:
    if "middleware" in stroke.notes:
        with Admin.of(stroke.lab.path) as admin:
            admin.apply(json.loads(stroke.notes["middleware"]))


MIDDLEWARE_MISSING = Fault(
    name="middleware-missing",
    does=f"the tenant's Middleware {_MIDDLEWARE} is deleted; its route still names it, so Traefik takes the route out of service",
    observable_from="a request through Traefik is answered with 404",
    needs_platform=True,
    parameters=(platform.whose("delta"),),
    signs=Signs(
        findings=("middleware-missing",),
        panes={"ingress": "critical"},
        latency_s=25,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="the tenant's route names a middleware that does not exist, so Traefik does not serve it",
            felt="the tenant: every page is 404; nobody else",
            cause="middleware-missing",
        ),
    ),
)


# -- certificates --------------------------------------------------------------------------------------------------------


def _served(stroke: Stroke) -> x509.Certificate | None:
    return platform.served_certificate(stroke.lab, platform.of(stroke))


def _expires(stroke: Stroke) -> bool:
    found = _served(stroke)
    return found is not None and found.not_valid_after_utc - datetime.now(UTC) < timedelta(
        days=stroke.number("days") + 1
    )


def _misname(stroke: Stroke) -> None:
    each = platform.of(stroke)
    platform.certify(stroke, names=(_OTHER,))
    with Admin.of(stroke.lab.path) as admin:
        admin.apply(_store(each.namespace))


def _rename(stroke: Stroke) -> None:
    platform.certify(stroke)
    with Admin.of(stroke.lab.path) as admin:
        admin.delete("TLSStore", "default", platform.of(stroke).namespace)


def _store(namespace: str) -> Json:
    spec = {"defaultCertificate": {"secretName": manifests.SECRET}}
    metadata = {"name": "default", "namespace": namespace}
    return {"apiVersion": "traefik.io/v1alpha1", "kind": "TLSStore", "metadata": metadata, "spec": spec}


def _misnamed(stroke: Stroke) -> bool:
    found = _served(stroke)
    if found is None:
        return False
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return platform.of(stroke).host not in names.get_values_for_type(x509.DNSName)


CERT_EXPIRING = Fault(
    name="cert-expiring",
    does="the tenant's TLS secret gets a certificate of the laboratory's authority that ends in some days, until heal",
    observable_from="Traefik serves it",
    needs_platform=True,
    parameters=(platform.whose("cobalt"), Parameter("days", 5, "until it ends")),
    signs=Signs(
        findings=("cert-expiring",),
        panes={"ingress": "warning"},
        latency_s=75,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="the tenant's certificate ends within days and nobody has renewed it",
            felt="nobody until it ends; then no browser of the tenant's gets in",
            cause="cert-expiring",
        ),
    ),
)

CERT_WRONG_HOST = Fault(
    name="cert-wrong-host",
    does=f"the tenant's TLS secret gets a certificate that is made out to {_OTHER}, until heal, and a TLSStore names that one as the "
    "default: Traefik has none for the tenant's name any more and serves the default",
    observable_from="what Traefik serves is not made out to the tenant's name",
    needs_platform=True,
    parameters=(platform.whose("fjord"),),
    signs=Signs(
        findings=("cert-wrong-host",),
        panes={"ingress": "critical"},
        latency_s=75,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="the certificate that is served for the tenant's name is made out to another",
            felt="the tenant: browsers refuse to go on; nobody else",
            cause="cert-wrong-host",
        ),
    ),
)

DEEDS = {
    BACKEND_DOWN.name: (BACKEND_DOWN, Deed(_misdirect, lambda stroke: _answers(stroke, 502, 503), platform.restore)),
    BACKEND_SLOW.name: (BACKEND_SLOW, Deed(partial(tools.run_worker, fault=BACKEND_SLOW.name), _slow, _continue)),
    REQUESTS_FLOOD.name: (
        REQUESTS_FLOOD,
        Deed(
            partial(tools.run_worker, fault=REQUESTS_FLOOD.name),
            lambda stroke: sent(stroke.lab.path) >= 0.8 * stroke.number("per_s"),
            partial(tools.end_worker, fault=REQUESTS_FLOOD.name),
        ),
    ),
    MIDDLEWARE_MISSING.name: (
        MIDDLEWARE_MISSING,
        Deed(_forget_middleware, lambda stroke: _answers(stroke, 404), _remember_middleware),
    ),
    CERT_EXPIRING.name: (
        CERT_EXPIRING,
        Deed(
            lambda stroke: platform.certify(stroke, valid=timedelta(days=stroke.number("days"))),
            _expires,
            platform.certify,
        ),
    ),
    CERT_WRONG_HOST.name: (
        CERT_WRONG_HOST,
        Deed(_misname, _misnamed, _rename),
    ),
}
