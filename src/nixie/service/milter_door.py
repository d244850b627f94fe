"""The milter door: listens for mail servers and keeps count of them; each `Connection` hands its messages to the judge.

Several workers may listen on one socket. A door that has all the connections it may have stops accepting, so that the next
mail server waits in the backlog for another worker instead of being turned away.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import TYPE_CHECKING

import structlog

from nixie.service.listen import accept_one
from nixie.service.milter_connection import Connection, MilterSettings
from nixie.wire.milter import Limits

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from nixie.service.ports import Judge

__all__ = ["MilterDoor", "MilterSettings"]

log = structlog.get_logger("nixie.milter")


class MilterDoor:
    """Serves any number of listening sockets with one judge, in one event loop."""

    def __init__(self, judge: Judge, settings: MilterSettings | None = None) -> None:
        self.judge = judge
        self.settings = settings or MilterSettings()
        self.limits = Limits(self.settings.max_message_bytes, self.settings.max_recipients)
        self.messages = 0
        """Messages answered since the start."""
        self.under_way = 0
        """Messages begun, up to those that wait for their answer."""
        self.stopping = False
        self._numbers = itertools.count(1)
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[socket.socket] = []
        self._stop_accepting: list[Callable[[], None]] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()

    @property
    def connections(self) -> int:
        """Return how many mail servers are connected."""
        return len(self._connections)

    def serve(self, listener: socket.socket) -> None:
        """Accept on a socket that listens already; TCP or UNIX. Call it inside a running loop."""
        self._listeners.append(listener)
        self._accept()
        if self._sweeper is None:
            self._sweep()

    async def stop(self, seconds: float = 10.0) -> None:
        """Take no new message, let begun ones come to their answer for at most `seconds`, then close everything.

        The listening sockets stay open: they belong to whoever made them.
        """
        self.stopping = True
        self._refuse()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in tuple(self._connections):
            connection.close_if_idle()
        if not await self._emptied(seconds):
            for connection in tuple(self._connections):
                connection.abort()
            for task in tuple(self._tasks):
                task.cancel()
            await self._emptied(1.0)

    def joined(self, connection: Connection) -> int:
        """Count a connection in and return its number."""
        self._connections.add(connection)
        if len(self._connections) >= self.settings.max_connections and self._stop_accepting:
            # The next clients wait in the backlog, where another worker may take them.
            self._refuse()
            log.warning("no more connections taken", connections=len(self._connections))
        return next(self._numbers)

    def left(self, connection: Connection) -> None:
        """Count a connection out."""
        self._connections.discard(connection)
        self._changed.set()
        if not self.stopping and not self._stop_accepting:
            self._accept()

    def run(self, work: asyncio.Task[None]) -> None:
        """Keep a judging task alive, whatever becomes of its connection."""
        self._tasks.add(work)
        work.add_done_callback(self._done)

    def _done(self, work: asyncio.Task[None]) -> None:
        self._tasks.discard(work)
        self._changed.set()

    async def _emptied(self, seconds: float) -> bool:
        """Wait until nobody is connected and nothing is judged; return whether that came in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._connections or self._tasks:
                    self._changed.clear()
                    await self._changed.wait()
        return not (self._connections or self._tasks)

    def _accept(self) -> None:
        self._refuse()
        self._stop_accepting = [accept_one(listener, lambda: Connection(self)) for listener in self._listeners]

    def _refuse(self) -> None:
        for stop in self._stop_accepting:
            stop()
        self._stop_accepting = []

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in tuple(self._connections):
            connection.close_if_silent(now)
        shortest = min(self.settings.idle_timeout, self.settings.content_timeout)
        self._sweeper = loop.call_later(min(5.0, shortest / 4), self._sweep)
