"""The decision per recipient, with everything that led to it: the verdict is its own explanation.

Notice, page, command line, ledger and replay render this one value; nobody computes an explanation a second time and hopes
that it agrees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixie.core.finding import Failed, Finding, Scalar, Skipped


class Disposition(StrEnum):
    """What becomes of a copy, from mildest to strictest; `strictness` orders them."""

    DELIVER = "deliver"
    HOLD_SENDER = "hold-sender"
    HOLD_REVIEWER = "hold-reviewer"
    REFUSE = "refuse"

    @property
    def strictness(self) -> int:
        """Return 0 for deliver up to 3 for refuse."""
        return _ORDER.index(self)

    @property
    def holds(self) -> bool:
        """Return whether the copy waits for a person."""
        return self in (Disposition.HOLD_SENDER, Disposition.HOLD_REVIEWER)


_ORDER = (Disposition.DELIVER, Disposition.HOLD_SENDER, Disposition.HOLD_REVIEWER, Disposition.REFUSE)


class Choice(StrEnum):
    """What the asked person may do with a held copy."""

    CORRECT = "correct"
    SEND = "send"
    CANCEL = "cancel"


class Mode(StrEnum):
    """How far a rule's word goes: not at all, into the record, or onto the copy."""

    OFF = "off"
    OBSERVE = "observe"
    ENFORCE = "enforce"


class Reached(StrEnum):
    """How one recipient was reached; of several ways the first one here."""

    TYPED = "typed"
    """To or Cc shows the address."""
    EXPANDED = "expanded"
    """To or Cc shows a known list that it is a member of, directly or through one list more."""
    REWRITTEN = "rewritten"
    """To or Cc shows a known alias that stands for it alone."""
    BLIND = "blind"
    """Neither shows anything that leads to it: Bcc alone, as far as anybody can tell."""

    @property
    def by_table(self) -> bool:
        """Return whether a list or an alias put the address there, so that nobody can have mistyped it."""
        return self in (Reached.EXPANDED, Reached.REWRITTEN)


@dataclass(frozen=True, slots=True)
class Clause:
    """One predicate of a rule as it was evaluated: its name, operator, wanted value, the value seen, and the outcome."""

    predicate: str
    operator: str
    wanted: str
    seen: Scalar | None = field(repr=False)
    held: bool


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One rule that was looked at for a recipient: whether it matched, and every clause with its value."""

    track: str
    rule: str
    mode: Mode
    matched: bool
    disposition: Disposition
    clauses: tuple[Clause, ...] = ()
    exempted: str = ""


@dataclass(frozen=True, slots=True)
class CopyVerdict:
    """The decision about one recipient.

    `disposition` is what happens, `would_be` what would happen if every rule were enforced, `rule` the name of the rule
    that decided (`""`: none matched), `choices` what the asked person may do, `message` the rule's sentence for the notice,
    `reviewers` the addresses that the rule names (empty: the organisation's). `below_budget` names the rule that would have
    held the copy but for the annoyance budget: *not asked: budget*.
    """

    recipient: int
    disposition: Disposition
    would_be: Disposition
    rule: str = ""
    choices: tuple[Choice, ...] = ()
    trace: tuple[RuleTrace, ...] = field(default=(), repr=False)
    message: str = ""
    reviewers: tuple[str, ...] = field(default=(), repr=False)
    below_budget: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about one message: a `CopyVerdict` per envelope recipient in the envelope's order, and its grounds.

    `policy` is the first 16 hex digits of the digest of the policy that judged. `reached` says how each
    recipient was reached; `()` when nobody looked.
    """

    copies: tuple[CopyVerdict, ...]
    findings: tuple[Finding, ...] = field(default=(), repr=False)
    skipped: tuple[Skipped, ...] = ()
    failed: tuple[Failed, ...] = ()
    policy: str = ""
    reached: tuple[Reached, ...] = ()

    def about(self, recipient: int) -> tuple[Finding, ...]:
        """Return the findings about one recipient, those about the whole message included."""
        return tuple(f for f in self.findings if f.recipient in (recipient, None))
