"""A next hop that follows a script, and a judge that says what it is told: the two ends of the SMTP door in tests.

The hop is a real SMTP server on a loopback port, made of the server's side of `nixie.wire.smtp`. `answers` maps a moment
(`EHLO`, `MAIL`, `RCPT`, `RCPT <b@y.example>`, `RSET`, `DATA`, `TEXT`, `END`, `greeting`) to replies that are given one after the
other; an empty one is yes, and so is every answer when they are used up. `DROP` ends the connection instead.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from nixie.service.ports import Answer, Submission
from nixie.wire.smtp import (
    Data,
    Event,
    Hello,
    Mail,
    Quit,
    Rcpt,
    Reply,
    Reset,
    ServerSession,
    StartTls,
    Text,
    TextEnd,
    hello_reply,
)

if TYPE_CHECKING:
    import ssl

DROP = "drop"
KEYWORDS = (b"SIZE 0", b"8BITMIME", b"SMTPUTF8", b"DSN", b"PIPELINING", b"ENHANCEDSTATUSCODES", b"CHUNKING", b"VRFY")


class _Dropped(Exception):  # noqa: N818
    pass


@dataclass(frozen=True)
class Taken:
    """One message that the hop took: the MAIL and RCPT lines and the text."""

    mail: bytes
    rcpts: tuple[bytes, ...]
    text: bytes


@dataclass
class ScriptedHop:
    """`async with ScriptedHop(...) as hop`: `said` are the commands of the door in order, `taken` the messages."""

    answers: dict[str, list[str]] = field(default_factory=dict)
    keywords: tuple[bytes, ...] = KEYWORDS
    tls: ssl.SSLContext | None = None
    pause_before_end: float = 0.0
    said: list[str] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    encrypted: int = 0
    port: int = 0

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def hang_up(self) -> None:
        """End every connection that stands."""
        for writer in self._writers:
            writer.transport.abort()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _answer(self, *moments: str, default: Reply) -> Reply:
        for moment in moments:
            if self.answers.get(moment):
                text = self.answers[moment].pop(0)
                if text == DROP:
                    raise _Dropped
                return Reply.of(text) if text else default
        return default

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        with contextlib.suppress(_Dropped, ConnectionError, asyncio.CancelledError):
            await _Dialogue(self, reader, writer).run()
        writer.close()
        with contextlib.suppress(Exception):
            await writer.wait_closed()
        self._tasks.discard(task)


class _Dialogue:
    def __init__(self, hop: ScriptedHop, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hop, self.reader, self.writer = hop, reader, writer
        self.wire = ServerSession(tls=hop.tls is not None)
        self.mail = b""
        self.rcpts: list[bytes] = []
        self.text = bytearray()

    async def run(self) -> None:
        self.hop._writers.append(self.writer)
        self.wire.greet(self.hop._answer("greeting", default=Reply(220, (b"hop.example ESMTP",))))
        while not self.wire.closed:
            waiting: list[Event] = []
            while (event := self.wire.next_event()) is not None:
                if isinstance(event, Text):
                    self.text += event.data
                else:
                    waiting.append(event)
            for event in waiting:
                await self._one(event)
            if waiting:
                continue
            await self._flush()
            data = await self.reader.read(1 << 18)
            if not data:
                return
            self.wire.receive(data)
        await self._flush()

    async def _flush(self) -> None:
        self.writer.write(self.wire.data_to_send())
        await self.writer.drain()

    async def _one(self, event: Event) -> None:
        hop = self.hop
        ok = Reply(250, (b"2.0.0 Ok",))
        try:
            match event:
                case Hello():
                    hop.said.append("EHLO" if event.extended else "HELO")
                    keywords = hop.keywords + ((b"STARTTLS",) if self.wire.tls else ())
                    reply = hop._answer(hop.said[-1], default=hello_reply(b"hop.example", keywords))
                case Mail():
                    hop.said.append(event.line.decode())
                    self.mail, self.rcpts = event.line, []
                    reply = hop._answer("MAIL", default=ok)
                case Rcpt():
                    hop.said.append(event.line.decode())
                    reply = hop._answer(f"RCPT {event.path.decode()}", "RCPT", default=Reply(250, (b"2.1.5 Ok",)))
                    if reply.positive:
                        self.rcpts.append(event.line)
                case Reset():
                    hop.said.append("RSET")
                    reply = hop._answer("RSET", default=ok)
                case Data():
                    hop.said.append("DATA")
                    self.text.clear()
                    reply = hop._answer("DATA", default=Reply(354, (b"go on",)))
                case TextEnd():
                    hop.said.append("END")
                    await asyncio.sleep(hop.pause_before_end)
                    reply = hop._answer("END", default=Reply(250, (b"2.0.0 Ok: queued as 4HOP",)))
                    if reply.positive and event.defect is None:
                        hop.taken.append(Taken(self.mail, tuple(self.rcpts), bytes(self.text)))
                case StartTls():
                    await self._tls()
                    return
                case Quit():
                    hop.said.append("QUIT")
                    reply = Reply(221, (b"2.0.0 Bye",))
                case _:
                    return
        except _Dropped:
            await self._flush()
            raise
        self.wire.reply(reply)
        if isinstance(event, Data) and hop.answers.get("TEXT"):
            text = hop.answers["TEXT"].pop(0)
            if text != DROP:
                self.writer.write(self.wire.data_to_send() + text.encode() + b"\r\n")
                return
            await self._flush()
            raise _Dropped

    async def _tls(self) -> None:
        assert self.hop.tls is not None
        self.hop.said.append("STARTTLS")
        reply = self.hop._answer("STARTTLS", default=Reply(220, (b"go",)))
        self.wire.reply(reply)
        await self._flush()
        if reply.positive:
            await self.writer.start_tls(self.hop.tls)
            self.hop.encrypted += 1
            self.wire.secured()


@dataclass
class ScriptedJudge:
    """Gives `answers` one after the other (then: everything goes on) and remembers what it was asked."""

    answers: list[Answer] = field(default_factory=list)
    confirms: bool = True
    pause: float = 0.0
    fails: bool = False
    submissions: list[Submission] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    voided: list[str] = field(default_factory=list)

    async def judge(self, submission: Submission) -> Answer:
        self.submissions.append(submission)
        self.texts.append(bytes(submission.carried.view()))
        await asyncio.sleep(self.pause)
        if self.fails:
            raise RuntimeError("private words")
        return self.answers.pop(0) if self.answers else Answer()

    async def confirm(self, token: str) -> bool:
        self.confirmed.append(token)
        return self.confirms

    async def void(self, token: str) -> None:
        self.voided.append(token)
