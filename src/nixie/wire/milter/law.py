"""The law of a milter session: which command may follow which. Nothing else decides that.

Read a row as: in this state, this command is legal and leads there. Commands legal everywhere after the opening stand in
`_ALWAYS`. ABORT leads back to the connection, whose CONNECT and HELO stay known; Postfix sends it after every message.
MAIL is legal in the middle of a message and begins a new one, because not every server says ABORT.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import TYPE_CHECKING, Final

from nixie.wire.milter.constants import Letter

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(IntEnum):
    """Where a session stands."""

    OPENING = auto()
    """Nothing negotiated yet."""
    READY = auto()
    """Negotiated, no SMTP client known."""
    CONNECTED = auto()
    """An SMTP client is known; between messages."""
    SENDER = auto()
    RECIPIENTS = auto()
    DATA = auto()
    HEADERS = auto()
    BODY = auto()
    JUDGING = auto()
    """The message is complete and waits for our verdict; nothing is read until it is given."""
    CLOSED = auto()


_ALWAYS: Final = {
    Letter.QUIT: State.CLOSED,
    Letter.QUIT_NC: State.READY,
}

_CONNECTED: Final = {
    Letter.HELO: State.CONNECTED,
    Letter.MAIL: State.SENDER,
    Letter.ABORT: State.CONNECTED,
}

_MOVES: Final[dict[State, dict[Letter, State]]] = {
    State.OPENING: {Letter.OPTNEG: State.READY, Letter.QUIT: State.CLOSED},
    State.READY: {**_ALWAYS, Letter.CONNECT: State.CONNECTED, Letter.ABORT: State.READY},
    State.CONNECTED: {**_ALWAYS, **_CONNECTED, Letter.CONNECT: State.CONNECTED},
    State.SENDER: {**_ALWAYS, **_CONNECTED, Letter.RCPT: State.RECIPIENTS},
    State.RECIPIENTS: {
        **_ALWAYS,
        **_CONNECTED,
        Letter.RCPT: State.RECIPIENTS,
        Letter.DATA: State.DATA,
        Letter.HEADER: State.HEADERS,
        Letter.EOH: State.BODY,
    },
    State.DATA: {**_ALWAYS, **_CONNECTED, Letter.HEADER: State.HEADERS, Letter.EOH: State.BODY},
    State.HEADERS: {**_ALWAYS, **_CONNECTED, Letter.HEADER: State.HEADERS, Letter.EOH: State.BODY},
    State.BODY: {**_ALWAYS, **_CONNECTED, Letter.BODY: State.BODY, Letter.EOM: State.JUDGING},
    State.JUDGING: {},
    State.CLOSED: {},
}


def _with_bystanders(state: State, row: Mapping[Letter, State]) -> dict[int, State]:
    """Add the two commands that never move the session: macros, and a line the server did not know."""
    stay = () if state in (State.OPENING, State.JUDGING, State.CLOSED) else (Letter.MACRO, Letter.UNKNOWN)
    return {**{int(letter): to for letter, to in row.items()}, **{int(letter): state for letter in stay}}


MOVES: Final[Mapping[State, Mapping[int, State]]] = {s: _with_bystanders(s, row) for s, row in _MOVES.items()}
