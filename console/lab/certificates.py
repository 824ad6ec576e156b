"""The laboratory's own certificate authority, and what it issues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from console.lab.state import write_file

VALID = timedelta(days=90)


class Authority:
    """Its files are in ``tls``: the certificate for everybody, the key for the laboratory's owner."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / "tls"
        self.certificate = self._folder / "ca.pem"
        self._key = self._folder / "ca.key"

    def make(self) -> None:
        """Make it anew."""
        self._folder.mkdir(mode=0o700)
        made = trustme.CA()
        write_file(self.certificate, made.cert_pem.bytes())
        write_file(self._key, made.private_key_pem.bytes())

    def issue(self, *names: str, valid: timedelta = VALID) -> tuple[str, str]:
        """Certificate chain and private key for these names, as PEM; valid from now on for so long."""
        signer = trustme.CA.from_pem(self.certificate.read_bytes(), self._key.read_bytes())
        issued = signer.issue_cert(*names, not_after=datetime.now(UTC) + valid)
        chain = "".join(blob.bytes().decode() for blob in issued.cert_chain_pems)
        return chain, issued.private_key_pem.bytes().decode()
