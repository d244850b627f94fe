"""Who of the author's people may have been meant instead: slips of the person and of the circle.

Typed slips have their own short list (`core.proposals`); here the candidates come from the surroundings of the message
(`core.facts.Surroundings`): who shares the letters that a completer matches, who has the same name elsewhere, who is usually
there when the others are, whom the text speaks to. For each written address a few suspects, and last *nobody*: that the address
is one too many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nixie.core.proposals import known_key
from nixie.core.slips import explain_offered
from nixie.core.slips.circle import ADDED, OUTSIDER, REPLACED, STRANGER, WRONG_BEFORE, CircleKind, pick
from nixie.core.slips.kind import Slip
from nixie.core.slips.person_kind import Person, offer_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nixie.core.address import Address
    from nixie.core.facts import Acquaintance, Surroundings
    from nixie.core.mailing import PastMail
    from nixie.core.reading import Reading

ENOUGH_MAILS = 20
"""Mails of an author that must be known before his people are weighed: less is too little to tell odd from new."""

LARGEST_GROUP = 50
"""Largest circle whose members are weighed against one another; in a larger one nobody is odd."""

MOST_SUSPECTS = 400
"""Most people weighed for one message, the likeliest slips; that nobody was meant is weighed for each address."""

MOST_OF_ONE = 12
"""Most suspects of one written address that are weighed, the likeliest slips of those most written to."""

FEW_MAILS = 3
"""Mails to an address before it can be plainly right."""

MAILS_ASKED = 12
"""Suspects whose own mails are compared with the message, per message."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """`written` may have been written where `meant` was (None: nobody was, the address is one too many) by this slip."""

    written: Address
    meant: Acquaintance | None
    slip: Slip


def suspects(
    written: Iterable[Address], around: Surroundings, reading: Reading, circle: Mapping[str, object], moment: int
) -> tuple[Suspect, ...]:
    """Return whom the author may have meant for each written address; nothing where the history is too short.

    `circle` has the keys of everybody in the message, `moment` is in microseconds since 1970.
    """
    if around.author_mails < ENOUGH_MAILS or len(circle) > LARGEST_GROUP:
        return ()
    found: list[Suspect] = []
    nobody: list[Suspect] = []
    numbers = frozenset(n for key in circle if (n := around.numbers.get(key, 0)))
    for address in written:
        known = known_key(address)
        if len(numbers) < len(circle) or not _plainly_right(known, around, numbers):
            group = _suspects_of(address, known, around, reading, circle, moment)
            group.sort(key=lambda s: (-s.slip.probability * (s.meant.mails + 1 if s.meant else 1), _name(s)))
            found += group[:MOST_OF_ONE]
        nobody.append(Suspect(address, None, _one_too_many(known, around)))
    found.sort(key=lambda s: -s.slip.probability)
    return (*nobody, *found[:MOST_SUSPECTS])


def without_mail(around: Surroundings, key: int) -> Surroundings:
    """Return the surroundings without one mail: a message that a mail server splits must not be its own history."""
    groups = (*around.mails.values(), *around.colleagues.values(), *around.received.values(), around.thread)
    if not any(mail.key == key for group in groups for mail in group):
        return around

    def kept(mails: tuple[PastMail, ...]) -> tuple[PastMail, ...]:
        return tuple(mail for mail in mails if mail.key != key)

    seen = {who for who, mails in around.mails.items() if any(mail.key == key for mail in mails)}
    return replace(
        around,
        mails={who: rest for who, mails in around.mails.items() if (rest := kept(mails))},
        counts={who: n - (who in seen) for who, n in around.counts.items() if n > (who in seen)},
        colleagues={who: rest for who, mails in around.colleagues.items() if (rest := kept(mails))},
        received={who: rest for who, mails in around.received.items() if (rest := kept(mails))},
        thread=kept(around.thread),
    )


def _plainly_right(known: Address, around: Surroundings, circle: frozenset[int]) -> bool:
    """Return whether nothing is odd about an address: the author wrote to it before, and to just these others with it, and
    where the thread is known it is part of it. Most mail is such, and nobody else is looked for.
    """
    mails = around.mails.get(known.key, ())
    if len(mails) < FEW_MAILS or len(circle) < 2 or known.key in around.wrong:
        return False
    number = around.numbers[known.key]
    if around.thread and not any(number in (mail.sender, *mail.members) for mail in around.thread):
        return False
    return any(len(mail.members) <= len(circle) + 1 and circle.issubset(mail.members) for mail in mails)


def mails_to_ask(found: Sequence[Suspect]) -> tuple[Address, ...]:
    """Return those suspects whose own mails are worth comparing with the message, the likeliest first."""
    weights: dict[str, tuple[float, Address]] = {}
    for one in found:
        if one.meant is not None:
            key, weight = one.meant.address.key, one.slip.probability * (one.meant.mails + 1)
            if weight > weights.get(key, (0.0, None))[0]:
                weights[key] = weight, one.meant.address
    best = sorted(weights.values(), key=lambda w: (-w[0], w[1].key))
    return tuple(address for _, address in best[:MAILS_ASKED])


def mails_to(around: Surroundings, key: str) -> int:
    """Return how many mails of the author to one of the circle are known."""
    return around.counts.get(key, len(around.mails.get(key, ())))


def _name(suspect: Suspect) -> str:
    return suspect.meant.address.key if suspect.meant else ""


def _suspects_of(
    address: Address,
    known: Address,
    around: Surroundings,
    reading: Reading,
    circle: Mapping[str, object],
    moment: int,
) -> list[Suspect]:
    """Return everybody known who may have been meant for one written address."""
    key = known.key
    alike = around.alike.get(key, ())
    names = tuple(dict.fromkeys(filter(None, (reading.names.get(address.key, ""), *around.names.get(key, ())))))
    mails = around.mails.get(key, ())
    times = mails_to(around, key)
    wrote = Person(known, names, times, mails[0].at if mails else 0)
    offer = offer_of(wrote, [Person(a.address, a.names, a.mails, a.last) for a in alike], moment)
    usual = {a.address.key for a in (*around.together, *around.greeted)}
    picked = pick(times, around.author_mails, around.author_contacts) if times else 1.0
    found = []
    everybody = {a.address.key: a for a in (*alike, *around.together, *around.greeted)}
    for meant_key, meant in everybody.items():
        if meant_key == key or meant_key in circle:
            continue
        person = Person(meant.address, meant.names, meant.mails, meant.last)
        slips = [explain_offered(person, offer)]
        if meant_key in usual and meant.mails:
            slips.append(Slip(REPLACED.KIND, REPLACED.WHAT, REPLACED.PART, REPLACED.SHARE * picked))
        # Each stands for itself: what makes one probable (the name) says nothing about the other (the company).
        found += [Suspect(address, meant, slip) for slip in slips if slip is not None]
    return found


def _one_too_many(known: Address, around: Surroundings) -> Slip:
    """Return the slip by which an address is one too many."""
    kind = _kind(known, around)
    times = mails_to(around, known.key)
    picked = pick(times, around.author_mails, around.author_contacts) if times else 1.0
    return Slip(kind.KIND, kind.WHAT, kind.PART, kind.SHARE * (0.5 if kind is WRONG_BEFORE else picked))


def _kind(known: Address, around: Surroundings) -> CircleKind:
    if known.key in around.wrong:
        return WRONG_BEFORE
    number = around.numbers.get(known.key, 0)
    if around.thread and not any(number in (mail.sender, *mail.members) for mail in around.thread):
        return OUTSIDER
    return ADDED if around.mails.get(known.key) else STRANGER
