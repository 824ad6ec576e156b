"""Secrets that a system shows us in its own texts (a setting, a statement, a log line), taken out before they travel."""

from __future__ import annotations

import re

HIDDEN = "***"

_WORD = r"passw(?:or)?d|passphrase|secret|token|credential|api[_-]?key|access[_-]?key"

# No pattern may begin with a repetition, and those inside are bounded: a text made for it must not take quadratic time.
_SECRET_NAME = re.compile(rf"{_WORD}|private_key", re.IGNORECASE)
_ASSIGNED = re.compile(
    rf"""(?ix) ( (?: {_WORD} | (?<![^\W_]) pass (?![^\W_]) ) [\w.-]{{0,20}} (?:\\?["'])? \s? [=:] \s? )
    ( '(?:[^'\\]|''|\\.)*'? | "(?:[^"\\]|\\.)*"? | \\["'][^"'\\]* | [^\s'",;&)]+ )"""
)
_HEADER = re.compile(r"""(?i)(\bauthorization\\?["']?\s?[=:]\s?\\?["']?)([^\s"'][^"'\r\n]*)""")
_BEARER = re.compile(r"(?i)(\bbearer\s)([\w.~+/=-]{6,})")
_DIRECTIVE = re.compile(r"""(?i)(\b(?:requirepass|masterauth)["']?[\s=:]{1,5}["']?)([^\s"']+)""")
_AUTH = re.compile(
    r"""(?m)((?:(?<![\w-])AUTH|^auth|(?<=["'])auth)["']?\x20["']?)([^\s"']+(?:["']?\x20["']?[^\s"']+)?)"""
)
_SQL_PASSWORD = re.compile(r"(?i)(\bpassword\s+)(e?'(?:[^'\\]|''|\\.)*'?|\$(\w*)\$.*?(?:\$\3\$|$))", re.DOTALL)
_FLAG = re.compile(rf"(?i)((?<![\w-])--[\w-]{{0,20}}?(?:{_WORD})[\w-]{{0,20}}[ =])(\S+)")
_IN_URL = re.compile(r"(://[^\s:/@'\"]{0,100}:)([^\s/'\"]{1,200})(@)")
_HINT = re.compile(r"(?i)passw|passphrase|secret|token|credential|key|pass|auth|bearer|://")


def redact(text: str) -> str:
    """``text`` with passwords, tokens and keys replaced by ``***``: in SQL (``PASSWORD '…'``), assignments and URLs."""
    if not _HINT.search(text):
        return text
    text = _SQL_PASSWORD.sub(rf"\1{HIDDEN}", text)
    text = _FLAG.sub(rf"\1{HIDDEN}", text)
    for pattern in (_HEADER, _BEARER, _DIRECTIVE, _AUTH):
        text = pattern.sub(rf"\1{HIDDEN}", text)
    text = _IN_URL.sub(rf"\1{HIDDEN}\3", text)
    return _ASSIGNED.sub(rf"\1{HIDDEN}", text)


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name holds a secret by itself."""
    return bool(_SECRET_NAME.search(name)) and name not in _HARMLESS


_HARMLESS = frozenset(
    ["password_encryption", "scram_iterations", "md5_password_warnings", "ssl_passphrase_command_supports_reload"]
)
