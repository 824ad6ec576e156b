"""The row under the cursor in full, for the strip under the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from screens.database_preview import Preview
from screens.ingress_group import Ingress, flow_of, label_of
from screens.ingress_rows import routers_of, short_name
from screens.section import fact
from screens.view import View
from widgets.format import count, milliseconds, short_age, since
from widgets.spans import joined


def preview(view: View, ingress: Ingress, tab: str, key: Any) -> Preview | None:
    """What the strip says of a row; None where a row has no more than it shows."""
    make = _MAKERS.get(tab)
    return make(view, ingress, key) if make else None


def _router(view: View, ingress: Ingress, key: Any) -> Preview | None:
    router, flow = routers_of(ingress).get(str(key), (None, None))
    if router is None or flow is None:
        return None
    facts = (
        fact("service", router.service),
        fact("middlewares", ", ".join(router.middlewares) or "none"),
        fact("entry points", ", ".join(router.entry_points)),
        fact("requests", "?" if flow.requests is None else count(flow.requests)),
    )
    return Preview(router.name, joined(facts, "   "), "; ".join(router.problems) or router.rule)


def _service(view: View, ingress: Ingress, key: Any) -> Preview | None:
    service = next((row for config in ingress.configs if (row := config.services.get(str(key)))), None)
    if service is None:
        return None
    flow = flow_of([counted for metrics in ingress.metrics if (counted := metrics.services.get(str(key)))])
    facts = (
        fact("used by", ", ".join(service.used_by) or "nobody"),
        fact("p95", milliseconds(flow.p95_ms) if flow.p95_ms is not None else "nothing asked"),
        fact("health", "checked by Traefik" if service.checked else "not checked by Traefik"),
    )
    servers = ", ".join(f"{url} {state}" for url, state in service.servers.items())
    return Preview(service.name, joined(facts, "   "), "; ".join(service.problems) or servers or "no server")


def _certificate(view: View, ingress: Ingress, key: Any) -> Preview | None:
    reading = ingress.certificates.reading
    row = reading.certificates.get(str(key)) if reading else None
    if row is None or row.seen_at is None:
        return None
    facts = (
        fact("issuer", short_name(row.issuer)),
        fact("serial", row.serial[:16]),
        fact("of", label_of(view.board, row.tenant) if row.tenant else "nobody"),
        fact("seen", f"{short_age((view.now - row.seen_at).total_seconds())} ago"),
    )
    text = f"made out to {', '.join(row.names) or 'no name'}{f'; {row.why}' if row.why else ''}"
    return Preview(row.host, joined(facts, "   "), text)


def _error(view: View, ingress: Ingress, key: Any) -> Preview | None:
    reading = ingress.access.reading
    rows = (reading.slow if key[0] == "slow" else reading.wrong) if reading else {}
    row = rows.get(key[1])
    if row is None:
        return None
    facts = (
        fact("since", since(row.first_at, view.now)),
        fact("backend", row.backend or "none was asked"),
        fact("slowest", milliseconds(row.slowest_ms)),
        fact("of it the backend", milliseconds(row.origin_slowest_ms) if row.origin_slowest_ms is not None else "none"),
    )
    return Preview(f"{row.status} {row.router}", joined(facts, "   "), f"{row.method} {row.path}")


_MAKERS: dict[str, Callable[[View, Ingress, Any], Preview | None]] = {
    "routers": _router,
    "services": _service,
    "certificates": _certificate,
    "errors": _error,
}
