"""The next hop that is an SMTP server: one connection, opened for one client session.

The protocol is `wire.smtp.ClientSession`; here are the socket, the time limits of RFC 5321, section 4.5.3.2, and TLS.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from nixie.service.smtp_hop import HopLostError
from nixie.service.smtp_pipe import Pipe, PipeError
from nixie.wire.smtp import ClientSession, ProtocolError, Reply, stuffed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixie.wire.smtp import Keywords, Mail, Rcpt

MAX_COMMAND = 512
"""RFC 5321, section 4.5.3.1.4."""


class UpstreamTls(StrEnum):
    """Whether the way to the next hop is encrypted."""

    OFF = "off"
    OPPORTUNISTIC = "opportunistic"
    """When the server offers it and the handshake succeeds; no certificate is checked."""
    REQUIRED = "required"
    """Always; no certificate is checked."""
    VERIFY = "verify"
    """Always, with a certificate that a trusted authority signed for the host name."""


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """Where the next hop is and how long it may take; times in seconds."""

    host: str
    port: int
    hostname: str = "localhost"
    tls: UpstreamTls = UpstreamTls.OPPORTUNISTIC
    context: ssl.SSLContext | None = None
    connect_seconds: float = 30
    command_seconds: float = 300
    final_seconds: float = 600


class SmtpHop:
    """An SMTP server as next hop (`smtp_hop.Hop`)."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._pipe: Pipe | None = None
        self._session = ClientSession()
        self._lost = True
        self._tls_failed = False

    @property
    def alive(self) -> bool:
        """Whether the connection stands and has said nothing unasked."""
        return not self._lost and self._pipe is not None and not self._pipe.stale and not self._session.spoken_to

    @property
    def keywords(self) -> Keywords:
        """What the last EHLO offered."""
        return self._session.keywords

    async def open(self, forwarded: bytes = b"") -> None:
        """Connect, greet, start TLS if wanted, send XFORWARD if wanted. Raises HopLostError."""
        tls = self._settings.tls
        try:
            await self._open(tls)
        except HopLostError:
            if tls is not UpstreamTls.OPPORTUNISTIC or not self._tls_failed:
                raise
            await self._open(UpstreamTls.OFF)
        if forwarded and b"XFORWARD" in self.keywords:
            offered = frozenset(self.keywords[b"XFORWARD"].upper().split())
            line = b"XFORWARD"
            for part in forwarded.split():
                if part.partition(b"=")[0] in offered and len(line) + len(part) < MAX_COMMAND - 2:
                    line += b" " + part
            if line != b"XFORWARD":
                # It informs a log; a refusal changes nothing about the mail.
                await self._ask(line)

    async def flight(self, commands: Sequence[Mail | Rcpt], *, reset: bool = False) -> tuple[Reply, ...]:
        """Send the commands at once if the server takes that, one after the other if not."""
        lines = [b"RSET"] * reset + [command.line for command in commands]
        replies: list[Reply] = []
        seconds = self._settings.command_seconds
        at_once = len(lines) if self._session.pipelining else 1
        try:
            for begin in range(0, len(lines), at_once):
                group = lines[begin : begin + at_once]
                self._send(*group)
                for _ in group:
                    replies.append(await self._answer(seconds))  # noqa: PERF401 - those before a loss are wanted
        except HopLostError as lost:
            raise HopLostError(replies, lost.goodbye) from None
        return tuple(replies)

    async def reset(self) -> Reply:
        """Send RSET."""
        return await self._ask(b"RSET")

    async def data(self) -> Reply:
        """Send DATA."""
        return await self._ask(b"DATA")

    async def text(self, text: bytes | memoryview) -> Reply:
        """Send the text piece by piece, and wait for the final reply."""
        pipe = self._standing()
        if not self.alive:
            # It ended, or answered a text that it does not have: whatever it says next is not about this message.
            self.drop()
            raise HopLostError
        try:
            for piece in stuffed(text):
                pipe.write(piece)
                await pipe.drain(self._settings.command_seconds)
        except PipeError:
            self.drop()
            raise HopLostError from None
        self._session.text_ends()
        return await self._answer(self._settings.final_seconds)

    async def quit(self) -> None:
        """Say QUIT and wait a little for the answer."""
        pipe = self._pipe
        if pipe is None:
            return
        if self.alive and not self._session.waiting:
            try:
                pipe.write(self._session.send(b"QUIT"))
                await pipe.read(5)
            except (PipeError, ProtocolError):
                pass
        self._lost = True
        pipe.close()
        await pipe.closed(1)
        self._pipe = None

    def drop(self) -> None:
        """End the connection without a word."""
        self._lost = True
        if self._pipe is not None:
            self._pipe.abort()

    async def _open(self, tls: UpstreamTls) -> None:
        self.drop()
        settings = self._settings
        self._session = ClientSession()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(settings.connect_seconds):
                _, self._pipe = await loop.create_connection(Pipe, settings.host, settings.port)
        except OSError:  # TimeoutError is one
            self._pipe = None
            raise HopLostError from None
        self._lost = False
        greeting = await self._answer(settings.command_seconds)
        if not greeting.positive:
            self.drop()
            raise HopLostError(goodbye=greeting)
        await self._hello()
        if tls is not UpstreamTls.OFF and (tls is not UpstreamTls.OPPORTUNISTIC or b"STARTTLS" in self.keywords):
            await self._start_tls(tls)

    async def _hello(self) -> None:
        name = self._settings.hostname.encode("ascii")
        reply = await self._ask(b"EHLO " + name)
        if not reply.positive:
            reply = await self._ask(b"HELO " + name)
        if not reply.positive:
            self.drop()
            raise HopLostError(goodbye=reply)

    async def _start_tls(self, tls: UpstreamTls) -> None:
        self._tls_failed = True
        reply = await self._ask(b"STARTTLS")
        if reply.code != 220:
            self.drop()
            raise HopLostError
        context = self._settings.context or client_context(verify=tls is UpstreamTls.VERIFY)
        try:
            await self._standing().start_tls(context, self._settings.connect_seconds, server_name=self._settings.host)
        except (OSError, PipeError):
            self.drop()
            raise HopLostError from None
        await self._hello()
        self._tls_failed = False

    async def _ask(self, line: bytes) -> Reply:
        self._send(line)
        return await self._answer(self._settings.command_seconds)

    def _send(self, *lines: bytes) -> None:
        pipe = self._standing()
        try:
            pipe.write(b"".join([self._session.send(line) for line in lines]))
        except ProtocolError:
            self.drop()
            raise HopLostError from None

    async def _answer(self, seconds: float) -> Reply:
        """Return the next reply; a 421 ends the connection and comes as HopLostError, as everything else that ends it."""
        pipe = self._standing()
        try:
            while (answered := self._session.next_answer()) is None:
                data = await pipe.read(seconds)
                if not data:
                    self.drop()
                    raise HopLostError
                self._session.receive(data)
        except (PipeError, ProtocolError):
            self.drop()
            raise HopLostError from None
        if answered.reply.code == 421:
            self.drop()
            raise HopLostError(goodbye=answered.reply)
        return answered.reply

    def _standing(self) -> Pipe:
        if self._lost or self._pipe is None:
            raise HopLostError
        return self._pipe


@cache
def client_context(*, verify: bool) -> ssl.SSLContext:
    """Return a TLS context for the way to a next hop: with the system's authorities, or without any check."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
