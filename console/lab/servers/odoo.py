"""A tenant's Odoo: what its pods read from its volume."""

from __future__ import annotations

from pathlib import Path

import msgspec

from console.lab.databases import home
from console.lab.manifests.tenant import PORT
from console.lab.odoo.config import Config, Limits
from console.lab.servers.cache import CACHE
from console.lab.state import Server, write_file
from console.lab.tenants import Tenant

CONFIG = "odoo.json"
LOG = "odoo.log"


def lay_out(directory: Path, tenant: Tenant, databases: list[Server], sentinels: list[Server]) -> None:
    """Make a tenant's volume. Sessions of 16 and 17 are in the cache, those of 18 on the volume."""
    place = home(directory, tenant)
    (place / "data").mkdir(parents=True)
    secrets = directory / "secrets"
    config = Config(
        version=tenant.version,
        port=PORT,
        hosts=[("127.0.0.1", server.ports["postgres"]) for server in databases],
        user=tenant.name,
        password_file=str(secrets / tenant.name),
        data_dir=str(place / "data"),
        log_file=str(place / LOG),
        echo_log=True,
        dbfilter=f"^{tenant.name}$",
        list_db=False,
        redis_sentinels=[("127.0.0.1", server.ports["sentinel"]) for server in sentinels],
        redis_master=CACHE,
        redis_password_file=str(secrets / "cache"),
        redis_prefix=tenant.name,
        limits=Limits(time_real_s=60.0),
    )
    write_file(place / CONFIG, msgspec.json.format(msgspec.json.encode(config), indent=1))
