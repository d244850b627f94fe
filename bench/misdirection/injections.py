"""The slips that are put into copies of test messages: one function a kind, all of them in `MAKERS`, all drawn from the seed.

* A, a 3g-address *added* (after Carvalho & Cohen 2007): somebody of the sender's address book (all to whom the sender wrote before) who shares
  the first three letters of the address, of the given name or of the surname with one of the true recipients, each such with equal chance;
  where nobody does, anybody of the book. Test messages are the last 10 % of each sender with at least `planning.SPLIT_LEAST` messages.
* B, the same *replacing* the recipient whom it resembles; messages with one and with several recipients apart.
* C, a typed slip (`typed.typed_slip`) in a message that starts a thread; C2, a slip that was observed elsewhere (`typed.Observed`).
* D, a stranger: an address of somebody whom nobody here wrote to or had mail from before, taken from those who first occur later; added or
  in place of a recipient by the toss of a coin.
* E, one of at least three recipients who were together in an earlier message of this sender is replaced by a contact from outside, chosen by
  how often the sender wrote to it (at least five times).
* F, a private twin: the name of a recipient who has a work address, at a personal mail provider.

Nobody is ever swapped for another address of the same person, nor for a list, nor for somebody who is a recipient already. The wrong recipient
has the display name that the address has elsewhere (A, B, D, E); a typed or private one has the true one's name half of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from people import PROVIDERS, domain_of, local_of, words
from typed import Slip, typed_slip

if TYPE_CHECKING:
    from collections.abc import Callable

    from books import World
    from corpora import Mail

FREQUENT = 5
"""Fewest mails to somebody who is drawn into a group (E)."""

FEWEST_NEWCOMERS = 20
"""With fewer people left who have not occurred, there are no strangers any more."""

TWINS = (("gmail.com", 4), ("outlook.com", 2), ("yahoo.com", 2), ("hotmail.com", 2))
OLD_TWINS = (("hotmail.com", 4), ("yahoo.com", 4), ("aol.com", 2))
"""Where private twins live, with weights: today, and before 2004."""

_TRIES = 8

Recipients = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What a maker hands back: recipients, the wrong address, the true one, and the finer kind."""

    recipients: Recipients
    wrong: str
    true: str | None
    subkind: str


def _name(world: World, address: str) -> str:
    return world.corpus.people.name(address)


def _swapped(mail: Mail, old: str, new: str, name: str) -> Recipients:
    return tuple((new, name) if a == old else (a, n) for a, n in mail.recipients)


def _three_letters(world: World, mail: Mail, targets: list[str]) -> tuple[str, str, str] | None:
    """Return (wrong, resembled, match or random) by the rule of A; None where the book has nobody else."""
    people = world.corpus.people
    me = people.person(mail.sender)
    book = world.books[me]
    present = {people.person(a) for a, _ in mail.recipients} | {me}
    alike: dict[int, str] = {}
    for target in targets:
        for key in sorted(world.keys(target)):
            for person in book.prefixes.get(key, ()):
                if person not in present:
                    alike.setdefault(person, target)
    if alike:
        person = world.dice.choice(list(alike))
        return book.address[person], alike[person], "match"
    others = [p for p in book.address if p not in present]
    return (book.address[world.dice.choice(others)], world.dice.choice(targets), "random") if others else None


def starts(mail: Mail) -> bool:
    """Return whether a message starts a thread, as far as its subject and header say."""
    return not (mail.reply or mail.in_reply_to)


def added(world: World, mail: Mail) -> Made | None:
    """Kind A."""
    found = _three_letters(world, mail, [a for a, _ in world.counted(mail)])
    if found is None:
        return None
    recipients = list(mail.recipients)
    recipients.insert(world.dice.randint(0, len(recipients)), (found[0], _name(world, found[0])))
    return Made(tuple(recipients), found[0], None, found[2])


def replaced(world: World, mail: Mail) -> Made | None:
    """Kind B."""
    targets = [a for a, _ in world.counted(mail)]
    found = _three_letters(world, mail, [world.dice.choice(targets)])
    if found is None:
        return None
    wrong, true, how = found
    size = "single" if len(targets) == 1 else "several"
    return Made(_swapped(mail, true, wrong, _name(world, wrong)), wrong, true, f"{size} {how}")


def typed(world: World, mail: Mail) -> Made | None:
    """Kind C."""
    return _typed(world, mail, lambda address: typed_slip(address, world.letters, world.dice))


def observed(world: World, mail: Mail) -> Made | None:
    """Kind C2."""
    return _typed(world, mail, lambda address: world.observed.slip(address, world.dice))


def _typed(world: World, mail: Mail, slip: Callable[[str], Slip | None]) -> Made | None:
    targets = world.counted(mail)
    if not starts(mail):
        return None
    fresh = [t for t in targets if t[0] not in world.met]
    if fresh and world.dice.random() < 0.5:
        targets = fresh
    for _ in range(_TRIES):
        true, name = world.dice.choice(targets)
        made = slip(true)
        if made is not None and made.address != true and made.address not in world.all_addresses:
            shown = name if world.dice.random() < 0.5 else ""
            return Made(_swapped(mail, true, made.address, shown), made.address, true, f"{made.part} {made.edit}")
    return None


def stranger(world: World, mail: Mail) -> Made | None:
    """Kind D."""
    people = world.corpus.people
    present = {people.person(a) for a, _ in mail.recipients}
    if len(world.newcomers) - world.passed < FEWEST_NEWCOMERS:
        return None
    for _ in range(_TRIES):
        _, wrong = world.newcomers[world.dice.randrange(world.passed, len(world.newcomers))]
        if (
            wrong in world.met
            or people.person(wrong) in present
            or any(a in world.met for a in people.addresses(people.person(wrong)))
        ):
            continue
        if world.dice.random() < 0.5:
            recipients = list(mail.recipients)
            recipients.insert(world.dice.randint(0, len(recipients)), (wrong, _name(world, wrong)))
            return Made(tuple(recipients), wrong, None, "added")
        true = world.dice.choice(world.counted(mail))[0]
        return Made(_swapped(mail, true, wrong, _name(world, wrong)), wrong, true, "replaced")
    return None


def outsider(world: World, mail: Mail) -> Made | None:
    """Kind E."""
    people = world.corpus.people
    me = people.person(mail.sender)
    book, members = world.books[me], world.counted(mail)
    group = frozenset(people.person(a) for a, _ in members)
    if len(group) < 3 or not any(group <= known for known in book.groups):
        return None
    others = [p for p, n in book.counts.items() if n >= FREQUENT and p not in group and p != me]
    if not others:
        return None
    person = world.dice.choices(others, weights=[book.counts[p] for p in others])[0]
    wrong, true = book.address[person], world.dice.choice(members)[0]
    return Made(_swapped(mail, true, wrong, _name(world, wrong)), wrong, true, "known-group")


def twin(world: World, mail: Mail) -> Made | None:
    """Kind F."""
    targets = [
        (a, n, w) for a, n in world.counted(mail) if domain_of(a) not in PROVIDERS and len(w := _words(world, a)) > 1
    ]
    if not targets:
        return None
    true, name, known = world.dice.choice(targets)
    first, last = known[0], known[-1]
    local = world.dice.choice(
        (
            f"{first}.{last}",
            f"{first}{last}",
            f"{first[0]}{last}",
            f"{first}_{last}",
            f"{first}{last[0]}",
            f"{last}.{first}",
        )
    )
    table = OLD_TWINS if mail.at.year < 2004 else TWINS
    provider = world.dice.choices([p for p, _ in table], weights=[w for _, w in table])[0]
    wrong = f"{local}@{provider}"
    if wrong in world.all_addresses or not wrong.isascii():
        return None
    shown = (name or _name(world, true)) if world.dice.random() < 0.5 else ""
    return Made(_swapped(mail, true, wrong, shown), wrong, true, "known" if true in world.met else "new")


def _words(world: World, address: str) -> tuple[str, ...]:
    return words(_name(world, address)) or words(local_of(address).replace(".", " "))


MAKERS: dict[str, Callable[[World, Mail], Made | None]] = {
    "A": added,
    "B": replaced,
    "C": typed,
    "C2": observed,
    "D": stranger,
    "E": outsider,
    "F": twin,
}
