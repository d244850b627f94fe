"""The states of a held copy and who may move them, as tables.

* HoldError
  x UnknownHoldError     there is none with this id
  x IllegalMoveError     its state does not lead there; the text says what it is now
  x ForbiddenError       this actor may not do this
    x OwnRequestError    nobody approves their own request
    x NotYoursError      it is another author's
    x NotOfferedError    the verdict does not offer this choice

States only go forward: no row of `MOVES` leads back. A release that fails for good goes on to a return.
"""

from __future__ import annotations

from enum import StrEnum

from nixie.store.ledger import Kind


class HoldError(Exception):
    """The hold cannot be changed so; the text names it by id."""


class UnknownHoldError(HoldError):
    """There is no hold with this id."""


class IllegalMoveError(HoldError):
    """The state of the hold does not lead there."""


class ForbiddenError(HoldError):
    """The actor may not do this."""


class OwnRequestError(ForbiddenError):
    """Nobody approves their own request."""


class NotYoursError(ForbiddenError):
    """The hold belongs to another author."""


class NotOfferedError(ForbiddenError):
    """The verdict does not offer this choice."""


class State(StrEnum):
    """Where a held copy stands."""

    PROVISIONAL = "provisional"
    WAITING = "waiting"
    VOID = "void"
    RELEASING = "releasing"
    RELEASED = "released"
    CORRECTING = "correcting"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    RETURNING = "returning"
    RETURNED = "returned"


MOVES: dict[State, tuple[State, ...]] = {
    State.PROVISIONAL: (State.WAITING, State.VOID),
    State.WAITING: (State.RELEASING, State.CORRECTING, State.CANCELLED, State.RETURNING),
    State.RELEASING: (State.RELEASED, State.RETURNING),
    State.CORRECTING: (State.CORRECTED, State.RETURNING),
    State.RETURNING: (State.RETURNED,),
    State.VOID: (),
    State.RELEASED: (),
    State.CORRECTED: (),
    State.CANCELLED: (),
    State.RETURNED: (),
}
LIVE = tuple(state for state, onward in MOVES.items() if onward)
IN_PROGRESS = (State.RELEASING, State.CORRECTING, State.RETURNING)
FINAL = tuple(state for state, onward in MOVES.items() if not onward)
KIND_OF: dict[State, Kind] = {state: Kind[state.name] for state in State if state is not State.PROVISIONAL}


class Action(StrEnum):
    """What a person may ask for."""

    RELEASE = "release"
    CORRECT = "correct"
    CANCEL = "cancel"
    RETURN = "return"


class Role(StrEnum):
    """As what somebody acts."""

    AUTHOR = "author"
    REVIEWER = "reviewer"
    SYSTEM = "system"


LEADS_TO = {
    Action.RELEASE: State.RELEASING,
    Action.CORRECT: State.CORRECTING,
    Action.CANCEL: State.CANCELLED,
    Action.RETURN: State.RETURNING,
}
MAY = {
    Role.AUTHOR: (Action.RELEASE, Action.CORRECT, Action.CANCEL),
    Role.REVIEWER: tuple(Action),
    Role.SYSTEM: (Action.RETURN,),
}
CHOICE_OF = {Action.RELEASE: "send", Action.CORRECT: "correct", Action.CANCEL: "cancel"}
"""The name of each action among the verdict's choices (`core.verdict.Choice`)."""
BY_ANOTHER = ("hold-reviewer",)
"""Dispositions whose release needs another person than the author."""
BY_NOBODY = ("refuse",)
"""Dispositions that nobody can release; the courier gives such a copy back."""
