"""In what the three versions differ on the wire and in the database."""

from __future__ import annotations

import secrets

import msgspec


class Version(msgspec.Struct, frozen=True):
    """One series of Odoo."""

    major: int
    werkzeug: str
    home: str
    """Where ``/`` leads."""
    device_log: bool
    """Log-ins leave the device they came from, and sessions are on disk."""

    @property
    def series(self) -> str:
        """As ``18.0``."""
        return f"{self.major}.0"

    @property
    def base(self) -> str:
        """Version of the module ``base``."""
        return f"{self.major}.0.1.3"

    @property
    def modern(self) -> bool:
        """17 and later: Werkzeug 2.2, health that asks the database, sniffing refused."""
        return self.major >= 17

    def new_sid(self) -> str:
        """Name of a new session: 40 hexadecimal digits, or 84 characters of base64url."""
        return secrets.token_urlsafe(63) if self.device_log else secrets.token_hex(20)

    def info(self) -> list[object]:
        """``server_version_info``."""
        return [self.major, 0, 0, "final", 0, ""]


VERSIONS = {
    16: Version(16, "2.0.2", "/web", False),
    17: Version(17, "2.2.2", "/web", False),
    18: Version(18, "2.2.2", "/odoo", True),
}
