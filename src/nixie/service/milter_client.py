"""A mail server in miniature: asks a milter about messages. For probes of a running door, tests, and measurements."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from nixie.wire.milter import MtaSession, Step, split_message
from nixie.wire.milter import events as ev

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixie.wire.milter.replies import Agreed, Reply


class MilterClient:
    """One connection to a milter, from `open` to `close`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: MtaSession) -> None:
        self._reader = reader
        self._writer = writer
        self._session = session

    @classmethod
    async def open(cls, address: str, session: MtaSession | None = None) -> MilterClient:
        """Connect to `unix:/path` or `host:port` and negotiate. Raises OSError, ProtocolError, ConnectionError."""
        if address.startswith("unix:"):
            reader, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"))
        else:
            host, _, port = address.rpartition(":")
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        client = cls(reader, writer, session or MtaSession())
        writer.write(client._session.offer())
        try:
            while client._session.agreed is None:
                await client._read()
        except BaseException:
            writer.close()
            raise
        return client

    @property
    def agreed(self) -> Agreed:
        """What the milter chose."""
        assert self._session.agreed is not None
        return self._session.agreed

    async def say(self, *events: ev.Event) -> tuple[Reply, ...]:
        """Send commands and return all replies to them, each waited for where it is due. Raises ConnectionError."""
        replies: list[Reply] = []
        waiting = bytearray()
        for event in events:
            waiting += self._session.send(event)
            if self._session.waits:
                self._writer.write(bytes(waiting))
                waiting.clear()
                while self._session.waits:
                    replies.extend(await self._read())
        if waiting:
            self._writer.write(bytes(waiting))
        await self._writer.drain()
        return tuple(replies)

    async def greet(self, name: bytes = b"localhost", address: bytes = b"127.0.0.1") -> tuple[Reply, ...]:
        """Introduce an SMTP client."""
        return await self.say(ev.Connect(name, b"4", 25, address), ev.Helo(name))

    async def message(
        self,
        sender: bytes,
        recipients: Sequence[bytes],
        content: bytes,
        *,
        macros: Sequence[tuple[bytes, bytes]] = (),
        params: tuple[bytes, ...] = (),
    ) -> tuple[Reply, ...]:
        """Send one whole message, paths with brackets, and return all replies up to the verdict."""
        mail = ev.Mail(sender, params)
        spaced = bool(self.agreed.steps & Step.HDR_LEADSPC)
        return await self.say(
            *((ev.Macros(mail.letter, tuple(macros)),) if macros else ()),
            mail,
            *map(ev.Rcpt, recipients),
            ev.Data(),
            *split_message(content, leading_space=spaced),
        )

    async def close(self) -> None:
        """Say QUIT and close."""
        if not self._session.waits:
            self._writer.write(self._session.send(ev.Quit()))
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _read(self) -> list[Reply]:
        data = await self._reader.read(65536)
        if not data:
            raise ConnectionError("the milter closed the connection")
        self._session.feed(data)
        replies = []
        while (reply := self._session.next()) is not None:
            replies.append(reply)
        return replies
