"""Who is who: the addresses of one person, their names, and the form they have inside the invented organisation.

Addresses are put together where the same display name (two words at least) stands beside both and each local part fits that name, or where
two local parts at one registrable domain differ in lone initials only (`ann.b.lee`, `ann.lee`). The second rule may take two people for one; that
is the safe side here, since a slip is never injected between two addresses of one person. Nobody's address is rewritten: a person who has
several keeps them all in the stream, which is where honest private addresses come from.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from values import OWN

if TYPE_CHECKING:
    from collections.abc import Iterable

PROVIDERS = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "yahoo.de",
        "yahoo.fr",
        "yahoo.co.uk",
        "ymail.com",
        "rocketmail.com",
        "aol.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "mail.ru",
        "yandex.ru",
        "protonmail.com",
        "proton.me",
        "posteo.de",
        "posteo.net",
        "fastmail.com",
        "fastmail.fm",
        "t-online.de",
        "free.fr",
        "orange.fr",
        "wanadoo.fr",
        "laposte.net",
        "libero.it",
        "o2.pl",
        "wp.pl",
        "163.com",
        "126.com",
        "qq.com",
        "foxmail.com",
        "naver.com",
        "excite.com",
        "netscape.net",
        "juno.com",
        "earthlink.net",
        "compuserve.com",
        "prodigy.net",
        "bigfoot.com",
        "swbell.net",
        "flash.net",
        "ev1.net",
        "pdq.net",
        "houston.rr.com",
        "hotmail.co.uk",
        "zoho.com",
        "mailbox.org",
        "tutanota.com",
        "disroot.org",
        "riseup.net",
    ]
)
"""Personal mail providers of these corpora; the harness's own list, so that it does not lean on the product's."""

FAR = 5
"""So many times more often than all namesakes together makes a name somebody's."""

_WORD = re.compile(r"[^\W\d_]+")
_VIA = re.compile(r"\s+(?:via|durch|par)\s+\S+.*$", re.IGNORECASE)


def words(name: str) -> tuple[str, ...]:
    """Return the letters-only words of a display name, lower case, without accents; lone letters and what stands in brackets left out."""
    plain = re.sub(r"[(\[<].*?[)\]>]", " ", _VIA.sub("", name))
    folded = unicodedata.normalize("NFKD", plain)
    text = "".join(c for c in folded if not unicodedata.combining(c)).lower()
    return tuple(w for w in _WORD.findall(text) if len(w) > 1)


def fits(local: str, name: tuple[str, ...]) -> bool:
    """Return whether a local part can be that of a person so named: it has a name word in it, or initials and a word."""
    text = "".join(c for c in local.lower() if c.isalpha())
    if any(len(w) > 2 and w in text for w in name):
        return True
    first, last = name[0], name[-1]
    return text in {first[0] + last, last[0] + first, first + last[0], last + first[0]}


def domain_of(address: str) -> str:
    """Return the part after the last at sign."""
    return address.rpartition("@")[2]


def local_of(address: str) -> str:
    """Return the part before the last at sign."""
    return address.rpartition("@")[0]


def house(domain: str) -> str:
    """Return the last two labels of a domain, three under `co.uk` and its like: good enough to tell one firm from another."""
    labels = domain.split(".")
    short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if short else -2 :])


def own_form(address: str) -> str:
    """Return the address that a person has inside: a number that resembles nothing, since colleagues and contacts are one and the same here,
    and each contact would else have a colleague of the same name.
    """
    digest = blake2b(address.lower().encode("utf-8", "replace"), digest_size=6).digest()
    return f"u{int.from_bytes(digest, 'big'):015d}@{OWN}"


@dataclass(slots=True)
class People:
    """Persons by number. Feed it every sighting, then `settle` once."""

    _names: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _uses: Counter[str] = field(default_factory=Counter)
    _person: dict[str, int] = field(default_factory=dict)
    _addresses: list[list[str]] = field(default_factory=list)

    def see(self, address: str, name: str, *, as_sender: bool = False) -> None:
        """Note one sighting of an address with the name beside it."""
        self._uses[address] += 100 if as_sender else 1
        if name and "@" not in name:
            self._names[address][" ".join(_VIA.sub("", name).split())] += 1

    def settle(self, apart: Iterable[str] = ()) -> None:
        """Put the addresses of one person together; those of `apart` (lists) stay alone."""
        alone = set(apart)
        roots: dict[str, str] = {a: a for a in self._uses}

        def root(a: str) -> str:
            while roots[a] != a:
                roots[a] = a = roots[roots[a]]
            return a

        groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for address in sorted(self._uses):
            if address in alone:
                continue
            for name in self._names.get(address, ()):
                known = words(name)
                if len(known) > 1 and fits(local_of(address), known):
                    groups["name", *sorted(known)].append(address)
            parts = [p for p in local_of(address).split(".") if len(p) > 1]
            if len(parts) > 1:
                groups["local", house(domain_of(address)), *parts].append(address)
        for group in groups.values():
            for address in group[1:]:
                roots[root(address)] = root(group[0])
        members: dict[str, list[str]] = defaultdict(list)
        for address in sorted(self._uses):
            members[root(address)].append(address)
        self._addresses = [sorted(m, key=lambda a: (-self._uses[a], a)) for _, m in sorted(members.items())]
        self._person = {a: number for number, group in enumerate(self._addresses) for a in group}

    def person(self, address: str) -> int:
        """Return the number of the person behind an address that was seen; -1 for one that never was."""
        return self._person.get(address, -1)

    def addresses(self, person: int) -> list[str]:
        """Return a person's addresses, the one they write from most first."""
        return self._addresses[person]

    def own(self, address: str) -> str:
        """Return the own form of the person behind an address."""
        number = self._person.get(address, -1)
        return own_form(self._addresses[number][0] if number >= 0 else address)

    def name(self, address: str) -> str:
        """Return the display name most often seen beside an address, "" where none was."""
        counts = self._names.get(address)
        return min(counts, key=lambda n: (-counts[n], n)) if counts else ""

    def by_name(self) -> dict[tuple[str, ...], str]:
        """Return, for each sorted set of name words that one person alone bears or bears far more often, the address that person uses most."""
        found: dict[tuple[str, ...], Counter[int]] = defaultdict(Counter)
        for address, names in self._names.items():
            for name, times in names.items():
                if len(known := words(name)) > 1:
                    found[tuple(sorted(known))][self._person[address]] += times
        best = {name: counts.most_common(1)[0] for name, counts in found.items()}
        return {n: self._addresses[p][0] for n, (p, times) in best.items() if times >= FAR * (found[n].total() - times)}

    def __len__(self) -> int:
        return len(self._addresses)

    def facts(self) -> dict[str, int]:
        """Return how many there are, and how many have both a personal provider's address and another."""
        twins = sum(1 for g in self._addresses if len({domain_of(a) in PROVIDERS for a in g}) == 2)
        return {"persons": len(self._addresses), "addresses": len(self._person), "persons_with_private_twin": twins}
