"""What the surroundings of a message say for or against one address: features that a person can check in counts.

A slip says how an address could have been written; the context says whether it fits. Each feature is one number about one
address in one message, drawn from the author's latest mails (`core.mailing`), all before the moment:

    last        how long ago the author last wrote to it
    often       how often the author wrote to it
    met         how often the organisation had to do with it, where the author never had
    together    how much more often than by chance it was in earlier mails to the others of this circle, on average over these
    usual       in how many of these mails it was, against as many as its own frequency lets expect (gamma-Poisson shrinkage,
                DuMouchel 1999): of somebody who is seldom written to nothing is expected, so nothing is concluded
    received    the same in mails that the author got
    colleagues  the same in mails of the whole organisation
    answered    it wrote the mail that this one answers
    in_thread   it wrote or got a mail of this thread
    outsider    the thread is known, and it was never in it
    words       how much the words of this message belong to the mails to it
    topic       how much of this message's words one mail to it had
    greeted     the text speaks to somebody of its name

Features are additive in log-odds: `core.context_weights` (fitted) turn a difference of features between the
intended and the written address into a factor. Each is monotone: more counts for an address never make it less fitting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, log, sqrt
from typing import TYPE_CHECKING

from nixie.core.facts import FEW

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nixie.core.facts import Surroundings
    from nixie.core.mailing import PastMail

OTHERS = 8
"""Most others of the circle with whom an address is compared."""

CHANCE = 2.0
"""Mails' worth of "no more than by chance" in each comparison."""

CLOSE_CIRCLE = 4.0
"""Members of a mail up to which it says as much as any; the more, the less it says that two of them belong together."""

WELL_MET = 10
"""How often colleagues had to do with somebody, after which more proves nothing more."""

ANY_CHANCE = 0.05
"""How often any one person is in a mail that somebody else wrote."""

SHRINKAGE = 0.5
"""Mails together, seen and expected, that are added before the two are compared."""

DAY = 86_400_000_000
HOUR = DAY // 24
LONG_AGO = 1_000.0
"""Days since the last mail to an address that got none."""

MOST_LIFT = 3.0
"""How far one word may speak for an address, in log-odds; and all of them together, for or against."""

_Company = tuple[dict[int, float], float, Sequence["PastMail"]]
"""What mails say for each number, what they say in all, the mails."""

Named = tuple[tuple[str, int], ...]
"""Counts by name."""

Features = dict[str, float]
"""By name; what is missing is 0.0, which speaks neither for nor against."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One address as the context sees it: its number (0: unknown), the author's mails to it and the latest ones of these.

    `fits_greeting` says whether the text speaks to somebody of its name, `met` how often the organisation wrote to it or heard from
    it.
    """

    number: int
    domain: str
    mails: int = 0
    last: int = 0
    latest: tuple[PastMail, ...] = field(default=(), repr=False)
    fits_greeting: bool = False
    met: int = 0


class Context:
    """The surroundings of one message, asked about one address after another."""

    def __init__(
        self,
        around: Surroundings,
        circle: Mapping[str, tuple[int, str]],
        words: Sequence[int],
        moment: int,
        more: Iterable[tuple[PastMail, ...]] = (),
    ) -> None:
        """Take the circle as number (0: unknown) and domain by `Address.key`, the message's words, its moment in
        microseconds, and further mails whose words are compared with (those to addresses that may be meant).
        """
        self._moment = moment
        self._author_mails = around.author_mails
        self._circle = circle
        self._others = _most_telling(circle, around)
        self._members = {key: _members(around.mails[key]) for key in self._others}
        self._received = {
            key: _members(around.received[key]) for key in list(circle)[: OTHERS + 1] if around.received.get(key)
        }
        self._of_all = {
            key: _members(around.colleagues[key])
            for key in list(circle)[: OTHERS + 1]
            if len(around.mails.get(key, ())) < FEW and around.colleagues.get(key)
        }
        self._words = frozenset(words)
        self._rare = _rarities(self._words, (*around.mails.values(), *around.colleagues.values(), around.thread, *more))
        self._answered = around.thread[-1].sender if around.thread else 0
        self._thread_mails = len(around.thread)
        self._thread = frozenset(n for mail in around.thread for n in (mail.sender, *mail.members))

    def about(self, standing: Standing, without: str) -> Features:
        """Return how an address fits, with the rest of the circle: everybody but the written address `without`."""
        found: Features = {"last": -log(1.0 + self._age(standing.last) / 7.0)}
        if standing.mails:
            found["often"] = log(1.0 + standing.mails)
        elif standing.met:
            found["met"] = log(1.0 + min(standing.met, WELL_MET))
        self._together(found, standing, without)
        if self._thread:
            inside = standing.number in self._thread
            found["answered"] = float(inside and standing.number == self._answered)
            found["in_thread"] = float(inside)
            found["outsider"] = float(not inside)
        if self._words and standing.latest:
            found["words"], found["topic"] = self._likeness(standing.latest)
        if standing.fits_greeting:
            found["greeted"] = 1.0
        return found

    def counts(self, standing: Standing, without: str) -> dict[str, Named]:
        """Return, by feature, the counts from which it was made, for a person to check."""
        latest = standing.latest
        found: dict[str, Named] = {
            "answered": (),
            "in_thread": (("of", self._thread_mails),),
            "outsider": (("of", self._thread_mails),),
            "greeted": (),
            "often": (("n", standing.mails),),
            "met": (("n", standing.met),),
        }
        if standing.last:
            found["last"] = (("days", int(self._age(standing.last))),)
        for name, groups in (
            ("together", self._members),
            ("usual", self._members),
            ("received", self._received),
            ("colleagues", self._of_all),
        ):
            seen = [
                (sum(standing.number in mail.members for mail in mails), len(mails))
                for key, (_, _, mails) in groups.items()
                if key != without
            ]
            found[name] = (("n", sum(n for n, _ in seen)), ("of", sum(n for _, n in seen)))
        words = {word for mail in latest for word in self._words.intersection(mail.words)}
        found["words"] = (("n", len(words)), ("of", len(self._words)))
        most = max((len(self._words.intersection(mail.words)) for mail in latest), default=0)
        found["topic"] = (("n", most), ("of", len(self._words)))
        return found

    def _age(self, last: int) -> float:
        # In whole hours: the same message a second later must not be judged by other numbers.
        return max(0, (self._moment - last) // HOUR) / 24.0 if last else LONG_AGO

    def _together(self, found: Features, standing: Standing, without: str) -> None:
        """Add how often the address stood together with the others, against chance."""
        number = standing.number
        chance = (standing.mails + 0.3) / (self._author_mails + 10.0)
        lifts = [
            _lift(sums.get(number, 0.0), mails, chance)
            for key, (sums, mails, _) in self._members.items()
            if key != without
        ]
        if lifts:
            found["together"] = sum(lifts) / len(lifts)
            found["usual"] = _usual(self._members, number, without, chance)
        if any(key != without for key in self._received):
            found["received"] = _usual(self._received, number, without, ANY_CHANCE)
        if any(key != without for key in self._of_all):
            found["colleagues"] = _usual(self._of_all, number, without, ANY_CHANCE)

    def _likeness(self, mails: Sequence[PastMail]) -> tuple[float, float]:
        """Return how much the message's words belong to some mails, and how much of them the most alike one had."""
        counts: Counter[int] = Counter()
        n, whole, best = 0, sum(self._rare.values()), 0.0
        for mail in mails:
            if mail.words:
                n += 1
                same = self._words.intersection(mail.words)
                counts.update(same)
                best = max(best, sum(self._rare[word] for word in same))
        if not n or whole <= 0.0:
            return 0.0, 0.0
        belongs = 0.0
        for word, rarity in self._rare.items():
            lift = log((counts[word] * _often(rarity) + CHANCE) / (n + CHANCE))
            belongs += min(MOST_LIFT, max(-1.0, lift))
        return min(MOST_LIFT, max(-MOST_LIFT, belongs / sqrt(len(self._rare)))), best / whole


def _often(rarity: float) -> float:
    """Return one over the share of mails with a word of this rarity."""
    return exp(rarity)


def _lift(together: float, mails: float, chance: float) -> float:
    """Return by how much more often than by chance two stood together, in log-odds."""
    return log((together / chance + CHANCE) / (mails + CHANCE))


def _usual(company: Mapping[str, _Company], number: int, without: str, chance: float) -> float:
    """Return in how many mails of the others a number was, against as many as by chance, in log-odds."""
    together = expected = 0.0
    for key, (sums, mails, _) in company.items():
        if key != without:
            together += sums.get(number, 0.0)
            expected += mails * chance
    return log((together + SHRINKAGE) / (expected + SHRINKAGE))


def _most_telling(circle: Mapping[str, tuple[int, str]], around: Surroundings) -> tuple[str, ...]:
    """Return the few of the circle whose company says most: known to the author, the least often written to first."""
    known = [(len(around.mails[key]), key) for key in circle if around.mails.get(key)]
    known.sort()
    return tuple(key for _, key in known[: OTHERS + 1])


def _members(mails: Sequence[PastMail]) -> _Company:
    """Return how much some mails say for each number that was in them, and how much in all. A mail to many says little of each."""
    sums: dict[int, float] = {}
    whole = 0.0
    for mail in mails:
        weight = min(1.0, CLOSE_CIRCLE / max(1, len(mail.members)))
        whole += weight
        for number in mail.members:
            sums[number] = sums.get(number, 0.0) + weight
    return sums, whole, mails


def _rarities(words: frozenset[int], groups: Iterable[Iterable[PastMail]]) -> dict[int, float]:
    """Return the logarithm of one over the share of all mails at hand that have each word."""
    if not words:
        return {}
    mails = {mail.key: mail for group in groups for mail in group if mail.words}
    counts: Counter[int] = Counter()
    for mail in mails.values():
        counts.update(words.intersection(mail.words))
    return {word: log((len(mails) + 1.0) / (counts[word] + 0.5)) for word in words}
