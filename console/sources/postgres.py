"""The sources of every PostgreSQL cluster that an environment names."""

from __future__ import annotations

from collections.abc import Callable

from console.clients.patroni import Patroni
from console.clients.postgres import Line, PostgresError, Target
from console.settings import Cadences, EnvironmentFile, PostgresCluster, PostgresServer
from console.settings.secrets import SecretError, resolve
from console.sources.base import Source
from console.sources.patroni import PatroniSource
from console.sources.postgres_activity import PostgresActivitySource
from console.sources.postgres_base import Member
from console.sources.postgres_io import PostgresIoSource
from console.sources.postgres_member import PostgresMemberSource
from console.sources.postgres_settings import PostgresSettingsSource
from console.sources.postgres_statements import PostgresStatementsSource

_OF_DEADLINE = 0.9
"""Share of a deadline after which the server itself ends a statement: then the connection survives."""


def postgres_sources(environment: EnvironmentFile, cadences: Cadences) -> list[Source]:
    """Two connections to each member: one for what must be fresh, one for what takes longer.

    So a long look (a big pg_stat_statements, a slow disk under pg_ls_waldir) never keeps the short ones waiting, and a
    member costs two of its connections, not five.
    """
    sources: list[Source] = []
    for cluster_name, cluster in environment.postgres.items():
        for member_name, server in cluster.servers.items():
            sources += _member(cluster, server, Member(cluster_name, member_name), cadences)
    return sources


def _member(cluster: PostgresCluster, server: PostgresServer, member: Member, cadences: Cadences) -> list[Source]:
    target = target_of(cluster, server)
    fast = Line(target, statement_timeout_s=_OF_DEADLINE * cadences.fast.deadline_s)
    slower = Line(target, statement_timeout_s=_OF_DEADLINE * cadences.normal.deadline_s)
    sources: list[Source] = [
        PostgresMemberSource(fast, member, cadences.fast),
        PostgresActivitySource(fast, member, cadences.fast),
        PostgresStatementsSource(slower, member, cadences.normal),
        PostgresIoSource(slower, member, cadences.normal),
        PostgresSettingsSource(slower, member, cadences.slow),
    ]
    if server.patroni:
        files = cluster.patroni
        api = Patroni(server.patroni, ca_file=files.ca_file, cert_file=files.cert_file, key_file=files.key_file)
        sources.append(PatroniSource(api, member, cadences.fast))
    return sources


def target_of(cluster: PostgresCluster, server: PostgresServer) -> Target:
    """Where a server is, and as whom the environment file says to come."""
    return Target(
        host=server.host,
        port=server.port,
        user=cluster.user,
        database=cluster.database,
        service=cluster.service,
        sslmode=cluster.sslmode,
        sslrootcert=cluster.sslrootcert,
        password=_password(cluster.password),
    )


def _password(reference: str | None) -> Callable[[], str | None]:
    """Fetched anew for each connection, so that a rotated password is found."""

    def fetch() -> str | None:
        if reference is None:
            return None
        try:
            return resolve(reference).reveal()
        except SecretError as error:
            raise PostgresError(f"password: {error}", denied=True) from None

    return fetch
