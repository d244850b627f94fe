"""What a durable record costs: rows a second with waiting clients, and what a lone one adds.

    python bench/recorder.py [--clients 20] [--seconds 5] [--teach | --mailings] [--folder DIR] [--json OUT]

The recorder runs in a process of its own on a fresh database; the clients share one event loop in this process, one
connection each, and each waits for its answer before it asks again, as the sessions of a door do. What they ask is made
beforehand. With `--teach` each decision counts two events, with `--mailings` it also shows a mail to two people with 32 words, which
is learned between the commits. The CPU figure is the recorder's own, learning included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nixie.core.address import Address
from nixie.core.events import Event, EventKind, event_key
from nixie.core.mailing import Mailing, mailing_key
from nixie.service.recorder_client import RecorderClient
from nixie.service.requests import AddressList, decision
from nixie.store.keys import create_keys

if TYPE_CHECKING:
    from nixie.service.frames import Head

SERVER = """
import sys
from pathlib import Path
from nixie.service.recorder import RecorderSettings, run_recorder
from nixie.store.keys import load_keys
home = Path(sys.argv[1])
run_recorder(RecorderSettings(home/'nixie.db', home/'r.sock', home/'heads.jsonl', home/'spool'), load_keys(home/'keys'))
"""
BODY = json.dumps(
    {
        "door": "milter", "queue": "4TzK2x0qYBz9rVQ", "direction": "outgoing", "author": 0, "basis": "login", "kind": "person",
        "to": [1, 2], "of": 2, "size": 5120, "policy": "3f9a0b1c2d4e5f60", "skipped": [["destination", None, "off"]],
    },
    separators=(",", ":"),
).encode()  # fmt: skip


def request(number: int, *, teach: bool, mailings: bool) -> Head:
    author = Address(f"author{number % 300}", "ours.example")
    others = [Address(f"person{(number * 7 + k) % 4000}", f"partner{number % 50}.example") for k in (0, 1)]
    now = datetime.now(UTC)
    events = [Event(EventKind.SENT, author, o, now, event_key(EventKind.SENT, f"m{number}", o.key)) for o in others]
    addresses = AddressList((author, *others))
    mailing = None
    if mailings:
        words = tuple(sorted(random.Random(number).sample(range(1 << 32), 32)))
        mailing = Mailing(mailing_key(f"m{number}@ours.example"), now, author, tuple(others), words=words)
    at, name = round(time.time() * 1000), f"m{number}@ours.example"
    return decision(at, name, addresses, events=events if teach or mailings else (), mailing=mailing)


async def one_client(path: Path, until: float, numbers: list[int], took: list[float], ready: list[Head]) -> None:
    client = RecorderClient(path)
    while time.perf_counter() < until and ready:
        numbers[0] += 1
        head = ready.pop()
        start = time.perf_counter()
        await client.ask(head, BODY)
        took.append(time.perf_counter() - start)
    await client.close()


async def measure(
    path: Path, clients: int, seconds: float, numbers: list[int], *, teach: bool, mailings: bool
) -> tuple[float, list[float]]:
    took: list[float] = []
    ready = [request(n, teach=teach, mailings=mailings) for n in range(numbers[0], numbers[0] + round(8_000 * seconds))]
    start = time.perf_counter()
    await asyncio.gather(*(one_client(path, start + seconds, numbers, took, ready) for _ in range(clients)))
    return len(took) / (time.perf_counter() - start), sorted(took)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fsync_ms(folder: Path) -> float:
    took = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(200):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - start)
    return statistics.median(took) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--teach", action="store_true")
    parser.add_argument("--mailings", action="store_true")
    parser.add_argument("--folder", type=Path, help="where the database lies (on tmpfs a sync costs nothing)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        home = Path(name)
        create_keys(home / "keys")
        server = subprocess.Popen([sys.executable, "-c", SERVER, name], stderr=subprocess.DEVNULL)
        try:
            numbers, what = [0], {"teach": options.teach, "mailings": options.mailings}
            asyncio.run(measure(home / "r.sock", 1, 0.5, numbers, **what))
            _, lone = asyncio.run(measure(home / "r.sock", 1, options.seconds, numbers, **what))
            before, rows_before = cpu_seconds(server.pid), numbers[0]
            rate, many = asyncio.run(measure(home / "r.sock", options.clients, options.seconds, numbers, **what))
            cpu = (cpu_seconds(server.pid) - before) / (numbers[0] - rows_before)
            result = {
                "rows_per_second": round(rate),
                "clients": options.clients,
                "recorder_cpu_ms_per_row": round(cpu * 1000, 3),
                "wait_ms_p50": round(many[len(many) // 2] * 1000, 2),
                "wait_ms_p99": round(many[len(many) * 99 // 100] * 1000, 2),
                "lone_ms_p50": round(lone[len(lone) // 2] * 1000, 3),
                "lone_ms_p99": round(lone[len(lone) * 99 // 100] * 1000, 3),
                "write_and_fdatasync_ms": round(fsync_ms(home), 3),
                **what,
            }
        finally:
            server.terminate()
            server.wait(20)
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
