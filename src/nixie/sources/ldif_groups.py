"""Lists of people in LDIF: which addresses a group's mail goes to, and whose names stand for which addresses.

Members stand as names of entries (`member`, RFC 4519; `uniqueMember`) or as addresses (`rfc822MailMember`,
`mgrpRFC822MailMember`); names are put into one spelling here, and matched by whoever has read all entries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixie.sources.ldif import read_entries
from nixie.sources.lines import Defect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BY_NAME = ("member", "uniquemember")
_BY_ADDRESS = ("rfc822mailmember", "mgrprfc822mailmember", "rfc822member")
_WANTED = frozenset(("objectclass", "mail", "rfc822mailbox", "cn", *_BY_NAME, *_BY_ADDRESS))
_COMMA = re.compile(r"(?:[^\\,]|\\.)++", re.DOTALL)
_HEX = re.compile(r"(?:\\[0-9a-fA-F]{2})+")
_PAIR = re.compile(r"\\(.)", re.DOTALL)
_UID = re.compile(r"#'[01]*'B\Z")
"""The optional unique identifier behind a `uniqueMember` (RFC 4517, section 3.3.21)."""


@dataclass(frozen=True, slots=True)
class Named:
    """An entry that has addresses: its name in one spelling, and the addresses as they stand."""

    dn: str = field(repr=False)
    addresses: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """A list: its addresses, or where it has none the local `names` of an alias; its members as addresses and as names."""

    line: int
    addresses: tuple[str, ...] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    members: tuple[str, ...] = field(repr=False)
    dns: tuple[str, ...] = field(repr=False)


def read_groups(lines: Iterable[bytes]) -> Iterator[Group | Named | Defect]:
    """Yield every group that can be written to, and every entry that may be a member of one."""
    for entry in read_entries(lines, _WANTED):
        if isinstance(entry, Defect):
            yield entry
            continue
        addresses = entry.all("mail", "rfc822mailbox")
        if addresses:
            yield Named(one_spelling(entry.dn), addresses)
        members, dns = entry.all(*_BY_ADDRESS), entry.all(*_BY_NAME)
        if entry.is_group or dns or members:
            alias = any(kind.lower() == "nismailalias" for kind in entry.all("objectclass"))
            names = entry.all("cn") if alias and not addresses else ()
            if not members and not dns:
                yield Defect(entry.line, "group without members")
            elif not addresses and not names:
                yield Defect(entry.line, "group without a mail address")
            else:
                yield Group(entry.line, addresses, names, members, tuple(map(one_spelling, dns)))


def one_spelling(dn: str) -> str:
    """Return a distinguished name (RFC 4514) so that two spellings of one name are equal: case, spaces and escapes undone."""
    parts = []
    for part in _COMMA.findall(_UID.sub("", dn)):
        name, _, value = part.partition("=")
        plain = _PAIR.sub(r"\1", _HEX.sub(_bytes, value.strip()))
        parts.append(f"{name.strip()}={' '.join(plain.split())}".lower())
    return ",".join(parts)


def _bytes(escapes: re.Match[str]) -> str:
    return bytes.fromhex(escapes[0].replace("\\", "")).decode("utf-8", "replace")
