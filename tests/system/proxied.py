"""The laboratory's environment with a fault proxy in front of every connection that an engine makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.tools.proxy import ProxyThread


@dataclass
class Proxied:
    """An environment file, and the proxies in it by the address of the readings that pass through them."""

    environment: Path
    proxies: dict[str, ProxyThread]
    """``postgres main/pg-1``, ``patroni main/pg-1``, ``redis cache/cache-1``, ``sentinel cache/sentinel-1`` …"""


@contextmanager
def proxied(environment: Path, directory: Path) -> Iterator[Proxied]:
    """A copy of ``environment`` in ``directory`` whose every server is reached through a proxy of its own."""
    content: dict[str, Any] = yaml.safe_load(environment.read_text())
    content["name"] = "proxied"
    proxies: dict[str, ProxyThread] = {}
    with ExitStack() as stack:

        def through(name: str, host: str, port: int) -> int:
            proxies[name] = stack.enter_context(ProxyThread(host, port))
            return proxies[name].port

        for cluster, settings in content["postgres"].items():
            for member, server in settings["servers"].items():
                server["port"] = through(f"postgres {cluster}/{member}", server["host"], server["port"])
                url = urlsplit(server["patroni"])
                assert url.hostname and url.port
                port = through(f"patroni {cluster}/{member}", url.hostname, url.port)
                server["patroni"] = f"http://127.0.0.1:{port}"
        for cache, settings in content["redis"].items():
            for name, server in settings["servers"].items():
                server["port"] = through(f"redis {cache}/{name}", server["host"], server["port"])
            for name, server in settings["sentinel"]["servers"].items():
                server["port"] = through(f"sentinel {cache}/{name}", server["host"], server["port"])
        file = directory / "proxied.yaml"
        file.write_text(yaml.safe_dump(content))
        yield Proxied(file, proxies)
