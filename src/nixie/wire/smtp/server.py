"""The server's side of SMTP: bytes of a client in, events out, replies in, bytes out.

The session answers by itself what needs nobody's opinion (NOOP, bad syntax, wrong order, limits). The rest are events, and
each event wants one `reply`, in order. MAIL and RCPT may be several at once: commands that a client has pipelined come
out one after the other without waiting, so that they can go to a next hop as one flight; any other command waits until
all before it are answered. Replies gather until `data_to_send`, so a flight is answered in one write.

Which command is legal when stands in one table, `MOVES`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from nixie.wire.smtp import commands
from nixie.wire.smtp.commands import Command, CommandError, Hello, Mail, Plain, Rcpt, Xforward, parse
from nixie.wire.smtp.data import Defect, TextReader
from nixie.wire.smtp.errors import LocalError
from nixie.wire.smtp.lines import Bare, LineReader, TooLong
from nixie.wire.smtp.replies import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ERRORS = 20
"""How many refused commands one connection may send before it is ended."""


class Phase(Enum):
    """Where a session stands."""

    NEW = auto()
    READY = auto()
    MAIL = auto()
    RCPT = auto()
    TEXT = auto()
    WAITING = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Data:
    """The client wants to send a text; answer 354 to let it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the text, dots taken off. Wants no reply."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TextEnd:
    """The text is complete; with a `defect` its pieces must be forgotten, and after `BARE` the session ends."""

    defect: Defect | None


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET in a transaction or outside of one."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """The client wants TLS; after a 220 start it before reading on."""


@dataclass(frozen=True, slots=True)
class Quit:
    """The client says good-bye."""


Event = Hello | Mail | Rcpt | Data | Text | TextEnd | Reset | StartTls | Quit


class Limits(NamedTuple):
    """Bounds of a session: text bytes (0: none) and recipients of one transaction."""

    size: int = 0
    recipients: int = 10_000


_ANY = frozenset({Phase.NEW, Phase.READY, Phase.MAIL, Phase.RCPT})
_HELLO_FIRST = Reply(503, (b"5.5.1 Send EHLO first",))
_MAIL_FIRST = Reply(503, (b"5.5.1 Need MAIL before that",))
_RCPT_FIRST = Reply(554, (b"5.5.1 No valid recipients",))
_NESTED = Reply(503, (b"5.5.1 A transaction is open",))
_NO_TLS_NOW = Reply(503, (b"5.5.1 TLS is not possible now",))

MOVES: dict[bytes, tuple[frozenset[Phase], dict[Phase, Reply]]] = {
    b"HELLO": (_ANY, {}),
    b"RSET": (_ANY, {}),
    b"NOOP": (_ANY, {}),
    b"VRFY": (_ANY, {}),
    b"HELP": (_ANY, {}),
    b"QUIT": (_ANY, {}),
    b"STARTTLS": (frozenset({Phase.READY}), dict.fromkeys(Phase, _NO_TLS_NOW)),
    b"XFORWARD": (frozenset({Phase.READY}), {**dict.fromkeys(Phase, _NESTED), Phase.NEW: _HELLO_FIRST}),
    b"MAIL": (frozenset({Phase.READY}), {**dict.fromkeys(Phase, _NESTED), Phase.NEW: _HELLO_FIRST}),
    b"RCPT": (frozenset({Phase.MAIL, Phase.RCPT}), {**dict.fromkeys(Phase, _MAIL_FIRST), Phase.NEW: _HELLO_FIRST}),
    b"DATA": (
        frozenset({Phase.RCPT}),
        {Phase.NEW: _HELLO_FIRST, Phase.READY: _MAIL_FIRST, Phase.MAIL: _RCPT_FIRST},
    ),
}
"""Command -> the phases in which it is legal, and the reply in the others."""

_OWN_WORD: dict[bytes, Reply] = {
    b"NOOP": Reply(250, (b"2.0.0 Ok",)),
    b"VRFY": Reply(252, (b"2.5.2 Send some mail, I will try my best",)),
    b"HELP": Reply(214, (b"2.0.0 RFC 5321 is spoken here",)),
}
_BARE = Reply(500, (b"5.5.2 Bare CR or LF in a command; lines end in CRLF",))
_IMPROPER = Reply(503, (b"5.5.0 Improper pipelining: the text came before 354",))
_TOO_MANY_ERRORS = Reply(421, (b"4.7.0 Too many errors",))
_TOO_MANY_RECIPIENTS = Reply(452, (b"4.5.3 Too many recipients",))
_TOO_BIG = Reply(552, (b"5.3.4 Message size exceeds the limit",))
_BAD_SENDER = Reply(501, (b"5.1.7 Bad sender address syntax",))
_BAD_RECIPIENT = Reply(501, (b"5.1.3 Bad recipient address syntax",))
_TLS_NEEDED = Reply(530, (b"5.7.0 Must issue a STARTTLS command first",))


class ServerSession:
    """One connection. `readable` says whether a path can be understood; those that cannot are answered 501 here.

    `tls` and `xforward` say whether these commands are offered; `need_tls` refuses MAIL until `secured` was called.
    """

    def __init__(
        self,
        limits: Limits = Limits(),  # noqa: B008 - a value
        *,
        tls: bool = False,
        need_tls: bool = False,
        xforward: bool = False,
        readable: Callable[[bytes], bool] = lambda _path: True,
    ) -> None:
        self.phase = Phase.NEW
        self.tls = tls
        self.need_tls = need_tls
        self.xforward = xforward
        self.forwarded: dict[str, str] = {}
        self.errors = 0
        self.recipients = 0
        self._limits = limits
        self._readable = readable
        self._lines = LineReader()
        self._next: Command | CommandError | None = None
        self._flight: deque[Mail | Rcpt] = deque()
        self._asked = 0
        self._ahead = Phase.NEW
        self._awaiting: Event | None = None
        self._text: TextReader | None = None
        self._chunks: deque[bytes] = deque()
        self._out: list[bytes] = []

    @property
    def closed(self) -> bool:
        """Return whether the session is over once the bytes to send are sent."""
        return self.phase is Phase.CLOSED

    @property
    def in_transaction(self) -> bool:
        """Return whether a MAIL stands or is being answered."""
        return self.phase not in (Phase.NEW, Phase.READY, Phase.CLOSED) or bool(self._flight)

    def receive(self, data: bytes) -> None:
        """Add bytes that arrived."""
        if self._text is not None and not self._text.ended:
            self._chunks.append(data)
        elif not self.closed:
            self._lines.receive(data)

    def data_to_send(self) -> bytes:
        """Return all replies since the last call."""
        out = b"".join(self._out)
        self._out.clear()
        return out

    def greet(self, reply: Reply) -> None:
        """Say the first word; anything but 220 ends the session with it."""
        self._out.append(reply.encode())
        if not reply.positive:
            self.phase = Phase.CLOSED

    def close(self, reply: Reply) -> None:
        """Say a last word that nobody asked for (421) and end."""
        self._out.append(reply.encode())
        self._end()

    def next_event(self) -> Event | None:
        """Return the next event; None when bytes are missing, or replies to events that were handed out."""
        while not self.closed:
            if self._text is not None:
                return self._next_text(self._text)
            if self._awaiting is not None:
                return None
            if self._next is None:
                self._next = self._read()
                if self._next is None:
                    return None
            command = self._next
            if isinstance(command, (Mail, Rcpt)) and self._refusal(command) is None:
                self._next = None
                self._flight.append(command)
                if isinstance(command, Mail):
                    self._ahead = Phase.MAIL
                    self.recipients = self._asked = 0
                else:
                    self._ahead = Phase.RCPT
                    self._asked += 1
                return command
            if self._flight:
                return None
            self._next = None
            event = self._handle(command)
            if event is not None:
                self._awaiting = event
                return event
        return None

    def reply(self, reply: Reply) -> None:
        """Answer the oldest event that has no answer yet; 421 ends the session. Raises LocalError when there is none."""
        if self.closed:
            return
        self._out.append(reply.encode())
        if reply.code == 421:
            self._end()
            return
        if self._flight:
            command = self._flight.popleft()
            if isinstance(command, Rcpt):
                self._asked -= 1
            if reply.positive and isinstance(command, Mail):
                self.phase = Phase.MAIL
            elif reply.positive and self.phase in (Phase.MAIL, Phase.RCPT):
                self.phase = Phase.RCPT
                self.recipients += 1
            if not self._flight:
                self._ahead = self.phase
            return
        event, self._awaiting = self._awaiting, None
        if event is None:
            raise LocalError("a reply without a command")
        self._settle(event, reply)
        self._ahead = self.phase

    def secured(self) -> None:
        """Note that TLS stands: nothing said before counts (RFC 3207, section 4.2)."""
        self._lines.take()
        self.tls = self.need_tls = False
        self.phase = self._ahead = Phase.NEW

    def _settle(self, event: Event, reply: Reply) -> None:
        match event:
            case Hello() if reply.positive:
                self.phase = Phase.READY
            case Reset() if reply.positive and self.phase is not Phase.NEW:
                self.phase = Phase.READY
            case Data() if reply.go_on:
                self.phase = Phase.TEXT
                self._text = TextReader(self._limits.size)
            case Data() | TextEnd():
                self.phase = Phase.READY
                self.forwarded = {}
                if isinstance(event, TextEnd) and event.defect is Defect.BARE:
                    self._end()
            case StartTls() if reply.positive:
                # What was pipelined behind STARTTLS came in clear, perhaps from somebody else.
                self._lines.take()
            case Quit():
                self._end()
            case _:
                pass

    def _next_text(self, text: TextReader) -> Event | None:
        while self._chunks:
            data = text.receive(self._chunks.popleft())
            if text.ended:
                # Bytes behind the end are commands again.
                self._lines.receive(text.rest)
                while self._chunks:
                    self._lines.receive(self._chunks.popleft())
            if data:
                return Text(data)
        if not text.ended:
            return None
        self._text = None
        self.phase = Phase.WAITING
        self._awaiting = TextEnd(text.defect)
        return self._awaiting

    def _read(self) -> Command | CommandError | None:
        line = self._lines.next_line()
        if line is None:
            return None
        if isinstance(line, Bare):
            return CommandError(_BARE, close=True)
        if isinstance(line, TooLong):
            return CommandError(commands.TOO_LONG)
        try:
            return parse(line.text)
        except CommandError as error:
            return error

    def _handle(self, command: Command | CommandError) -> Event | None:
        if isinstance(command, CommandError):
            self._error(command.reply, close=command.close)
            return None
        refusal = self._refusal(command)
        if refusal is not None:
            self._error(refusal, close=refusal is _IMPROPER)
            return None
        if isinstance(command, Hello):
            return command
        if isinstance(command, Xforward):
            self.forwarded.update(command.attributes)
            self._out.append(_OWN_WORD[b"NOOP"].encode())
            return None
        assert isinstance(command, Plain)
        own = _OWN_WORD.get(command.verb)
        if own is not None:
            self._out.append(own.encode())
            return None
        return _EVENTS[command.verb]()

    def _refusal(self, command: Command) -> Reply | None:
        """Return the reply with which a command is refused here, None when it may go on."""
        name = command.verb if isinstance(command, Plain) else _NAMES[type(command)]
        phases, otherwise = MOVES[name]
        if (name == b"STARTTLS" and not self.tls) or (name == b"XFORWARD" and not self.xforward):
            return commands.NOT_OFFERED
        if self._ahead not in phases:
            return otherwise[self._ahead]
        if isinstance(command, Mail):
            return self._mail_refusal(command)
        if isinstance(command, Rcpt):
            if self.recipients + self._asked >= self._limits.recipients:
                return _TOO_MANY_RECIPIENTS
            return None if command.path != b"<>" and self._readable(command.path) else _BAD_RECIPIENT
        # RFC 2920, section 3.1: DATA is the last of its group. Else a refused DATA would turn a text into commands.
        return _IMPROPER if name == b"DATA" and len(self._lines) else None

    def _mail_refusal(self, command: Mail) -> Reply | None:
        if self.need_tls:
            return _TLS_NEEDED
        size = command.param(b"SIZE")
        if size is not None and (not size.isdigit() or len(size) > 20):
            return commands.SYNTAX
        if size is not None and self._limits.size and int(size) > self._limits.size:
            return _TOO_BIG
        return None if self._readable(command.path) else _BAD_SENDER

    def _error(self, reply: Reply, *, close: bool) -> None:
        self._out.append(reply.encode())
        self.errors += 1
        if close:
            self._end()
        elif self.errors > MAX_ERRORS:
            self.close(_TOO_MANY_ERRORS)

    def _end(self) -> None:
        self.phase = Phase.CLOSED
        self._lines.take()
        self._chunks.clear()
        self._text = self._next = None
        self._flight.clear()


_NAMES: dict[type[Command], bytes] = {Hello: b"HELLO", Mail: b"MAIL", Rcpt: b"RCPT", Xforward: b"XFORWARD"}
_EVENTS: dict[bytes, Callable[[], Event]] = {
    b"DATA": Data,
    b"RSET": Reset,
    b"QUIT": Quit,
    b"STARTTLS": StartTls,
}
