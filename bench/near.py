"""The near index of addresses: who is beside a written one, among 1, 5 and 10 million with the skew of real names.

All addresses are invented, from a seed: 30 % at one provider, the others at domains by Zipf; first names and surnames by Zipf;
at the provider what is taken gets digits, as it does there. The written ones are one typed slip away from a known one: a
character of the local part left out, put in, replaced, or swapped with the next.

    python bench/near.py [--known 1000000 5000000 10000000] [--questions 20000] [--json OUT]

The goals are of a quiet machine: median 50, 150 and 300 us, 99th percentile at most ten times the median, 64 bytes an
address for keys and signatures (text apart), 5 seconds a million to build, every neighbour found. On a busy one read the CPU
times: `cpu_` is the time that the one thread or process itself had, beside what the clock on the wall says.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

from nixie.core.near_addresses import is_beside
from nixie.store.near_addresses import NearAddresses, build_addresses
from nixie.store.near_base import CURRENT, open_base
from nixie.store.near_kinds import ADDRESSES
from nixie.store.near_write import NearWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789._-"
ONSETS = ("b", "br", "c", "ch", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v", "w")
RHYMES = ("a", "al", "an", "ar", "e", "el", "en", "er", "i", "il", "in", "ing", "o", "ol", "on", "or", "u", "un")
SUFFIXES = ("com", "org", "net", "de", "fr", "co.uk", "mil", "com.au")
PROVIDER, AT_PROVIDER = "bigmail.example", 0.3
FIRST_NAMES, SURNAMES, ADDRESSES_A_DOMAIN = 2_000, 60_000, 12
STEP = 1 << 18
LIMIT = 32
GOALS_US = {1_000_000: 50, 5_000_000: 150, 10_000_000: 300}
TAIL = 5_000

ELSEWHERE: tuple[tuple[float, Any], ...] = (
    (0.60, lambda first, last, _: f"{first}.{last}"),
    (0.15, lambda first, last, _: f"{first[0]}{last}"),
    (0.07, lambda first, last, _: f"{first[0]}.{last}"),
    (0.05, lambda first, last, _: f"{first}_{last}"),
    (0.05, lambda first, last, _: f"{first}{last}"),
    (0.05, lambda first, last, _: f"{last}.{first}"),
    (0.03, lambda first, _, __: first),
)
AT_THE_PROVIDER: tuple[tuple[float, Any], ...] = (
    (0.35, lambda first, last, n: f"{first}.{last}{n % 100}"),
    (0.25, lambda first, last, n: f"{first}{last}{n}"),
    (0.15, lambda first, last, n: f"{first[0]}{last}{n % 1000}"),
    (0.10, lambda first, last, _: f"{first}.{last}"),
    (0.08, lambda first, last, n: f"{first}_{last}{n % 10}"),
    (0.07, lambda first, _, n: f"{first}{n}"),
)


def words(count: int, sizes: tuple[int, ...], dice: random.Random) -> list[str]:
    """Return as many different words that mean nothing."""
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(dice.choice(ONSETS) + dice.choice(RHYMES) for _ in range(dice.choice(sizes)))] = None
    return list(found)


def by_zipf(names: list[str], count: int, power: float, dice: np.random.Generator) -> list[str]:
    """Return as many of the names, the first of them most often."""
    shares = np.cumsum(1 / np.arange(1, len(names) + 1) ** power)
    drawn: NDArray[Any] = np.array(names, object)[np.searchsorted(shares, dice.random(count) * shares[-1])]
    return list(drawn.tolist())


def invent(count: int, seed: int) -> list[str]:
    """Return as many different address keys that nobody has."""
    dice, choices = np.random.default_rng(seed), random.Random(seed)
    first = words(FIRST_NAMES, (2, 2, 3), choices)
    last = words(SURNAMES, (2, 3, 3, 4), choices)
    names = words(count // ADDRESSES_A_DOMAIN, (2, 3, 3, 4), choices)
    domains = [f"{name}.{choices.choice(SUFFIXES)}" for name in names]
    found: dict[str, None] = {}
    while len(found) < count:
        for forms, share in ((ELSEWHERE, 1 - AT_PROVIDER), (AT_THE_PROVIDER, AT_PROVIDER)):
            for part, form in forms:
                size = int(STEP * share * part)
                where = [PROVIDER] * size if forms is AT_THE_PROVIDER else by_zipf(domains, size, 0.7, dice)
                people = zip(by_zipf(first, size, 1.0, dice), by_zipf(last, size, 0.8, dice), strict=True)
                numbers = dice.integers(0, 10_000, size).tolist()
                locals_ = [form(one, other, number) for (one, other), number in zip(people, numbers, strict=True)]
                found.update(dict.fromkeys([f"{local}@{domain}" for local, domain in zip(locals_, where, strict=True)]))
    keys = list(found)
    choices.shuffle(keys)
    return keys[:count]


def slipped(key: str, dice: random.Random) -> str:
    """Return the address with one typed slip in its local part."""
    local, _, domain = key.rpartition("@")
    while True:
        at = dice.randrange(len(local))
        head, rest, char = local[:at], local[at:], dice.choice(LETTERS)
        slips = (head + rest[1:], head + char + rest, head + char + rest[1:], head + rest[1::-1] + rest[2:])
        if (written := dice.choice(slips)) and written != local:
            return f"{written}@{domain}"


def timed(
    near: NearAddresses, questions: list[tuple[str, str]], clock: Callable[[], int] = time.perf_counter_ns
) -> tuple[list[float], int]:
    """Return the microseconds of each look-up by a clock, sorted, and how many addresses all of them found."""
    times, found = [], 0
    gc.disable()
    for _, written in questions:
        started = clock()
        beside = near.beside(written, LIMIT)
        times.append((clock() - started) / 1000)
        found += len(beside)
    gc.enable()
    return sorted(times), found


def median_and_p99(times: list[float]) -> tuple[float, float]:
    """Return the two, rounded to 0.1."""
    return round(times[len(times) // 2], 1), round(times[int(len(times) * 0.99)], 1)


def weighed(keys: list[str]) -> Iterator[tuple[str, int]]:
    """Yield each address with how often it was written to, by Zipf."""
    return ((key, 1 + len(keys) // (rank + 1)) for rank, key in enumerate(keys))


def measure(count: int, asked: int) -> dict[str, Any]:
    """Return all figures for one number of known addresses."""
    dice = random.Random(count)
    keys = invent(count, count)
    questions = [(key, slipped(key, dice)) for key in dice.sample(keys, asked)]
    everywhere = sum(key.endswith("@" + PROVIDER) for key in keys) / count
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started, cpu = time.perf_counter(), time.process_time()
        build_addresses(folder, weighed(keys))
        built, built_cpu = time.perf_counter() - started, time.process_time() - cpu
        base = open_base(folder, int((folder / CURRENT).read_text()), ADDRESSES)
        size = sum(path.stat().st_size for path in folder.glob("base-*"))
        near = NearAddresses(folder)
        timed(near, questions[: asked // 10])  # the mapped pages
        times, found = timed(near, questions)
        cpu_times, _ = timed(near, questions, time.thread_time_ns)
        missed = [one for one in questions if one[0] not in near.beside(one[1], count)]
        wrong = sum(
            not is_beside(one, asked_for) for _, asked_for in questions for one in near.beside(asked_for, LIMIT)
        )
        with NearWriter(folder, ADDRESSES) as writer:
            fresh = [f"new.{key}" for key in keys[:TAIL]]
            writer.append(fresh)
            started = time.perf_counter()
            near.refresh()
            taken_up = time.perf_counter() - started
            with_tail, _ = timed(near, questions)
            missed += [(key, key) for key in fresh if key not in near.beside("x" + key, count)]
            cpu = time.process_time()
            writer.merge()
            merged = time.process_time() - cpu
        near.refresh()
        missed += [(key, key) for key in fresh if key not in near.beside("x" + key, count)]
    median, p99 = median_and_p99(times)
    cpu_median, cpu_p99 = median_and_p99(cpu_times)
    tail_median, tail_p99 = median_and_p99(with_tail)
    return {
        "known": count,
        "at_provider": round(everywhere, 3),
        "build_s_per_million": round(built / count * 1e6, 2),
        "build_cpu_s_per_million": round(built_cpu / count * 1e6, 2),
        "bytes_an_address": round((size - len(base.names)) / count, 1),
        "text_bytes_an_address": round(len(base.names) / count, 1),
        "median_us": median,
        "p99_us": p99,
        "cpu_median_us": cpu_median,
        "cpu_p99_us": cpu_p99,
        "worst_us": round(times[-1], 1),
        "p99_by_median": round(p99 / median, 1),
        "goal_median_us": GOALS_US.get(count),
        "recall": 1 - len(missed) / (asked + 2 * TAIL),
        "asked": asked + 2 * TAIL,
        "wrong": wrong,
        "found_a_question": round(found / asked, 2),
        "median_us_with_tail": tail_median,
        "p99_us_with_tail": tail_p99,
        "take_up_5000_ms": round(taken_up * 1000, 1),
        "merge_cpu_s": round(merged, 2),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20), 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--known", type=int, nargs="+", default=list(GOALS_US))
    parser.add_argument("--questions", type=int, default=20_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = []
    for count in options.known:
        results.append(measure(count, options.questions))
        for key, value in results[-1].items():
            print(f"{key:22} {value}")
        print(flush=True)
    if options.json:
        options.json.write_text(json.dumps({"near": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
