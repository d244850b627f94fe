"""How fast `nixie learn` reads Postfix logs: lines a second on one core, stored, and the memory it takes.

The log is invented: senders and recipients by Zipf's law, recipients' domains skewed towards a few providers, six lines a
mail, arrivals spread over `--days`, with the live recorder's share of the lock shown as the longest step.

    .venv/bin/python bench/learn_postfix.py --lines 2000000 [--json OUT]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

PROVIDERS = ("mail.example", "post.example", "inbox.example")


def people(count: int, rng: random.Random) -> list[str]:
    """Invent outside addresses: a third at three providers, the rest at their own domains."""
    found = []
    for n in range(count):
        if rng.random() < 0.33:
            domain = rng.choices(PROVIDERS, (6, 3, 1))[0]
        else:
            domain = f"{rng.choice(('office', 'army', 'law', 'trade', 'town'))}{int(rng.paretovariate(0.7)) % 40_000}.example"
        found.append(f"{rng.choice(('kim', 'lee', 'max', 'ida', 'tom', 'eva'))}.{n:x}@{domain}")
    return found


def write_log(path: Path, lines: int, days: int, style: str, seed: int = 7) -> None:
    """Write a log of about so many lines."""
    rng = random.Random(seed)
    ours = [f"person{n}@navy.example" for n in range(5_000)]
    others = people(max(1_000, lines // 12), rng)
    mails = lines // 6
    start = datetime(2026, 1, 1, tzinfo=UTC)
    apart = timedelta(days=days) / mails
    senders = rng.choices(ours, [1 / (n + 1) for n in range(len(ours))], k=mails)
    recipients = rng.choices(others, [1 / (n + 10) for n in range(len(others))], k=mails)
    shape = "%b %e %H:%M:%S" if style == "3164" else "%Y-%m-%dT%H:%M:%S.123456+00:00"
    with path.open("w") as out:
        for n in range(mails):
            t = (start + n * apart).strftime(shape) + " mx1 postfix/"
            q = f"{n * 7919 % 0xFFFFF:05X}{n % 4096:X}"
            a, b = senders[n], recipients[n]
            if n % 5 == 0:
                a, b = b, a
            out.write(
                f"{t}smtpd[2211]: connect from pc{n % 999}.navy.example[192.0.2.{n % 255}]\n"
                f"{t}smtpd[2211]: {q}: client=pc{n % 999}.navy.example[192.0.2.{n % 255}]\n"
                f"{t}cleanup[2213]: {q}: message-id=<{n:x}.{n * 104729 % 99991:x}@mua.navy.example>\n"
                f"{t}qmgr[2200]: {q}: from=<{a}>, size={n % 90000 + 900}, nrcpt=1 (queue active)\n"
                f"{t}smtp[2214]: {q}: to=<{b}>, relay=mx.example[192.0.2.9]:25, delay=1.2, delays=0.11/0.01/0.02/1.1,"
                f" dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4F{n:X})\n"
                f"{t}qmgr[2200]: {q}: removed\n"
            )


def once(log: Path) -> dict[str, float]:
    """Learn the log into a new database in this process and return the figures."""
    from nixie.core.organisation import Organisation
    from nixie.service import learning
    from nixie.store import db as store

    steps: list[float] = []
    write = learning.Learner.write

    def timed(self: learning.Learner, *args: object) -> None:
        began = time.perf_counter()
        write(self, *args)  # type: ignore[arg-type]
        steps.append(time.perf_counter() - began)

    learning.Learner.write = timed  # type: ignore[method-assign,assignment]
    with tempfile.TemporaryDirectory(dir=log.parent) as folder:
        db = store.open_writer(Path(folder) / "nixie.db")
        before = resource.getrusage(resource.RUSAGE_SELF)
        began = time.perf_counter()
        report = learning.learn([log], Organisation(own_domains=("navy.example",)), db, zone=UTC)
        took = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
        db.close()
        size = sum(f.stat().st_size for f in Path(folder).iterdir())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "lines": report.read,
        "events": report.counted,
        "seconds": round(took, 3),
        "lines_per_second": round(report.read / took),
        "lines_per_cpu_second": round(report.read / cpu),
        "peak_rss_mb": round(after.ru_maxrss / 1024, 1),
        "longest_step_ms": round(1000 * max(steps), 1),
        "steps": len(steps),
        "database_mb": round(size / 1e6, 1),
        "unknown": sum(report.unknown.values()),
    }


def main() -> None:
    """Write the log, learn it some times in processes of their own, print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--style", choices=("3339", "3164"), default="3339")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(once(args.one)))
        return
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "mail.log"
        write_log(log, args.lines, args.days, args.style)
        command = [sys.executable, __file__, "--one", str(log)]
        rounds = [
            json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(args.rounds)
        ]
    result = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
    result["style"] = args.style
    print("  ".join(f"{name}={value}" for name, value in result.items()))
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
