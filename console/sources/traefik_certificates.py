"""Looks at the certificates that an ingress serves, by handshakes with each of its names."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import msgspec

from console.clients.certificate import HandshakeError, Handshakes, Served, covers
from console.clients.clean import clean_key
from console.readings import Certificate, Reading, TraefikCertificates
from console.settings import Cadence
from console.sources.base import Check, SourceError
from console.sources.traefik_routing import Routing
from console.threads import in_daemon

_AGAIN_S = 60.0
"""A host that is well is asked again after so long; a broken one at each look."""
_AT_ONCE = 8
_MOST = 1_000
_PATIENCE_S = 4.0
_LEAST_S = 1.0
"""With less time than this a name is left for the next look: that it did not answer would say nothing of it."""


class TraefikCertificatesSource:
    """A handshake for each name, at the address where clients connect."""

    reading: type[Reading] = TraefikCertificates
    privilege = "a TLS connection to the ingress's address, as any client makes it"

    def __init__(self, ingress: str, shakes: Handshakes, hosts: list[str], routing: Routing, cadence: Cadence) -> None:
        self.key = ingress
        self.every_s = cadence.every_s
        self.deadline_s = max(cadence.deadline_s, _PATIENCE_S + 1)
        self._shakes = shakes
        self._address = f"{shakes.host}:{shakes.port}"
        self._hosts = hosts
        self._routing = routing
        self._known: dict[str, Certificate] = {}
        self._due: dict[str, float] = {}

    async def read(self) -> TraefikCertificates:
        """One look at the names that are due. Raises SourceError where the address cannot be reached."""
        taken_at, began = datetime.now(UTC), time.monotonic()
        await self._ready()
        tenants = self._names()
        await self._look(self._chosen(tenants, began), tenants, began)
        self._known = {host: row for host, row in self._known.items() if host in tenants}
        return TraefikCertificates(
            key=self.key,
            taken_at=taken_at,
            ingress=self.key,
            address=self._address,
            certificates={
                clean_key(host): self._known.get(host) or Certificate(host, tenants[host]) for host in tenants
            },
        )

    def _names(self) -> dict[str, str]:
        """Names to ask for → tenant: those of the environment file, and those of routers with TLS."""
        found = {host.lower(): self._routing.tenant_at([host.lower()]) for host in self._hosts}
        found |= {host: tenant for host, tenant in self._routing.hosts.items() if not host.startswith("*")}
        return dict(sorted(found.items())[:_MOST])

    def _chosen(self, tenants: dict[str, str], now: float) -> list[str]:
        """Names to ask now; the first is one that was well, where there is any.

        It says whether the address can be reached at all: names that are broken are due at each look, and by themselves
        they would look like an ingress that is gone; and without any that is due nobody would notice that it is.
        """
        # The longest waiting first: where the deadline ends a look, the next one goes on with the rest.
        waiting = sorted(tenants, key=lambda host: self._due.get(host, 0.0))
        due = [host for host in waiting if self._due.get(host, 0.0) <= now]
        witness = next((host for host in waiting if self._due.get(host)), None)
        return due if witness is None else [witness, *(host for host in due if host != witness)]

    async def _ready(self) -> None:
        if self._shakes.ready:
            return
        try:
            await in_daemon(self._shakes.prepare, f"certificates {self.key}")
        except OSError as error:
            raise SourceError(f"authorities cannot be read: {error.strerror or error}") from None

    async def _look(self, hosts: list[str], tenants: dict[str, str], began: float) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)
        until = began + self.deadline_s * 0.9
        asked = 0

        async def one(host: str) -> HandshakeError | None:
            nonlocal asked
            async with gate:
                left = min(_PATIENCE_S, until - time.monotonic())
                if left < _LEAST_S:
                    return None
                asked += 1
                try:
                    served = await self._shakes.look(host, left)
                except HandshakeError as error:
                    self._known[host] = Certificate(host, tenants[host], problem=error.problem)
                    self._due[host] = 0.0
                    return error
                row = described(host, tenants[host], served, datetime.now(UTC))
                if self._due.get(host, 0.0) > began and _same(row, self._known.get(host)):
                    return None  # asked before its time, and nothing is new
                self._known[host] = row
                well = row.matches and row.trusted and not row.default and _in_time(row)
                self._due[host] = time.monotonic() + (_AGAIN_S if well else 0.0)
                return None

        # One by itself: where the address is dead, that is one waiting connection and not a thousand.
        failures = [await one(host) for host in hosts[:1]]
        if failures and failures[0] is not None and not failures[0].reached:
            raise SourceError(f"{self._address}: {failures[0].problem}")
        failures += await asyncio.gather(*(one(host) for host in hosts[1:]))
        failed = [failure for failure in failures if failure is not None]
        # One name that is refused is that name's trouble; all of several are the ingress's.
        if len(failed) > 1 and len(failed) == asked:
            raise SourceError(f"{self._address}: {failed[0].problem}")

    def abandon(self) -> None:
        """End every connection now."""
        self._shakes.drop()

    async def close(self) -> None:
        """No connection outlasts a look."""
        self._shakes.drop()

    async def examine(self) -> list[Check]:
        """Whether a handshake at the address is answered."""
        what = f"{self.key}: handshake at {self._address}"
        mend = "check `address:` and `ca_file:` of this ingress in the environment file"
        host = next(iter(self._names()), "") or self._shakes.host
        try:
            await self._ready()
            served = await self._shakes.look(host, self.deadline_s)
        except (SourceError, HandshakeError) as error:
            return [Check(what, "fail", f"{host}: {error.problem}", mend)]
        return [Check(what, "pass", f"{host}: {served.subject or ', '.join(served.names[:3])}")]


def _same(row: Certificate, before: Certificate | None) -> bool:
    """But for when it was seen."""
    return before is not None and msgspec.structs.replace(row, seen_at=before.seen_at) == before


def described(host: str, tenant: str, served: Served, now: datetime) -> Certificate:
    """A row for what was served."""
    default = any(name.lower().endswith(".traefik.default") for name in served.names) or (
        "TRAEFIK DEFAULT CERT" in served.subject
    )
    return Certificate(
        host=host,
        tenant=tenant,
        seen_at=now,
        subject=served.subject,
        issuer=served.issuer,
        names=served.names,
        not_before=served.not_before,
        not_after=served.not_after,
        serial=served.serial,
        matches=covers(served.names, host),
        trusted=served.trusted,
        why=served.why,
        default=default,
        chain=served.chain,
    )


def _in_time(row: Certificate) -> bool:
    """Whether it is valid now, and for another three weeks."""
    assert row.seen_at is not None
    assert row.not_after is not None
    assert row.not_before is not None
    return row.not_before <= row.seen_at and (row.not_after - row.seen_at).days >= 21
