"""The record as the budget and the calibration count it: copies that were thought possible slips, with what came of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nixie.core.budget import WITHIN_BUDGET
from nixie.core.suspicion import Outcome, Suspicion
from nixie.core.tables import country_of
from nixie.core.verdict import Disposition, Mode
from nixie.store.hold_states import State
from nixie.store.ledger import address_texts
from nixie.store.suspicions import found_wrong, suspected
from nixie.store.tuning import scales_at, scales_history

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping

    from nixie.core.finding import Scalar
    from nixie.core.organisation import Organisation
    from nixie.core.policy import Policy
    from nixie.store.suspicions import Judgement

SLIP = "slip"
"""The track of rules about slips."""

LATER_DAYS = 14
"""How long after a copy left a bounce or a reader's word still tells of it."""

OURS = ("own", "partner")
OUTCOMES = {
    State.CORRECTING: Outcome.CORRECTED,
    State.CORRECTED: Outcome.CORRECTED,
    State.CANCELLED: Outcome.CANCELLED,
    State.RELEASING: Outcome.RELEASED,
    State.RELEASED: Outcome.RELEASED,
}
"""What the state of a held copy says of the suspicion; any other state says nothing yet."""


def suspicions(
    db: sqlite3.Connection,
    since: int,
    until: int,
    policy: Policy | None = None,
    organisation: Organisation | None = None,
) -> Iterator[Suspicion]:
    """Yield the suspicions between two moments in milliseconds since 1970, in order.

    With a policy (and the organisation), `wanted` says whether its rules about slips would ask if the budget let them; without one
    every suspicion is wanted.
    """
    history = scales_history(db)
    wants = _wanting(policy, organisation) if policy is not None and organisation is not None else None
    for judgement in suspected(db, since, until):
        verdict = judgement.body.get("verdict", {})
        copies = {copy.get("recipient"): copy for copy in verdict.get("copies", ())}
        for finding in verdict.get("findings", ()):
            values, number = finding.get("values", {}), finding.get("recipient")
            if finding.get("check") != "misdirected" or "probability" not in values:
                continue
            copy, recipient = copies.get(number, {}), judgement.recipient(number)
            asked = _asked(copy)
            kind = str(values.get("slip", ""))
            yield Suspicion(
                judgement.at,
                judgement.author,
                judgement.lookup,
                kind,
                float(values["probability"]),
                ours=values.get("intended_relation") in OURS,
                scale=scales_at(history, judgement.at).of(kind),
                asked=asked,
                below_budget=bool(copy.get("below_budget")),
                wanted=wants is None or wants(_subject(db, judgement, values, recipient)),
                outcome=_outcome(db, judgement, recipient, asked=asked),
            )


def _asked(copy: Mapping[str, Any]) -> bool:
    """Return whether a rule about slips held the copy; a rule about its country says nothing about the address."""
    return any(
        trace.get("track") == SLIP
        and trace.get("matched")
        and trace.get("mode") == Mode.ENFORCE
        and Disposition(trace.get("then", "deliver")).holds
        for trace in copy.get("trace", ())
    )


def _outcome(db: sqlite3.Connection, judgement: Judgement, recipient: int, *, asked: bool) -> Outcome:
    if asked:
        state = judgement.holds.get(recipient)
        return OUTCOMES.get(state, Outcome.UNKNOWN) if state is not None else Outcome.UNKNOWN
    wrong = found_wrong(db, judgement.author, recipient, judgement.at, LATER_DAYS)
    return Outcome.FOUND_LATER if wrong else Outcome.UNKNOWN


def _subject(
    db: sqlite3.Connection, judgement: Judgement, values: Mapping[str, Any], recipient: int
) -> dict[str, Scalar]:
    """Return what the record still knows of the values that rules compare, as if the budget let them ask."""
    text = address_texts(db, (recipient,)).get(recipient, "")
    domain = text.rpartition("@")[2]
    return {
        **{f"misdirected.{name}": value for name, value in values.items()},
        WITHIN_BUDGET: True,
        "recipient.domain": domain,
        "recipient.country": country_of(domain).code,
        "recipient.inside": False,
        "sender.kind": str(judgement.body.get("kind", "")),
        "sender.authenticated": judgement.body.get("basis") == "login",
        "message.recipients": len(judgement.body.get("to", ())),
    }


def _wanting(policy: Policy, organisation: Organisation) -> Callable[[dict[str, Scalar]], bool]:
    """Return the function that says whether the policy asks about a subject; where no rule is enforced, whether it would."""
    enforced = any(rule.mode is Mode.ENFORCE and rule.track == SLIP for rule in policy.rules)
    now = datetime.now(UTC)

    def wants(subject: dict[str, Scalar]) -> bool:
        subject["recipient.partner"] = organisation.partner_of(str(subject["recipient.domain"]))
        (copy,) = policy.judge((subject,), now)
        return (copy.disposition if enforced else copy.would_be).holds

    return wants
