"""One client's session at the SMTP door: commands go to the next hop as they come, the text stops here until it is judged.

The session owns no mail. What it answers positively at the end was taken by the next hop, or is on disk as a hold.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from nixie.core.address import NULL, AddressError, parse_path
from nixie.core.envelope import Client, Envelope, Recipient
from nixie.service.carried import Carried
from nixie.service.ports import Answer, Submission
from nixie.service.smtp_forward import HOP_LOST, LATER, ClientGoneError, Transaction, abandon, forward
from nixie.service.smtp_hop import HopLostError
from nixie.service.smtp_pipe import PipeLostError, PipeStoppedError, PipeTimeoutError
from nixie.service.steps import Step, reached_soon
from nixie.wire.smtp import (
    UNAVAILABLE,
    Data,
    Defect,
    Hello,
    Mail,
    Phase,
    Quit,
    Rcpt,
    Reply,
    Reset,
    ServerSession,
    StartTls,
    Text,
    TextEnd,
    hello_reply,
    offered,
    xtext_decode,
    xtext_encode,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from nixie.core.address import Address
    from nixie.service.ports import Judge
    from nixie.service.smtp_hop import Hop
    from nixie.service.smtp_peers import Peer
    from nixie.service.smtp_pipe import Pipe
    from nixie.service.smtp_settings import SmtpSettings
    from nixie.wire.smtp import Event

log = structlog.get_logger("nixie.smtp")

OK = Reply(250, (b"2.0.0 Ok",))
GO_ON = Reply(354, (b"End data with <CR><LF>.<CR><LF>",))
BYE = Reply(221, (b"2.0.0 Bye",))
STOPPING = Reply(421, (b"4.3.2 The service is shutting down",))
SLOW = Reply(421, (b"4.4.2 Timeout",))
NO_SPACE = Reply(452, (b"4.3.1 Not enough room",))
NO_HOP = Reply(421, (b"4.4.1 The next hop cannot be reached",))
TLS_READY = Reply(220, (b"2.0.0 Ready to start TLS",))
NOT_OURS = Reply(554, (b"5.7.1 Client host not allowed",))
DEFECTS = {
    Defect.BARE: Reply(550, (b"5.6.0 Bare CR or LF in the message; lines end in CRLF",)),
    Defect.TOO_LARGE: Reply(552, (b"5.3.4 Message size exceeds the limit",)),
}


class Session:
    """One connection, from greeting to good-bye; `run` never raises but when it is cancelled."""

    def __init__(
        self,
        number: int,
        pipe: Pipe,
        peer: Peer,
        hop: Hop,
        *,
        judge: Judge,
        settings: SmtpSettings,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.number = number
        self.idle = False
        self.stopping = False
        self._pipe = pipe
        self._peer = peer
        self._hop = hop
        self._judge = judge
        self._settings = settings
        self._tls = tls
        self._wire = ServerSession(
            settings.limits,
            tls=tls is not None,
            need_tls=peer.needs_certificate,
            xforward=peer.trusted,
            readable=self._reads,
        )
        self._helo = b""
        self._secured = ""
        self._read_paths: dict[bytes, Address] = {}
        self._mail: Mail | None = None
        self._sender = NULL
        self._rcpts: list[Rcpt] = []
        self._recipients: list[Recipient] = []
        self._broken = False
        self._carried: Carried | None = None
        self._full: OSError | None = None
        self._started = 0.0
        self._progress = 0.0

    async def run(self) -> None:
        """Talk until somebody ends it."""
        try:
            self._end(await self._last_word())
            await self._hop.quit()
            await self._pipe.closed(self._settings.linger_seconds)
        except asyncio.CancelledError:
            self._end(STOPPING)
            self._hop.drop()
            await self._pipe.closed(1)
            raise

    async def _last_word(self) -> Reply | None:
        """Talk; return what is to be said when the end is not the client's, None when nothing is."""
        try:
            await self._talk()
        except PipeStoppedError:
            return STOPPING
        except PipeTimeoutError:
            return SLOW
        except (PipeLostError, ClientGoneError):
            pass
        except Exception as error:  # noqa: BLE001 - the edge: whatever it was, the client keeps its message
            log.error("smtp session failed", session=self.number, error=error)
            return LATER
        return None

    def _end(self, last: Reply | None) -> None:
        if last is not None and not self._wire.closed:
            self._wire.close(last)
        self._pipe.write(self._wire.data_to_send())
        self._forget()
        self._pipe.close()

    def stop(self) -> None:
        """End as soon as no transaction is open."""
        self.stopping = True
        if self.idle:
            self._pipe.interrupt()

    async def _talk(self) -> None:
        if not self._peer.allowed:
            self._wire.greet(NOT_OURS)
            return
        self._wire.greet(Reply(220, (self._settings.name + b" ESMTP",)))
        flight: list[Mail | Rcpt] = []
        while not self._wire.closed:
            event = self._wire.next_event()
            if isinstance(event, (Mail, Rcpt)):
                flight.append(event)
            elif isinstance(event, Text):
                self._spool(event.data)
            elif event is not None:
                await self._handle(event)
            elif flight:
                await self._fly(flight)
                flight = []
            elif not await self._read():
                return

    async def _read(self) -> bool:
        """Say what there is to say, then hear on; return whether the client is still speaking."""
        replies = self._wire.data_to_send()
        self._pipe.write(replies)
        self.idle = not self._wire.in_transaction
        if self.idle and self.stopping:
            raise PipeStoppedError
        now = asyncio.get_running_loop().time()
        seconds = self._settings.text_seconds
        if self._wire.phase is not Phase.TEXT:
            # From reply to whole command, so that single bytes do not keep a connection open.
            self._progress = now if replies else self._progress
            seconds = self._settings.idle_seconds + self._progress - now
        if seconds <= 0 or (self._wire.phase is Phase.TEXT and now - self._started > self._settings.message_seconds):
            raise PipeTimeoutError
        await self._pipe.drain(seconds)
        data = await self._pipe.read(seconds)
        self.idle = False
        self._wire.receive(data)
        return bool(data)

    async def _handle(self, event: Event) -> None:
        match event:
            case Hello():
                await self._hello(event)
            case Reset():
                await self._abandon()
                self._wire.reply(OK)
            case Data():
                self._begin_text()
            case TextEnd():
                try:
                    reply = await self._finish(event.defect)
                finally:
                    self._forget()
                self._wire.reply(reply)
                reached_soon(Step.ANSWERED)
            case StartTls():
                await self._start_tls()
            case Quit():
                self._wire.reply(BYE)

    async def _hello(self, hello: Hello) -> None:
        await self._abandon()
        self._helo = hello.name
        try:
            if not self._hop.alive:
                await self._hop.open(self._forwarded())
        except HopLostError as lost:
            log.warning("next hop not reached", session=self.number)
            self._wire.close(lost.goodbye if lost.goodbye and lost.goodbye.code == 421 else NO_HOP)
            return
        lines: tuple[bytes, ...] = ()
        if hello.extended:
            wire = self._wire
            lines = offered(
                self._hop.keywords, max_size=self._settings.limits.size, tls=wire.tls, xforward=wire.xforward
            )
        self._wire.reply(hello_reply(self._settings.name, lines))

    async def _start_tls(self) -> None:
        assert self._tls is not None
        self._wire.reply(TLS_READY)
        self._pipe.write(self._wire.data_to_send())
        try:
            await self._pipe.start_tls(self._tls, self._settings.tls_seconds)
        except OSError:
            raise PipeLostError from None
        certified, self._secured = self._pipe.tls_state()
        self._wire.secured()
        if self._peer.needs_certificate and not certified:
            self._wire.close(NOT_OURS)

    async def _fly(self, flight: Sequence[Mail | Rcpt]) -> None:
        """Ask the next hop about commands that came together; answer each in its words."""
        if isinstance(flight[0], Mail):
            self._forget()
        replies: Sequence[Reply] = ()
        goodbye: Reply | None = None
        if not self._broken:
            try:
                replies = await self._ask(flight)
            except HopLostError as lost:
                replies, goodbye, self._broken = lost.replies, lost.goodbye, True
        for number, command in enumerate(flight):
            if number >= len(replies):
                self._wire.reply(goodbye or HOP_LOST)
                continue
            reply = replies[number]
            if reply.positive and isinstance(command, Mail):
                self._mail = command
                self._sender = self._read_paths[command.path]
            elif reply.positive and isinstance(command, Rcpt):
                self._rcpts.append(command)
                self._recipients.append(Recipient(command.path, self._read_paths[command.path], command.params))
            self._wire.reply(reply)
        self._read_paths.clear()

    async def _ask(self, flight: Sequence[Mail | Rcpt]) -> Sequence[Reply]:
        if not isinstance(flight[0], Mail):
            return await self._hop.flight(flight)
        if self._hop.alive:
            try:
                return await self._hop.flight(flight)
            except HopLostError:
                # An idle connection may end at any time; nothing of this transaction was answered yet.
                pass
        await self._hop.open(self._forwarded())
        return await self._hop.flight(flight)

    def _begin_text(self) -> None:
        if self._broken or self._mail is None:
            self._wire.reply(HOP_LOST)
            self._forget()
            return
        self._carried = Carried()
        self._full = None
        self._started = asyncio.get_running_loop().time()
        self._wire.reply(GO_ON)

    def _spool(self, data: bytes) -> None:
        if self._carried is None or self._full is not None:
            return
        try:
            self._carried.append(data)
        except OSError as error:
            # The rest of the text must be read before anything can be answered.
            self._full = error

    async def _finish(self, defect: Defect | None) -> Reply:
        """Judge the message that is here whole, and pass on what may go."""
        carried, mail = self._carried, self._mail
        assert carried is not None
        assert mail is not None
        if defect is not None:
            await abandon(self._hop)
            return DEFECTS[defect]
        if self._full is not None:
            return await self._no_space(self._full)
        try:
            text = carried.view()
        except OSError as error:
            return await self._no_space(error)
        envelope = Envelope(mail.path, self._sender, tuple(self._recipients), mail.params)
        queue_id = self._wire.forwarded.get("IDENT", "")
        submission = Submission("smtp", self._client(mail), envelope, carried, queue_id, provisional=True)
        try:
            answer = await self._judge.judge(submission)
        except Exception as error:  # noqa: BLE001 - a judge that breaks its word must not break the door's
            log.error("judge failed", session=self.number, error=error)
            answer = Answer(later=True)
        transaction = Transaction(mail, tuple(self._rcpts))
        return await forward(transaction, answer, text, self._hop, self._judge, gone=lambda: self._pipe.lost)

    async def _no_space(self, error: OSError) -> Reply:
        log.error("message cannot be spooled", session=self.number, error=error)
        await abandon(self._hop)
        return NO_SPACE

    async def _abandon(self) -> None:
        """Forget the open transaction, here and at the next hop."""
        if self._mail is not None or self._broken:
            await abandon(self._hop)
        self._forget()

    def _forget(self) -> None:
        if self._carried is not None:
            self._carried.close()
        self._carried = self._mail = None
        self._rcpts = []
        self._recipients = []
        self._broken = False

    def _reads(self, path: bytes) -> bool:
        try:
            self._read_paths[path] = parse_path(path)
        except AddressError:
            return False
        return True

    def _client(self, mail: Mail) -> Client:
        forwarded = self._wire.forwarded
        login = b""
        if self._peer.trusted:
            login = mail.param(b"AUTH") or b""
        ip = forwarded.get("ADDR", self._peer.ip)
        if ip == UNAVAILABLE:
            # The mail server's own mail has no client; any other client without an address is in no network.
            ip = self._peer.ip if forwarded.get("SOURCE") == "LOCAL" else "unknown"
        return Client(
            ip=ip.removeprefix("IPV6:"),
            name=forwarded.get("NAME", ""),
            helo=forwarded.get("HELO", self._helo.decode("utf-8", "surrogateescape")),
            login="" if login == b"<>" else xtext_decode(login),
            tls=self._secured,
        )

    def _forwarded(self) -> bytes:
        """Return who the client is as XFORWARD attributes, for a next hop that logs them."""
        ip = self._peer.ip
        attributes = {"ADDR": f"IPV6:{ip}" if ":" in ip else ip, "HELO": self._helo.decode("utf-8", "surrogateescape")}
        attributes.update(self._wire.forwarded)
        return b" ".join(
            name.encode("ascii") + b"=" + xtext_encode(value) for name, value in attributes.items() if value
        )
