"""Certificates that an ingress serves: their time, their names, their chain. One certificate is one finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from console.assessment.ingress import Felt, Ingress, felt_by
from console.assessment.look import Look, fact
from console.assessment.symptom import Said, Symptom, kind
from console.assessment.words import count, listing, short, span
from console.readings import Certificate, Evidence


def _together(ingress: Ingress, bad: Callable[[Certificate], bool]) -> Iterator[list[Certificate]]:
    """Names that have the same bad certificate, by name."""
    found: dict[str, list[Certificate]] = {}
    for row in ingress.served():
        if bad(row):
            found.setdefault(row.serial, []).append(row)
    for rows in found.values():
        yield sorted(rows, key=lambda row: row.host)


def _users(look: Look, rows: list[Certificate]) -> Felt:
    return felt_by(look.environment, [row.tenant for row in rows if row.tenant], listing([row.host for row in rows]))


def _said(ingress: Ingress, row: Certificate) -> tuple[Evidence, ...]:
    reading = ingress.certificates
    return (
        fact(reading, "subject", short(row.subject or "none", 80)),
        fact(reading, "issuer", short(row.issuer or "none", 80)),
        fact(reading, "valid", f"{_day(row.not_before)} to {_day(row.not_after)}"),
        fact(reading, "names", listing(row.names, 5) or "none"),
    )


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z" if moment else "?"


def _host(rows: list[Certificate]) -> str:
    more = f" and {count(len(rows) - 1, 'other name')}" if len(rows) > 1 else ""
    return f"{short(rows[0].host, 36)}{more}"


@kind("cert-expiring", "ingress", "warning_days", "critical_days")
def cert_expiring(look: Look) -> Said:
    """A certificate runs out within weeks, has run out, or is not valid yet."""
    for ingress in look.ingresses.values():

        def bad(row: Certificate) -> bool:
            if row.default or row.not_after is None:
                return False
            # No easing: time goes one way only.
            limit = timedelta(days=look.threshold("cert-expiring", "warning_days"))
            early = row.not_before is not None and row.not_before > look.now
            return row.not_after - look.now < limit or early

        for rows in _together(ingress, bad):
            yield _expiring(look, ingress, rows)


def _expiring(look: Look, ingress: Ingress, rows: list[Certificate]) -> Symptom:
    row = rows[0]
    assert row.not_after is not None
    assert ingress.certificates is not None
    left = (row.not_after - look.now).total_seconds()
    early = row.not_before is not None and row.not_before > look.now
    severe = early or left < look.threshold("cert-expiring", "critical_days") * 86_400
    users = _users(look, rows)
    when = "is not valid yet" if early else "has run out" if left <= 0 else f"runs out in {_left(left)}"
    refused = early or left <= 0
    return Symptom(
        subject=f"{ingress.name}/{short(row.host, 60)}",
        severity="critical" if severe else "warning",
        title=f"Certificate of {_host(rows)} {when}",
        impact=f"{users.words}: browsers refuse the page."
        if refused
        else f"Users feel nothing yet; from {_day(row.not_after)} on browsers refuse the page ({users.words}).",
        action="Renew it; where that should happen by itself, see why it did not (cert-manager, ACME challenge, the Secret).",
        stands_on=(ingress.certificates,),
        affects=users.affects,
        tenants=users.tenants,
        scope=users.scope,
        evidence=(
            fact(
                ingress.certificates,
                "left",
                _left(left) if left > 0 else f"none: ended {span(-left)} ago",
                f"{look.threshold('cert-expiring', 'warning_days'):g} d",
            ),
            *_said(ingress, row),
        ),
    )


def _left(seconds: float) -> str:
    return span(seconds) if seconds < 2 * 86_400 else f"{int(seconds // 86_400)} d"


@kind("cert-wrong-host", "ingress")
def cert_wrong_host(look: Look) -> Said:
    """The certificate that is served for a name is made out to others."""
    for ingress in look.ingresses.values():
        for rows in _together(ingress, lambda row: row.matches is False and not row.default):
            row, users = rows[0], _users(look, rows)
            assert ingress.certificates is not None
            yield Symptom(
                subject=f"{ingress.name}/{short(row.host, 60)}",
                severity="critical",
                title=f"Certificate served for {_host(rows)} is not made out to it",
                impact=f"{users.words}: browsers refuse the page.",
                action="Put the right certificate into the Secret that the route names, or a TLS store that has one for this name.",
                stands_on=(ingress.certificates,),
                affects=users.affects,
                tenants=users.tenants,
                scope=users.scope,
                evidence=_said(ingress, row),
            )


def _none_served(look: Look, ingress: Ingress) -> Said:
    """Names for which every handshake is broken off: no certificate is served at all."""
    assert ingress.certificates is not None
    for row in ingress.certificates.certificates.values():
        if not row.problem:
            continue
        users = _users(look, [row])
        yield Symptom(
            subject=f"{ingress.name}/{short(row.host, 60)}",
            severity="critical",
            title=f"No certificate is served for {_host([row])}",
            impact=f"{users.words}: browsers get no connection.",
            action="See whether the Secret that the route names is there, and which TLS options (SNI, versions) its route asks for.",
            stands_on=(ingress.certificates,),
            affects=users.affects,
            tenants=users.tenants,
            scope=users.scope,
            evidence=(fact(ingress.certificates, "handshake", row.problem),),
        )


@kind("cert-untrusted", "ingress")
def cert_untrusted(look: Look) -> Said:
    """A chain leads to no authority that is trusted here, or no certificate or only Traefik's own is served."""
    for ingress in look.ingresses.values():
        if ingress.certificates is not None:
            yield from _none_served(look, ingress)
        for rows in _together(ingress, lambda row: row.default or row.trusted is False):
            row, users = rows[0], _users(look, rows)
            assert ingress.certificates is not None
            what = "Traefik's own default certificate is served" if row.default else "Certificate is not trusted"
            why = row.why or "self-signed"
            yield Symptom(
                subject=f"{ingress.name}/{short(row.host, 60)}",
                severity="critical",
                title=f"{what} for {_host(rows)}",
                impact=f"{users.words}: browsers refuse the page.",
                action="See whether the Secret that the route names is there and holds a certificate for this name."
                if row.default
                else "Serve the whole chain (with its intermediates), from an authority that clients trust; see `ca_file:` too.",
                stands_on=(ingress.certificates,),
                affects=users.affects,
                tenants=users.tenants,
                scope=users.scope,
                evidence=(
                    fact(
                        ingress.certificates,
                        "chain",
                        f"{why}; {count(row.chain, 'certificate')} sent" if row.chain else why,
                    ),
                    *_said(ingress, row),
                ),
            )
