"""Who "we" are: own domains, domains inside without being ours, trusted networks, units, partners.

The value is made by `config` from nixie.toml and partners.toml; matching domains and addresses is here, in one place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

REMEMBERED = 50_000
"""Domains and client addresses whose answers are kept; then all are forgotten."""


def domain_matches(domain: str, patterns: tuple[str, ...]) -> bool:
    """Return whether an A-label domain is one of the patterns: `a.org` is itself, `*.a.org` everything below it."""
    return any(domain == p or (p.startswith("*.") and domain.endswith(p[1:])) for p in patterns)


@dataclass(frozen=True, slots=True)
class Partner:
    """An outside organisation by name, with its domains (A-labels; wildcards as in `domain_matches`)."""

    name: str
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of the organisation, by patterns of addresses (`*@navy.example`, `press-*@example`)."""

    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Organisation:
    """The organisation as a value. Domains are A-labels in lower case; `postmaster` an address or `""`."""

    own_domains: tuple[str, ...]
    internal_domains: tuple[str, ...] = ()
    trusted_networks: tuple[Network, ...] = ()
    units: tuple[Unit, ...] = ()
    partners: tuple[Partner, ...] = ()
    postmaster: str = field(default="", repr=False)
    # The same few questions are asked a dozen times a message; the value is frozen, so an answer stays right.
    _standings: dict[str, tuple[bool, bool, str]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _trusted: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    def owns(self, domain: str) -> bool:
        """Return whether the domain is one of ours."""
        return self._standing(domain)[0]

    def inside(self, domain: str) -> bool:
        """Return whether mail to the domain stays in the house: ours, or internal without being ours."""
        return self._standing(domain)[1]

    def partner_of(self, domain: str) -> str:
        """Return the name of the partner that has the domain, `""` if none has."""
        return self._standing(domain)[2]

    def _standing(self, domain: str) -> tuple[bool, bool, str]:
        """Return whether a domain is ours, whether it is inside, and whose it is."""
        known = self._standings.get(domain)
        if known is None:
            ours = domain_matches(domain, self.own_domains)
            partner = next((p.name for p in self.partners if domain_matches(domain, p.domains)), "")
            known = ours, ours or domain_matches(domain, self.internal_domains), partner
            if len(self._standings) >= REMEMBERED:
                self._standings.clear()
            self._standings[domain] = known
        return known

    def trusts(self, ip: str) -> bool:
        """Return whether a client address lies in a trusted network; the empty address (a file, a UNIX socket) does."""
        if not ip:
            return True
        known = self._trusted.get(ip)
        if known is None:
            if len(self._trusted) >= REMEMBERED:
                self._trusted.clear()
            known = self._trusted[ip] = _in_any(ip, self.trusted_networks)
        return known

    def known_domains(self) -> tuple[str, ...]:
        """Return the domains that are candidates from the first day: own and partners', without wildcards' stars."""
        partners = (d for p in self.partners for d in p.domains)
        return tuple(dict.fromkeys(d.removeprefix("*.") for d in (*self.own_domains, *partners)))


def _in_any(ip: str, networks: tuple[Network, ...]) -> bool:
    try:
        parsed = ip_address(ip)
    except ValueError:
        return False
    return any(parsed in net for net in networks)
