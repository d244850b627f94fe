"""Known addresses beside a written one: the same domain, and one typed slip in the local part.

One slip touches one place. A local part is cut into four parts; the slip leaves three of them as they were, so two addresses that
are one slip apart share the three others, and the known one is found under a hash of them (`address_keys`, four numbers an address,
where leaving out each character would take a dozen). What is written may be a character shorter or longer than what was
meant, so it is cut as a text of each of the three lengths would be (`asked_keys`), from its beginning up to the part left out and
from its end back to it. A swap across a cut changes two parts: it is undone, and the whole text looked for.

Popular names crowd a key (`jo` and `ith` at one provider). `signature` sums an address up in 64 bits of which a slip changes at
most two, so a crowd is thinned out without reading its text. An index may propose too much, `is_beside` says no; it never misses.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

from nixie.core.similarity import edit_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

PARTS = 4
"""Parts of a local part, and so keys of an address. Of two parts, thousands share one; of more, each costs three more questions."""

MAX_ADDRESS = 512
"""Longest address in characters that has keys; RFC 5321 section 4.5.3.1 allows 320 octets."""

CLASSES, TWICE = 40, 24
"""Bits of a signature: one for each class of characters that occurs, and those of the classes that occur again."""

SLIP_BITS = 2
"""Most bits of a signature that one slip changes: one character goes, one comes."""

CROWD = 16
"""Addresses under one key before their signatures are looked at."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_OTHERS = CLASSES - len(_LETTERS)


def class_of(char: int) -> int:
    """Return the class of a character, by its code point: a letter or digit has one of its own, the rest share a few."""
    return _LETTERS.find(chr(char)) if char < 128 and chr(char) in _LETTERS else len(_LETTERS) + char % _OTHERS


_CLASS_OF = tuple(class_of(char) for char in range(128))


def signature(local: str) -> int:
    """Return 64 bits that sum up the characters of a local part without their order.

    Two texts one slip apart differ in at most `SLIP_BITS` of them: it is a function of how many of each class there are.
    """
    once = twice = 0
    for char in local:
        code = ord(char)
        number = _CLASS_OF[code] if code < 128 else len(_LETTERS) + code % _OTHERS
        bit = 1 << number
        if once & bit:
            twice |= 1 << number % TWICE
        once |= bit
    return once | twice << CLASSES


@lru_cache(4096)
def domain_salt(domain: str) -> int:
    """Return the 32 bits that part the keys of one domain from those of another, the same on every machine."""
    return crc32(domain.encode("utf-8", "surrogatepass"))


def part_salt(length: int, part: int) -> int:
    """Return the 32 bits that part the keys of one length of the local part, and of one part left out, from another's."""
    return (length * PARTS + part + 1) * 0x9E3779B1 & 0xFFFF_FFFF


@lru_cache(1024)
def cuts(length: int) -> tuple[tuple[int, int, int], ...]:
    """Return beginning, end and salt of each part of a local part of that length."""
    places = [length * part // PARTS for part in range(PARTS + 1)]
    return tuple((places[part], places[part + 1], part_salt(length, part)) for part in range(PARTS))


@lru_cache(1024)
def questions(size: int) -> tuple[tuple[int, int, int], ...]:
    """Return what is left out of a written local part of that size, from where to where, and the salt of its key.

    One for each part, that is not empty, of a text of the same size, one longer, and one shorter.
    """
    return tuple(
        (begin, size - length + end, salt)
        for length in (size, size + 1, size - 1)
        for begin, end, salt in cuts(length)
        if begin < end
    )


def split(key: str) -> tuple[str, str]:
    """Return local part and domain of an address key; two empty texts for what has no keys."""
    local, _, domain = key.rpartition("@")
    return (local, domain) if local and len(key) <= MAX_ADDRESS else ("", "")


def _encode(text: str) -> bytes:
    """Return the bytes that are hashed; hostile text may hold lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


def address_keys(key: str) -> tuple[int, ...]:
    """Return the four numbers (unsigned 32 bit, the same on every machine) under which a known address is kept.

    `key` is an `Address.key`. What has no local part, and what is longer than an address can be, has none.
    """
    local, domain = split(key)
    if not local:
        return ()
    at = domain_salt(domain)
    return tuple([crc32(_encode(local[:begin] + local[end:]), at ^ salt) for begin, end, salt in cuts(len(local))])


def asked_keys(key: str) -> list[int]:
    """Return the numbers to look under for the known addresses beside a written one; it may be found itself."""
    local, domain = split(key)
    if not local:
        return []
    at, size = domain_salt(domain), len(local)
    raw = _encode(local)
    if len(raw) == size:
        found = [crc32(raw[:begin] + raw[end:], at ^ salt) for begin, end, salt in questions(size)]
    else:
        found = [crc32(_encode(local[:begin] + local[end:]), at ^ salt) for begin, end, salt in questions(size)]
    (_, first, salt), *others = cuts(size)
    for cut in {begin for begin, _, _ in others if begin}:
        if local[cut - 1] != local[cut]:
            undone = local[: cut - 1] + local[cut] + local[cut - 1] + local[cut + 1 :]
            found.append(crc32(_encode(undone[first:]), at ^ salt))
    return found


def is_beside(known: str, written: str) -> bool:
    """Return whether two address keys are of one domain and one typed slip of the local part apart."""
    one, _, domain = known.rpartition("@")
    other, _, same = written.rpartition("@")
    return domain == same and edit_kind(one, other) is not None


class GrowingAddresses:
    """Addresses in memory that are added one by one, found as in the mapped index: a walk forward through old mail.

    Their rank is the order in which they came.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._keys: list[str] = []
        self._order: dict[str, int] = {}
        self._ranks: dict[int, list[int]] = {}
        for key in keys:
            self.add(key)

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: str) -> None:
        """Add an address by its `Address.key`; one that is there already changes nothing."""
        numbers = address_keys(key)
        if not numbers or key in self._order:
            return
        rank = self._order[key] = len(self._keys)
        self._keys.append(key)
        for number in numbers:
            self._ranks.setdefault(number, []).append(rank)

    def beside(self, key: str, limit: int) -> tuple[str, ...]:
        """Return at most `limit` added addresses beside the written one, which is never among them, by rank."""
        found = {rank for number in asked_keys(key) for rank in self._ranks.get(number, ())}
        return tuple([other for rank in sorted(found) if is_beside(other := self._keys[rank], key)][: max(limit, 0)])
