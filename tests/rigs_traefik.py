"""A real Traefik with the file provider in front of a toy upstream, for the tests of its sources."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
import yaml

from console.lab.ports import Reservation
from console.settings import Application, EnvironmentFile, LogSource, TraefikIngress, TraefikServer, load_defaults
from console.sources.base import Source
from console.sources.traefik import traefik_sources

TRAEFIK = Path(sys.executable).parent / "traefik"
DOMAIN = "lab.test"


class _Toy(http.server.BaseHTTPRequestHandler):
    """Answers ``/STATUS`` with that status, after ``?wait=S`` seconds."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if query.startswith("wait="):
            time.sleep(float(query[5:]))
        status = int(path[1:4]) if path[1:4].isdigit() else 200
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        return


class Ingress:
    """One Traefik; ``routes`` names what it routes, and ``write`` puts that in force."""

    def __init__(self, folder: Path, **static: Any) -> None:
        self.folder = folder
        ports = Reservation()
        self.tls, self.metrics, self.api = ports.take(), ports.take(), ports.take()
        self.closed = ports.take()
        """Nobody listens there."""
        self.authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.ca_file))
        self.access_log, self.log = folder / "access.log", folder / "traefik.log"
        self._dynamic = folder / "dynamic"
        self._dynamic.mkdir()
        self._upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Toy)
        self.upstream = f"http://127.0.0.1:{self._upstream.server_address[1]}"
        threading.Thread(target=self._upstream.serve_forever, name="toy upstream", daemon=True).start()
        labels = {"entryPoint": "metrics", "addRoutersLabels": True, "addServicesLabels": True}
        settings: dict[str, Any] = {
            "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
            "log": {"level": "INFO", "format": "json", "filePath": str(self.log)},
            "entryPoints": {
                "websecure": {"address": f"127.0.0.1:{self.tls}", "http": {"tls": {}}},
                "metrics": {"address": f"127.0.0.1:{self.metrics}"},
                "traefik": {"address": f"127.0.0.1:{self.api}"},
            },
            "providers": {
                "providersThrottleDuration": "50ms",
                "file": {"directory": str(self._dynamic), "watch": True},
            },
            "api": {"insecure": True},
            "metrics": {"prometheus": labels},
            "accessLog": {"filePath": str(self.access_log), "format": "json"},
            **static,
        }
        (folder / "traefik.yml").write_text(yaml.safe_dump(settings))
        self.reset()
        ports.release()
        with (folder / "out").open("wb") as out:
            self.process = subprocess.Popen(
                [str(TRAEFIK), f"--configFile={folder / 'traefik.yml'}"], stdout=out, stderr=out, cwd=folder
            )
        self._client = httpx.Client(verify=ssl.create_default_context(cafile=str(self.ca_file)), trust_env=False)
        self.until(lambda: self.ask("acme") == 200, "the first answer")

    # -- what it is told

    def reset(self) -> None:
        """Routes and certificates as they are when all is well."""
        self.routers: dict[str, Any] = {
            name: {"rule": f"Host(`{name}.{DOMAIN}`)", "service": name, "entryPoints": ["websecure"]}
            for name in ("acme", "bauhof")
        }
        self.services: dict[str, Any] = {
            name: {"loadBalancer": {"servers": [{"url": self.upstream}]}} for name in ("acme", "bauhof")
        }
        self.middlewares: dict[str, Any] = {}
        self.certificates: list[dict[str, str]] = []
        for name in ("acme", "bauhof"):
            self.certify(name, self.authority.issue_cert(f"{name}.{DOMAIN}", not_after=in_days(90)))
        self.write()

    def certify(self, name: str, certificate: trustme.LeafCert) -> None:
        """Have this certificate served for the names in it; ``write`` puts it in force."""
        # A new name each time: Traefik reads a file again only where the configuration differs.
        stem = self.folder / f"{name}-{time.monotonic_ns()}"
        certificate.private_key_pem.write_to_path(f"{stem}.key")
        Path(f"{stem}.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        self.certificates = [each for each in self.certificates if each["name"] != name]
        self.certificates.append({"name": name, "certFile": f"{stem}.pem", "keyFile": f"{stem}.key"})

    def write(self) -> None:
        """Put the routes in force: whole, or Traefik would load half a file."""
        http_part = {"routers": self.routers, "services": self.services}
        if self.middlewares:
            http_part["middlewares"] = self.middlewares
        files = [{"certFile": each["certFile"], "keyFile": each["keyFile"]} for each in self.certificates]
        self.put("routes.yml", yaml.safe_dump({"http": http_part, "tls": {"certificates": files}}))

    def put(self, name: str, text: str) -> None:
        """Write a dynamic file; empty: remove it."""
        path = self._dynamic / name
        if not text:
            path.unlink(missing_ok=True)
            return
        # Beside the folder, not in it: Traefik would read it there, and complain when it has got its name meanwhile.
        new = self._dynamic.with_name(f"{name}.new")
        new.write_text(text)
        new.replace(path)

    # -- what it is asked

    def ask(self, tenant: str, path: str = "/") -> int:
        """Status code of a request as a client of this tenant; 0: no answer."""
        host = f"{tenant}.{DOMAIN}"
        try:
            answer = self._client.get(
                f"https://127.0.0.1:{self.tls}{path}", headers={"Host": host}, extensions={"sni_hostname": host}
            )
        except (httpx.TransportError, OSError):
            return 0
        return answer.status_code

    def told(self, what: str) -> Any:
        """``/api/WHAT``, as it stands now."""
        return httpx.get(f"http://127.0.0.1:{self.api}/api/{what}", trust_env=False).json()

    def until(self, done: Callable[[], bool], what: str, limit_s: float = 30) -> None:
        """Wait until something is so."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            with contextlib.suppress(httpx.TransportError, json.JSONDecodeError):
                if done():
                    return
            time.sleep(0.03)
        raise AssertionError(f"{what} did not come about in {limit_s} s")

    # -- how it is looked at

    def settings(self, *, metrics: int = 0, api: int = 0, tls: int = 0, **more: Any) -> EnvironmentFile:
        """The environment with this ingress; ports of proxies in place of its own."""
        server = TraefikServer(
            metrics=f"http://127.0.0.1:{metrics or self.metrics}/metrics",
            api=f"http://127.0.0.1:{api or self.api}",
            log=LogSource(path=str(self.log)),
        )
        fields: dict[str, Any] = {
            "servers": {"traefik-1": server},
            "address": f"127.0.0.1:{tls or self.tls}",
            "ca_file": str(self.ca_file),
            "access_log": LogSource(path=str(self.access_log)),
            **more,
        }
        return EnvironmentFile(
            name="test",
            traefik={"edge": TraefikIngress(**fields)},
            applications={
                name: Application(databases=[name], url=f"https://{name}.{DOMAIN}", label=name.capitalize())
                for name in ("acme", "bauhof")
            },
        )

    def sources(self, **options: Any) -> dict[str, Source]:
        """Its sources by topic."""
        found = traefik_sources(self.settings(**options), load_defaults().cadences)
        return {source.reading.topic: source for source in found}

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self._client.close()
        self._upstream.shutdown()
        self._upstream.server_close()


def in_days(days: float) -> datetime:
    """A moment from now."""
    return datetime.now(UTC) + timedelta(days=days)


@pytest.fixture(scope="session")
def traefik_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingress]:
    """One Traefik for all tests of a worker."""
    os.environ.setdefault("NO_PROXY", "127.0.0.1")
    rig = Ingress(tmp_path_factory.mktemp("traefik"))
    yield rig
    rig.close()


@pytest.fixture
def ingress(traefik_rig: Ingress) -> Iterator[Ingress]:
    """It, and afterwards as it was."""
    yield traefik_rig
    traefik_rig.put("broken.yml", "")
    traefik_rig.reset()
    traefik_rig.until(lambda: all(traefik_rig.ask(name) == 200 for name in ("acme", "bauhof")), "all well again")
