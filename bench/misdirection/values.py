"""What the parts of the harness hand to each other: lines of a stream, injected slips, scored messages.

`streams` and `injections` make `Walked` lines; `driving` gives them to `nixie check --stream --walk-forward` and turns the answers into
`Sample`s; baselines walk the same lines in the same order; metrics read samples and know nothing of corpora.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array
    from datetime import datetime

OWN = "own.example"
"""The domain of the invented organisation; a sender becomes a number there."""

KINDS = ("A", "B", "C", "C2", "D", "E", "F")
"""The injected kinds; README says what each is."""

SINCE = 25
"""A sender's first messages that are learned but never counted (the clean rates use every message after them)."""


@dataclass(frozen=True, slots=True)
class Injection:
    """One slip put into a copy of a test message.

    `wrong` is the address that should be found, `true` the one that was meant (None where `wrong` was added); `subkind` says more of the
    kind in words, the broad one first (`single match`, `local omission`, ...); `target_known` whether anybody of the organisation had written to `true` before, or
    had mail from it.
    """

    trial: int
    kind: str
    subkind: str
    org: str
    line_id: str
    original_id: str
    sender: str
    reply: bool
    n_recipients: int
    wrong: str
    true: str | None
    target_known: bool


@dataclass(frozen=True, slots=True)
class Walked:
    """One line of a stream, in the order in which it is judged and learned.

    `sender` of an outgoing line and the first recipient of an incoming one are in own form; everybody else is in outside form. `names` lie
    beside `recipients` ("" where there is none). `judged` lines are scored before anything of them is learned; `learn` says whether they
    are learned afterwards. `references` are ids of lines, oldest first. `person` is the number of the person who wrote it.
    """

    line_id: str
    original_id: str
    org: str
    at: datetime
    incoming: bool
    judged: bool
    learn: bool
    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    names: tuple[str, ...] = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)
    references: tuple[str, ...]
    reply: bool
    clean: bool
    tuning: bool
    split_90_10: bool
    injected: Injection | None = None


class Factors(Mapping[str, float]):
    """A few named numbers, in the room of an array: a run keeps millions of them. What is not there is missing, not nought."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: tuple[str, ...], values: array[float]) -> None:
        self._names = names
        self._values = values

    def __getitem__(self, name: str) -> float:
        try:
            return self._values[self._names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True, slots=True)
class Scored:
    """One recipient of a judged message: P(slip) as the product states it, whom it would suggest ("" for nobody), and why.

    `is_list` marks mailing-list addresses, which are never injected and count neither as right nor as wrong recipients. `own` marks the
    sender's copy to itself, which is inside mail. `first_sender` and `first_org` say that this sender, or anybody, writes to it for the first
    time in this walk.
    """

    address: str
    score: float
    intended: str
    slip: str
    factors: Mapping[str, float] = field(repr=False)
    is_list: bool = False
    own: bool = False
    first_sender: bool = False
    first_org: bool = False
    disposition: str = "deliver"
    would_be: str = "deliver"

    @property
    def counted(self) -> bool:
        """Return whether it counts as a right or a wrong recipient."""
        return not (self.is_list or self.own)


@dataclass(frozen=True, slots=True)
class Sample:
    """One judged line with its scores. `clean` is an untouched message after its sender's 25th; otherwise `injected` says what is wrong.

    `skipped` are the reasons for which the product did not weigh it ("too-little-history").
    """

    line_id: str
    org: str
    sender: str
    reply: bool
    first_contact_sender: bool
    first_contact_org: bool
    recipients: tuple[Scored, ...]
    injected: Injection | None
    clean: bool
    tuning: bool
    split_90_10: bool
    at: datetime
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrgRun:
    """One organisation's run: its samples in order, and `walk`, which yields the same lines again for the baselines (incoming ones too).

    `lists` are mailing-list addresses; `facts` sizes and choices worth printing; `usage` seconds by step.
    """

    org: str
    samples: tuple[Sample, ...] = field(repr=False)
    walk: Callable[[], Iterator[Walked]] = field(repr=False)
    lists: frozenset[str] = field(repr=False)
    facts: Mapping[str, object]
    usage: Mapping[str, float]
