"""Public facts about domains: which suffixes are mistaken for which, who stands behind a zone, which country a name is in.

The facts are CSV files beside this module (`core/data`, described in NOTICE), read once, at the first question. A suffix
in a table proves that the zone exists, never who holds a name in it; trust comes from the organisation's own lists.
All domains here are A-labels in lower case without a trailing dot; suffixes are written without a leading one.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nixie.core.providers import PERSONAL_BRANDS, PERSONAL_DOMAINS, brand_suffix
from nixie.core.suffix_pairs import INTERNATIONAL, PROSE_CONFUSIONS, SUFFIX_COUNTRY, WILDCARD_ZONES, ZONE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DATA = Path(__file__).parent / "data"

_GENERIC = "ac ai cc co fm gg im io is la ly me nu pw sh so st to tv vc ws"
GENERIC_CCTLDS = frozenset(_GENERIC.split())
"""Country-code domains that are sold to everybody: they say where a registry is, little more."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """One suffix (`intended`) for which another is written: how it comes about and how likely (high, medium, low).

    `info` marks two zones of one field that both exist and are both right: near, but proof of nothing.
    """

    intended: str
    lookalike: str
    edit: str
    likelihood: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class Government:
    """A government, military or similar zone: its suffix, country by name and alpha-2 code (`""`: of several), kind
    (government, military, police, health, ...) and on what the row rests.
    """

    suffix: str
    country: str
    code: str
    kind: str
    basis: str

    @property
    def military(self) -> bool:
        """Return whether the zone is a military one."""
        return self.kind == "military"


@dataclass(frozen=True, slots=True)
class Country:
    """The country a domain stands for: alpha-2 code and English name, both `""` when no table knows one.

    `basis` is `government` (a zone of `gov_mil_suffixes.csv`), `cctld`, `generic-cctld` (sold to everybody: country of
    the registry only), `international`, or `""`. `suffix` is the part of the domain that says so.
    """

    code: str
    name: str
    basis: str
    suffix: str = ""


NO_COUNTRY = Country("", "", "")


def _rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a packaged table."""
    with (DATA / name).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


@cache
def tld_confusions() -> Mapping[str, tuple[Confusion, ...]]:
    """Return, by the suffix that was written, the suffixes that may have been meant, the likeliest first."""
    found: dict[str, list[Confusion]] = {}
    for row in _rows("tld_confusions.csv"):
        if row["lookalike"].endswith(".xx"):  # a pattern for readers; `suffix_cuts` knows the words
            continue
        item = Confusion(
            row["intended"][1:], row["lookalike"][1:], row["edit"], row["likelihood"], row["lookalike_country"]
        )
        found.setdefault(item.lookalike, []).append(item)
    for intended, lookalike, edit, likelihood in PROSE_CONFUSIONS:
        items = found.setdefault(lookalike, [])
        if all(item.intended != intended for item in items):
            items.append(Confusion(intended, lookalike, edit, likelihood))
    order = {"high": 0, "medium": 1, "low": 2, "info": 3}
    return {key: tuple(sorted(items, key=lambda item: order[item.likelihood])) for key, items in found.items()}


@cache
def _governments() -> dict[str, Government]:
    """Return all government zones by suffix."""
    codes = {row["tld_ascii"]: row["iso3166_alpha2"] for row in _rows("cctld.csv")}
    names = {row["country_or_territory"]: row["iso3166_alpha2"] for row in _rows("cctld.csv")}
    return {
        row["suffix"]: Government(
            row["suffix"],
            row["country"],
            codes.get(row["cctld"]) or names.get(row["country"], ""),
            row["kind"],
            row["basis"],
        )
        for row in _rows("gov_mil_suffixes.csv")
    }


def government_suffix(domain: str) -> Government | None:
    """Return the government zone the domain lies in (the longest suffix of the table, on label boundaries), or None.

    In the countries of `WILDCARD_ZONES` `gov.<x>` and `mil.<x>` are such zones by rule.
    """
    zones = _governments()
    name = domain
    while name:
        if found := zones.get(name):
            return found
        first, _, rest = name.partition(".")
        if rest in WILDCARD_ZONES and first in {"gov", "mil"}:
            country = _cctlds()[rest]
            kind = "government" if first == "gov" else "military"
            return Government(name, country.name, country.code, kind, "wildcard zone")
        name = rest
    return None


@cache
def _cctlds() -> dict[str, Country]:
    """Return the country of each country-code domain (A-label)."""
    return {
        row["tld_ascii"]: Country(
            row["iso3166_alpha2"],
            row["country_or_territory"],
            "generic-cctld" if row["tld_ascii"] in GENERIC_CCTLDS else "cctld",
            row["tld_ascii"],
        )
        for row in _rows("cctld.csv")
    }


def country_of(domain: str) -> Country:
    """Return the country a domain stands for: by government zone, by a body of several countries, by ccTLD.

    The longest suffix that any table knows decides; `NO_COUNTRY` when none does. It is the country of a name, not of a
    server or a reader.
    """
    name = domain
    zones, countries = _governments(), _cctlds()
    while name:
        if name in INTERNATIONAL:
            return Country("", INTERNATIONAL[name], "international", name)
        if (zone := zones.get(name)) and zone.code:
            return Country(zone.code, zone.country, "government", name)
        if name in SUFFIX_COUNTRY:
            code, country = SUFFIX_COUNTRY[name]
            return Country(code, country, "government" if name in zones else "suffix", name)
        if found := countries.get(name):
            return found
        name = name.partition(".")[2]
    return NO_COUNTRY


def generic_cctld(tld: str) -> bool:
    """Return whether a country-code domain is sold to everybody, so that its country weighs little."""
    return tld in GENERIC_CCTLDS


def personal_provider(domain: str) -> bool:
    """Return whether anybody can have a mailbox at exactly this domain (gmail.com, yahoo.co.uk)."""
    if domain in PERSONAL_DOMAINS:
        return True
    brand, _, suffix = domain.partition(".")
    return brand in PERSONAL_BRANDS and brand_suffix(suffix)


@cache
def zone_suffixes() -> frozenset[str]:
    """Return the government zones of several labels under a country's domain: registries, not organisations."""
    return frozenset(zone.suffix for zone in _governments().values() if zone.suffix.count(".") and _under_country(zone))


def _under_country(zone: Government) -> bool:
    """Return whether a zone of the table belongs to a country's own domain and not to an organisation in a global one."""
    return zone.suffix.rpartition(".")[2] in _cctlds() or zone.suffix.split(".")[0] in ZONE_WORDS


@cache
def _confused_suffixes() -> frozenset[str]:
    """Return every suffix of several labels on either side of a confusion."""
    pairs = (item for items in tld_confusions().values() for item in items)
    return frozenset(suffix for item in pairs for suffix in (item.intended, item.lookalike) if "." in suffix)


def suffix_cuts(labels: list[str]) -> tuple[int, ...]:
    """Return how many labels from the right may be a suffix: one, and each longer zone that people take for one.

    `labels` are the labels of a domain; at least one stays before every cut.
    """
    cuts = [1] if len(labels) > 1 else []
    for count in (2, 3):
        if len(labels) > count:
            name = ".".join(labels[-count:])
            pattern = count == 2 and len(labels[-1]) == 2 and labels[-2] in ZONE_WORDS
            if pattern or name in zone_suffixes() or name in _confused_suffixes():
                cuts.append(count)
    return tuple(cuts)
