"""One mail server's connection to the milter door: asyncio around one `FilterSession`.

What holds here, whatever happens:

* a verdict is written only after the judge answered, so what it says is durable already;
* an exception of ours is "try again later" and a closed connection, never a pass;
* a judge that runs is never interrupted because its client left: what it records has its key, and the retry finds it;
* a peer can make us keep no more than one message, one packet and one read of the socket.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, cast

import structlog

from nixie.service.carried import Carried
from nixie.service.milter_speech import LATER, OF_TROUBLE, Unspeakable, replies_for, submission_of
from nixie.service.steps import Step, reached_soon
from nixie.wire.milter import Action, FilterSession, Limits, MessageReceived, ProtocolError

if TYPE_CHECKING:
    from nixie.service.ports import Judge
    from nixie.wire.milter.replies import Reply

log = structlog.get_logger("nixie.milter")

# Linux forgets the setting after a while, so it is set again after every read. Without it a server that writes several
# small packets in a row waits 40 ms for our delayed acknowledgement: 20 messages a second instead of 300.
_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)


@dataclass(frozen=True, slots=True)
class MilterSettings:
    """Bounds of the door. Times in seconds, sizes in bytes.

    `idle_timeout` is between commands, `content_timeout` between packets of header and body. PROGRESS is sent each
    `progress_interval` while a message is judged, for at most `patience`: the SMTP client gives up after ten minutes
    (RFC 5321, section 4.5.3.2.6), and a yes after that sends the mail twice.
    """

    max_connections: int = 500
    idle_timeout: float = 3600.0
    content_timeout: float = 300.0
    progress_interval: float = 10.0
    patience: float = 540.0
    max_message_bytes: int = 100_000_000
    max_recipients: int = 10_000


class House(Protocol):
    """What a connection needs of the door."""

    judge: Judge
    settings: MilterSettings
    limits: Limits
    messages: int
    under_way: int
    stopping: bool

    def joined(self, connection: Connection) -> int:
        """Count a connection in and return its number."""

    def left(self, connection: Connection) -> None:
        """Count a connection out."""

    def run(self, work: asyncio.Task[None]) -> None:
        """Keep a judging task alive, whatever becomes of its connection."""


class Connection(asyncio.Protocol):
    """One mail server's connection. At most one message is judged at a time; further bytes wait unread."""

    def __init__(self, door: House) -> None:
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._session = FilterSession(Carried, door.limits)
        self._transport: asyncio.Transport
        self._tcp: socket.socket | None = None
        self._number = 0
        self._judging = False
        self._under_way = False
        self._write_full = False
        self._reading = True
        self._heard = self._loop.time()
        self._give_up = 0.0
        self._progress: asyncio.TimerHandle | None = None

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the door; over TCP, set what keeps small packets from waiting."""
        self._transport = cast("asyncio.Transport", transport)
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if _QUICKACK is not None:
                self._tcp = sock
                sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        self._number = self._door.joined(self)
        if self._door.stopping:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Read on, or keep the bytes while a message is judged."""
        if self._tcp is not None and _QUICKACK is not None:
            self._tcp.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        self._heard = self._loop.time()
        self._session.feed(data)
        if self._judging:
            self._read_or_pause()
        else:
            self._advance()

    def pause_writing(self) -> None:
        """Stop reading: the server does not take our replies."""
        self._write_full = True
        self._read_or_pause()

    def resume_writing(self) -> None:
        """Read on."""
        self._write_full = False
        self._read_or_pause()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why it broke changes nothing
        """Forget a message that is not complete; one that is judged comes to its end."""
        if self._progress is not None:
            self._progress.cancel()
        self._session.close()
        self._count()
        self._door.left(self)

    # What the door calls

    def close_if_idle(self) -> None:
        """Close unless a message is under way."""
        if not self._session.in_message:
            self._transport.close()

    def close_if_silent(self, now: float) -> None:
        """Close when the server has said nothing for too long; never while we are the ones it waits for."""
        settings = self._door.settings
        limit = settings.content_timeout if self._session.in_content else settings.idle_timeout
        if not self._judging and now - self._heard > limit:
            log.warning("connection closed after silence", connection=self._number, state=self._session.state.name)
            self.abort()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    # The way of a message

    def _advance(self) -> None:
        """Read what has arrived, as far as it goes without waiting."""
        try:
            while not self._judging and not self._transport.is_closing():
                happening = self._session.step()
                if said := self._session.outgoing():
                    self._transport.write(said)
                if happening is None:
                    break
                if not isinstance(happening, MessageReceived):
                    self._transport.close()
                elif happening.trouble is None:
                    self._begin(happening)
                else:
                    log.warning("message not taken", connection=self._number, reason=str(happening.trouble))
                    self._write(self._session.answer((OF_TROUBLE[happening.trouble],)))
            self._count()
            if self._door.stopping:
                self.close_if_idle()
            self._read_or_pause()
        except ProtocolError as error:
            log.warning("milter protocol broken", connection=self._number, reason=str(error))
            self.abort()
        except Exception as error:  # noqa: BLE001 - the edge: a closed connection is "try again later" to the server
            log.error("milter connection failed", connection=self._number, error=error)
            self.abort()

    def _count(self) -> None:
        """Keep the door's count of messages under way."""
        if self._session.in_message is not self._under_way:
            self._under_way = not self._under_way
            self._door.under_way += 1 if self._under_way else -1

    def _begin(self, message: MessageReceived) -> None:
        self._judging = True
        self._give_up = self._loop.time() + self._door.settings.patience
        self._progress = self._loop.call_later(self._door.settings.progress_interval, self._say_progress)
        self._door.run(self._loop.create_task(self._judge(message)))

    async def _judge(self, message: MessageReceived) -> None:
        carried = cast("Carried", message.sink)
        packets, sound = b"", True
        try:
            replies = await self._ask(message, carried)
            if not self._transport.is_closing():
                packets = self._session.answer(replies)
        except Exception as error:  # noqa: BLE001 - the edge: in doubt the mail server keeps the message
            sound = False
            log.error("message failed", error=error, **self._names(message))
        finally:
            carried.close()
            if self._progress is not None:
                self._progress.cancel()
        self._judging = False
        self._heard = self._loop.time()
        if self._transport.is_closing():
            return
        self._write(packets if sound else self._session.answer((LATER,)))
        if sound:
            self._advance()
        else:
            self._transport.close()

    async def _ask(self, message: MessageReceived, carried: Carried) -> tuple[Reply, ...]:
        try:
            answer = await self._door.judge.judge(submission_of(message, carried))
            return replies_for(answer, message, may_delete=self._session.offered(Action.DELRCPT))
        except Unspeakable as error:
            log.error("message answered otherwise", reason=error.reason, remedy=error.remedy, **self._names(message))
            return (error.reply,)

    def _write(self, verdict: bytes) -> None:
        self._transport.write(verdict)
        self._door.messages += 1
        reached_soon(Step.ANSWERED)

    def _say_progress(self) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(self._session.progress())
        if self._loop.time() < self._give_up:
            self._progress = self._loop.call_later(self._door.settings.progress_interval, self._say_progress)
        else:
            log.error("judging takes too long", connection=self._number)

    def _read_or_pause(self) -> None:
        wanted = not self._write_full and not (self._judging and self._session.waiting())
        if wanted is self._reading or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _names(self, message: MessageReceived) -> dict[str, object]:
        return {"connection": self._number, "queue_id": message.queue_id.decode("ascii", "replace")}
