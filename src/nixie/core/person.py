"""Who stands behind an address: names of people, when two of them are one name, and the tokens under which people are found.

A name is a given name and a surname, taken from display names and from local parts that show both (`john.smith`). Which
word is the surname is often told by the local part alone: `Smith John` with `john.smith@`.

The tokens answer what a completion list answers: whose address, given name or surname begins with the same three letters?
Carvalho and Cohen (2007) call the others in a sender's book that share one "3g-addresses", the commonest wrong picks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from nixie.core.name_words import MAX_NAME, MAX_WORD, PARTICLES, folded, local_words, name_words
from nixie.core.short_forms import one_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nixie.core.address import Address

__all__ = [
    "NO_NAME",
    "Name",
    "folded",
    "local_fits",
    "local_name",
    "local_tokens",
    "local_words",
    "name_likeness",
    "name_words",
    "named",
    "person_name",
    "person_names",
    "same_person_name",
    "tokens",
]

MAX_NAMES = 4
"""Display names of one address that are read."""

MOST_TOKENS = 8

PREFIX = 3
"""Letters that a prefix token keeps (Carvalho and Cohen 2007)."""

_ROLES = """
    abuse accounting accounts admin administration administrator alert alerts all announce announcements assistance billing
    bank board booking bounce bounces build careers ci college committee company contact customer customers daemon department desk dev developers devel
    discuss everyone events feedback finance group groups hello help helpdesk hospital hostmaster hr info information institute invoice invoices
    it jobs legal list lists mail mailer mailman marketing media members ministry news newsletter no noreply notification notifications
    notify office orders postmaster press purchasing recruitment reply reservations root sales security service services
    staff subscribe support system team test undisclosed university unsubscribe user users web webmaster work
"""
ROLES = frozenset(_ROLES.split())
"""Words of an address or a display name that belongs to no person."""

_PARTS = re.compile(r"[._]+")
_LETTERS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name, folded: given name (one letter where only the initial is known) and surname; `""` is unknown."""

    given: str = field(repr=False)
    surname: str = field(repr=False)

    @property
    def whole(self) -> str:
        """Return the name in its one spelling, `given surname`; `""` where one of the two is missing."""
        return f"{self.given} {self.surname}" if self.given and self.surname else ""


NO_NAME = Name("", "")


def named(words: Sequence[str]) -> Name:
    """Return the name that words (`name_words`) make: middle names and initials go; of a team or an office, `NO_NAME`."""
    if not words or not ROLES.isdisjoint(words):
        return NO_NAME
    if len(words) == 1:
        return Name(words[0], "") if len(words[0]) > 1 else NO_NAME
    surname, front = words[-1], words[:-1]
    if len(surname) == 1:  # `smith.j`, or a name that was cut
        surname, front = words[0], words[1:]
    given = (word for word in front if len(word) > 1 and (word not in PARTICLES or word == front[0]))
    return Name(next(given, front[0]), surname)


@lru_cache(maxsize=16384)
def local_name(local: str) -> Name:
    """Return the name that a local part shows: two words parted by a dot or underscore (`john.a.smith`), else `NO_NAME`."""
    base = folded(local[:MAX_NAME]).partition("+")[0]
    words = [found[0] for part in _PARTS.split(base) if (found := _LETTERS.match(part))]
    return named([word[:MAX_WORD] for word in words]) if 1 < len(words) < 5 else NO_NAME


def person_name(address: Address, names: Sequence[str]) -> Name:
    """Return the best name of who is behind an address: the first display name that is whole, turned as the local part tells,
    else what the local part shows, else a single word as given name, else `NO_NAME`.
    """
    found = person_names(address, names)
    return found[0] if found else NO_NAME


def person_names(address: Address, names: Sequence[str]) -> tuple[Name, ...]:
    """Return all names of who is behind an address, each once, whole ones first: of display names, then of the local part."""
    return _person_names(address.local[:MAX_NAME], _some(names))


def _some(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names that are read; a cache must not keep what a stranger makes long."""
    if type(names) is tuple and len(names) <= MAX_NAMES and sum(map(len, names)) <= MAX_NAME:
        return names
    return tuple(name[:MAX_NAME] for name in names[:MAX_NAMES])


@lru_cache(maxsize=16384)
def _person_names(local: str, names: tuple[str, ...]) -> tuple[Name, ...]:
    shown = local_name(local)
    found = [_oriented(name_words(name), local, shown) for name in names]
    whole = [name for name in found if name.whole]
    if shown.whole:
        whole.append(shown)
    single = [] if whole else [_completed(name, local) for name in found if name.given]
    return tuple(dict.fromkeys((*whole, *single)))


def _oriented(words: tuple[str, ...], local: str, shown: Name) -> Name:
    """Return the name that the words make, given name and surname where the local part tells that they stand."""
    name = named(words)
    if not name.whole or name.given == name.surname:
        return name
    if shown.whole:
        return next((told for told in _tellings(words, shown) if name_likeness(told, shown)), name)
    turned = Name(name.surname, name.given)
    return turned if local_fits(local, turned) > local_fits(local, name) else name


def _tellings(words: tuple[str, ...], shown: Name) -> Iterator[Name]:
    """Yield the names that can be made of the words with the surname that a local part shows, longer given names first."""
    for surname in words:
        if _one_word(surname, shown.surname):
            yield from (Name(given, surname) for given in sorted(words, key=len, reverse=True) if given != surname)


def _completed(name: Name, local: str) -> Name:
    """Return a given name with the surname that a local part appends to it (`John` and `johnsmith`)."""
    rest = "".join(local_words(local)).removeprefix(name.given)
    if name.surname or len(rest) < 3 or not folded(local).startswith(name.given):
        return name
    return Name(name.given, rest)


FULL, INITIAL, TURNED_INITIAL, INITIALS, ONE_WORD = 1.0, 0.6, 0.4, 0.4, 0.2
"""How surely a local part is that of a name: both words, initial and surname, the reverse, initials and a surname that may be
cut short, one of the words alone."""

CUT_SHORT = 5
"""Letters of a surname that a local part keeps at least (`mlbreuni` of Mary Breuning, on systems that allow eight)."""


def local_fits(local: str, name: Name) -> float:
    """Return how surely (0 to 1) a local part was made of a name: `john.smith`, `smithj`, `jsmith82`; 0.0 if it was not."""
    if not name.whole:
        return 0.0
    words = local_words(local)
    letters = "".join(words)
    outer = "".join(word for at, word in enumerate(words) if len(word) > 1 or at in {0, len(words) - 1})
    given, surname = name.given.replace("-", ""), name.surname.replace("-", "")
    for forms, sure in (
        ((given + surname, surname + given), FULL),
        ((given[0] + surname, ""), INITIAL),
        ((surname + given[0], given + surname[0]), TURNED_INITIAL),
        ((surname, given), ONE_WORD),
    ):
        if letters and (letters in forms or outer in forms):
            # Where only an initial is known, the whole name is no more than an initial and a surname.
            return min(sure, INITIAL) if len(given) == 1 else sure
    return INITIALS if letters[:1] == given[0] and any(_begins(letters[at:], surname) for at in (1, 2, 3)) else 0.0


def _begins(rest: str, surname: str) -> bool:
    """Return whether what follows the initials is the surname, or enough of its beginning."""
    return len(rest) >= min(CUT_SHORT, max(4, len(surname))) and surname.startswith(rest)


SHORT_FORM, INITIAL_ONLY = 0.7, 0.4
"""How surely two names are one where the given names are forms of one name, and where one is an initial."""


SHORT = 3
"""Letters from which the beginning of a given name is a form of it (`brad`, `clay`, `ben`)."""


def same_person_name(first: Name, second: Name) -> bool:
    """Return whether two names may be one person's: the same surname, and given names equal, short form or initial."""
    return name_likeness(first, second) > 0.0


def name_likeness(first: Name, second: Name) -> float:
    """Return how surely (0 to 1) two whole names are one: 1.0 equal, `SHORT_FORM`, `INITIAL_ONLY`; 0.0 they are two."""
    if not (first.given and first.surname and second.given and second.surname):
        return 0.0
    if first == second:
        return 1.0
    if not _one_word(first.surname, second.surname):
        return 0.0
    one, other = first.given, second.given
    if len(one) == 1 or len(other) == 1:
        return INITIAL_ONLY if one[0] == other[0] else 0.0
    if _one_word(one, other):
        return 1.0
    short = one_name(one, other) or (
        min(len(one), len(other)) >= SHORT and (one.startswith(other) or other.startswith(one))
    )
    return SHORT_FORM if short else 0.0


def _one_word(one: str, other: str) -> bool:
    """Return whether two words of names are one: equal, in another spelling of its vowels, or one part of a double name."""
    if one == other or _flat(one) == _flat(other):
        return True
    return ("-" in one and other in one.split("-")) or ("-" in other and one in other.split("-"))


def _flat(word: str) -> str:
    """Return the word with the spelt-out marks of German and Nordic names taken back (`mueller`, `muller`)."""
    return word.replace("ae", "a").replace("oe", "o").replace("ue", "u")


def tokens(address: Address, names: Sequence[str]) -> tuple[str, ...]:
    """Return the tokens under which the person behind an address is found, at most `MOST_TOKENS`, each once.

    `a:joh` the first letters of the local part, `n:john smith` a whole name, `g:joh` and `s:smi` the first letters of given
    name and surname, of the display names and of a local part that shows both. The null sender has none.
    """
    return _tokens(address.local[:MAX_NAME], _some(names))


def local_tokens(local: str) -> tuple[str, ...]:
    """Return the tokens of an address that no mail has named, from its local part: what `tokens` returns without names."""
    local = local[:MAX_NAME]
    if not local:
        return ()
    shown = local_name(local)
    first = f"a:{folded(local)[:PREFIX]}"
    return (first, f"n:{shown.whole}", *_prefixes(shown)) if shown.whole else (first,)


@lru_cache(maxsize=16384)
def _tokens(local: str, names: tuple[str, ...]) -> tuple[str, ...]:
    if not local:
        return ()
    people = _person_names(local, names)
    found = [f"a:{folded(local)[:PREFIX]}", *(f"n:{name.whole}" for name in people[:2] if name.whole)]
    found += [token for name in people for token in _prefixes(name)]
    return tuple(dict.fromkeys(found))[:MOST_TOKENS]


def _prefixes(name: Name) -> list[str]:
    """Return the prefix tokens of a name; an initial has none."""
    marked = (("g:", name.given), ("s:", name.surname))
    return [mark + word[:PREFIX] for mark, word in marked if len(word) > 1]
