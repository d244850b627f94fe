"""Both ends of asking the recorder: one pipelined connection for services, one blocking call for the command line.

* RecorderUnavailableError   no answer in time, the connection broke, or the store could not commit: "try again later"
* RecorderRefusedError       the recorder undid this request and says why (`code`, text)

Whether an unanswered request was recorded is unknown. It is never sent again from here: the copy key, the state of the
hold or the event's key make a second try by the caller harmless.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import TYPE_CHECKING

from nixie.service.frames import Decoder, FrameError, encode

if TYPE_CHECKING:
    from pathlib import Path

    from nixie.service.frames import Head

DEADLINE_SECONDS = 5.0
BACKOFF_SECONDS = (0.02, 0.05, 0.1, 0.25, 0.5)


class RecorderUnavailableError(Exception):
    """Nobody can say that this was recorded."""


class RecorderRefusedError(Exception):
    """The request was undone; `code` is one of `recorder.CODES` or `bad`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class RecorderClient(asyncio.Protocol):
    """One connection of one event loop to the recorder, made when it is first needed and again when it broke."""

    def __init__(self, path: Path, deadline: float = DEADLINE_SECONDS) -> None:
        """Take the recorder's socket and how many seconds an answer may take, connecting included."""
        self._path, self._deadline = path, deadline
        self._transport: asyncio.Transport | None = None
        self._decoder = Decoder()
        self._answers: dict[int, asyncio.Future[Head]] = {}
        self._number = 0
        self._connecting: asyncio.Task[None] | None = None

    async def ask(self, head: Head, body: bytes = b"") -> Head:
        """Send a request and return its answer, which means that what it says is durable.

        Raises `RecorderUnavailableError`, `RecorderRefusedError`, and `FrameError` for a request that is too long.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._deadline
        if self._transport is None:
            await self._connect(end)
        transport = self._transport
        if transport is None:
            raise RecorderUnavailableError("the recorder does not answer")
        self._number += 1
        number = self._number
        answer: asyncio.Future[Head] = loop.create_future()
        frame = encode({"id": number, **head}, body)
        self._answers[number] = answer
        timer = loop.call_at(end, _expire, answer)
        try:
            transport.write(frame)
            return _checked(await answer)
        finally:
            timer.cancel()
            self._answers.pop(number, None)

    async def close(self) -> None:
        """End the connection; a later `ask` makes a new one."""
        if self._connecting is not None:
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connecting
        if self._transport is not None:
            self._transport.close()
            self._lost()
            await asyncio.sleep(0)

    async def _connect(self, end: float) -> None:
        """Wait for a connection, which all who wait share. Raises `RecorderUnavailableError` at the deadline."""
        loop = asyncio.get_running_loop()
        if self._connecting is None or self._connecting.done():
            self._connecting = loop.create_task(self._keep_connecting(end))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._connecting), max(0.0, end - loop.time()))
        if self._transport is None:
            raise RecorderUnavailableError("the recorder does not answer")

    async def _keep_connecting(self, end: float) -> None:
        loop = asyncio.get_running_loop()
        tries = 0
        while loop.time() < end:
            try:
                self._decoder = Decoder()
                await loop.create_unix_connection(lambda: self, str(self._path))
            except OSError:
                await asyncio.sleep(BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS) - 1)])
                tries += 1
            else:
                return

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport of a new connection."""
        self._transport = transport  # type: ignore[assignment]  # a stream connection makes nothing else

    def data_received(self, data: bytes) -> None:
        """Hand answers to those who wait for them."""
        try:
            for head, _ in self._decoder.feed(data):
                waiting = self._answers.get(head.get("id", 0))
                if waiting is not None and not waiting.done():
                    waiting.set_result(head)
        except FrameError:
            if self._transport is not None:
                self._transport.abort()
            self._lost()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Tell everybody who waits that nobody will answer."""
        self._lost()

    def _lost(self) -> None:
        self._transport = None
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(RecorderUnavailableError("the recorder went away"))


def ask_once(path: Path, head: Head, body: bytes = b"", deadline: float = DEADLINE_SECONDS) -> Head:
    """Send one request over a connection of its own, blocking, and return its answer: for the command line.

    Raises as `RecorderClient.ask` does.
    """
    end = time.monotonic() + deadline
    decoder = Decoder()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.settimeout(deadline)
            sock.connect(str(path))
            sock.sendall(encode({"id": 1, **head}, body))
            while True:
                sock.settimeout(max(0.001, end - time.monotonic()))
                data = sock.recv(65536)
                if not data:
                    raise RecorderUnavailableError("the recorder went away")
                frames = decoder.feed(data)
                if frames:
                    return _checked(frames[0][0])
        except OSError:
            raise RecorderUnavailableError(f"{path}: the recorder does not answer; is `nixie serve` running?") from None


def recorder_answers(path: Path, deadline: float = 1.0) -> bool:
    """Return whether a recorder answers on this socket, which means that it can write."""
    try:
        ask_once(path, {"do": "ping"}, deadline=deadline)
    except (RecorderUnavailableError, RecorderRefusedError):
        return False
    return True


def _checked(answer: Head) -> Head:
    code = answer.get("error")
    if code is None:
        return answer
    if code == "store":
        raise RecorderUnavailableError("the recorder could not write")
    raise RecorderRefusedError(code, answer.get("text", ""))


def _expire(answer: asyncio.Future[Head]) -> None:
    if not answer.done():
        answer.set_exception(RecorderUnavailableError("the recorder does not answer"))
