"""Look-alike domains: our near index against dnstwist, asked the same question in one interleaved run.

The question: which known domains could have been meant by this written one? The known domains are invented: words of
syllables, one or two before a suffix, a fifth with a label such as `mail` before them, weights by Zipf. The written ones are one typed
slip or one look-alike exchange away from a known one.

    python bench/lookalike.py [--known 100000 1000000] [--rounds 5] [--dnstwist PYTHON] [--json OUT]

dnstwist generates all its permutations of the written domain, and those that are known are its answer. It is no
dependency of ours: `--dnstwist` names a Python that has it (`python -m venv /tmp/d && /tmp/d/bin/pip install dnstwist`);
without one its column stays empty.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

from nixie.core.similarity import domain_keys
from nixie.store.near import NearDomains, build

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
ONSETS = ("b", "br", "c", "ch", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v", "w")
RHYMES = ("a", "al", "an", "ar", "e", "el", "en", "er", "i", "il", "in", "ing", "o", "ol", "on", "or", "u", "un")
SUFFIXES = ("com", "org", "net", "de", "fr", "nl", "co.uk", "org.uk", "gov.uk", "mod.uk", "mil", "com.au", "ch", "it")
SHARES = (40, 10, 6, 8, 5, 4, 8, 3, 3, 2, 4, 4, 2, 3)
HOSTS = ("mail", "mx", "www", "support", "lists")
TWINS = (("m", "rn"), ("w", "vv"), ("d", "cl"), ("l", "1"), ("o", "0"), ("a", "а"), ("e", "е"), ("o", "о"), ("p", "р"))

DNSTWIST = """
import sys, time, dnstwist
known = set(open(sys.argv[1]).read().split())
print("ready", flush=True)
for line in sys.stdin:
    domain = line.strip()
    started = time.perf_counter()
    fuzzer = dnstwist.Fuzzer(domain)
    fuzzer.generate()
    made = {p["domain"] for p in fuzzer.permutations()}
    found = (made & known) - {domain}
    print(time.perf_counter() - started, len(made), " ".join(found), flush=True)
"""


def invent(count: int, dice: random.Random) -> list[str]:
    """Return as many different domains that nobody has."""
    found: dict[str, None] = {}
    total = list(accumulate(SHARES))
    while len(found) < count:
        parts = ["".join(dice.choice(ONSETS) + dice.choice(RHYMES) for _ in range(dice.choice((2, 2, 3, 3, 4))))]
        kind = dice.random()
        if kind < 0.2:
            parts.insert(0, dice.choice(HOSTS))
        elif kind < 0.35:
            parts[0] += dice.choice(("-", "")) + dice.choice(ONSETS) + dice.choice(RHYMES)
        found[".".join((*parts, dice.choices(SUFFIXES, cum_weights=total)[0]))] = None
    return list(found)


def slipped(domain: str, dice: random.Random) -> str:
    """Return the domain with one typed slip: omission, insertion, doubling, substitution or swap."""
    while True:
        at = dice.randrange(len(domain))
        head, tail = domain[:at], domain[at:]
        char = dice.choice(LETTERS)
        kinds = (
            head + tail[1:],
            head + char + tail,
            head + tail[0] + tail,
            head + char + tail[1:],
            head + tail[1::-1] + tail[2:],
        )
        if (written := dice.choice(kinds)) != domain:
            return written


def disguised(domain: str, dice: random.Random) -> str:
    """Return the domain with one character exchanged for its look-alike, as A-labels."""
    name, dot, suffix = domain.partition(".")
    possible = [(one, other) for one, other in TWINS if one in name]
    if not possible:
        return domain
    one, other = dice.choice(possible)
    name = name.replace(one, other, 1)
    if not name.isascii():
        name = "xn--" + name.encode("punycode").decode("ascii")
    return name + dot + suffix


def private_kb() -> int:
    """Return the memory that this process has written to and shares with nobody."""
    fields = [line.split() for line in Path("/proc/self/smaps_rollup").read_text().splitlines()]
    return sum(int(field[1]) for field in fields if field[0] == "Private_Dirty:")


class Rival:
    """dnstwist in its own process; answers one domain at a time."""

    def __init__(self, python: str, known: list[str], folder: Path) -> None:
        listing = folder / "known.txt"
        listing.write_text("\n".join(known))
        self._process = subprocess.Popen(
            [python, "-c", DNSTWIST, str(listing)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._in, self._out = _pipe(self._process.stdin), _pipe(self._process.stdout)
        if self._out.readline() != "ready\n":
            raise SystemExit(f"{python}: no dnstwist there; pip install dnstwist")

    def ask(self, domain: str) -> tuple[float, int, list[str]]:
        """Return the seconds it took, how many permutations were made, and the known ones among them."""
        self._in.write(domain + "\n")
        self._in.flush()
        seconds, made, *found = self._out.readline().split()
        return float(seconds), int(made), found

    def close(self) -> None:
        """End the process."""
        self._in.close()
        self._process.wait(10)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def lookups(near: NearDomains, questions: list[tuple[str, str]]) -> tuple[list[float], int]:
    """Return the microseconds of each look-up, sorted, and how many found the domain that was meant."""
    times = []
    hits = 0
    gc.disable()
    for meant, written in questions:
        started = time.perf_counter_ns()
        found = near.near(written, 32)
        times.append((time.perf_counter_ns() - started) / 1000)
        hits += meant in found
    gc.enable()
    return sorted(times), hits


def measure(count: int, rounds: int, python: str) -> dict[str, Any]:
    """Return all figures for one number of known domains."""
    dice = random.Random(count)
    known = invent(count, dice)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        build(folder, ((domain, 1 + count // (rank + 1)) for rank, domain in enumerate(known)))
        built = time.perf_counter() - started
        size = sum(path.stat().st_size for path in folder.glob("base-*"))
        before = private_kb()
        near = NearDomains(folder)
        lookups(near, [(d, d) for d in known[:2000]])
        private = private_kb() - before
        typed = [(d, slipped(d, dice)) for d in dice.sample(known, 2000)]
        alike = [(d, w) for d in dice.sample(known, 2000) if (w := disguised(d, dice)) != d]
        rival = Rival(python, known, folder) if python else None
        medians, tails, theirs, found_typed, found_alike, found_theirs, asked = [], [], [], 0, 0, 0, 0
        for number in range(rounds):
            near = NearDomains(folder)  # a new one remembers no answer of the last round
            times, hits = lookups(near, typed)
            medians.append(statistics.median(times))
            tails.append(times[int(len(times) * 0.99)])
            found_typed += hits
            found_alike += lookups(near, alike)[1]
            for meant, written in (typed[number::200] + alike[number::200]) if rival else ():
                assert rival is not None
                seconds, _, found = rival.ask(written)
                theirs.append(seconds)
                found_theirs += meant in found
                asked += 1
        if rival:
            rival.close()
        started = time.perf_counter()
        for _, written in typed:
            domain_keys(written)
        keys = (time.perf_counter() - started) / len(typed) * 1e6
    ours = statistics.median(medians)
    twist = statistics.median(theirs) if theirs else None
    return {
        "known": count,
        "build_s": round(built, 2),
        "file_mb": round(size / 1e6, 1),
        "private_mb": round(private / 1024, 1),
        "keys_us": round(keys, 1),
        "median_us": round(ours, 1),
        "p99_us": round(statistics.median(tails), 1),
        "recall_typed": found_typed / (rounds * len(typed)),
        "recall_lookalike": found_alike / (rounds * len(alike)),
        "dnstwist_ms": round(twist * 1000, 1) if twist else None,
        "dnstwist_recall": round(found_theirs / asked, 3) if asked else None,
        "times_faster": round(twist * 1e6 / ours) if twist else None,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--known", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dnstwist", default=os.environ.get("NIXIE_DNSTWIST", ""), help="a Python that has dnstwist")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = []
    for count in options.known:
        results.append(measure(count, options.rounds, options.dnstwist))
        for key, value in results[-1].items():
            print(f"{key:18} {value}")
        print()
    if options.json:
        options.json.write_text(json.dumps({"lookalike": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
