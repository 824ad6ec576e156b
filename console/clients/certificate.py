"""The certificate that is served for a name: one TLS handshake, and what of it people want to know."""

from __future__ import annotations

import asyncio
import ssl
from datetime import datetime
from typing import Any

import msgspec

from console.clients.clean import clean
from console.clients.lookup import Lookup

_EXPIRED, _NOT_YET = 10, 9
"""X509_V_ERR_CERT_HAS_EXPIRED and X509_V_ERR_CERT_NOT_YET_VALID: a question of time, not of trust."""
_NAMES = 50


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """What a server presents."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    serial: str
    trusted: bool
    why: str
    """Why it is not trusted."""
    chain: int
    """Certificates sent; 0: not known."""


class HandshakeError(Exception):
    """No certificate. ``reached``: something took the connection."""

    def __init__(self, problem: str, *, reached: bool) -> None:
        super().__init__(problem)
        self.problem = problem
        self.reached = reached


class Handshakes:
    """Handshakes with one address. Each has its own connection, which is closed at once."""

    def __init__(self, host: str, port: int, ca_file: str = "") -> None:
        """``ca_file``: authorities that chains must lead to; empty: the system's."""
        self.host = host
        self.port = port
        self._ca_file = ca_file
        self._lookup = Lookup(host, port)
        self._contexts: tuple[ssl.SSLContext, ssl.SSLContext] | None = None
        self._open: set[asyncio.StreamWriter] = set()

    def prepare(self) -> None:
        """Load authorities and the parser of certificates: tens of milliseconds, meant for a thread. Raises OSError."""
        import cryptography.x509  # noqa: F401

        strict = ssl.create_default_context(cafile=self._ca_file or None)
        # The name is compared by ourselves: a certificate for another name is a finding of its own.
        strict.check_hostname = False
        loose = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        loose.check_hostname = False
        loose.verify_mode = ssl.CERT_NONE
        self._contexts = strict, loose

    @property
    def ready(self) -> bool:
        """Whether ``prepare`` has been done."""
        return self._contexts is not None

    async def look(self, name: str, patience_s: float) -> Served:
        """The certificate that is served for ``name``. Raises HandshakeError."""
        assert self._contexts is not None, "prepare first"
        strict, loose = self._contexts
        try:
            async with asyncio.timeout(patience_s):
                try:
                    return _told(await self._shake(strict, name), True, "")
                except ssl.SSLCertVerificationError as error:
                    # Refused by us, and gone with it: asked again, without an opinion.
                    shown = await self._shake(loose, name)
                    return _judged(shown, error)
        except TimeoutError:
            raise HandshakeError(f"no handshake within {patience_s:.1f} s", reached=False) from None
        except ssl.SSLError as error:
            why = clean(str(error.reason or error), 100).replace("_", " ").lower()
            raise HandshakeError(f"the handshake failed: {why}", reached=True) from None
        except OSError as error:
            self._lookup.next()
            reset = isinstance(error, ConnectionResetError | BrokenPipeError)
            why = "refuses connections" if isinstance(error, ConnectionRefusedError) else clean(str(error), 120)
            raise HandshakeError(why or type(error).__name__, reached=reset) from None
        except (ValueError, UnicodeError) as error:
            raise HandshakeError(f"cannot be read: {clean(str(error), 100)}", reached=True) from None

    def drop(self) -> None:
        """End every connection now."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _shake(self, context: ssl.SSLContext, name: str) -> tuple[bytes, int]:
        """The certificate's DER, and how many were sent."""
        address = await self._lookup.address()
        _, writer = await asyncio.open_connection(address, self.port, ssl=context, server_hostname=name)
        self._open.add(writer)
        try:
            tls: Any = writer.get_extra_info("ssl_object")
            der = tls.getpeercert(binary_form=True)
            if not der:
                raise ValueError("no certificate was sent")
            return der, _chain(tls)
        finally:
            self._open.discard(writer)
            writer.transport.abort()


def _chain(tls: Any) -> int:
    """Certificates sent, where this Python tells it (3.13; before that only its inner object does)."""
    for where in (tls, getattr(tls, "_sslobj", None)):
        ask = getattr(where, "get_unverified_chain", None)
        if ask is not None:
            return len(ask() or ())
    return 0


def _judged(shown: tuple[bytes, int], error: ssl.SSLCertVerificationError) -> Served:
    """A certificate that was refused: what it says, and whether that is for want of trust or of time."""
    served = _told(shown, False, clean(error.verify_message, 120))
    now = datetime.now(served.not_after.tzinfo)
    leaf = (error.verify_code == _EXPIRED and served.not_after < now) or (
        error.verify_code == _NOT_YET and served.not_before > now
    )
    # OpenSSL looks at dates only once the chain is whole.
    return msgspec.structs.replace(served, trusted=True, why="") if leaf else served


def _told(shown: tuple[bytes, int], trusted: bool, why: str) -> Served:
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(shown[0])
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [*extension.get_values_for_type(x509.DNSName)]
        names += [str(each) for each in extension.get_values_for_type(x509.IPAddress)]
    except (x509.ExtensionNotFound, ValueError):
        names = []
    return Served(
        subject=clean(certificate.subject.rfc4514_string(), 200),
        issuer=clean(certificate.issuer.rfc4514_string(), 200),
        names=tuple(clean(name) for name in names[:_NAMES]),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        serial=f"{certificate.serial_number:x}",
        trusted=trusted,
        why=why,
        chain=shown[1],
    )


def covers(names: tuple[str, ...], host: str) -> bool:
    """Whether one of a certificate's names is ``host``'s: itself, or with ``*`` for its first label alone (RFC 6125, 6.4.3)."""
    host = host.rstrip(".").lower()
    parent = host.partition(".")[2]
    for name in names:
        wanted = name.rstrip(".").lower()
        if wanted == host or (wanted.startswith("*.") and parent and wanted[2:] == parent):
            return True
    return False
