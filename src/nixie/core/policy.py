"""The policy as a value: it turns what the checks found about each recipient into a disposition, with its reasons.

Rules lie in tracks. Within a track the first rule that matches decides; over the tracks the strictest disposition wins.
A rule that is only observed is recorded as what *would be* and never ends the search. An exemption takes the values of
the checks it names away from the rules, so that other checks of the same copy still speak.

Judging is a pure function of the values of each recipient, so the order of recipients does not matter, and recipients
with equal values are judged once.

Errors: PolicyError (see `core.problems`) from `parse_policy`; judging never raises.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from nixie.core.budget import WITHIN_BUDGET, Budget
from nixie.core.condition import OPERATORS, Predicate, canonical, clauses, comparisons, compiled
from nixie.core.policy_text import PolicyError, read_policy
from nixie.core.rules import TRACKS, Exemption, Rule
from nixie.core.verdict import Choice, CopyVerdict, Disposition, Mode, RuleTrace

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date, datetime

    from nixie.core.condition import Condition, Subject, Test
    from nixie.core.finding import Scalar

__all__ = ["OPERATORS", "TRACKS", "Exemption", "Policy", "PolicyError", "Predicate", "Rule", "parse_policy"]

Track = tuple[tuple[Rule, "Test"], ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that can judge. Made by `parse_policy`; `digest` is SHA-256 in hex over what the policy means, not its layout."""

    title: str
    rules: tuple[Rule, ...] = field(repr=False)
    exemptions: tuple[Exemption, ...] = field(repr=False)
    digest: str
    _tracks: tuple[Track, ...] = field(repr=False, compare=False)
    _exempting: tuple[tuple[Exemption, Test, tuple[str, ...]], ...] = field(repr=False, compare=False)
    _asked: tuple[str, ...] = field(repr=False, compare=False)
    budget: Budget | None = None
    """How many questions it allows; the threshold that follows from it is one of the subjects' values."""

    def expired(self, day: date) -> tuple[Exemption, ...]:
        """Return the exemptions that no longer apply on the day (UTC), for `nixie policy check` to report."""
        return tuple(e for e in self.exemptions if not e.applies(day))

    def judge(
        self, subjects: Sequence[Mapping[str, Scalar]], as_of: datetime, *, full: bool = False
    ) -> tuple[CopyVerdict, ...]:
        """Return one verdict a subject, numbered in their order.

        A subject holds the values of one recipient by predicate name; what is missing was not found. `as_of` (aware)
        says which exemptions are in force. A copy that the budget alone keeps from being asked about names the rule that
        would have held it (`below_budget`). The trace names the rules that matched or were silenced; with `full` every
        rule that was looked at, misses included, for explanations.
        """
        day = as_of.date()
        exempting = tuple(e for e in self._exempting if e[0].applies(day))
        judged: dict[tuple[Scalar | None, ...], CopyVerdict] = {}
        verdicts = []
        for number, subject in enumerate(subjects):
            key = tuple([subject.get(name) for name in self._asked])
            known = judged.get(key)
            if known is None:
                known = judged[key] = self._judge_one(subject, exempting, full=full)
                if subject.get(WITHIN_BUDGET) is False and WITHIN_BUDGET in self._asked:
                    rich = self._judge_one({**subject, WITHIN_BUDGET: True}, exempting, full=False)
                    if rich.disposition.strictness > known.disposition.strictness:
                        known = judged[key] = replace(known, below_budget=rich.rule)
            verdicts.append(
                CopyVerdict(
                    number,
                    known.disposition,
                    known.would_be,
                    known.rule,
                    known.choices,
                    known.trace,
                    known.message,
                    known.reviewers,
                    known.below_budget,
                )
            )
        return tuple(verdicts)

    def _judge_one(
        self, subject: Subject, exempting: tuple[tuple[Exemption, Test, tuple[str, ...]], ...], *, full: bool
    ) -> CopyVerdict:
        heard, by = _silenced(subject, exempting)
        deciding: list[Rule] = []
        would_be = Disposition.DELIVER
        trace: list[RuleTrace] = []
        for track in self._tracks:
            first = decided = None
            for rule, test in track:
                if test(heard):
                    first = first or rule
                    trace.append(_traced(rule, heard, matched=True))
                    if rule.mode is Mode.ENFORCE:
                        decided = rule
                        break
                elif by and test(subject):
                    trace.append(_traced(rule, subject, matched=False, exempted=by))
                elif full:
                    trace.append(_traced(rule, heard, matched=False))
            if decided is not None:
                deciding.append(decided)
            if first is not None and first.disposition.strictness > would_be.strictness:
                would_be = first.disposition
        return _combined(deciding, would_be, tuple(trace))


_NOTHING = CopyVerdict(0, Disposition.DELIVER, Disposition.DELIVER)


def _combined(deciding: list[Rule], would_be: Disposition, trace: tuple[RuleTrace, ...]) -> CopyVerdict:
    """Return the strictest of the tracks' rules; what the author may do is what every holding rule allows."""
    if not deciding:
        return _NOTHING if not trace else CopyVerdict(0, Disposition.DELIVER, would_be, trace=trace)
    rule = max(deciding, key=lambda r: r.disposition.strictness)
    choices = rule.choices
    for other in deciding:
        if other.disposition.holds:
            choices = tuple(choice for choice in choices if choice in other.choices)
    if rule.disposition is Disposition.HOLD_SENDER and not choices:
        choices = (Choice.CANCEL,)
    return CopyVerdict(0, rule.disposition, would_be, rule.name, choices, trace, rule.message, rule.reviewers)


def _silenced(subject: Subject, exempting: tuple[tuple[Exemption, Test, tuple[str, ...]], ...]) -> tuple[Subject, str]:
    """Return the subject without the values of exempted checks, and the names of the exemptions that took any."""
    heard, names = subject, []
    for exemption, test, silences in exempting:
        taken = [name for name in silences if name in heard]
        if taken and test(subject):
            heard = {name: value for name, value in heard.items() if name not in taken}
            names.append(exemption.name)
    return heard, ", ".join(names)


def _traced(rule: Rule, subject: Subject, *, matched: bool, exempted: str = "") -> RuleTrace:
    told = clauses(rule.condition, subject)
    return RuleTrace(rule.track, rule.name, rule.mode, matched, rule.disposition, told, exempted)


def parse_policy(
    text: str,
    source: str,
    predicates: Mapping[str, Predicate],
    checks: Collection[str],
    tracks: Sequence[str] = TRACKS,
) -> Policy:
    """Return the policy that the TOML text says; `core.policy_text` describes the language.

    `source` names the file in errors; `predicates` and `checks` are what rules and exemptions may name. Raises
    PolicyError with every mistake of the text.
    """
    title, rules, exemptions, budget = read_policy(text, source, predicates, checks, tracks)
    lively = [rule for rule in rules if rule.mode is not Mode.OFF]
    by_track = (tuple((r, compiled(r.condition)) for r in lively if r.track == track) for track in tracks)
    asked = _asked_names([*(r.condition for r in lively), *(e.condition for e in exemptions)])
    by_rules = _asked_names([r.condition for r in lively])
    exempting = tuple(
        (e, compiled(e.condition), tuple(n for n in by_rules if n.partition(".")[0] in e.checks)) for e in exemptions
    )
    digest = sha256(json.dumps(_meaning(rules, exemptions, budget), separators=(",", ":")).encode()).hexdigest()
    return Policy(title, rules, exemptions, digest, tuple(t for t in by_track if t), exempting, asked, budget)


def _asked_names(conditions: list[Condition]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(leaf.predicate for condition in conditions for leaf in comparisons(condition)))


def _meaning(rules: Sequence[Rule], exemptions: Sequence[Exemption], budget: Budget | None) -> object:
    """Return everything that can change a verdict, a question or an exemption's account, as JSON-ready lists."""
    return [
        [
            [r.track, r.name, r.mode, canonical(r.condition), r.disposition, r.choices, r.reviewers, r.message]
            for r in rules
        ],
        [
            [e.name, sorted(e.checks), canonical(e.condition), e.owner, e.reason, e.until.isoformat()]
            for e in exemptions
        ],
        *([[budget.per_1000_messages, budget.per_sender_per_quarter]] if budget is not None else []),
    ]
