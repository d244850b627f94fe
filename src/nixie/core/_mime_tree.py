"""The MIME tree of a body as a flat tuple of leaves (RFC 2046), found without looking at the lines between boundaries.

A boundary is searched with `find`, so an attachment costs what memory costs; nothing is decoded but text, and of that a
bounded piece. The walk keeps its own stack: nesting cannot reach Python's. All bytes searched are counted against a
budget, so fifty multiparts around one large body cannot make the work quadratic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixie.core._mime_params import content_type, disposition, filename
from nixie.core._mime_text import base64_size, decoded
from nixie.core.headers import cut_fields, token
from nixie.core.message import NotSeen, Part
from nixie.core.words import decode_bytes

if TYPE_CHECKING:
    from nixie.core.headers import Buffer, Fields
    from nixie.core.mime import Limits

_WANTED = {b"content-type": True, b"content-transfer-encoding": True, b"content-disposition": True}
_DELIMITER_END = re.compile(rb"(--)?[ \t]*+(?:\r?\n|\Z)")
_MESSAGES = frozenset({"message/rfc822", "message/global", "message/news"})
_TEXTS = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
    }
)
_MAX_BOUNDARY = 1000
_MAX_FALSE_HITS = 100_000
"""Lines that begin like a delimiter and are none, before we give up splitting."""


@dataclass(slots=True)
class _Place:
    """Where an entity stands: the end of its bytes, its path, how many others are around it."""

    end: int
    path: tuple[int, ...]
    depth: int
    is_message: bool


@dataclass(slots=True)
class _Entity:
    """A piece of a buffer that has its header read: a part, or a message (whose single leaf is its child number 1)."""

    buffer: Buffer
    start: int
    end: int
    path: tuple[int, ...]
    depth: int
    kind: str
    params: dict[str, str]
    encoding: str
    disposition: str
    filename: str
    is_message: bool


@dataclass(slots=True)
class _Walk:
    """What one walk may still spend, and what it has found."""

    limits: Limits
    budget: int
    text_left: int
    parts: list[Part] = field(default_factory=list)
    defects: dict[str, None] = field(default_factory=dict)
    entities: int = 0

    def defect(self, code: str) -> None:
        self.defects[code] = None


def leaves(buffer: Buffer, end: int, fields: Fields, limits: Limits) -> tuple[tuple[Part, ...], list[str], str]:
    """Return the leaves of the message in `buffer[:end]` whose header is `fields`, the defects met, and the message's type.

    Never raises: what goes past a limit is a leaf whose text is `NotSeen` (`too-deep`, `too-large`), and a defect.
    """
    walk = _Walk(limits, max(limits.scans * end, limits.scan_floor), limits.total_text_bytes)
    root = _entity(buffer, fields, _Place(end, (), 0, is_message=True), "text/plain")
    kind = root.kind
    stack = [root]
    while stack:
        entity = stack.pop()
        walk.entities += 1
        if entity.kind.startswith("multipart/"):
            stack.extend(reversed(_children(entity, walk)))
        elif entity.kind in _MESSAGES:
            stack.extend(_attached(entity, walk))
        else:
            _leaf(entity, walk)
    return tuple(walk.parts), list(walk.defects), kind


def _entity(buffer: Buffer, fields: Fields, place: _Place, default: str) -> _Entity:
    kind, params = content_type(fields.first(b"content-type"), default)
    disposed, more = disposition(fields.first(b"content-disposition"))
    return _Entity(
        buffer=buffer,
        start=min(fields.body, place.end),
        end=place.end,
        path=place.path,
        depth=place.depth,
        is_message=place.is_message,
        kind=kind,
        params=params,
        encoding=token(fields.first(b"content-transfer-encoding")),
        disposition=disposed,
        filename=filename(more, params),
    )


def _read(parent: _Entity, start: int, place: _Place, walk: _Walk) -> _Entity:
    limits = walk.limits
    fields = cut_fields(
        parent.buffer, start, place.end, _WANTED, max_bytes=limits.part_header_bytes, max_fields=limits.header_fields
    )
    if fields.cut:
        walk.defect("part-header-too-long")
    default = "message/rfc822" if parent.kind == "multipart/digest" else "text/plain"
    return _entity(parent.buffer, fields, place, default)


def _children(entity: _Entity, walk: _Walk) -> list[_Entity]:
    if entity.depth >= walk.limits.depth:
        return _given_up(entity, walk, "too-deep")
    boundary = entity.params.get("boundary", "").rstrip().encode("utf-8", "surrogateescape")
    if not boundary or len(boundary) > _MAX_BOUNDARY:
        return _as_text(entity, walk)
    if walk.budget < entity.end - entity.start:
        return _given_up(entity, walk, "too-much-work")
    walk.budget -= entity.end - entity.start
    room = walk.limits.parts - walk.entities
    pieces = _pieces(entity, b"--" + boundary, walk, room)
    if not pieces:
        return _as_text(entity, walk)
    walk.entities += len(pieces) - 1
    return [
        _read(entity, start, _Place(end, (*entity.path, number), entity.depth + 1, is_message=False), walk)
        for number, (start, end) in enumerate(pieces, 1)
    ]


def _pieces(entity: _Entity, mark: bytes, walk: _Walk, room: int) -> list[tuple[int, int]]:
    """Return start and end of each body part between the delimiter lines (RFC 2046, section 5.1.1)."""
    buffer, end = entity.buffer, entity.end
    needle, length = b"\n" + mark, len(mark)
    pieces: list[tuple[int, int]] = []
    opened = -1
    at = entity.start - 1 if buffer[entity.start : entity.start + length] == mark else -2
    if at == -2:
        at = buffer.find(needle, entity.start, end)
    false_hits = 0
    while at >= entity.start - 1:
        tail = _DELIMITER_END.match(buffer, at + 1 + length, end)
        if tail is None:
            false_hits += 1
            if false_hits > _MAX_FALSE_HITS:
                _given_up(entity, walk, "boundary-noise")
                break
            at = buffer.find(needle, at + 1, end)
            continue
        if opened >= 0:
            stop = at - 1 if at > opened and buffer[at - 1 : at] == b"\r" else at
            pieces.append((opened, max(opened, stop)))
        if tail[1]:
            return pieces
        opened = tail.end()
        if len(pieces) >= room:
            _given_up(entity, walk, "too-many-parts")
            return pieces
        at = buffer.find(needle, max(opened - 1, entity.start), end)
    if opened >= 0:
        walk.defect("boundary-unclosed")
        pieces.append((opened, end))
    return pieces


def _attached(entity: _Entity, walk: _Walk) -> list[_Entity]:
    """Return the message inside a message/rfc822 part; an encoded one (forbidden, and seen) is decoded first."""
    limits = walk.limits
    if entity.depth >= limits.depth:
        return _given_up(entity, walk, "too-deep")
    if walk.entities >= limits.parts:
        return _given_up(entity, walk, "too-many-parts")
    if entity.encoding in ("base64", "quoted-printable"):
        if entity.end - entity.start > limits.attached_bytes:
            return _given_up(entity, walk, "too-large")
        raw = decoded(entity.buffer, entity.start, entity.end, entity.encoding, limits.attached_bytes)[0]
        if raw is None:
            return _given_up(entity, walk, "unreadable")
        entity.buffer, entity.start, entity.end = raw, 0, len(raw)
    place = _Place(entity.end, entity.path or (1,), entity.depth + 1, is_message=True)
    return [_read(entity, entity.start, place, walk)]


def _as_text(entity: _Entity, walk: _Walk) -> list[_Entity]:
    """Take a multipart without a usable boundary for text, as readers do that show it at all."""
    walk.defect("boundary-missing")
    entity.kind, entity.params = "text/plain", {}
    return [entity]


def _given_up(entity: _Entity, walk: _Walk, reason: str) -> list[_Entity]:
    walk.defect(reason)
    _append(entity, walk, entity.end - entity.start, NotSeen(reason))
    return []


def _append(entity: _Entity, walk: _Walk, size: int, text: str | NotSeen) -> None:
    path = (*entity.path, 1) if entity.is_message else entity.path
    walk.parts.append(Part(path, entity.kind, entity.disposition, entity.filename, size, text))


def _leaf(entity: _Entity, walk: _Walk) -> None:
    length = entity.end - entity.start
    if not entity.kind.startswith("text/") and entity.kind not in _TEXTS:
        size = base64_size(entity.buffer, entity.start, entity.end) if entity.encoding == "base64" else length
        _append(entity, walk, size, NotSeen("not-text"))
        return
    limit = min(walk.limits.text_bytes, walk.text_left)
    if limit <= 0 and length:
        walk.defect("text-too-large")
        _append(entity, walk, length, NotSeen("too-large"))
        return
    raw, size, cut = decoded(entity.buffer, entity.start, entity.end, entity.encoding, limit)
    if raw is None:
        walk.defect("transfer-encoding")
        _append(entity, walk, length, NotSeen("unreadable"))
        return
    if cut:
        walk.defect("text-cut")
        # A line's end is a safe place to cut in every charset that mail uses as text.
        raw = raw[: raw.rfind(b"\n", 0, limit) + 1 or limit]
    walk.text_left -= len(raw)
    text, good = decode_bytes(raw, entity.params.get("charset", ""))
    if not good:
        walk.defect("charset")
    _append(entity, walk, size, text.replace("\r\n", "\n"))
