"""Address books as vCards: RFC 6350 (4.0), RFC 2426 (3.0), and 2.1 as phones and old programs still write it.

What differs between them is undone here: folds that eat a space or keep it, soft line ends of quoted-printable, parameters
without a name, a charset for each value. A card within a card (an agent) is passed over, and so is a card that is a group.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixie.core.address import parse_address
from nixie.core.words import base64_bytes, decode_bytes
from nixie.sources.lines import MAX_LINE, Defect, once, words
from nixie.sources.people_csv import Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_VALUE = MAX_LINE // 2
"""Bytes of one property; a longer one is a picture, or a defect where a name or an address should be."""

MAX_ADDRESSES = 100
"""Addresses of one card that are kept."""

_PROPERTY = re.compile(rb'(?:[\w-]++\.)?([\w-]++)((?:;(?:[^":;]|"[^"]*+")*+)*+):', re.ASCII)
_SOFT = re.compile(rb"(?i)^[^:]*;(?:ENCODING=)?QUOTED-PRINTABLE[;:]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_WANTED = frozenset((b"BEGIN", b"END", b"VERSION", b"FN", b"N", b"EMAIL", b"ORG", b"KIND", b"X-ADDRESSBOOKSERVER-KIND"))


@dataclass(slots=True)
class _Card:
    """One card under way; `depth` counts cards within it."""

    line: int
    version: str = ""
    name: str = field(default="", repr=False)
    structured: str = field(default="", repr=False)
    unit: str = field(default="", repr=False)
    kind: str = ""
    emails: list[str] = field(default_factory=list, repr=False)
    depth: int = 0


def read_people(lines: Iterable[bytes]) -> Iterator[Person | Defect | None]:
    """Yield a person per mail address of each card, None for a card without one, a `Defect` for what cannot be read."""
    reader = _Reader()
    for number, line in reader.unfolded(lines):
        yield from reader.take(number, line)
    if reader.card is not None:
        yield Defect(reader.card.line, "card without an end")


class _Reader:
    """The card under way; how lines are unfolded depends on its version."""

    def __init__(self) -> None:
        self.card: _Card | None = None

    def unfolded(self, lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        """Yield each property on one line, with the number of its first line."""
        start, parts, size, soft = 0, [b""], 0, False
        for number, line in enumerate(lines, 1):
            joins = bool(parts[0]) and (soft or line[:1] in (b" ", b"\t"))
            if joins:
                if soft:
                    parts[-1] = parts[-1].removesuffix(b"=")
                elif self.card is None or self.card.version != "2.1":
                    line = line[1:]  # noqa: PLW2901 - the fold's space
                if size <= MAX_VALUE:
                    parts.append(line)
                    size += len(line)
            else:
                if parts[0]:
                    yield start, b"".join(parts)
                start, parts, size = number, [line], len(line)
            soft = line.endswith(b"=") and _SOFT.match(parts[0]) is not None
        if parts[0]:
            yield start, b"".join(parts)

    def take(self, number: int, line: bytes) -> Iterator[Person | Defect | None]:
        """Take one property."""
        found = _PROPERTY.match(line[:MAX_LINE])
        card = self.card
        if found is None:
            if card is None or not card.depth:
                yield Defect(number, "line that is no property with a value")
            return
        name = found[1].upper()
        if name not in _WANTED:
            return
        raw = line[found.end() :]
        opens = raw.strip().upper() == b"VCARD"
        if name == b"BEGIN" and opens:
            if card is None:
                self.card = _Card(number)
            else:
                card.depth += 1
        elif card is None:
            yield Defect(number, "property outside a card")
        elif name == b"END" and opens:
            if card.depth:
                card.depth -= 1
            else:
                self.card = None
                yield from _people(card)
        elif not card.depth:
            yield from _keep(card, number, name, found[2], raw)


def _keep(card: _Card, number: int, name: bytes, parameters: bytes, raw: bytes) -> Iterator[Defect]:
    """Take over one property of the card; the first of each kind counts, except for addresses."""
    if len(raw) > MAX_VALUE:
        yield Defect(number, "value that is too long")
        return
    text = _text(parameters, raw)
    if text is None:
        yield Defect(number, "value that is no base64")
    elif name == b"VERSION":
        card.version = text.strip()
    elif name == b"FN":
        card.name = card.name or words(_plain(text))
    elif name == b"N":
        family, given, middle, *_ = (*_parts(text), "", "", "")
        card.structured = card.structured or words(f"{given} {middle} {family}")
    elif name == b"ORG":
        house, *units = _parts(text)
        card.unit = card.unit or words(" ".join(filter(None, units)) or house)
    elif name == b"EMAIL":
        if len(card.emails) < MAX_ADDRESSES:
            card.emails.append(re.sub("(?i)^mailto:", "", _plain(text).strip()))
    elif name != b"BEGIN":
        card.kind = card.kind or text.strip().lower()


def _people(card: _Card) -> Iterator[Person | Defect | None]:
    if card.kind in ("group", "location", "application", "device"):
        yield Defect(card.line, f"card of a {card.kind}")
        return
    found = [a for text in card.emails if (a := parse_address(text)) and a.domain]
    name = card.name or card.structured
    yield from (Person(address, name, card.unit) for address in once(found))
    if not found:
        yield None


def _text(parameters: bytes, raw: bytes) -> str | None:
    """Return a value as text: transfer encoding and charset undone; None where neither can be."""
    charset, encoding = "", ""
    for parameter in parameters.decode("latin-1").split(";"):
        name, equals, value = parameter.partition("=")
        name, value = (name.strip().upper(), value.strip().strip('"')) if equals else ("", parameter.strip())
        if name == "CHARSET":
            charset = value
        elif name == "ENCODING" or (not name and value.upper() in ("QUOTED-PRINTABLE", "BASE64")):
            encoding = value.upper()
    if encoding == "QUOTED-PRINTABLE":
        raw = binascii.a2b_qp(raw)
    elif encoding in ("BASE64", "B"):
        decoded = base64_bytes(raw)
        if decoded is None:
            return None
        raw = decoded
    return decode_bytes(raw, charset)[0]


def _parts(text: str) -> list[str]:
    """Return the parts of a structured value, which semicolons divide (RFC 6350, section 3.4)."""
    parts, at = [], 0
    for mark in re.finditer(r"\\.|;", text, re.DOTALL):
        if mark[0] == ";":
            parts.append(text[at : mark.start()])
            at = mark.end()
    return [_plain(part).replace(",", " ").strip() for part in (*parts, text[at:])]


def _plain(text: str) -> str:
    """Return a text value without its escapes (RFC 6350, section 3.4)."""
    return _ESCAPED.sub(lambda mark: "\n" if mark[1] in "nN" else mark[1], text) if "\\" in text else text
