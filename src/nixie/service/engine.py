"""Message, envelope and moment in; verdict out: the one path on which everything is judged.

The gateway's workers, the courier (which judges a corrected copy again), `nixie check` and the stream all call `Engine.decide`
and differ only in where message, facts and policy come from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nixie.checks.registry import CHECKS
from nixie.core.decide import (
    NEAR_LIMIT,
    admitted,
    domains_to_admit,
    domains_to_ask,
    examine,
    facts_to_ask,
    gather,
    make_case,
    people_to_ask,
    subjects,
)
from nixie.core.direction import Direction, Origin, origin_of
from nixie.core.reached import not_shown
from nixie.core.reading import read_people
from nixie.core.tuning import Tuning, Untuned
from nixie.core.verdict import CopyVerdict, Disposition, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from nixie.core.case import Case
    from nixie.core.envelope import Client, Envelope
    from nixie.core.facts import FactSource
    from nixie.core.message import Message
    from nixie.core.organisation import Organisation
    from nixie.core.policy import Policy
    from nixie.core.reading import Reading


@dataclass(frozen=True, slots=True)
class Decision:
    """One message with everything that was concluded about it; `reading` where its words were read."""

    message: Message = field(repr=False)
    envelope: Envelope
    origin: Origin
    verdict: Verdict
    reading: Reading | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Engine:
    """What decisions are made with: who we are, what the policy says, what is known, the checks' options, what was set here."""

    organisation: Organisation
    policy: Policy
    facts: FactSource
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tuning: Tuning = field(default_factory=Untuned)

    def decide(self, message: Message, envelope: Envelope, client: Client, as_of: datetime) -> Decision:
        """Judge one message as of a moment (aware, UTC). Only outgoing mail is judged; other mail is delivered."""
        origin = origin_of(message, envelope, client, self.organisation)
        if origin.direction is not Direction.OUTGOING:
            return Decision(message, envelope, origin, untouched(envelope, self.policy.digest))
        case = self.case(message, envelope, origin, as_of)
        examination = examine(case, CHECKS)
        verdict = Verdict(
            copies=self.policy.judge(subjects(case, examination), as_of),
            findings=examination.findings,
            skipped=examination.skipped,
            failed=examination.failed,
            policy=self.policy.digest[:16],
            reached=case.reached,
        )
        return Decision(message, envelope, origin, verdict, case.reading)

    def case(self, message: Message, envelope: Envelope, origin: Origin, as_of: datetime) -> Case:
        """Return everything that the checks look at in one outgoing message: the facts are asked here."""
        proposals = {
            domain: self.facts.near(domain, NEAR_LIMIT)
            for domain in domains_to_ask(envelope, message, self.organisation)
        }
        reading = read_people(message)
        asked = people_to_ask(message, envelope, origin, self.organisation, reading, as_of)
        people = gather(asked, self.facts.suggest(asked), reading, message.message_id)
        query = facts_to_ask(message, envelope, origin, self.organisation, proposals, as_of, people)
        if query.left_out:
            known = self.facts.know(domains_to_admit(proposals, self.organisation, as_of))
            proposals = admitted(proposals, known, self.organisation)
            query = facts_to_ask(message, envelope, origin, self.organisation, proposals, as_of, people)
        unseen = not_shown(message, envelope)
        expansions = self.facts.expansions(unseen) if unseen else {}
        facts = self.facts.know(query)
        asked_from = self.tuning.asked_from(origin.author, as_of) if self.policy.budget is not None else 0.0
        return make_case(
            message,
            envelope,
            origin,
            self.organisation,
            proposals,
            facts,
            self.settings,
            expansions,
            people,
            self.tuning.scales(as_of),
            asked_from,
        )


def untouched(envelope: Envelope, policy: str) -> Verdict:
    """Return the verdict of mail that is not judged: every copy is delivered."""
    deliver = Disposition.DELIVER
    copies = tuple(CopyVerdict(i, deliver, deliver) for i in range(len(envelope.recipients)))
    return Verdict(copies, policy=policy[:16])
