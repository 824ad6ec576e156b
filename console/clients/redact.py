"""Secrets that a system shows us in its own texts (a setting, a statement, a log line), taken out before they travel."""

from __future__ import annotations

import re

HIDDEN = "***"

_SECRET_NAME = re.compile(r"passw|secret|token|passphrase|credential|private_key|access_?key|api_?key", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"""(?ix)
    ( \b [\w.-]* (?: passw(?:or)?d | passphrase | secret | token | credential | api_?key | access_?key ) [\w.-]* \s* [=:] \s* )
    ( '(?:[^'\\]|''|\\.)*'? | "(?:[^"\\]|\\.)*"? | [^\s'",;&)]+ )
    """
)
_SQL_PASSWORD = re.compile(r"(?i)(\bpassword\s+)(e?'(?:[^'\\]|''|\\.)*'?|\$(\w*)\$.*?(?:\$\3\$|$))", re.DOTALL)
_FLAG = re.compile(
    r"(?i)(--[\w-]*(?:passw(?:or)?d|passphrase|secret|token|credential|api-?key|access-?key)[\w-]*[ =]+)(\S+)"
)
_IN_URL = re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:)([^\s@'\"]+)(@)")
_HINT = re.compile(r"(?i)passw|passphrase|secret|token|credential|key|://")


def redact(text: str) -> str:
    """``text`` with passwords, tokens and keys replaced by ``***``: in SQL (``PASSWORD '…'``), assignments and URLs."""
    if not _HINT.search(text):
        return text
    text = _SQL_PASSWORD.sub(rf"\1{HIDDEN}", text)
    text = _FLAG.sub(rf"\1{HIDDEN}", text)
    text = _IN_URL.sub(rf"\1{HIDDEN}\3", text)
    return _ASSIGNED.sub(rf"\1{HIDDEN}", text)


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name holds a secret by itself."""
    return bool(_SECRET_NAME.search(name)) and name not in _HARMLESS


_HARMLESS = frozenset(
    ["password_encryption", "scram_iterations", "md5_password_warnings", "ssl_passphrase_command_supports_reload"]
)
