"""What a person who decides is shown and may do: the values between the store and the pages or the command line.

`Desk` is the one way to act on a hold. Pages, command line and (later) the console call it; it checks what the verdict
allows, names the actor, and asks the recorder; it never writes itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from nixie.core.verdict import Choice


class DeskError(Exception):
    """An action that cannot be taken; the text is for the person who asked."""


class NotAllowedError(DeskError):
    """The verdict or the state of the hold does not allow it."""


class NotNowError(DeskError):
    """The recorder does not answer; nothing was changed, try again."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One address that may have been meant, with its share of the probability."""

    address: str = field(repr=False)
    probability: float = 0.0


@dataclass(frozen=True, slots=True)
class CopyView:
    """One held copy as a person sees it; `reasons` are finished sentences, `open` says that it still waits, `blind` that To and Cc do not show the recipient."""

    hold: str
    recipient: str = field(repr=False)
    state: str
    open: bool
    reasons: tuple[str, ...] = field(default=(), repr=False)
    suggestions: tuple[Suggestion, ...] = ()
    choices: tuple[Choice, ...] = ()
    outcome: str = field(default="", repr=False)
    blind: bool = False


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question to an author: which message (subject and time, enough to recognise it), which copies, what went on."""

    id: str
    generation: int
    author: str = field(repr=False)
    subject: str = field(repr=False)
    at: datetime
    copies: tuple[CopyView, ...]
    passed_on: int
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person wants with one hold: the choice, the corrected address if any, the reason if any.

    `generation` is the question's when the form was shown: a form that is sent twice is refused the second time.
    """

    hold: str
    choice: Choice
    generation: int
    to: str = field(default="", repr=False)
    reason: str = field(default="", repr=False)


def is_login_of(login: str, author: str) -> bool:
    """Return whether a login is the author's: the address itself or its local part, in whatever case."""
    return login.lower() in {author.lower(), author.rpartition("@")[0].lower()}


class Desk(Protocol):
    """Questions out, decisions in."""

    def question(self, question: str) -> QuestionView | None:
        """Return one question, None if there is no such."""

    async def decide(self, question: str, decided: Decided, login: str) -> str:
        """Take a decision for the author and return a finished sentence on what happens now. Raises `DeskError`.

        `login` is who a login in front of us says it is, `""` where the link alone spoke: then it is whoever could read the
        author's mailbox.
        """

    def healthy(self) -> bool:
        """Return whether decisions can be taken: store readable, recorder answering."""
