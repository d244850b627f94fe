"""The filter's side of a milter session: bytes in, complete messages out, verdicts back in. No socket, no clock.

The caller feeds bytes and calls `step` until it returns None. A `MessageReceived` stops the session: whatever else has
arrived waits until `answer` gave the verdict, so no byte of the next message can meet the state of this one. Bytes to be
sent gather in `outgoing`.

What lives how long:

* the connection: CONNECT, HELO and their macros, until QUIT, QUIT_NC or a new HELO;
* the message: everything else, from MAIL to the verdict, ABORT, or the next MAIL. Macros wait for the command they
  announce, so that a login of one message can never be taken for that of the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from nixie.wire.milter import events as ev
from nixie.wire.milter.answers import pack_reply
from nixie.wire.milter.commands import PARSERS, name_and_value, unknown
from nixie.wire.milter.constants import MAX_PACKET, Letter, Step
from nixie.wire.milter.draft import Draft, Limits, Sink, Trouble
from nixie.wire.milter.errors import LocalError, ProtocolError
from nixie.wire.milter.framing import Frames
from nixie.wire.milter.law import MOVES, State
from nixie.wire.milter.negotiation import WANTED_ACTIONS, WANTED_STEPS, agree, answered
from nixie.wire.milter.replies import Agreed, Continue, Progress, Reply, Skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_CONTINUE: Final = pack_reply(Continue())
_SKIP: Final = pack_reply(Skip())
_PROGRESS: Final = pack_reply(Progress())
_NOBODY: Final = ev.Connect(b"", b"U")
_NO_MACROS: Mapping[bytes, bytes] = {}
_MACRO, _HEADER = int(Letter.MACRO), int(Letter.HEADER)


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """One whole message: who handed it over, its envelope as it came, and the sink that holds its bytes.

    `macros` are those of the connection and of this message, names without braces, the latest value of each.
    With a `trouble` the sink is None and only a refusal or "later" is honest. The receiver closes the sink.
    """

    connect: ev.Connect
    helo: bytes
    macros: Mapping[bytes, bytes] = field(repr=False)
    sender: ev.Mail
    recipients: tuple[ev.Rcpt, ...]
    sink: Sink | None = field(repr=False)
    size: int
    trouble: Trouble | None = None

    @property
    def queue_id(self) -> bytes:
        """Return the server's queue id, empty when it said none."""
        return self.macros.get(b"i", b"")


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The server said QUIT: close the connection when everything is sent."""


Happening: TypeAlias = MessageReceived | SessionEnded


class FilterSession:
    """One connection of a mail server. `open_sink` gives a fresh place for a message's bytes."""

    __slots__ = (
        "_answered",
        "_connect",
        "_connect_macros",
        "_draft",
        "_frames",
        "_helo",
        "_helo_macros",
        "_limits",
        "_open_sink",
        "_out",
        "_pending",
        "_said",
        "_wanted",
        "agreed",
        "state",
    )

    def __init__(
        self,
        open_sink: Callable[[], Sink],
        limits: Limits | None = None,
        *,
        actions: int = WANTED_ACTIONS,
        steps: int = WANTED_STEPS,
        max_packet: int = MAX_PACKET,
    ) -> None:
        self._open_sink = open_sink
        self._limits = limits or Limits()
        self._wanted = (actions, steps)
        self._frames = Frames(max_packet)
        self._out = bytearray()
        self._pending: dict[int, tuple[tuple[bytes, bytes], ...]] = {}
        self._said = b""
        self._answered: frozenset[int] = frozenset()
        self._draft: Draft | None = None
        self.agreed: Agreed | None = None
        self.state = State.OPENING
        self._connect = _NOBODY
        self._connect_macros = _NO_MACROS
        self._helo = b""
        self._helo_macros = _NO_MACROS

    @property
    def in_message(self) -> bool:
        """Return whether a message has begun and is not answered."""
        return State.SENDER <= self.state <= State.JUDGING

    @property
    def in_content(self) -> bool:
        """Return whether the server is sending header or body, where it never pauses for long."""
        return State.DATA <= self.state <= State.BODY

    def feed(self, data: bytes) -> None:
        """Add what arrived."""
        self._frames.feed(data)

    def waiting(self) -> int:
        """Return how many bytes arrived and were not looked at yet."""
        return self._frames.waiting()

    def outgoing(self) -> bytes:
        """Return what must be sent now, and forget it."""
        if not self._out:
            return b""
        data = bytes(self._out)
        self._out.clear()
        return data

    def step(self) -> Happening | None:
        """Read on until something happens that the caller must act on; None: nothing more to read now.

        Raises ProtocolError when the server does what the law does not allow; the session is then closed.
        """
        try:
            return self._step()
        except ProtocolError:
            self.close()
            raise

    def _step(self) -> Happening | None:
        following, moves = self._frames.take, MOVES[self.state]
        while moves:
            packet = following()
            if packet is None:
                return None
            letter, data = packet
            if letter == _MACRO and data == self._said and letter in moves:
                # A server says the same before every field of a header; what was read once stands in `_pending`.
                continue
            after = moves.get(letter)
            parse = PARSERS.get(letter)
            if parse is None:
                raise unknown(letter)
            happening: Happening | None = None
            if letter == _HEADER and after is not None:
                assert self._draft is not None
                self._draft.add_header(*name_and_value(data))
            else:
                event = parse(data)
                if after is None:
                    raise ProtocolError(f"{Letter(letter).name} is not allowed in state {self.state.name}")
                happening = _HANDLERS[letter](self, event)
                self._said = data if letter == _MACRO else b""
            if after is not self.state:
                self.state, moves = after, MOVES[after]
            if letter in self._answered:
                self._out += self._reply_to(letter)
            if happening is not None:
                return happening
        return None

    def progress(self) -> bytes:
        """Return the bytes that make the server wait longer. Raises LocalError when it waits for nothing."""
        if self.state is not State.JUDGING:
            raise LocalError("PROGRESS is said only while a message is judged")
        return _PROGRESS

    def offered(self, action: int) -> bool:
        """Return whether an edit of this kind was negotiated."""
        return self.agreed is not None and self.agreed.actions & action == action

    def answer(self, replies: Iterable[Reply]) -> bytes:
        """Return the bytes of edits and one verdict, and go on to the next message.

        Raises LocalError, and changes nothing, when no message waits, an edit was not negotiated, or the last reply is
        not the only verdict.
        """
        if self.state is not State.JUDGING:
            raise LocalError("a verdict without a message")
        said = tuple(replies)
        if [reply.final for reply in said] != [False] * (len(said) - 1) + [True]:
            raise LocalError("an answer is any number of edits and then one verdict")
        for reply in said:
            if not self.offered(reply.action):
                raise LocalError(f"{type(reply).__name__} was not negotiated")
        packets = b"".join(map(pack_reply, said))
        self.state = State.CONNECTED
        return packets

    def close(self) -> None:
        """Forget everything; the sink of a message that was not handed out is closed."""
        self._drop_draft()
        self.state = State.CLOSED

    # One handler a command, but for HEADER, of which a message has many. The state has been checked; it changes after the handler.

    def _on_offer(self, event: ev.Offer) -> None:
        self.agreed = agree(event, *self._wanted)
        self._answered = answered(self.agreed.steps)
        self._out += pack_reply(self.agreed)

    def _on_macros(self, event: ev.Macros) -> None:
        self._pending[event.stage] = event.pairs

    def _on_connect(self, event: ev.Connect) -> None:
        announced = self._pending.pop(Letter.CONNECT, ())
        self._forget_client()
        self._connect = event
        self._connect_macros = dict(announced)

    def _on_helo(self, event: ev.Helo) -> None:
        announced = self._pending.pop(Letter.HELO, ())
        self._drop_draft()
        self._helo = event.argument
        self._helo_macros = dict(announced)

    def _on_mail(self, event: ev.Mail) -> None:
        announced = self._pending.pop(Letter.MAIL, ())
        self._drop_draft()
        spaced = self.agreed is not None and bool(self.agreed.steps & Step.HDR_LEADSPC)
        self._draft = Draft(event, self._open_sink, self._limits, leading_space=spaced)
        self._draft.macros.update(announced)

    def _on_rcpt(self, event: ev.Rcpt) -> None:
        # Macros of one recipient say nothing of the next, so they are let go here.
        draft = self._message(0)
        self._pending.pop(Letter.RCPT, None)
        draft.add_recipient(event)

    def _on_data(self, _event: ev.Data) -> None:
        self._message(Letter.DATA)

    def _on_end_of_headers(self, _event: ev.EndOfHeaders) -> None:
        self._message(Letter.EOH).end_headers()

    def _on_body(self, event: ev.Body) -> None:
        assert self._draft is not None
        self._draft.add_body(event.chunk)

    def _on_end_of_message(self, event: ev.EndOfMessage) -> MessageReceived:
        draft = self._message(Letter.EOM)
        if event.chunk:
            draft.add_body(event.chunk)
        self._draft = None
        self._pending.clear()
        return MessageReceived(
            connect=self._connect,
            helo=self._helo,
            macros={**self._connect_macros, **self._helo_macros, **draft.macros},
            sender=draft.sender,
            recipients=tuple(draft.recipients),
            sink=draft.finish(),
            size=draft.size,
            trouble=draft.trouble,
        )

    def _on_abort(self, _event: ev.Abort) -> None:
        self._drop_draft()

    def _on_quit(self, _event: ev.Quit) -> SessionEnded:
        self._drop_draft()
        return SessionEnded()

    def _on_quit_new_connection(self, _event: ev.QuitNewConnection) -> None:
        self._drop_draft()
        self._forget_client()

    def _on_unknown(self, _event: ev.Unknown) -> None:
        self._pending.pop(Letter.UNKNOWN, None)

    # Helpers

    def _message(self, letter: int) -> Draft:
        assert self._draft is not None
        if self._pending and (announced := self._pending.pop(letter, None)):
            self._draft.macros.update(announced)
        return self._draft

    def _reply_to(self, letter: int) -> bytes:
        if letter == Letter.BODY and self._draft is not None and self._draft.trouble and self._may_skip():
            return _SKIP
        return _CONTINUE

    def _may_skip(self) -> bool:
        return self.agreed is not None and bool(self.agreed.steps & Step.SKIP)

    def _drop_draft(self) -> None:
        self._pending.clear()
        if self._draft is not None:
            self._draft.drop()
            self._draft = None

    def _forget_client(self) -> None:
        self._connect = _NOBODY
        self._connect_macros = _NO_MACROS
        self._helo = b""
        self._helo_macros = _NO_MACROS


_HANDLERS: Final[Mapping[int, Callable[[FilterSession, Any], Happening | None]]] = {
    Letter.OPTNEG: FilterSession._on_offer,  # noqa: SLF001 - the table belongs to the class
    Letter.MACRO: FilterSession._on_macros,  # noqa: SLF001
    Letter.CONNECT: FilterSession._on_connect,  # noqa: SLF001
    Letter.HELO: FilterSession._on_helo,  # noqa: SLF001
    Letter.MAIL: FilterSession._on_mail,  # noqa: SLF001
    Letter.RCPT: FilterSession._on_rcpt,  # noqa: SLF001
    Letter.DATA: FilterSession._on_data,  # noqa: SLF001
    Letter.EOH: FilterSession._on_end_of_headers,  # noqa: SLF001
    Letter.BODY: FilterSession._on_body,  # noqa: SLF001
    Letter.EOM: FilterSession._on_end_of_message,  # noqa: SLF001
    Letter.ABORT: FilterSession._on_abort,  # noqa: SLF001
    Letter.QUIT: FilterSession._on_quit,  # noqa: SLF001
    Letter.QUIT_NC: FilterSession._on_quit_new_connection,  # noqa: SLF001
    Letter.UNKNOWN: FilterSession._on_unknown,  # noqa: SLF001
}
