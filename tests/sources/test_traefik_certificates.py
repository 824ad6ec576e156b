"""Which names are asked at each look, and what failed handshakes say of the name and of the address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.clients.certificate import HandshakeError, Handshakes, Served
from console.readings import TraefikCertificates
from console.settings import Application, Cadence
from console.sources.base import SourceError
from console.sources.traefik_certificates import TraefikCertificatesSource
from console.sources.traefik_routing import Routing

NAMES = [f"{name}.lab.test" for name in ("acme", "bauhof", "cobalt", "delta", "ebene")]
NOW = datetime.now(UTC)


class Scripted(Handshakes):
    """Handshakes that go as the test says."""

    def __init__(self) -> None:
        super().__init__("192.0.2.1", 443)
        self.broken: dict[str, HandshakeError] = {}
        self.asked: list[str] = []

    def prepare(self) -> None:
        """There is nothing to load."""

    @property
    def ready(self) -> bool:
        return True

    async def look(self, name: str, patience_s: float) -> Served:
        self.asked.append(name)
        if name in self.broken:
            raise self.broken[name]
        day = timedelta(days=1)
        return Served(
            subject=f"CN={name}", issuer="CN=authority", names=(name,), not_before=NOW - day, not_after=NOW + 60 * day,
            serial="1", trusted=True, why="", chain=1,
        )  # fmt: skip


@pytest.fixture
def shakes() -> Scripted:
    return Scripted()


@pytest.fixture
def source(shakes: Scripted) -> TraefikCertificatesSource:
    applications = {name.partition(".")[0]: Application(databases=["x"], url=f"https://{name}") for name in NAMES}
    return TraefikCertificatesSource("edge", shakes, NAMES, Routing(applications), Cadence(every_s=10, deadline_s=5))


def refused() -> HandshakeError:
    return HandshakeError("the handshake failed: unrecognized name", reached=True)


async def test_two_names_that_are_refused_are_no_ingress_that_is_gone(
    shakes: Scripted, source: TraefikCertificatesSource
) -> None:
    shakes.broken = {name: refused() for name in NAMES[1:3]}
    for _ in range(4):
        reading = await source.read()
        assert isinstance(reading, TraefikCertificates)
        assert [name for name, row in reading.certificates.items() if row.problem] == NAMES[1:3]


async def test_one_name_whose_handshakes_hang_is_that_names_trouble(
    shakes: Scripted, source: TraefikCertificatesSource
) -> None:
    await source.read()
    shakes.broken = {NAMES[1]: HandshakeError("no handshake within 4.0 s", reached=False)}
    source._due[NAMES[1]] = 0.0
    for _ in range(3):
        reading = await source.read()
        assert [name for name, row in reading.certificates.items() if row.problem] == NAMES[1:2]


async def test_an_address_that_dies_is_noticed_though_no_name_is_due(
    shakes: Scripted, source: TraefikCertificatesSource
) -> None:
    first = await source.read()
    shakes.asked.clear()
    assert (await source.read()).certificates == first.certificates, "what is as it was is no news"
    assert len(shakes.asked) == 1, "the others were well a moment ago"
    shakes.broken = {name: HandshakeError("refuses connections", reached=False) for name in NAMES}
    for _ in range(len(NAMES) + 1):
        with pytest.raises(SourceError, match="refuses connections"):
            await source.read()


async def test_all_names_refused_is_the_ingress(shakes: Scripted, source: TraefikCertificatesSource) -> None:
    shakes.broken = {name: refused() for name in NAMES}
    for _ in range(2):
        with pytest.raises(SourceError, match="unrecognized name"):
            await source.read()
