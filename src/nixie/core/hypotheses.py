"""The hypotheses of one message: each way in which one copy may have gone astray, with its weight.

Typed slips come from near domains (`core.proposals`) and near local parts; slips of the person and the circle from the author's
people (`core.people`). What the index knows and the facts of the moment do not is no candidate: it may lie in the future.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp
from typing import TYPE_CHECKING

from nixie.core.book import TWIN, Book
from nixie.core.context import Context, Standing
from nixie.core.context_weights import WEIGHTS
from nixie.core.correspondence import Correspondence, Expected
from nixie.core.doubt import Doubt, cleared_for_author, doubt, relation_of
from nixie.core.grounds import Hypothesis
from nixie.core.people import mails_to
from nixie.core.person import person_names
from nixie.core.proposals import Proposal, by_ending, known_key
from nixie.core.scales import UNCHANGED
from nixie.core.slips import explain_local
from nixie.core.slips.circle import NEW_CONTACT, STRANGER, WRONG_BEFORE
from nixie.core.slips.kind import Slip
from nixie.core.tables import personal_provider

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixie.core.address import Address
    from nixie.core.case import Case
    from nixie.core.context import Features
    from nixie.core.facts import Acquaintance
    from nixie.core.people import Suspect

ENOUGH_HISTORY = 200
"""Copies the organisation must have sent before domains known by counts alone are weighed."""

NOBODY = "nobody"
"""The relation of an intended address that there is none of: the written one is one too many."""

STILL_RIGHT = 1e-4
"""How often an address that was found wrong in a conversation is right there all the same (estimate)."""

MOST_FOR, MOST_AGAINST = 12.0, -12.0
"""How far the context may move a hypothesis, in log-odds."""

TIMES = 3
"""A local part is doubted for one at the same domain that is written to at least this many times as often."""


@dataclass(frozen=True, slots=True)
class Hypotheses:
    """All hypotheses of a message, the context that they were weighed in (None where there are none), and the keys of written
    addresses (`thin`) with a proposal that the history is too short for.
    """

    found: tuple[Hypothesis, ...]
    thin: frozenset[str]
    context: Context | None


def hypotheses_of(case: Case, near: Iterable[Proposal], one_slip_in: int) -> Hypotheses:
    """Return the hypotheses. `near` are the proposals at other domains, `one_slip_in` is the number of messages per message
    with a slip.
    """
    proposals = (*near, *_near_locals(case))
    if not proposals and not case.suspects:
        return Hypotheses((), frozenset(), None)
    room = _Room(case, one_slip_in)
    found: list[Hypothesis] = []
    thin: set[str] = set()
    cold = case.facts.totals.organisation_sent < ENOUGH_HISTORY
    doubted = _doubted(case, proposals)
    for proposal in proposals:
        expected = room.counts.expected(proposal.intended)
        if expected.relation == "known" and cold:
            thin.add(proposal.written.key)
        elif expected.relation != "unknown" or proposal.intended.domain in by_ending(proposal.written.domain):
            found.append(room.typed(proposal, expected, doubted.get((proposal.written.key, proposal.slip.part))))
    found += [room.of_person(suspect) for suspect in case.suspects]
    if case.scales != UNCHANGED:
        scaled = ((one, case.scales.of(one.slip.kind)) for one in found)
        found = [replace(one, weight=one.weight * scale, scale=scale) for one, scale in scaled]
    return Hypotheses(tuple(found), frozenset(thin), room.context)


def _near_locals(case: Case) -> list[Proposal]:
    """Return the typed slips of local parts at the same domain, among those that somebody of ours wrote to."""
    found = []
    for written in case.outside:
        for meant in case.around.beside.get(known_key(written).key, ()):
            slip = explain_local(meant.address.local, known_key(written).local)
            if slip is not None and meant.address.domain == written.domain:
                found.append(Proposal(written, meant.address, slip))
    return found


def _doubted(case: Case, proposals: Iterable[Proposal]) -> dict[tuple[str, str], Doubt]:
    """Return why counts of a written address carry no trust, by its key and the part that the slip changes."""
    domains: dict[str, set[str]] = {}
    found: dict[tuple[str, str], Doubt] = {}
    keys: dict[str, list[str]] = {}
    for proposal in proposals:
        written = proposal.written
        if proposal.slip.part == "local":
            one = _doubted_local(case, proposal)
            if one is not None:
                found[written.key, "local"] = one
        else:
            domains.setdefault(written.domain, set()).add(proposal.intended.domain)
            keys.setdefault(written.domain, []).append(written.key)
    names = {name for domain, near in domains.items() for name in (domain, *near)}
    counts = {name: case.facts.domain(name).organisation for name in names}
    for domain, near in domains.items():
        one = doubt(domain, sorted(near), counts, case.organisation)
        if one is not None:
            found.update({(key, "domain"): one for key in keys[domain]})
    return found


def _doubted_local(case: Case, proposal: Proposal) -> Doubt | None:
    """Return why a local part is doubted: it looks like a slip of one that is written to far more often, and never answered.

    An answer counts only where the domain's owner vouches for its people; at a provider anybody may take any name.
    """
    written = case.facts.address(known_key(proposal.written)).organisation
    meant = case.facts.address(known_key(proposal.intended)).organisation
    domain = proposal.written.domain
    answered = (written.replied or written.wrote_to_us) and not personal_provider(domain)
    if meant.sent < TIMES * max(1, written.sent) or answered:
        return None
    return Doubt(domain, domain, proposal.slip, written.sent, meant.sent)


class _Room:
    """What all hypotheses of one message share: the counts, the author's book, the context, and what each address is in it."""

    def __init__(self, case: Case, one_slip_in: int) -> None:
        self._case = case
        self._one_slip_in = one_slip_in
        self.counts = Correspondence(case.facts, case.organisation)
        around = case.around
        self._book = Book.of(around)
        self._remembered = bool(around.author_mails or around.thread)
        self._known = {
            a.address.key: a
            for group in (around.together, around.greeted, *around.alike.values(), *around.beside.values())
            for a in group
        }
        circle = {key.key: (around.numbers.get(key.key, 0), key.domain) for key in map(known_key, case.circle)}
        moment = int(case.facts.as_of.timestamp() * 1_000_000)
        self.context = Context(around, circle, case.reading.words, moment, case.facts.mails.values())
        self._features: dict[tuple[str, str, bool], tuple[Standing, Features]] = {}

    def typed(self, proposal: Proposal, expected: Expected, doubted: Doubt | None) -> Hypothesis:
        """Return the hypothesis of a typed slip; counts of the organisation speak for both addresses."""
        written, intended = proposal.written, proposal.intended
        honest = self.counts.honest(written, intended, doubted)
        suspicion = self.counts.suspicion(written)
        odds = proposal.slip.probability * expected.probability * suspicion / (self._one_slip_in * honest)
        history = self._case.facts.address(known_key(written))
        trusted = doubted is None or cleared_for_author(history)
        about_written = self._of_written(written, trusted=trusted)
        meant = self._known.get(known_key(intended).key)
        about_meant = self._of_meant(meant, written) if meant is not None else _alike(*about_written)
        return self._hypothesis(
            Hypothesis(written, intended, proposal.slip, expected, doubted, honest, suspicion, odds),
            about_written,
            about_meant,
        )

    def of_person(self, suspect: Suspect) -> Hypothesis:
        """Return the hypothesis of a slip of the person or the circle; the author's own book speaks for both."""
        written, meant = suspect.written, suspect.meant
        known = known_key(written)
        mails = self._mails(known)
        slip = suspect.slip
        met = self._met(known)
        if slip.kind == STRANGER.KIND and met:
            share = slip.probability * NEW_CONTACT.SHARE / STRANGER.SHARE
            slip = Slip(NEW_CONTACT.KIND, NEW_CONTACT.WHAT, NEW_CONTACT.PART, share)
        suspicion = self.counts.suspicion(written)
        if meant is None:
            expected = Expected(1.0, NOBODY, "", False)
        else:
            relation, partner = relation_of(meant.address.domain, self._case.organisation)
            share = self._book.share(max(1, meant.mails)) * (1.0 if meant.mails else self._book.newcomer())
            expected = Expected(share, relation or "known", partner, True)
        if mails:
            honest = self._book.share(mails)
        elif slip.part == "circle":
            # How probable exactly this newcomer is stands on both sides, so only the rate of newcomers remains.
            honest = self._book.newcomer()
        else:
            honest = self._book.newcomer() * self.counts.newcomer(written) + TWIN * expected.probability
        if slip.kind == WRONG_BEFORE.KIND:
            honest *= STILL_RIGHT
        odds = slip.probability * expected.probability * suspicion / (self._one_slip_in * honest)
        about_written = self._of_written(
            written,
            trusted=known.key not in self._case.around.wrong,
            # Who writes to us with the name of somebody we know gains nothing by having written; who is answered is meant.
            met=mails > 0 or slip.part != "person",
        )
        about_meant = self._of_meant(meant, written) if meant is not None else (None, {})
        return self._hypothesis(
            Hypothesis(written, meant.address if meant else None, slip, expected, None, honest, suspicion, odds),
            about_written,
            about_meant,
        )

    def _hypothesis(
        self, bare: Hypothesis, written: tuple[Standing, Features], meant: tuple[Standing | None, Features]
    ) -> Hypothesis:
        """Return the hypothesis with what the context says; nothing where nothing is remembered."""
        if not self._remembered:
            return bare
        for_written = tuple((name, -WEIGHTS[name] * value) for name, value in written[1].items())
        for_meant = tuple((name, WEIGHTS[name] * value) for name, value in meant[1].items())
        whole = sum(value for _, value in (*for_written, *for_meant))
        bounded = min(MOST_FOR, max(MOST_AGAINST, whole))
        return replace(
            bare,
            for_written=for_written,
            for_intended=for_meant,
            context=bounded,
            weight=bare.weight * exp(bounded),
            standing=written[0],
            standing_intended=meant[0],
        )

    def _mails(self, known: Address) -> int:
        return max(self._case.facts.address(known).author.sent, mails_to(self._case.around, known.key))

    def _met(self, known: Address) -> int:
        """Return how often the organisation wrote to an address or heard from it."""
        counts = self._case.facts.address(known).organisation
        return counts.sent + counts.wrote_to_us

    def _of_written(self, written: Address, *, trusted: bool, met: bool = True) -> tuple[Standing, Features]:
        """Return the features of a written address; one that is doubted stands there as if it were new, and without `met` what
        colleagues had to do with it does not count.
        """
        known = known_key(written)
        place = known.key, "met" if met else "", trusted
        if place not in self._features:
            around = self._case.around
            mails = around.mails.get(known.key, ())
            standing = Standing(0, known.domain)
            if trusted:
                standing = Standing(
                    around.numbers.get(known.key, 0),
                    known.domain,
                    self._mails(known),
                    mails[0].at if mails else 0,
                    mails,
                    self._greeted(
                        known, (self._case.reading.names.get(written.key, ""), *around.names.get(known.key, ()))
                    ),
                    self._met(known) if met else 0,
                )
            self._features[place] = standing, self.context.about(standing, known.key)
        return self._features[place]

    def _of_meant(self, meant: Acquaintance, written: Address) -> tuple[Standing, Features]:
        """Return the features of an address that may have been meant instead of the written one."""
        without = known_key(written).key
        place = meant.address.key, without, True
        if place not in self._features:
            around, facts = self._case.around, self._case.facts
            mails = around.mails.get(meant.address.key) or facts.mails.get(meant.address.key, ())
            standing = Standing(
                meant.number,
                meant.address.domain,
                meant.mails,
                meant.last,
                mails,
                self._greeted(meant.address, meant.names),
            )
            self._features[place] = standing, self.context.about(standing, without)
        return self._features[place]

    def _greeted(self, address: Address, names: Iterable[str]) -> bool:
        greeted = self._case.reading.greeted
        if not greeted:
            return False
        shown = person_names(address, tuple(filter(None, names)))
        return any(word in (name.given, name.surname) for name in shown for word in greeted)


def _alike(standing: Standing, written: Features) -> tuple[Standing, Features]:
    """Return features of an address of which the context knows nothing: like the written one's, but for its part in the thread."""
    return standing, {name: value for name, value in written.items() if name not in ("answered", "in_thread")}
