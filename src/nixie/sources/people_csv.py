"""Tables of people, of partners and of lists, as directories and spreadsheets export them.

Column names are guessed from what exports use; the separator is whichever of comma, semicolon and tab the first line has
most of. Rows without an address or domain are counted, never an error.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixie.core.address import Address, normal_domain, parse_address, parse_mailboxes
from nixie.sources.lines import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ADDRESS = ("email", "mail", "emailaddress", "address", "primarysmtpaddress", "smtp", "userprincipalname", "upn")
_NAME = ("displayname", "name", "fullname", "cn", "person", "partner", "organisation", "organization", "company")
_UNIT = ("unit", "department", "ou", "team", "division", "office")
_DOMAIN = ("domain", "domains", "maildomain", "emaildomain")
_LIST = (
    "list", "listaddress", "listemail", "listname", "mailinglist", "group", "groupaddress", "groupemail", "groupname",
    "distributionlist", "distributiongroup", "dl", "alias", "team",
)  # fmt: skip
_MEMBER = (
    "member", "members", "memberaddress", "memberemail", "memberprimarysmtpaddress", "subscriber", "subscribers", "recipient",
    "recipients", "target", *_ADDRESS,
)  # fmt: skip
MAX_FIELD = 1 << 16


@dataclass(frozen=True, slots=True)
class Person:
    """One person: address, name and unit as the table gives them (`""` when it does not)."""

    address: Address
    name: str = field(repr=False)
    unit: str = ""


@dataclass(frozen=True, slots=True)
class PartnerDomain:
    """One domain (A-label) of a partner."""

    domain: str
    name: str = ""


def read_people(lines: Iterable[str]) -> Iterator[Person | None]:
    """Yield a person per row, None for a row without an address."""
    for row in _rows(lines):
        address = parse_address(_cell(row, _ADDRESS))
        if address is None or not address.domain:
            yield None
        else:
            yield Person(address, words(_cell(row, _NAME)), words(_cell(row, _UNIT)))


def read_partners(lines: Iterable[str]) -> Iterator[PartnerDomain | None]:
    """Yield a partner's domain per row (several in a cell are several), None for a row without one."""
    for row in _rows(lines):
        cell = _cell(row, _DOMAIN).replace(";", " ").replace(",", " ").replace("@", " ")
        domains = [d for word in cell.split() if "." in (d := normal_domain(word.removeprefix("*.")))]
        yield from (PartnerDomain(d, _cell(row, _NAME)) for d in domains)
        if not domains:
            yield None


def read_memberships(lines: Iterable[str]) -> Iterator[tuple[Address, Address] | None]:
    """Yield (list, member) per row (several members in a cell are several), None for a row without both."""
    for row in _rows(lines):
        name = parse_address(_cell(row, _LIST))
        cell = _cell(row, _MEMBER).replace(";", ",")
        members = [m.address for m in parse_mailboxes(cell) if m.address is not None and m.address.domain]
        if name is None or not name.domain or not members:
            yield None
        else:
            yield from ((name, member) for member in members)


def names_lists(heading: str) -> bool:
    """Return whether the first line of a table names a column of lists and one of their members."""
    names = _heading(heading)[0]
    return any(n in _LIST for n in names) and any(n in _MEMBER for n in names)


def _rows(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    feed = iter(lines)
    names, separator = _heading(next(feed, ""))
    shorter = (line[:MAX_FIELD].replace("\0", "") for line in feed)
    for cells in csv.reader(shorter, delimiter=separator):
        if any(cells):
            yield dict(zip(names, (c.strip() for c in cells), strict=False))


def _heading(line: str) -> tuple[list[str], str]:
    """Return the names of the columns, letters and digits alone, and the separator."""
    heading = line.lstrip("\ufeff")
    separator = max(",;\t", key=heading.count)
    cells = next(csv.reader([heading], delimiter=separator), [])
    return ["".join(c for c in cell.lower() if c.isalnum()) for cell in cells], separator


def _cell(row: dict[str, str], names: tuple[str, ...]) -> str:
    return next((row[n] for n in names if row.get(n)), "")
