"""How two written forms differ by one slip of the hand, and under which keys a domain is found again.

Two questions live here. `edit_kind` says which single typed slip turns one text into another; it looks at the common
beginning and the common end, so it is linear and needs no table of distances. `domain_keys` turns the question "which
known domains could have been meant?" into look-ups: two domains that are one slip apart share a key. An index may then
propose too much, and the slip kinds say no; it must never miss.

The keys of a domain are hashes of its *forms*:

* itself and every form with one character left out: two texts within one edit have such a form in common
  (deletion neighbourhood, as in SymSpell); for an internationalised domain the same over its Unicode form;
* itself, marked, and itself with one label left out, unless a public suffix remains: all of `gov.uk` is no neighbourhood;
* its look-alike skeleton without dots and hyphens: look-alike scripts, and a dot or hyphen missing, added or shifted;
* what stands before its suffix, and the one label before it: the same name under another suffix. What counts as a
  suffix is the public suffix, the zones in `core.tables`, and the last label.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from zlib import adler32, crc32

from nixie.core.keyboard import beside
from nixie.core.skeleton import lookalike_form, skeleton, to_unicode
from nixie.core.suffixes import public_suffix
from nixie.core.tables import suffix_cuts, zone_suffixes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Edit", "GrowingIndex", "SmallIndex", "domain_keys", "edit_kind", "skeleton"]

MAX_DOMAIN = 253
"""Longest domain in characters (RFC 1035 section 2.3.4); what is longer is no domain and has no keys."""

MAX_LABELS = 16
"""Labels from the right that are left out one by one; nobody types more, and a hostile name has up to 127."""

CROWD = 96
"""How many proposals are looked at, beyond those that are wanted, before a crowd is cut."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One typed slip from an intended text to a written one.

    `kind` is omission, insertion, doubling (the same character once more beside itself), substitution or swap (of two
    adjacent characters). `position` counts from 0 in the intended text; in a run of equal characters it is the last place
    where the slip can stand. `from_char` was meant and `to_char` written there (`""` where nothing was, two characters
    for a swap). `neighbour` says that the written character lies beside a character it was struck for or with.
    """

    kind: str
    position: int
    from_char: str
    to_char: str
    neighbour: bool = False


def edit_kind(intended: str, written: str) -> Edit | None:
    """Return the one typed slip that turns `intended` into `written`; None when they are equal or further apart.

    Linear in the length; both texts are compared as they are (the caller folds case).
    """
    longer, shorter = len(intended), len(written)
    if abs(longer - shorter) > 1 or intended == written:
        return None
    at = _common_start(intended, written)
    if longer > shorter:
        return Edit("omission", at, intended[at], "") if intended[at + 1 :] == written[at:] else None
    if longer < shorter:
        return _extra(written, at) if intended[at:] == written[at + 1 :] else None
    meant, wrote = intended[at], written[at]
    if intended[at + 1 :] == written[at + 1 :]:
        return Edit("substitution", at, meant, wrote, neighbour=beside(meant, wrote))
    if intended[at : at + 2] == written[at : at + 2][::-1] and intended[at + 2 :] == written[at + 2 :]:
        return Edit("swap", at, intended[at : at + 2], written[at : at + 2])
    return None


def _extra(written: str, at: int) -> Edit:
    """Return the insertion of `written[at]`; a doubling when the same character stands before it."""
    char = written[at]
    if at and written[at - 1] == char:
        return Edit("doubling", at, "", char)
    around = written[at - 1 : at] + written[at + 1 : at + 2]
    return Edit("insertion", at, "", char, neighbour=any(beside(other, char) for other in around))


def _common_start(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return at
    return min(len(one), len(other))


def domain_keys(domain: str) -> tuple[int, ...]:
    """Return the keys (unsigned 64 bit, the same on every machine) under which an A-label domain is found, each once.

    The empty domain, an address literal (`[192.0.2.1]`) and what is longer than a domain may be have none.
    """
    return tuple(dict.fromkeys(all_keys(domain)))


def all_keys(domain: str) -> list[int]:
    """Return the keys of `domain_keys`, some of them more than once."""
    if not domain or domain[0] == "[" or len(domain) > MAX_DOMAIN:
        return []
    forms = ["~" + lookalike_form(domain), *label_forms(domain)]
    if not domain.isascii() or "xn--" in domain:
        forms += spoken_forms(domain)
    keys = [crc32(form) << 32 | adler32(form) for form in map(_encode, forms)]
    keys += _deletion_keys(_encode(domain))
    return keys


def spoken_forms(domain: str) -> list[str]:
    """Return the Unicode form of a domain and its deletions: there, a character is what a person typed."""
    spoken = to_unicode(domain)
    return [spoken, *(spoken[:i] + spoken[i + 1 :] for i in range(len(spoken)))]


def _deletion_keys(raw: bytes) -> list[int]:
    """Return the hashes of the text and of every form of it with one byte left out (runs of a byte once).

    Two unlike checksums make 64 bits: stable on every machine, at the speed of C, and, being linear, to be had for many
    domains at once (`store.near_keys`).
    """
    keys = [crc32(raw) << 32 | adler32(raw)]
    before = -1
    for i, byte in enumerate(raw):
        if byte != before:
            form = raw[:i] + raw[i + 1 :]
            keys.append(crc32(form) << 32 | adler32(form))
            before = byte
    return keys


def label_forms(domain: str) -> list[str]:
    """Return the forms of a domain that leave out a suffix or a label, each behind its mark."""
    labels = domain.split(".")
    count = len(labels)
    if count == 1:
        return []
    if count == 2:  # the commonest, and what remains does not depend on the list of public suffixes
        return ["*" + labels[0], "/" + domain]
    suffix = public_suffix(domain)
    return ["/" + domain, *_stems(labels, suffix), *_without_one_label(labels, suffix)]


def _encode(form: str) -> bytes:
    """Return the bytes that are hashed; hostile text may hold lone surrogates."""
    return form.encode("utf-8", "surrogatepass")


def _stems(labels: list[str], suffix: str) -> list[str]:
    """Return what stands before each suffix of the domain, and the one label before the longest."""
    cuts = set(suffix_cuts(labels))
    if suffix and (own := suffix.count(".") + 1) < len(labels):
        cuts.add(own)
    forms = ["*" + ".".join(labels[:-count]) for count in cuts]
    if (longest := max(cuts)) < len(labels) - 1:
        forms.append("*" + labels[-longest - 1])
    return forms


def _without_one_label(labels: list[str], suffix: str) -> list[str]:
    """Return the domain with each one label left out, unless its public suffix or a zone of the tables remains.

    To leave out a label of the suffix leaves the owner's name, so only the label before the suffix can leave nobody's
    name behind. The mark `/` parts these forms from the texts one character away: all of `mail.*.com` become `mail.com`,
    and that crowd must not hide `maill.com`.
    """
    zones = zone_suffixes()
    first = max(0, len(labels) - MAX_LABELS)
    forms = [".".join(labels[:i] + labels[i + 1 :]) for i in range(first, len(labels))]
    return ["/" + form for form in forms if form != suffix and form not in zones]


def narrow_first(buckets: Iterable[Sequence[int]]) -> Iterator[int]:
    """Yield each rank in the buckets once, those of the smallest bucket first.

    A key that few domains share says more than one that many share (`mail` under hundreds of suffixes): where only so
    many proposals are wanted, the best of the large buckets fill what the small ones leave.
    """
    given: set[int] = set()
    for ranks in sorted(buckets, key=len):
        for rank in ranks:
            if rank not in given:
                given.add(rank)
                yield rank


def crowd(limit: int) -> int:
    """Return how many proposals are looked at where `limit` are wanted."""
    return limit + CROWD if limit > 0 else 0


def cut(names: Iterable[str], domain: str, limit: int) -> list[str]:
    """Return at most `limit` of the names, which come narrowest bucket first; `domain` is the one that was written.

    Where there are more, those one slip away stay before all others. Of a crowd no more than `crowd(limit)` are looked at.
    """
    some = list(islice(names, crowd(limit)))
    if len(some) <= limit:
        return some
    size = len(domain)
    # One slip touches two adjacent characters at most, so half of the rest is untouched before or behind it.
    half = max(0, (size - 3) // 2)
    head, tail = domain[:half], domain[size - half :]
    alike = (name for name in some if -2 < len(name) - size < 2 and (name.startswith(head) or name.endswith(tail)))
    close = [name for name in alike if edit_kind(name, domain)]
    if len(close) < limit:
        kept = set(close)
        close += [name for name in some if name not in kept]
    return close[:limit]


class GrowingIndex:
    """Domains in memory that are added one by one, found as in the mapped index: a walk forward through old mail.

    Their rank is the order in which they came.
    """

    def __init__(self) -> None:
        self._domains: list[str] = []
        self._order: dict[str, int] = {}
        self._ranks: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return len(self._domains)

    def add(self, domain: str) -> None:
        """Add a domain; one that is there already changes nothing."""
        if domain in self._order:
            return
        rank = self._order[domain] = len(self._domains)
        self._domains.append(domain)
        for key in domain_keys(domain):
            self._ranks.setdefault(key, []).append(rank)

    def near(self, domain: str, limit: int) -> tuple[str, ...]:
        """Return at most `limit` of the domains that share a key with `domain`, which is never among them, by rank."""
        buckets = [ranks for key in domain_keys(domain) if (ranks := self._ranks.get(key))]
        names = (name for rank in narrow_first(buckets) if (name := self._domains[rank]) != domain)
        return tuple(sorted(cut(names, domain, limit), key=self._order.__getitem__))


class SmallIndex(GrowingIndex):
    """A few thousand domains in memory: own domains, partners, a test's table. Their order is their rank."""

    def __init__(self, domains: Iterable[str]) -> None:
        super().__init__()
        for domain in domains:
            self.add(domain)
