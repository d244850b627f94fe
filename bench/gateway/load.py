"""One push of load: a private Postfix with the contender behind it, `load` in front, mail discarded after the queue."""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invented import message
from rivals import HERE, cpu_seconds

from support.postfix import PrivatePostfix

if TYPE_CHECKING:
    from rivals import Contender

NEVER = 1_000_000


@dataclass(frozen=True)
class Pushed:
    """What one push showed: messages a second, CPU milliseconds a message of the contender, latencies in milliseconds
    (MAIL to the final reply), answers that were not 250.
    """

    rate: float
    cpu: float
    p50: float
    p99: float
    worst: float
    refused: int


def postfix_for(contender: Contender, folder: Path) -> PrivatePostfix:
    """Return a started Postfix with its queue under `folder` (put that on tmpfs) and the contender as its only milter."""
    settings = {
        "default_transport": "discard:",
        "smtpd_milters": contender.milter,
        "milter_default_action": "tempfail",
        "milter_content_timeout": "60s",
        "smtpd_client_connection_count_limit": "0",
        "smtpd_client_connection_rate_limit": "0",
        "default_process_limit": "100",
        "message_size_limit": "60000000",
        "smtpd_recipient_limit": "6000",
        "syslog_name": "bench",
    }
    return PrivatePostfix(Path(tempfile.mkdtemp(dir=folder)), settings).start()


class Loader:
    """The program `load`, its message files, and the counter that gives every message a pair of its own."""

    def __init__(self, folder: Path, pairs: Path) -> None:
        self._binary = folder / "load"
        if not self._binary.exists():
            subprocess.run(["cc", "-O2", "-o", self._binary, HERE / "load.c"], check=True)
        self._folder, self._pairs = folder, pairs
        self._next = itertools.count(0, 5003)

    def body(self, size: int, kind: str) -> Path:
        """Return the file of a message of this size: a `thread` of text and HTML, or a short one with an `attachment`."""
        path = self._folder / f"body-{size}-{kind}"
        if not path.exists():
            path.write_bytes(message(size, kind))
        return path

    def push(
        self,
        port: int,
        contender: Contender,
        *,
        count: int,
        size: int,
        sessions: int,
        kind: str = "thread",
        rate: float = 0.0,
        keep: int = NEVER,
        first: int | None = None,
    ) -> Pushed:
        """Send `count` messages of `size` bytes over `sessions` sessions, `keep` on a connection, and measure.

        `first` is the place in the file of pairs; the same for all contenders of a round.
        """
        before = cpu_seconds(contender.pids())
        place = next(self._next) if first is None else first
        words = (port, sessions, count, self.body(size, kind), self._pairs, place, rate, keep)
        done = subprocess.run([self._binary, *map(str, words)], check=True, capture_output=True, text=True)
        used = cpu_seconds(contender.pids()) - before
        told = json.loads(done.stdout)
        return Pushed(told["rate"], used / count * 1000, told["p50"], told["p99"], told["max"], told["refused"])
