"""One connection as a coroutine sees it: read with a time limit, write, drain, start TLS, close.

Written on `asyncio.Protocol` and not on streams: a message costs some ten reads and writes, and streams would double
what each of them costs. Memory is bounded: reading pauses above `HIGH` waiting bytes, `drain` waits below it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

HIGH = 1 << 20
"""Bytes that may wait in one direction before the other side has to."""


class PipeError(Exception):
    """The connection is of no more use.

    x PipeLostError       the other side is gone
    x PipeTimeoutError    it said nothing for too long
    x PipeStoppedError    this process ends (`interrupt` was called)
    """


class PipeLostError(PipeError):
    """The connection broke."""


class PipeTimeoutError(PipeError):
    """Nothing came, or nothing could be sent, in the time that was given."""


class PipeStoppedError(PipeError):
    """`interrupt` woke the reader."""


class Pipe(asyncio.Protocol):
    """A connection. `opened` is called with the pipe when it stands (the listener starts its session there)."""

    def __init__(self, opened: Callable[[Pipe], None] | None = None) -> None:
        self.lost = False
        self.secure = False
        self._opened = opened
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._chunks: list[bytes] = []
        self._size = 0
        self._eof = False
        self._paused = False
        self._choked = False
        self._interrupted = False
        self._waiter: asyncio.Future[None] | None = None
        self._drainer: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def transport(self) -> asyncio.Transport:
        """Return the transport. Raises PipeLostError before there is one."""
        if self._transport is None:
            raise PipeLostError
        return self._transport

    @property
    def stale(self) -> bool:
        """Return whether an idle connection was ended, or spoken to, by the other side."""
        return self.lost or self._eof or bool(self._chunks)

    async def read(self, seconds: float) -> bytes:
        """Return what has arrived, `b""` at the end of the stream. Raises PipeError."""
        while not self._chunks:
            if self._eof or self.lost:
                return b""
            if self._interrupted:
                raise PipeStoppedError
            await self._wait(seconds)
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        if self._paused and self._transport is not None and not self.lost:
            self._paused = False
            self._transport.resume_reading()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes, or keep them until they can be sent; nothing happens when the connection is gone."""
        if data and self._transport is not None and not self.lost:
            self._transport.write(data)

    async def drain(self, seconds: float) -> None:
        """Wait until most of what was written is on its way. Raises PipeLostError and PipeTimeoutError."""
        if self.lost:
            raise PipeLostError
        if not self._choked:
            return
        self._drainer = self._loop.create_future()
        try:
            await asyncio.wait_for(self._drainer, seconds)
        except TimeoutError:
            raise PipeTimeoutError from None
        finally:
            self._drainer = None

    def interrupt(self) -> None:
        """Wake the reader with PipeStoppedError; the next read ends so as well, unless bytes are there."""
        self._interrupted = True
        self._wake(PipeStoppedError())

    async def start_tls(self, context: ssl.SSLContext, seconds: float, *, server_name: str | None = None) -> None:
        """Turn the connection into TLS: as server without `server_name`. Raises OSError (SSLError among them).

        Bytes that came in clear and wait here are forgotten (RFC 3207, section 5).
        """
        self._chunks.clear()
        self._size = 0
        self._eof = False
        transport = await self._loop.start_tls(
            self.transport,
            self,
            context,
            server_side=server_name is None,
            server_hostname=server_name,
            ssl_handshake_timeout=seconds,
        )
        if transport is None:  # closed while the handshake ran
            raise ConnectionResetError
        self._transport = transport
        self._limits()
        self.secure = True

    def tls_state(self) -> tuple[bool, str]:
        """Return whether the other side showed a certificate that was verified, and the TLS version (`""` without TLS)."""
        state = self._transport.get_extra_info("ssl_object") if self._transport is not None else None
        return (False, "") if state is None else (bool(state.getpeercert()), state.version() or "")

    def close(self) -> None:
        """Send what waits, then end the connection."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    async def closed(self, seconds: float) -> None:
        """Wait until the connection is gone, then make sure of it."""
        if self._transport is None:
            return
        timer = self._loop.call_later(seconds, self._end)
        try:
            await asyncio.shield(self._closed)
        finally:
            timer.cancel()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._limits()
        if self._opened is not None:
            opened, self._opened = self._opened, None
            opened(self)

    def data_received(self, data: bytes) -> None:
        """Keep what came, and stop the flow when nobody takes it."""
        self._chunks.append(data)
        self._size += len(data)
        if self._size > HIGH and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake(None)

    def eof_received(self) -> bool:
        """Keep the way out open: a client may end its side and still wait for the answer. TLS cannot."""
        self._eof = True
        self._wake(None)
        return not self.secure

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """Wake whoever waits."""
        self.lost = True
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake(None)
        if self._drainer is not None and not self._drainer.done():
            self._drainer.set_exception(PipeLostError())
        if not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:
        """Note that the other side takes too little."""
        self._choked = True

    def resume_writing(self) -> None:
        """Let the writer go on."""
        self._choked = False
        if self._drainer is not None and not self._drainer.done():
            self._drainer.set_result(None)

    def _end(self) -> None:
        self.abort()
        self._loop.call_soon(self.connection_lost, None)

    def _limits(self) -> None:
        if self._transport is not None:
            self._transport.set_write_buffer_limits(high=HIGH)

    async def _wait(self, seconds: float) -> None:
        self._waiter = self._loop.create_future()
        # One timer for many reads: it looks at the deadline when it fires, instead of being made anew for each.
        self._deadline = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(self._deadline, self._look)
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _look(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look)
        else:
            self._wake(PipeTimeoutError())

    def _wake(self, error: PipeError | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            if error is None:
                self._waiter.set_result(None)
            else:
                self._waiter.set_exception(error)
