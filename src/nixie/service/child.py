"""What every child of the supervisor does first: read its arguments, configure the log, and end when the parent ends."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from nixie.config.loader import load
from nixie.service import logs

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from nixie.config.settings import Settings

log = structlog.get_logger("nixie.child")

EX_SOFTWARE = 70
GC_THRESHOLDS = (20_000, 20, 20)
"""A message makes some thousand objects and hardly a cycle; the default would look for cycles twice a message."""


@dataclass(frozen=True, slots=True)
class Child:
    """A child's settings, the sockets it inherited by name, and the descriptor that closes when the parent is gone."""

    settings: Settings
    sockets: dict[str, socket.socket]
    life: int | None


def begin(*sockets: str) -> Child:
    """Read the command line of a child that inherits these sockets; a door that is off gives none."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--home", required=True, type=Path)
    parser.add_argument("--life-fd", type=int)
    for name in sockets:
        parser.add_argument(f"--{name}-fd", type=int)
    told = parser.parse_args()
    settings = load(told.home)
    logs.configure(level=settings.log.level)
    given = {name: getattr(told, f"{name}_fd") for name in sockets}
    inherited = {name: socket.socket(fileno=number) for name, number in given.items() if number is not None}
    for listener in inherited.values():
        listener.setblocking(False)
    return Child(settings, inherited, told.life_fd)


def stop_event(life: int | None) -> asyncio.Event:
    """Return an event that is set by SIGTERM and SIGINT. Call it inside the running loop.

    When the parent is gone the process ends at once instead, as by a power failure: whoever is started next needs the
    sockets now, and every step of a message is made for such an end.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if life is not None:
        os.set_blocking(life, False)

        loop.add_reader(life, os._exit, 1)
    return stop


def prefer_throughput() -> None:
    """Let this process wait for its turn: whoever wakes it up goes on first (Linux, SCHED_BATCH).

    On an idle machine nothing changes. On a busy one more has arrived by the time it runs, and it changes places less often
    with the mail server whose messages it reads.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def settle() -> None:
    """Take what was made so far out of the search for cycles: it lives as long as the process, and every message would pay."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a child's coroutine, on uvloop where that is installed; an error ends the process with its class and place.

    A traceback would carry the error's text, and that may carry an address.
    """
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(main)
    except Exception as error:  # noqa: BLE001 - the edge of the process; the supervisor starts it again
        log.error("process failed", error=error)
        sys.exit(EX_SOFTWARE)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return uvloop.new_event_loop
