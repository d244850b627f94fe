"""Directories as LDIF (RFC 2849): entries with the few attributes that are wanted, and the people among them.

Content records and `changetype: add` (which Microsoft's ldifde writes) are entries; other changes are counted and not used, and
a value that stands elsewhere (`jpegPhoto:< file:...`) is never fetched. Memory depends on the largest entry, not on the file.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixie.core.address import parse_address
from nixie.core.words import decode_bytes
from nixie.sources.lines import MAX_LINE, Defect, once, words
from nixie.sources.people_csv import Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_VALUE = MAX_LINE // 2
"""Bytes of one wanted value; a longer one is a defect. A line that was cut is longer still."""

MAX_VALUES = 200_000
"""Values of one entry that are kept, so that the list of everybody in a large house is read whole."""

GROUPS = frozenset((
    "group", "groupofnames", "groupofuniquenames", "groupofmembers", "groupofurls", "mailgroup", "inetmailgroup",
    "nismailalias", "rfc822mailgroup", "posixgroup", "mailinglist", "distributionlist", "dynamicgroup",
))  # fmt: skip
"""Object classes (in lower case) of entries that are several people."""

_PEOPLE = frozenset(
    ("objectclass", "mail", "rfc822mailbox", "displayname", "cn", "givenname", "sn", "ou", "department")
)
_ALWAYS = frozenset(("dn", "changetype"))
_LINE = re.compile(rb"([A-Za-z0-9][A-Za-z0-9.-]*+)(?:;[A-Za-z0-9;=_*-]*+)?:([:<]?)[ ]*+")
"""An attribute with its options (RFC 4512, 2.5: `cn;lang-de`, `member;range=0-*`), and how its value is written."""

_TEXT, _BASE64, _ELSEWHERE = b"", b":", b"<"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: the line of its `dn`, that name, and the wanted values by attribute in lower case, without options."""

    line: int
    dn: str = field(repr=False)
    values: Mapping[str, tuple[str, ...]] = field(repr=False)

    def all(self, *attributes: str) -> tuple[str, ...]:
        """Return the values of the attributes, in the order given."""
        return tuple(value for name in attributes for value in self.values.get(name, ()))

    @property
    def is_group(self) -> bool:
        """Return whether an object class says that this is a list of people."""
        return any(kind.lower() in GROUPS for kind in self.all("objectclass"))


def read_people(lines: Iterable[bytes]) -> Iterator[Person | Defect | None]:
    """Yield a person per mail address of each entry, None for an entry without one; groups are a `Defect`."""
    for entry in read_entries(lines, _PEOPLE):
        if isinstance(entry, Defect):
            yield entry
        elif entry.is_group:
            yield Defect(entry.line, "group (its members: nixie learn --lists)")
        else:
            found = [a for text in entry.all("mail", "rfc822mailbox") if (a := parse_address(text)) and a.domain]
            name, unit = name_of(entry), words(next(iter(entry.all("ou", "department")), ""))
            yield from (Person(address, name, unit) for address in once(found))
            if not found:
                yield None


def name_of(entry: Entry) -> str:
    """Return the name of a person: `displayName`, else `cn`, else `givenName` and `sn`."""
    parts = (*entry.all("givenname")[:1], *entry.all("sn")[:1])
    return next(filter(None, map(words, (*entry.all("displayname", "cn"), " ".join(parts)))), "")


def read_entries(lines: Iterable[bytes], wanted: frozenset[str]) -> Iterator[Entry | Defect]:
    """Yield the entries with their values of `wanted` attributes (lower case); what cannot be read is a `Defect`.

    An entry with a defect is still yielded when its name could be read: one broken photograph loses no person.
    """
    reader = _Reader(wanted)
    for number, line in _unfolded(lines):
        yield from reader.take(number, line)
    yield from reader.end()


class _Reader:
    """The entry under way."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self._wanted = wanted | _ALWAYS
        self._new()

    def _new(self) -> None:
        self._line, self._dn, self._change, self._broken, self._kept = 0, "", "", False, 0
        self._values: dict[str, list[str]] = {}

    def take(self, number: int, line: bytes) -> Iterator[Entry | Defect]:
        """Take one unfolded line; an empty one ends the entry."""
        if not line:
            yield from self.end()
            return
        found = _LINE.match(line)
        if found is None:
            if line != b"-":  # between the parts of a change
                yield self._defect(number, "line that is no attribute with a value")
            return
        name = found[1].decode("ascii").lower()
        if name not in self._wanted:
            self._line = self._line or (0 if name == "version" else number)
            return
        value = _value(found[2], line[found.end() :])
        if isinstance(value, str):
            yield from self._add(number, name, value)
        elif value is not None:
            yield self._defect(number, value.reason)

    def _add(self, number: int, name: str, value: str) -> Iterator[Entry | Defect]:
        if name == "dn":
            if self._dn:
                yield from self.end()  # the empty line between two entries is missing
            self._line, self._dn = number, value
            return
        self._line = self._line or number
        if name == "changetype":
            self._change = value.strip().lower()
        elif self._kept < MAX_VALUES:
            self._kept += 1
            self._values.setdefault(name, []).append(value)
        else:
            yield self._defect(number, "value beyond the most that one entry may have")

    def end(self) -> Iterator[Entry | Defect]:
        """Yield the entry, or why there is none."""
        if self._line and self._change not in ("", "add"):
            yield Defect(self._line, "change record other than add")
        elif self._dn:
            yield Entry(self._line, self._dn, {name: tuple(found) for name, found in self._values.items()})
        elif self._line and not self._broken:
            yield Defect(self._line, "entry without a dn")
        self._new()

    def _defect(self, number: int, reason: str) -> Defect:
        self._line, self._broken = self._line or number, True
        return Defect(number, reason)


def _value(written: bytes, raw: bytes) -> str | Defect | None:
    """Return a value as text, a defect (its line is not known here), None for one that stands elsewhere."""
    if written == _ELSEWHERE:
        return None
    if len(raw) > MAX_VALUE:
        return Defect(0, "value that is too long")
    if written == _BASE64:
        try:
            raw = binascii.a2b_base64(raw.strip(), strict_mode=True) if raw.strip() else b""
        except binascii.Error:
            return Defect(0, "value that is no base64")
    return decode_bytes(raw, "")[0]


def _unfolded(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield each logical line with the number of its first line: continuations joined, comments left out."""
    start, parts, size = 0, [b""], 0
    for number, line in enumerate(lines, 1):
        if line[:1] == b" " and parts[0]:
            if size <= MAX_VALUE:
                parts.append(line[1:])
                size += len(line) - 1
            continue
        if start and not parts[0].startswith(b"#"):
            yield start, b"".join(parts)
        start, parts, size = number, [line], len(line)
    if start and not parts[0].startswith(b"#"):
        yield start, b"".join(parts)
