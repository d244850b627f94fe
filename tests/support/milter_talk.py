"""One end of a milter dialogue for tests: say events to a `FilterSession`, see what happens and what is sent."""

from __future__ import annotations

from nixie.wire.milter import FilterSession, Limits, MessageReceived, SessionEnded, pack_event
from nixie.wire.milter import events as ev
from nixie.wire.milter import replies as rp
from nixie.wire.milter.constants import ALL_ACTIONS, ALL_STEPS

OFFER = ev.Offer(6, int(ALL_ACTIONS), int(ALL_STEPS))
OLD_OFFER = ev.Offer(2, 0x3F, 0x7F)
CLIENT = (ev.Connect(b"mail.example.org", b"4", 2525, b"192.0.2.1"), ev.Helo(b"mail.example.org"))
CONTENT = (ev.Header(b"Subject", b" tea"), ev.EndOfHeaders(), ev.Body(b"at four\r\n"), ev.EndOfMessage())
ANNA, BOB, CARL = ev.Mail(b"<anna@example.org>"), ev.Rcpt(b"<bob@example.com>"), ev.Rcpt(b"<carl@example.net>")


def wire(*said: ev.Event) -> bytes:
    return b"".join(pack_event(event) for event in said)


class Sink(bytearray):
    """Keeps the bytes; remembers whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True

    def append(self, data: bytes | bytearray | memoryview) -> None:  # type: ignore[override]
        self += data


class Talk:
    """A session with the list of its sinks; each message is answered with CONTINUE at once."""

    def __init__(self, *said: ev.Event, limits: Limits | None = None) -> None:
        self.sinks: list[Sink] = []
        self.session = FilterSession(self._open, limits)
        self.sent = b""
        self.say(*said)

    def _open(self) -> Sink:
        self.sinks.append(Sink())
        return self.sinks[-1]

    def say(self, *said: ev.Event, piece: int = 0) -> list[MessageReceived | SessionEnded]:
        sent = wire(*said)
        happened = []
        for at in range(0, len(sent), piece or len(sent) or 1):
            self.session.feed(sent[at : at + (piece or len(sent))])
            while (happening := self.session.step()) is not None:
                happened.append(happening)
                self.sent += self.session.outgoing()
                if isinstance(happening, MessageReceived):
                    self.sent += self.session.answer((rp.Continue(),))
            self.sent += self.session.outgoing()
        return happened

    def message(self, *said: ev.Event, piece: int = 0) -> MessageReceived:
        (happening,) = self.say(*said, piece=piece)
        assert isinstance(happening, MessageReceived)
        return happening
