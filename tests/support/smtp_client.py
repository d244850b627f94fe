"""A bare SMTP client for dialogues: sends bytes as told, and returns whole replies."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

from nixie.wire.smtp import Reply, ReplyReader


class Dialogue:
    """`Dialogue(port)`; `say` sends lines (CRLF added) at once and returns as many replies as lines."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._replies = ReplyReader()

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            self.greeting = await self.hear()
        except BaseException:
            self.writer.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def hear(self, seconds: float = 10) -> Reply:
        """Return the next reply; raises EOFError when the door has closed."""
        while (reply := self._replies.next_reply()) is None:
            data = await asyncio.wait_for(self.reader.read(1 << 16), seconds)
            if not data:
                raise EOFError
            self._replies.receive(data)
        return reply

    async def say(self, *lines: str) -> list[Reply]:
        self.raw("".join(line + "\r\n" for line in lines).encode())
        return [await self.hear() for _ in lines]

    def raw(self, data: bytes) -> None:
        self.writer.write(data)

    async def send(
        self, *rcpts: str, text: bytes = b"Subject: x\r\n\r\nhello\r\n", mail: str = "MAIL FROM:<ann@x.example>"
    ) -> Reply:
        """Send one message; return the final reply, or the reply that came instead of 354."""
        await self.say(mail, *(f"RCPT TO:<{rcpt}>" for rcpt in rcpts))
        (reply,) = await self.say("DATA")
        if reply.code != 354:
            return reply
        self.raw(text + b".\r\n")
        return await self.hear()

    async def closed(self) -> bool:
        """Return whether the door ends the connection without another word."""
        try:
            await self.hear(5)
        except EOFError:
            return True
        return False
