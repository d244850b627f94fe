"""The honest newcomer: how probable it is that exactly this address is written to for the first time, and rightly.

Without this competing hypothesis a near miss would always win. Somebody new is met at a known domain or at a new one; a new
domain has a suffix, a name of some length under it, and is one of the names in use there. Long names are many, so each is
improbable; but never less probable than one in a million, because no more organisations than that have a name of one length.
The zones of governments and universities are small registers, where each name is one of a few thousand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nixie.core.suffixes import public_suffix, registrable, suffix_list
from nixie.core.tables import country_of, government_suffix, personal_provider, tld_confusions

if TYPE_CHECKING:
    from nixie.core.facts import Totals

NEW_ADDRESS, NEW_ADDRESS_COPIES = 0.05, 200
"""One copy in twenty goes to an address never written to before, until 200 copies' worth of counts say otherwise."""

NEW_DOMAIN, NEW_DOMAIN_ADDRESSES = 0.3, 20
"""Three in ten of those addresses are at a domain never written to before; 20 addresses' worth of smoothing."""

SUFFIX_SHARES = {
    "com": 0.42, "org": 0.07, "net": 0.05, "de": 0.05, "co.uk": 0.03, "org.uk": 0.005, "nl": 0.02, "fr": 0.02,
    "it": 0.015, "eu": 0.012, "ru": 0.015, "cn": 0.01, "com.cn": 0.005, "com.br": 0.015, "com.au": 0.012, "org.au": 0.002,
    "ca": 0.013, "ch": 0.012, "pl": 0.012, "co.jp": 0.008, "jp": 0.005, "in": 0.006, "co.in": 0.004, "es": 0.008,
    "be": 0.008, "se": 0.007, "at": 0.006, "dk": 0.005, "no": 0.004, "fi": 0.004, "cz": 0.005, "pt": 0.003, "ie": 0.003,
    "gr": 0.003, "hu": 0.003, "ro": 0.003, "ua": 0.002, "com.ua": 0.001, "co.za": 0.004, "co.nz": 0.003, "co.il": 0.003,
    "com.tr": 0.003, "com.mx": 0.003, "com.ar": 0.002, "co.kr": 0.003, "com.tw": 0.002, "com.sg": 0.002, "com.hk": 0.002,
    "edu": 0.010, "ac.uk": 0.004, "edu.au": 0.002, "gov": 0.005, "gov.uk": 0.003, "mil": 0.001, "int": 0.0005,
    "info": 0.006, "biz": 0.003, "io": 0.008, "co": 0.004, "us": 0.006, "me": 0.003, "tv": 0.001, "uk": 0.004, "au": 0.002,
    "ai": 0.002, "app": 0.001, "dev": 0.001, "ml": 0.0002, "tk": 0.0002, "cm": 0.0001, "om": 0.00005, "ne": 0.00003,
    "et": 0.0001, "il": 0.0005,
}  # fmt: skip
"""How often an organisation's domain ends so: rounded shares of registered names (Domain Name Industry Brief, 2023), moved
towards endings under which organisations have mail."""

COUNTRY_SHARE, SECOND_SHARE, OTHER_SHARE, NO_SUCH_SUFFIX = 5e-4, 2e-4, 1e-4, 1e-8
"""The same for what is not listed: a country's own ending, a second level under one, any other, and one that nobody can
register a name under."""

LENGTH_SHARES = (
    0.0, 1e-4, 0.005, 0.03, 0.042, 0.055, 0.07, 0.08, 0.08, 0.08, 0.08, 0.075, 0.07, 0.06, 0.05, 0.045, 0.04, 0.03,
)  # fmt: skip
"""How often the name before the suffix has 0, 1, 2, ... letters (estimate); longer names share the rest."""

LONGER_SHARE = 0.008

NAMES_OF_A_LENGTH = 1_000_000.0

REGISTERS = {"edu": 7_000.0, "ac.uk": 300.0, "gov": 12_000.0, "gov.uk": 4_000.0, "mil": 200.0, "int": 200.0}
"""About how many names small registers hold (public zone counts, rounded)."""

GOVERNMENT_NAMES = 5_000.0
"""The same for a government zone that is not listed."""

PROVIDER_SHARE = 1e-3
"""Of the addresses at a domain new to us, how many are at one given well-known mail provider."""

SUFFIX_DOMAINS = 30.0
"""Domains' worth of the world's shares, until the organisation's own say otherwise."""

LEAST_SHARE = 1e-8
"""The least share of a domain that can exist: no more than some hundred million do."""

HOST_SHARE = 1e-3
"""How probable one certain name of a host below a registered domain is (`mail2` in `mail2.example.org`)."""

ROLES = {
    "info": 0.02, "contact": 0.005, "office": 0.005, "sales": 0.005, "support": 0.005, "admin": 0.004, "mail": 0.002,
    "hr": 0.002, "jobs": 0.002, "press": 0.002, "service": 0.002, "enquiries": 0.002, "help": 0.001, "billing": 0.001,
    "accounts": 0.002, "invoices": 0.001, "postmaster": 0.001, "webmaster": 0.001, "ops": 0.001, "team": 0.001,
}  # fmt: skip
"""How often an address has such a local part (estimate): one `info` says little about another."""

ANY_NAME = 1e-4
"""The same for a person's name."""

NEAR_NAME = 1e-5
"""The same for a name one slip away from a known one at the same domain: there are few such people, and many such slips."""


@dataclass(frozen=True, slots=True)
class Newcomers:
    """How often somebody new is written to, and how often at a new domain; shares from 0 to 1."""

    address: float
    domain: float

    @staticmethod
    def learned(totals: Totals) -> Newcomers:
        """Return the rates that an organisation's own counts show, smoothed by the base rates."""
        address = (totals.new_addresses + NEW_ADDRESS * NEW_ADDRESS_COPIES) / (
            totals.organisation_sent + NEW_ADDRESS_COPIES
        )
        domain = (totals.new_domains + NEW_DOMAIN * NEW_DOMAIN_ADDRESSES) / (
            totals.new_addresses + NEW_DOMAIN_ADDRESSES
        )
        return Newcomers(min(max(address, 0.005), 0.5), min(max(domain, 0.02), 0.9))


def local_share(local: str) -> float:
    """Return how probable exactly this local part is at an address that is new."""
    return ROLES.get(local.lower(), ANY_NAME)


@lru_cache(maxsize=16384)
def domain_share(domain: str, learned: float | None = None) -> float:
    """Return how probable exactly this domain (A-label) is for an address at a domain never written to before.

    `learned` is how often the organisation's own new domains end so (`learned_share`), where that is known.
    """
    if personal_provider(domain) and not _confused(domain):
        return PROVIDER_SHARE
    registered, suffix = _registered(domain)
    if not registered:
        return OTHER_SHARE / NAMES_OF_A_LENGTH if suffix else NO_SUCH_SUFFIX / NAMES_OF_A_LENGTH
    length = len(registered) - len(suffix) - 1
    of_length = LENGTH_SHARES[length] if length < len(LENGTH_SHARES) else LONGER_SHARE
    names = max(of_length / min(26.0**length, NAMES_OF_A_LENGTH), _register_share(suffix))
    ending = suffix_share(suffix) if learned is None else learned
    share = max(ending * names, LEAST_SHARE if real_suffix(suffix) else 0.0)
    return share * (HOST_SHARE if registered != domain else 1.0)


def learned_share(suffix: str, seen: int, domains: int) -> float:
    """Return how often a new domain has this public suffix: the world's share, and what `seen` of the organisation's own `domains` say.

    A ministry with embassies writes to endings that hardly anybody else does; there a new name under one is nothing rare.
    Never less than the world's share: that somebody is met for the first time there proves no slip.
    """
    world = suffix_share(suffix)
    return max(world, (seen + SUFFIX_DOMAINS * world) / (domains + SUFFIX_DOMAINS))


def _confused(domain: str) -> bool:
    """Return whether a provider's ending is one that is readily written for another: `hotmail.co` proves nothing."""
    return any(
        row.likelihood == "high" and row.intended == "com" for row in tld_confusions().get(public_suffix(domain), ())
    )


def _registered(domain: str) -> tuple[str, str]:
    """Return the registered domain and its suffix; a government zone is a suffix although the public list may not say so."""
    zone = government_suffix(domain)
    suffix = public_suffix(domain)
    if zone is None or len(zone.suffix) <= len(suffix) or zone.suffix == domain:
        return registrable(domain), suffix
    own = domain[: -len(zone.suffix) - 1].rpartition(".")[2]
    return f"{own}.{zone.suffix}", zone.suffix


def _register_share(suffix: str) -> float:
    """Return one in the number of names of a small register, 0.0 where the zone is no such register."""
    if suffix in REGISTERS:
        return 1.0 / REGISTERS[suffix]
    return 1.0 / GOVERNMENT_NAMES if government_suffix(suffix) is not None else 0.0


def suffix_share(suffix: str) -> float:
    """Return how often an organisation's domain has this suffix."""
    if suffix in SUFFIX_SHARES:
        return SUFFIX_SHARES[suffix]
    if not real_suffix(suffix):
        return NO_SUCH_SUFFIX
    if not country_of(suffix).code:
        return OTHER_SHARE
    return SECOND_SHARE if "." in suffix else COUNTRY_SHARE


@lru_cache(maxsize=1024)
def real_suffix(suffix: str) -> bool:
    """Return whether names can be registered under a suffix; under `.con` they cannot."""
    return suffix_list("").publicsuffix(suffix, accept_unknown=False) is not None
