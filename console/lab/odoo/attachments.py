"""Where documents are kept: the file store, the row itself, or object storage (which only others reach)."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path
from typing import Any


def row(name: str, content: bytes) -> dict[str, Any]:
    """An ``ir_attachment`` row for this content, not yet stored anywhere."""
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return {"name": name, "type": "binary", "file_size": len(content), "checksum": hashlib.sha1(content).hexdigest(),  # noqa: S324
            "mimetype": kind, "public": False, "store_fname": None}  # fmt: skip


def path(data_dir: Path, database: str, store_fname: str) -> Path:
    """The file of an attachment in the file store."""
    return data_dir / "filestore" / database / store_fname


def write(data_dir: Path, database: str, content: bytes) -> str:
    """Keep content in the file store, once however many rows share it. The ``store_fname``."""
    checksum = hashlib.sha1(content).hexdigest()  # noqa: S324 - as Odoo names its files
    store_fname = f"{checksum[:2]}/{checksum}"
    file = path(data_dir, database, store_fname)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return store_fname


def mark(data_dir: Path, database: str, store_fname: str) -> None:
    """List a file that no row may need any more; a later clean-up looks."""
    note = path(data_dir, database, f"checklist/{store_fname}")
    note.parent.mkdir(parents=True, exist_ok=True)
    note.touch()


def sweep(data_dir: Path, database: str, needed: set[str]) -> int:
    """Remove the listed files that no row needs. How many went."""
    gone = 0
    for note in (data_dir / "filestore" / database / "checklist").glob("*/*"):
        store_fname = f"{note.parent.name}/{note.name}"
        if store_fname not in needed:
            path(data_dir, database, store_fname).unlink(missing_ok=True)
            gone += 1
        note.unlink(missing_ok=True)
    return gone


def read(data_dir: Path, database: str, store_fname: str | None, db_datas: bytes | None) -> bytes:
    """The content, or FileNotFoundError. Object storage is not reached from here."""
    if db_datas is not None:
        return bytes(db_datas)
    if store_fname is None or "://" in store_fname:
        raise FileNotFoundError(store_fname or "no content")
    return path(data_dir, database, store_fname).read_bytes()
