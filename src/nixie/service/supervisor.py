"""The parent of all processes: it binds the sockets, starts the recorder, then the others, and starts again what died.

The parent does no work of its own, so nothing that a message can cause reaches it. Order matters: the recorder first (no
recorder, no 250), the workers next; on the way down the doors close first, so that what was accepted is recorded.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import structlog

from nixie.service.steps import environment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = structlog.get_logger("nixie.supervisor")

BACKOFF_SECONDS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
STEADY_SECONDS = 30.0
STOP_SECONDS = 20.0
READY_SECONDS = 300.0
"""A recorder that comes back after a power failure may have a long write-ahead log to go through."""


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of child: its name, the module that is run with its arguments, and the sockets it inherits."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    sockets: tuple[tuple[str, socket.socket], ...] = field(default=(), repr=False)

    def command(self) -> list[str]:
        """Return the command line; each socket is named with its descriptor's number."""
        named = [word for name, s in self.sockets for word in (f"--{name}-fd", str(s.fileno()))]
        return [sys.executable, "-m", self.module, *self.arguments, *named]


@dataclass(slots=True)
class _Child:
    role: Role
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    starts: int = 0
    failures: int = 0
    next_start: float = 0.0


class Supervisor:
    """Keeps one process a role alive until told to stop."""

    def __init__(self, roles: Sequence[Role], ready: Callable[[], bool]) -> None:
        """Take the roles in the order in which they start; `ready` says whether the first one answers."""
        self._children = [_Child(role) for role in roles]
        # Children end when this pipe does: a parent that was killed leaves nobody behind on its sockets.
        self._life_read, self._life_write = os.pipe()
        self._ready = ready
        self._stopping = False

    def pids(self) -> dict[str, int]:
        """Return the process ids by the roles' names."""
        return {c.role.name: c.process.pid for c in self._children if c.process is not None}

    def run(self, on_ready: Callable[[], None]) -> int:
        """Start everything, call `on_ready` once, supervise until SIGTERM or SIGINT; return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        # A child's end interrupts the sleep below through this pipe.
        waker, wake = socket.socketpair()
        waker.setblocking(False)
        wake.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            first, *others = self._children
            self._start(first)
            self._wait_ready(first)
            for child in others:
                self._start(child)
            if not self._stopping:
                on_ready()
            while not self._stopping:
                waker.settimeout(0.5)
                with contextlib.suppress(TimeoutError, BlockingIOError):
                    waker.recv(4096)
                self._tend()
        finally:
            self._shut_down()
            signal.set_wakeup_fd(-1)
            waker.close()
            wake.close()
        return 0

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _start(self, child: _Child) -> None:
        descriptors = (self._life_read, *(s.fileno() for _, s in child.role.sockets))
        command = [*child.role.command(), "--life-fd", str(self._life_read)]
        child.process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            env=environment_of(child.role.name, child.starts, os.environ),
            preexec_fn=partial(_end_with_parent, os.getpid()),  # noqa: PLW1509 - this process has one thread
        )
        child.starts += 1
        child.started = time.monotonic()

    def _wait_ready(self, first: _Child, seconds: float = READY_SECONDS) -> None:
        end = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < end:
            if self._ready():
                return
            if first.process is not None and first.process.poll() is not None:
                raise SystemExit(
                    f"nixie: the {first.role.name} ended with code {first.process.returncode}; see its lines above"
                )
            time.sleep(0.01)
        if not self._stopping:
            raise SystemExit(f"nixie: the {first.role.name} did not answer within {seconds:.0f} s")

    def _tend(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if self._stopping:
                return
            if child.process is not None and child.process.poll() is not None:
                child.failures = 1 if now - child.started > STEADY_SECONDS else child.failures + 1
                wait = BACKOFF_SECONDS[min(child.failures, len(BACKOFF_SECONDS)) - 1]
                log.error("process ended", role=child.role.name, code=child.process.returncode, again_in_seconds=wait)
                child.process = None
                child.next_start = now + wait
            if child.process is None and now >= child.next_start:
                self._start(child)

    def _shut_down(self) -> None:
        """End the children in reverse order; the recorder, first to start, is the last to go."""
        for group in (self._children[:0:-1], self._children[:1]):
            for child in group:
                if child.process is not None:
                    with contextlib.suppress(ProcessLookupError):
                        child.process.send_signal(signal.SIGTERM)
            end = time.monotonic() + STOP_SECONDS
            for child in group:
                if child.process is None:
                    continue
                try:
                    child.process.wait(max(0.1, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    child.process.kill()
                    child.process.wait()


def _load_libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


_LIBC = _load_libc()
_PR_SET_PDEATHSIG = 1


def _end_with_parent(parent: int) -> None:
    """Have the kernel end this child with its parent, even one that still starts or stands still (prctl(2), Linux only).

    Elsewhere the life pipe ends those that serve already.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it was gone before the kernel was told
            os._exit(1)


def notify_systemd(state: str) -> None:
    """Tell systemd a state (sd_notify(3)), such as `READY=1`; nothing happens when it did not start us."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect("\0" + path[1:] if path.startswith("@") else path)
        s.sendall(state.encode())
