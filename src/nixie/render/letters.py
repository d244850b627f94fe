"""What a letter of ours says, as values; `notice.py` makes the mail of them.

The service fills them from the store. Nothing of the held message stands here but what its author needs to recognise it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from nixie.core.verdict import Choice


@dataclass(frozen=True, slots=True)
class Heading:
    """Whom a letter is from and for. `sender` and `to` are addresses, `organisation` a name or `""`, `message_id` without
    angle brackets; `date` is aware.
    """

    sender: str = field(repr=False)
    to: str = field(repr=False)
    date: datetime
    message_id: str
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class HeldCopy:
    """One held copy. `reasons` are finished sentences (`render.evidence.reasons`), `suggestions` addresses that may have been
    meant, best first, `choices` what the author may do (empty: a reviewer decides); `blind` when no header shows the recipient.
    """

    hold: str
    recipient: str = field(repr=False)
    reasons: tuple[str, ...] = field(default=(), repr=False)
    suggestions: tuple[str, ...] = field(default=(), repr=False)
    choices: tuple[Choice, ...] = ()
    blind: bool = False
    by_reviewer: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to an author: `copies` still wait and `more` beyond those, `passed_on` others went on at once.

    `return_at` is when the copies go back to the author, None when they never do; `remind` whether the author is asked
    once more before that, `escalate` whether reviewers are.
    """

    question: str
    copies: tuple[HeldCopy, ...]
    passed_on: int
    sent_at: datetime
    author: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    link: str = field(default="", repr=False)
    link_until: datetime | None = None
    return_at: datetime | None = None
    remind: bool = True
    escalate: bool = True
    more: int = 0


class Why(StrEnum):
    """Why a copy comes back."""

    SILENCE = "silence"
    REVIEWER = "reviewer"
    UNDELIVERABLE = "undeliverable"


@dataclass(frozen=True, slots=True)
class Returned:
    """One copy that comes back to its author, undelivered. `reason` is a reviewer's words, `reply` the mail server's codes.

    `author` is named where the letter goes to somebody else, because the author cannot be reached.
    """

    hold: str
    recipient: str = field(repr=False)
    why: Why
    sent_at: datetime
    subject: str = field(default="", repr=False)
    reason: str = field(default="", repr=False)
    reply: str = ""
    author: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NotAsked:
    """One copy that went on, although the rule `rule` would have asked about it but for the budget.

    `row` is the decision's number in the ledger, `probability` how probable the slip was, `suggestions` addresses that may have
    been meant, best first, `reasons` finished sentences; `blind` when no header shows the recipient.
    """

    row: int
    at: datetime
    rule: str
    author: str = field(default="", repr=False)
    recipient: str = field(default="", repr=False)
    probability: float = 0.0
    suggestions: tuple[str, ...] = field(default=(), repr=False)
    reasons: tuple[str, ...] = field(default=(), repr=False)
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """What a reviewer reads of one or more days: `since` and `until` are aware, `more` copies are not shown."""

    since: datetime
    until: datetime
    copies: tuple[NotAsked, ...]
    more: int = 0
