"""Added latency at half load: the same paced stream of mail through Postfix alone and through Postfix with Nixie.

Added is the difference of the percentiles of the whole transaction, MAIL to the final reply, at one rate: half of what Nixie
takes at full speed. The busy variant does it while `nixie learn` reads a log and ten thousand copies wait for an answer.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import TYPE_CHECKING

from invented import OWN
from rivals import HERE

if TYPE_CHECKING:
    from pathlib import Path

    from load import Loader
    from rivals import Nixie, NoMilter

    from support.postfix import PrivatePostfix

SESSIONS = 40


def added(
    loader: Loader,
    servers: dict[str, PrivatePostfix],
    nothing: NoMilter,
    nixie: Nixie,
    *,
    size: int,
    kind: str,
    rate: float,
    count: int,
    rounds: int,
) -> dict[str, float]:
    """Return the added milliseconds at p50 and p99, medians of interleaved rounds, and the rate."""
    middles, tails, refused = [], [], 0
    for _ in range(rounds):
        both = [
            loader.push(servers[c.name].port, c, count=count, size=size, kind=kind, sessions=SESSIONS, rate=rate)
            for c in (nothing, nixie)
        ]
        middles.append(both[1].p50 - both[0].p50)
        tails.append(both[1].p99 - both[0].p99)
        refused += both[1].refused
    return {
        "rate": round(rate, 1),
        "added_p50_ms": round(statistics.median(middles), 2),
        "added_p99_ms": round(statistics.median(tails), 2),
        "refused": refused,
    }


def full_rate(
    loader: Loader, servers: dict[str, PrivatePostfix], nixie: Nixie, *, size: int, kind: str, count: int
) -> float:
    """Return how many messages of this size Nixie takes a second."""
    return loader.push(servers[nixie.name].port, nixie, count=count, size=size, kind=kind, sessions=8).rate


def learning(nixie: Nixie, log: Path) -> subprocess.Popen[bytes]:
    """Start `nixie learn` of a log beside the running guard."""
    command = [sys.executable, "-m", "nixie.cli.main", "learn", "--home", str(nixie.home), str(log)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def log_to_learn(folder: Path, lines: int) -> Path:
    """Return an invented Postfix log of the organisation's own mail."""
    sys.path.insert(0, str(HERE.parent))
    from learn_postfix import write_log

    path, strangers = folder / "learn.log", folder / "strangers.log"
    if not path.exists():
        write_log(strangers, lines, 60, "3339")
        with strangers.open() as read, path.open("w") as written:
            written.writelines(line.replace("navy.example", OWN) for line in read)
        strangers.unlink()
    return path
