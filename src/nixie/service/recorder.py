"""The recorder: the one process that writes. Workers, web, command line and courier send it what to record and wait.

While a group is being synced the next one gathers by itself, and a lone request is committed at once; only in a crowd a group
waits some milliseconds for company (`service.group_commit`). What is answered is durable. A request whose answer never came may or may not be recorded: a
door then says "try again later", and the copy key finds what was recorded.

* RecorderError   another recorder has this installation; the text names its lock
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import time
from typing import TYPE_CHECKING

import structlog

from nixie.service.frames import Decoder, FrameError, encode
from nixie.service.group_commit import Hooks, Recorder, RecorderSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator
    from pathlib import Path

    from nixie.service.frames import Head
    from nixie.store.keys import Keys

__all__ = ["Hooks", "Recorder", "RecorderError", "RecorderSettings", "run_recorder", "serve"]

log = structlog.get_logger("nixie.recorder")

GROUP = 512
"""So many requests share a commit at most: about 50 ms of work."""
CROWD, GATHER_SECONDS = 3, 0.003
"""After a group of `CROWD` and more the next one gathers so long: a sync and its pages cost as much for one row as for ten."""
COMPANY, COMPANY_SECONDS = 8, 0.008
"""While so many messages are under way at the doors (as the workers' last requests told) a group gathers for longer still, or
until all of them have come: mail that comes one at a time never waits."""


class RecorderError(Exception):
    """The recorder cannot start; the text names the file and the remedy."""


class _Server:
    """The sockets around a `Recorder`: gathers what came in one turn of the loop and answers after the commit."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._waiting: list[tuple[_Session, Head, bytes]] = []
        self._last = 0
        self._gathering: asyncio.TimerHandle | None = None
        self._folding: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self.sessions: set[_Session] = set()

    def take(self, session: _Session, frames: list[tuple[Head, bytes]]) -> None:
        """Queue requests; the commit follows once every socket that is readable now was read, or a crowd has gathered."""
        if not frames:
            return
        session.company = frames[-1][0].get("company", 0)
        company = sum(one.company for one in self.sessions)
        if not self._waiting:
            if company >= COMPANY:
                self._gathering = self._loop.call_later(COMPANY_SECONDS, self.flush)
            elif self._last < CROWD:
                self._loop.call_soon(self.flush)
            else:
                self._gathering = self._loop.call_later(GATHER_SECONDS, self.flush)
        self._waiting += [(session, head, body) for head, body in frames]
        if self._gathering is not None and company >= COMPANY and len(self._waiting) >= company:
            self._gathering.cancel()
            self._gathering = None
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Commit what waits and answer it."""
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
        if self._waiting:
            self._loop.call_soon(self.flush)
        if not group:
            return
        self._last = len(group)
        answers = self._recorder.commit([(head, body) for _, head, body in group])
        out: dict[_Session, list[bytes]] = {}
        for (session, _, _), answer in zip(group, answers, strict=True):
            out.setdefault(session, []).append(encode(answer))
        for session, frames in out.items():
            session.send(b"".join(frames))
        self._fold_later()

    def _fold_later(self) -> None:
        folding = self._recorder.folding
        if folding.waiting and self._folding is None:
            self._folding = self._loop.call_later(folding.pause, self._fold)

    def _fold(self) -> None:
        """Learn a portion of the mails that wait, after the answers to whom waits now."""
        self.flush()
        self._folding = None
        self._recorder.folding.fold()
        self._fold_later()

    def finish(self) -> None:
        """Commit everything that waits still."""
        while self._waiting:
            self.flush()
        if self._folding is not None:
            self._folding.cancel()
        self._recorder.fold_all()


class _Session(asyncio.Protocol):
    """One client: frames in, answers out."""

    def __init__(self, server: _Server) -> None:
        self._server, self._decoder = server, Decoder()
        self.company = 0
        """How many messages were under way at its doors when it last asked."""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream server makes nothing else
        self._server.sessions.add(self)

    def data_received(self, data: bytes) -> None:
        try:
            frames = self._decoder.feed(data)
        except FrameError as error:
            log.warning("client sent no frame", error=error)
            self.close()
            return
        self._server.take(self, frames)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self._server.sessions.discard(self)
        self._transport = None

    def send(self, data: bytes) -> None:
        """Send, unless the client is gone: what it asked is recorded all the same."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """End the connection after what was sent."""
        if self._transport is not None:
            self._transport.close()


async def serve(settings: RecorderSettings, keys: Keys, hooks: Hooks, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; then finish the group, sign the end and return.

    Raises `RecorderError` when another recorder has this installation, `StoreError` when the database is too new.
    """
    with _only_one(settings.socket):
        recorder = Recorder(settings, keys, hooks)
        try:
            recorder.chores()
            recorder.fold_all()
            server = _Server(recorder)
            with contextlib.suppress(FileNotFoundError):
                settings.socket.unlink()
            listener = await asyncio.get_running_loop().create_unix_server(lambda: _Session(server), settings.socket)
            settings.socket.chmod(0o660)
            log.info("recorder ready", rows=recorder.rows)
            await _until(stop, recorder, hooks)
            listener.close()
            server.finish()
            for session in tuple(server.sessions):
                session.close()
            await asyncio.sleep(0)
            settings.socket.unlink(missing_ok=True)
        finally:
            recorder.close()


def run_recorder(settings: RecorderSettings, keys: Keys, hooks: Hooks | None = None) -> None:
    """Run the recorder in this process until SIGTERM or SIGINT. Raises as `serve` does."""

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(settings, keys, hooks or Hooks(), stop)

    asyncio.run(main())


async def _until(stop: asyncio.Event, recorder: Recorder, hooks: Hooks) -> None:
    """Wait for the stop, signing and doing chores in between; a night's work that is not done then is done another night.

    It is done at the start too: the guard may have been down when the night came.
    """
    last = time.monotonic()
    night = asyncio.create_task(_night(hooks.night(recorder.settings.database))) if hooks.night is not None else None
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(
                stop.wait(), min(1.0, recorder.settings.sign_seconds, recorder.settings.chores_seconds)
            )
        recorder.sign()
        if time.monotonic() - last < recorder.settings.chores_seconds:
            continue
        last = time.monotonic()
        if recorder.chores() and hooks.night is not None and (night is None or night.done()):
            night = asyncio.create_task(_night(hooks.night(recorder.settings.database)))
    if night is not None:
        night.cancel()
        await asyncio.gather(night, return_exceptions=True)


async def _night(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - the recorder must live on; tomorrow it is tried again
        log.error("night's work failed", error=error)


@contextlib.contextmanager
def _only_one(socket: Path) -> Iterator[None]:
    """Hold the lock beside the socket: two writers would fork the chain."""
    path = socket.with_suffix(".lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecorderError(f"{path}: another recorder runs here; stop it first") from None
        yield
    finally:
        os.close(descriptor)
