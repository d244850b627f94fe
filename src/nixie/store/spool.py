"""Held messages on disk: one encrypted file a message, whatever number of its copies is held.

* SpoolError
  x SpoolMissingError    no such file
  x SpoolWrongKeyError   written with another spool.key
  x SpoolTruncatedError  the file ends before the message does
  x SpoolTamperedError   the file is not what was written

AES-256-GCM in chunks of 64 kB after the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015; the same that age
uses): the nonce is a random prefix, a counter and a flag on the last chunk, so chunks can be neither swapped nor cut
off, and a message of 40 MB is written and read in constant memory. Each file has a random data key of its own, wrapped
by the installation's spool key with the file's id and header as associated data: a file put under another id does
not open.

    magic "NIXS" | version 1 | id of the wrapping key 4 | wrap nonce 12 | wrapped data key 48 | nonce prefix 7 | chunks

A file is written under a temporary name, synced, renamed, and the folder synced: a name without `.tmp` is complete.
"""

from __future__ import annotations

import os
import re
import secrets
from base64 import b32encode
from hashlib import sha256
from typing import IO, TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from pathlib import Path

CHUNK = 64 * 1024
TAG = 16
MAGIC = b"NIXS\x01"
HEADER = len(MAGIC) + 4 + 12 + 48 + 7
SUFFIX, UNFINISHED = ".nx", ".tmp"
ID_PATTERN = re.compile(r"[a-z2-7]{20}")


class SpoolError(Exception):
    """A held message cannot be read or kept; the text names the file and the remedy, nothing of the message."""


class SpoolMissingError(SpoolError):
    """There is no such file."""


class SpoolWrongKeyError(SpoolError):
    """The file was written with another spool key."""


class SpoolTruncatedError(SpoolError):
    """The file ends early."""


class SpoolTamperedError(SpoolError):
    """The file is not what was written."""


class Spool:
    """The folder of held messages and the 32-byte key that opens them. Safe to use from several processes."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder = folder
        self._wrap = AESGCM(key)
        self._key_id = sha256(b"nixie spool key\0" + key).digest()[:4]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def __repr__(self) -> str:
        return f"Spool({str(self.folder)!r})"

    def write(self, data: bytes | memoryview) -> str:
        """Keep a message, synced to disk, and return its id (20 characters of a-z, 2-7). Raises OSError: disk full."""
        spool_id = b32encode(secrets.token_bytes(13)).decode("ascii").lower()[:20]
        final = self._path(spool_id)
        unfinished = final.with_suffix(UNFINISHED)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                for piece in self._encrypt(spool_id, memoryview(data)):
                    _write_all(file, piece)
                os.fsync(file.fileno())
            unfinished.rename(final)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        self._sync_folder()
        return spool_id

    def stream(self, spool_id: str) -> Iterator[bytes]:
        """Yield the message in pieces of at most 64 kB, each authenticated before it is given out.

        Raises the errors of this module's tree; a caller that acts on the whole must wait for the end, because only
        the last piece proves that nothing was cut off.
        """
        path = self._path(spool_id)
        try:
            file = path.open("rb", buffering=0)
        except FileNotFoundError:
            raise SpoolMissingError(
                f"{path}: not there; restore the spool folder and the database from one backup"
            ) from None
        with file:
            header = _read_all(file, HEADER)
            key, prefix = self._open_header(spool_id, header, path)
            yield from _decrypt(file, AESGCM(key), prefix, path)

    def read(self, spool_id: str) -> bytes:
        """Return the whole message. Raises the errors of this module's tree."""
        return b"".join(self.stream(spool_id))

    def check(self, spool_ids: Iterable[str]) -> tuple[SpoolError, ...]:
        """Decrypt each message to its end, keeping nothing, and return what went wrong; `()` when all of them open."""
        wrong: list[SpoolError] = []
        for spool_id in spool_ids:
            try:
                for _ in self.stream(spool_id):
                    pass
            except SpoolError as error:
                wrong.append(error)
        return tuple(wrong)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all complete files."""
        for entry in os.scandir(self.folder):
            name = entry.name.removesuffix(SUFFIX)
            if entry.name.endswith(SUFFIX) and ID_PATTERN.fullmatch(name):
                yield name

    def remove(self, spool_id: str) -> None:
        """Forget a message; nothing happens when it is gone already."""
        self._path(spool_id).unlink(missing_ok=True)

    def sweep(self, referenced: Container[str], older_than: float) -> int:
        """Remove what no hold refers to and what was never finished, where last written before `older_than`.

        `older_than` is seconds since the epoch: a file younger than a session's life may belong to a decision that is
        on its way to the recorder. Returns how many files went.
        """
        gone = 0
        for entry in os.scandir(self.folder):
            stem, dot, suffix = entry.name.rpartition(".")
            orphan = dot + suffix == SUFFIX and stem not in referenced
            if (orphan or dot + suffix == UNFINISHED) and ID_PATTERN.fullmatch(stem):
                try:
                    if entry.stat().st_mtime < older_than:
                        os.unlink(entry.path)  # noqa: PTH108 - scandir gives strings
                        gone += 1
                except FileNotFoundError:
                    continue
        return gone

    def _path(self, spool_id: str) -> Path:
        if not ID_PATTERN.fullmatch(spool_id):
            raise SpoolMissingError(f"{self.folder}: {len(spool_id)} characters that are not the id of a held message")
        return self.folder / (spool_id + SUFFIX)

    def _encrypt(self, spool_id: str, data: memoryview) -> Iterator[bytes]:
        key, prefix, nonce = secrets.token_bytes(32), secrets.token_bytes(7), secrets.token_bytes(12)
        start = MAGIC + self._key_id
        wrapped = self._wrap.encrypt(nonce, key, _bound(spool_id, start, prefix))
        cipher = AESGCM(key)
        yield start + nonce + wrapped + prefix
        last = max(0, (len(data) - 1) // CHUNK)
        for number in range(last + 1):
            piece = data[number * CHUNK : (number + 1) * CHUNK]
            yield cipher.encrypt(_nonce(prefix, number, last=number == last), piece, None)

    def _open_header(self, spool_id: str, header: bytes, path: Path) -> tuple[bytes, bytes]:
        """Return data key and nonce prefix."""
        if len(header) < HEADER:
            raise SpoolTruncatedError(f"{path}: ends within its header; restore it from the backup")
        if not header.startswith(MAGIC):
            raise SpoolTamperedError(f"{path}: not a held message of this version; restore it from the backup")
        start, nonce = header[:9], header[9:21]
        wrapped, prefix = header[21:69], header[69:]
        if start[5:] != self._key_id:
            raise SpoolWrongKeyError(f"{path}: written with another spool.key; put back the key that was in use then")
        try:
            return self._wrap.decrypt(nonce, wrapped, _bound(spool_id, start, prefix)), prefix
        except InvalidTag:
            raise SpoolTamperedError(f"{path}: its header was changed; restore it from the backup") from None

    def _sync_folder(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _decrypt(file: IO[bytes], cipher: AESGCM, prefix: bytes, path: Path) -> Iterator[bytes]:
    number, sealed = 0, _read_all(file, CHUNK + TAG)
    while True:
        following = _read_all(file, CHUNK + TAG)
        last = not following
        try:
            yield cipher.decrypt(_nonce(prefix, number, last=last), sealed, None)
        except InvalidTag:
            if last and _opens(cipher, _nonce(prefix, number, last=False), sealed):
                raise SpoolTruncatedError(f"{path}: ends after chunk {number}; restore it from the backup") from None
            kind = SpoolTruncatedError if len(sealed) < TAG else SpoolTamperedError
            raise kind(f"{path}: chunk {number} is not what was written; restore it from the backup") from None
        if last:
            return
        number, sealed = number + 1, following


def _opens(cipher: AESGCM, nonce: bytes, sealed: bytes) -> bool:
    try:
        cipher.decrypt(nonce, sealed, None)
    except InvalidTag:
        return False
    return True


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


def _bound(spool_id: str, start: bytes, prefix: bytes) -> bytes:
    """Return what the wrapped key is bound to: the file's name and every other byte of the header but the nonce."""
    return b"nixie spool\0" + spool_id.encode("ascii") + start + prefix


def _write_all(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _read_all(file: IO[bytes], size: int) -> bytes:
    """Read up to `size` bytes: fewer only at the end of the file."""
    data = file.read(size)
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            break
        data += more
    return data
