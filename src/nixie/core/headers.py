"""Header fields from bytes: cut, unfolded, and the few that are neither addresses nor MIME read into values.

One possessive pattern takes a field with its continuation lines, so a header is walked once whatever it holds
(RFC 5322, section 2.2). As in the standard library and in Postfix, the header ends at the first line that is no field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nixie.core.words import decode_words, mended

if TYPE_CHECKING:
    from collections.abc import Mapping
    from mmap import mmap

    Buffer = bytes | bytearray | mmap

_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)(?:\n|\Z)")
_UNIX_FROM = re.compile(rb">?From [^\n]*+\n")
_BLANK = re.compile(rb"\r?\n")
_MSG_ID = re.compile(r"<([^<>]*+)>")
_SPACES = re.compile(r"[\s\x00-\x1f\x7f]++")
_DATE = re.compile(
    r"\s*(?:[A-Za-z]{3},\s*)?(\d{1,2})\s+([A-Za-z]{3})\s+(\d{4})\s+(\d{2}):(\d{2})(?::(\d{2}))?\s+([+-])(\d{2})(\d{2})\b",
    re.ASCII,
)
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_LONGEST_DATE = 200


@dataclass(slots=True)
class Fields:
    """The wanted fields of one header by lower-case name, each value as raw bytes in order; where the body begins.

    `prefixed` holds the fields whose names begin with a wanted prefix. `cut` says that a bound ended the reading.
    """

    values: dict[bytes, list[bytes]] = field(default_factory=dict)
    prefixed: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: int = 0
    cut: bool = False
    separated: bool = True

    def first(self, name: bytes) -> bytes:
        """Return the first value of the field, `b""` when it is absent."""
        found = self.values.get(name)
        return found[0] if found else b""


def cut_fields(
    buffer: Buffer,
    start: int,
    end: int,
    wanted: Mapping[bytes, bool],
    *,
    max_bytes: int,
    max_fields: int,
    prefixes: tuple[bytes, ...] = (),
) -> Fields:
    """Return the fields in `buffer[start:end]` whose lower-case names are keys of `wanted` or begin with a prefix.

    At most `max_bytes` and `max_fields` are read; then `cut` is set and the body is what follows the first empty line.
    """
    fields = Fields()
    values, match = fields.values, _FIELD.match
    stop = min(end, start + max_bytes)
    at = start
    if first := _UNIX_FROM.match(buffer, at, stop):
        at = first.end()
    left = max_fields
    while left and (found := match(buffer, at, stop)):
        name = found[1].lower()
        if name in wanted:
            values.setdefault(name, []).append(found[2])
        elif name.startswith(prefixes):
            fields.prefixed.append((name, found[2]))
        at = found.end()
        left -= 1
    if stop < end and buffer.find(b"\n", at, stop) < 0:
        # The bound ended the header, in a line or after one; a line break just behind it is no empty line.
        fields.cut = True
        fields.body = _after_blank(buffer, at, end)
    elif blank := _BLANK.match(buffer, at, end):
        fields.body = blank.end()
    elif not left:
        fields.cut = at < end
        fields.body = _after_blank(buffer, at, end)
    else:
        fields.separated = at >= end
        fields.body = at
    return fields


def _after_blank(buffer: Buffer, at: int, end: int) -> int:
    at = max(0, at - 1)
    ends = [i + len(mark) for mark in (b"\n\r\n", b"\n\n") if (i := buffer.find(mark, at, end)) >= 0]
    return min(ends, default=end)


def unfolded(raw: bytes) -> str:
    """Return a field's value as one line of text: folds removed, bytes that are not UTF-8 as surrogates (PEP 383)."""
    text = raw.decode("utf-8", "surrogateescape")
    if "\n" in text:
        text = text.replace("\r\n", "").replace("\n", "")
    return text.strip(" \t\r")


def readable(raw: bytes, limit: int) -> str:
    """Return an unstructured field (RFC 5322, 2.2.1) for people: encoded words decoded, cut to `limit` characters."""
    return mended(decode_words(unfolded(raw[: 4 * limit])))[:limit].strip()


def token(raw: bytes) -> str:
    """Return the first word of a field in lower case, without parameters and comments (`auto-replied; x` -> `auto-replied`)."""
    if not raw:
        return ""
    text = unfolded(raw[:256]).lower()
    for mark in ";( \t":
        text = text.partition(mark)[0]
    return mended(text)


def message_ids(raw: bytes, limit: int) -> tuple[str, ...]:
    """Return the ids of a Message-ID, In-Reply-To or References field without brackets: the first and the last ones.

    A field without any bracket gives its words, as some old writers leave them out; more than `limit` ids lose the
    middle, so that the root of the thread and the nearest parents stay.
    """
    text = unfolded(raw)
    found = _MSG_ID.findall(text) or ([w for w in text.split() if "@" in w] if "<" not in text else [])
    ids = [_SPACES.sub("", i) for i in found if i]
    if len(ids) > limit:
        ids = [ids[0], *ids[len(ids) - limit + 1 :]]
    return tuple(ids)


def date_of(raw: bytes) -> datetime | None:
    """Return a Date field (RFC 5322, 3.3) in UTC; None when it is no date. Without a zone it is taken as UTC."""
    text = unfolded(raw[:_LONGEST_DATE])
    found = _DATE.match(text)
    if found and (month := _MONTHS.get(found[2].lower())):
        try:
            naive = datetime(
                int(found[3]), month, int(found[1]), int(found[4]), int(found[5]), int(found[6] or 0), tzinfo=UTC
            )
            offset = timedelta(hours=int(found[8]), minutes=int(found[9]))
            return naive - offset if found[7] == "+" else naive + offset
        except (ValueError, OverflowError):
            pass
    return _odd_date(text)


def _odd_date(text: str) -> datetime | None:
    """Read what the strict form is not: two-digit years, zone names, missing seconds (RFC 5322, section 4.3)."""
    from email.utils import parsedate_tz  # noqa: PLC0415 - 20 ms to load, for dates that few messages have

    try:
        parts = parsedate_tz(text)
        if parts is None:
            return None
        return datetime(*parts[:6], tzinfo=UTC) - timedelta(seconds=parts[9] or 0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
