"""Tables of people and of partners, as directories and spreadsheets export them.

Column names are guessed from what exports use; the separator is whichever of comma, semicolon and tab the first line has
most of. Rows without an address or domain are counted, never an error.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixie.core.address import Address, normal_domain, parse_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ADDRESS = ("email", "mail", "emailaddress", "address", "primarysmtpaddress", "smtp", "userprincipalname", "upn")
_NAME = ("displayname", "name", "fullname", "cn", "person", "partner", "organisation", "organization", "company")
_UNIT = ("unit", "department", "ou", "team", "division", "office")
_DOMAIN = ("domain", "domains", "maildomain", "emaildomain")
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
        yield Person(address, _cell(row, _NAME), _cell(row, _UNIT)) if address and address.domain else None


def read_partners(lines: Iterable[str]) -> Iterator[PartnerDomain | None]:
    """Yield a partner's domain per row (several in a cell are several), None for a row without one."""
    for row in _rows(lines):
        cell = _cell(row, _DOMAIN).replace(";", " ").replace(",", " ").replace("@", " ")
        domains = [d for word in cell.split() if "." in (d := normal_domain(word.removeprefix("*.")))]
        yield from (PartnerDomain(d, _cell(row, _NAME)) for d in domains)
        if not domains:
            yield None


def _rows(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    feed = iter(lines)
    heading = next(feed, "").lstrip("\ufeff")
    separator = max(",;\t", key=heading.count)
    names = ["".join(c for c in n.lower() if c.isalnum()) for n in next(csv.reader([heading], delimiter=separator), [])]
    shorter = (line[:MAX_FIELD].replace("\0", "") for line in feed)
    for cells in csv.reader(shorter, delimiter=separator):
        if any(cells):
            yield dict(zip(names, (c.strip() for c in cells), strict=False))


def _cell(row: dict[str, str], names: tuple[str, ...]) -> str:
    return next((row[n] for n in names if row.get(n)), "")
