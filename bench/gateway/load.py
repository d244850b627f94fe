"""One round of load: a private Postfix with the contender behind it, smtp-source in front, mail discarded after the queue."""

from __future__ import annotations

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rivals import cpu_seconds

from support.postfix import PrivatePostfix

if TYPE_CHECKING:
    from rivals import Contender


@dataclass(frozen=True)
class Round:
    """What one round showed: messages a second as the clients saw them, CPU seconds a message of the contender."""

    rate: float
    cpu: float


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


def push(
    port: int, contender: Contender, *, count: int, size: int, sessions: int, to: str = "known@partner.example"
) -> Round:
    """Send `count` messages of `size` bytes over `sessions` parallel sessions and measure."""
    before = cpu_seconds(contender.pids())
    started = time.perf_counter()
    subprocess.run(
        ["smtp-source", "-s", str(sessions), "-m", str(count), "-l", str(size), "-d",
         "-f", "author@own.example", "-t", to, f"127.0.0.1:{port}"],
        check=True, capture_output=True,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    used = cpu_seconds(contender.pids()) - before
    return Round(count / seconds, used / count)
