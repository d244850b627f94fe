"""Files to learn from: found, opened, recognised, and put in order.

A file is known by its first bytes after decompression, so that rotation, renaming and compressing do not make it new. A
plain file must also still hold what was read before (a digest of the bytes before the position); otherwise it is read
from its beginning, which the event keys make harmless.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import IO, TYPE_CHECKING, Self

from nixie.sources.detect import HEAD, Format, SourceError, detect
from nixie.sources.files import UNREADABLE, compressed, first_second, plain_stream, set_name
from nixie.sources.maildir import MAIL_FOLDERS, is_maildir
from nixie.sources.syslog import Clock, plain
from nixie.store import knowledge_files

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import tzinfo
    from pathlib import Path

HEAD_SIZE = 4096
MARK_SIZE = 1024
_NO_SENSE_BEFORE = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """One file to learn from; `named` when the administrator gave its very name, so that failing is an error."""

    path: Path
    format: Format
    size: int
    packed: bool
    first: int = 0
    """When a log begins, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder whose files are one mail each."""

    path: Path
    folders: tuple[Path, ...]


@dataclass(slots=True)
class Listing:
    """What some paths hold, and what was passed over with the reason."""

    files: list[Found] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def find(paths: list[Path], zone: tzinfo) -> Listing:
    """Return what the paths hold. Raises `SourceError` for a path that is not there or whose own format is unknown."""
    listing = Listing()
    for path in paths:
        if path.is_dir():
            _walk(path, listing, zone)
        elif path.is_file():
            _add(path, listing, zone)
        else:
            raise SourceError(f"{path}: there is no such file; check the path and its permissions")
    listing.files.sort(key=lambda f: (str(f.path.parent), set_name(f.path.name), f.first, f.path.name))
    return listing


def _walk(path: Path, listing: Listing, zone: tzinfo) -> None:
    try:
        entries = sorted(path.iterdir())
    except OSError as error:
        listing.skipped.append(f"{path}: {error.strerror or 'cannot be read'}")
        return
    folders = [e for e in entries if e.is_dir() and not e.is_symlink()]
    if is_maildir(e.name for e in folders):
        listing.folders.append(Folder(path, tuple(path / name for name in MAIL_FOLDERS)))
        folders = [e for e in folders if e.name not in (*MAIL_FOLDERS, "tmp")]
    if any(e.suffix.lower() == ".eml" for e in entries):
        listing.folders.append(Folder(path, (path,)))
    for entry in entries:
        if entry.is_file() and entry.suffix.lower() != ".eml" and not entry.name.startswith("."):
            try:
                _add(entry, listing, zone)
            except SourceError as error:
                listing.skipped.append(str(error))
    for folder in folders:
        _walk(folder, listing, zone)


def _add(path: Path, listing: Listing, zone: tzinfo) -> None:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            packed, head = _head(file)
    except UNREADABLE as error:
        reason = getattr(error, "strerror", None) or "damaged or cut"
        raise SourceError(f"{path}: {reason}; make it readable, or unpack it first") from error
    format_ = detect(head, str(path))
    if format_ is Format.EMPTY:
        return
    first = 0
    if format_ is Format.POSTFIX:
        first = first_second(b"\n".join(plain(line) for line in head.split(b"\n")[:50]), clock_of(path, zone))
    listing.files.append(Found(path, format_, status.st_size, packed, first))


def _head(file: IO[bytes]) -> tuple[bool, bytes]:
    start = file.read(8)
    file.seek(0)
    return compressed(start), read_fully(plain_stream(file, start), HEAD)


def read_fully(stream: IO[bytes], size: int) -> bytes:
    """Return `size` bytes, fewer only at the end."""
    pieces, left = [], size
    while left > 0 and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def written_until(path: Path) -> datetime:
    """Return a moment after which nothing in the file can have happened: its mtime, if that makes sense."""
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return at if at > _NO_SENSE_BEFORE else datetime.now(UTC)


def latest_in(path: Path) -> datetime:
    """Return the latest believable date of a mail in the file: a day more, since clocks and zones differ."""
    return min(written_until(path) + timedelta(days=1), datetime.now(UTC))


def clock_of(path: Path, zone: tzinfo) -> Clock:
    """Return the clock for a log's lines."""
    return Clock(written_until(path), zone)


def stat_text(status: os.stat_result) -> str:
    """Return what a file looks like from outside; the same text means that nothing was written to it."""
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"


class Opened:
    """An open source and how far it was read before (`before`, with position 0 for a new one)."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._file = path.open("rb")
        self.stat = stat_text(os.fstat(self._file.fileno()))
        start = self._file.read(8)
        self._file.seek(0)
        self.packed = compressed(start)
        self._stream = plain_stream(self._file, start)
        self._head = read_fully(self._stream, HEAD_SIZE)
        self.before = self._recognise(db)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def unchanged(self) -> bool:
        """Return whether the file was read to its end and nothing was written to it since."""
        return self.before.stat == self.stat

    def _recognise(self, db: sqlite3.Connection) -> knowledge_files.LearnedFile:
        for size in knowledge_files.head_sizes(db):
            if 0 < size <= len(self._head):
                found = knowledge_files.by_head(db, size, _digest(self._head[:size]))
                if found and (self.packed or self.mark(found.position) == found.mark):
                    return found
        head = self._head[:HEAD_SIZE]
        return knowledge_files.LearnedFile(len(head), _digest(head), "")

    def mark(self, position: int) -> bytes:
        """Return the digest of the bytes before a position; of nothing for a compressed file, which never grows."""
        if self.packed:
            return b""
        size = min(MARK_SIZE, position)
        piece = os.pread(self._file.fileno(), size, position - size)
        return _digest(piece) if len(piece) == size else b""

    def blocks(self, size: int) -> Iterator[bytes]:
        """Yield what was not read before, in blocks. Raises `SourceError` where the compressed data is damaged."""
        try:
            position = self.before.position
            if not self.packed:
                self._file.seek(position)
                self._stream = self._file
            elif position >= len(self._head):
                position -= len(self._head)
                while position and (piece := self._stream.read(min(position, size))):
                    position -= len(piece)
            elif rest := self._head[position:]:
                yield rest
            while block := self._stream.read(size):
                yield block
        except UNREADABLE as error:
            raise SourceError(f"{self._file.name}: damaged or cut; what came before the damage was learned") from error

    def more(self, size: int) -> Iterator[bytes]:
        """Yield what was written since the last block."""
        while block := self._stream.read(size):
            yield block

    def taken(self) -> int:
        """Return how many bytes of the file, as it lies on the disk, were read."""
        return self._file.tell()

    def replaced(self, path: Path) -> bool:
        """Return whether the path is another file now, or this one was cut (rotation)."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(self._file.fileno())
        return (status.st_dev, status.st_ino) != (mine.st_dev, mine.st_ino) or status.st_size < self._file.tell()


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()
