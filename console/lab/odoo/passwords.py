"""Passwords as passlib stores them for Odoo: ``$pbkdf2-sha512$ROUNDS$SALT$DIGEST``."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

ROUNDS = 2000
"""Far fewer than in production: the laboratory's users log in often, on a small machine."""


def _ab64(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=").replace("+", ".")


def hashed(password: str, rounds: int = ROUNDS) -> str:
    """What is stored for ``password``."""
    salt = os.urandom(16)
    return f"$pbkdf2-sha512${rounds}${_ab64(salt)}${_ab64(_digest(password, salt, rounds))}"


def right(password: str, stored: str | None) -> bool:
    """Whether ``password`` is the stored one."""
    parts = (stored or "").split("$")
    if len(parts) != 5 or parts[1] != "pbkdf2-sha512":
        return False
    salt = parts[3].replace(".", "+")
    raw = base64.b64decode(salt + "=" * (-len(salt) % 4))
    return hmac.compare_digest(_ab64(_digest(password, raw, int(parts[2]))), parts[4])


def _digest(password: str, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
