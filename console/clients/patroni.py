"""Patroni's REST API, read only."""

from __future__ import annotations

from typing import Any

import msgspec

from console.clients.clean import clean
from console.clients.web import MIB, Web, WebError


class PatroniError(Exception):
    """No answer, or none that is one. ``denied``: it answered, and refused us."""

    def __init__(self, problem: str, *, denied: bool = False, silent: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.denied = denied
        self.silent = silent
        """It did not answer in time."""


class Patroni:
    """One member's REST API. Connections are kept where the server lets us."""

    def __init__(self, base: str, *, ca_file: str = "", cert_file: str = "", key_file: str = "") -> None:
        address = base if "://" in base else f"http://{base}"
        self._web = Web(address, ca_file=ca_file, cert_file=cert_file, key_file=key_file, most=4 * MIB)
        self.base = self._web.base
        """Address for people."""

    async def get(self, path: str, patience_s: float) -> Any:
        """The JSON behind ``path``, whatever the status code: Patroni answers 503 with a full body. Raises PatroniError."""
        try:
            status, body = await self._web.get(path, patience_s)
        except WebError as error:
            raise PatroniError(error.problem, silent=error.silent) from None
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            begin = clean(body[:200], 60)
            if status in (401, 403):
                raise PatroniError(f"GET {path}: HTTP {status}", denied=True) from None
            raise PatroniError(f"GET {path}: HTTP {status}, and not JSON: {begin or 'an empty body'}") from None

    def drop(self) -> None:
        """End every request now."""
        self._web.drop()

    async def close(self) -> None:
        """Drop what runs, close what is idle."""
        await self._web.close()
