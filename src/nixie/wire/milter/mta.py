"""The mail server's side of a milter session, for probes, tests and measurements: events out, replies back. No socket.

It keeps to what was negotiated as Postfix does: commands that the filter declined are not sent, silence is not waited for,
and a reply nobody waits for is a ProtocolError.
"""

from __future__ import annotations

from nixie.wire.milter import events as ev
from nixie.wire.milter.answers import ReplyDecoder
from nixie.wire.milter.commands import pack_event
from nixie.wire.milter.constants import ALL_ACTIONS, ALL_STEPS, MACRO_STAGE, MAX_CHUNK, NEWEST_VERSION, NOT_SENT, Letter
from nixie.wire.milter.errors import LocalError, ProtocolError
from nixie.wire.milter.negotiation import is_answered
from nixie.wire.milter.replies import Agreed, Reply


class MtaSession:
    """One connection to a filter, offering `version`, `actions` and `steps`."""

    __slots__ = ("_decoder", "_lists", "_offer", "_waits_for", "agreed")

    def __init__(self, version: int = NEWEST_VERSION, actions: int = ALL_ACTIONS, steps: int = ALL_STEPS) -> None:
        self._offer = ev.Offer(version, int(actions), int(steps))  # a flag's complement would forget unknown bits
        self._decoder = ReplyDecoder()
        self._waits_for: int | None = None
        self._lists: dict[int, tuple[bytes, ...]] = {}
        self.agreed: Agreed | None = None

    @property
    def waits(self) -> bool:
        """Return whether a reply is due."""
        return self._waits_for is not None

    def offer(self) -> bytes:
        """Return the opening packet."""
        self._waits_for = Letter.OPTNEG
        return pack_event(self._offer)

    def send(self, event: ev.Event) -> bytes:
        """Return the bytes of a command, none when the filter declined it. Raises LocalError while a reply is due."""
        if self.agreed is None or self.waits:
            raise LocalError("nothing is sent before the reply that is due")
        letter = event.letter
        if (declined := NOT_SENT.get(Letter(letter))) and self.agreed.steps & declined:
            return b""
        if isinstance(event, ev.Macros):
            event = self._as_asked(event)
        if is_answered(letter, self.agreed.steps):
            self._waits_for = letter
        return pack_event(event)

    def feed(self, data: bytes) -> None:
        """Add what arrived."""
        self._decoder.feed(data)

    def next(self) -> Reply | None:
        """Return the next reply after the negotiation, None when more bytes are needed. Raises ProtocolError."""
        while (reply := self._decoder.next()) is not None:
            if isinstance(reply, Agreed):
                self._settle(reply)
                continue
            self._check(reply)
            return reply
        return None

    def _settle(self, agreed: Agreed) -> None:
        if self._waits_for != Letter.OPTNEG:
            raise ProtocolError("OPTNEG reply at the wrong time")
        if agreed.version > self._offer.version or agreed.actions & ~self._offer.actions:
            raise ProtocolError("the filter asks for more than was offered")
        if agreed.steps & ~self._offer.steps:
            raise ProtocolError("the filter declines what was not offered")
        self.agreed, self._waits_for, self._lists = agreed, None, dict(agreed.macros)

    def _check(self, reply: Reply) -> None:
        if self.agreed is None or self._waits_for is None:
            raise ProtocolError(f"{type(reply).__name__}: a reply that nobody waits for")
        if not reply.final and self._waits_for != Letter.EOM:
            raise ProtocolError(f"{type(reply).__name__} before the end of the message")
        if reply.action & ~self.agreed.actions:
            raise ProtocolError(f"{type(reply).__name__} was not negotiated")
        if reply.final:
            self._waits_for = None

    def _as_asked(self, event: ev.Macros) -> ev.Macros:
        names = self._lists.get(MACRO_STAGE.get(Letter(event.stage), -1))
        if names is None:
            return event
        return ev.Macros(event.stage, tuple(pair for pair in event.pairs if pair[0] in names))


def split_message(content: bytes, *, leading_space: bool, chunk: int = MAX_CHUNK) -> tuple[ev.Event, ...]:
    """Return the events from the first header field to the end of a message with CRLF line ends, as a server cuts it."""
    head, _, body = content.partition(b"\r\n\r\n")
    unfolded = head.replace(b"\r\n ", b"\n ").replace(b"\r\n\t", b"\n\t")
    said: list[ev.Event] = []
    for line in unfolded.split(b"\r\n"):
        name, _, value = line.partition(b":")
        said.append(ev.Header(name, value if leading_space else value.removeprefix(b" ")))
    said.append(ev.EndOfHeaders())
    said.extend(ev.Body(body[at : at + chunk]) for at in range(0, len(body), chunk))
    return (*said, ev.EndOfMessage())
