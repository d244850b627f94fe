"""The gateway bench: Postfix with Nixie against Postfix alone, a no-op milter in C, and Rspamd, in one interleaved run.

    .venv/bin/python bench/gateway/run.py [--json OUT] [--quick] [--rounds 5] [--only rates,latency,moments,tools]

Needs root, Postfix, rspamd, a C compiler and libmilter-dev. Queues lie on tmpfs (/dev/shm), Nixie's home on disk with every
commit synced. README.md beside the folder says what each figure is; `--dnstwist PYTHON` names a Python that has dnstwist.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parents[1] / part) for part in ("src", "tests"))]

import latency
import moments
import rates
from goals import Table
from invented import invented
from load import Loader
from rivals import NETWORK_MODULES, Nixie, NoMilter, Noop, Rspamd

from support.world_sink import World

KNOWN = 1_000_000
PARTS = ("rates", "latency", "moments", "tools")


def main() -> None:
    """Run the bench, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="one round, short pushes: whether it runs, not how fast")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--known", type=int, default=KNOWN, help="known addresses")
    parser.add_argument("--only", default=",".join(PARTS), help="parts to run, of " + ", ".join(PARTS))
    parser.add_argument(
        "--work", type=Path, default=HERE.parents[1] / "var" / "bench", help="a folder on disk for homes"
    )
    parser.add_argument("--dnstwist", default=os.environ.get("NIXIE_DNSTWIST", ""), help="a Python that has dnstwist")
    options = parser.parse_args()
    parts = options.only.split(",")
    made = invented(options.work, options.known)
    queues = Path(tempfile.mkdtemp(prefix="nixie-bench-", dir="/dev/shm"))
    queues.chmod(0o755)
    disk = options.work / "run"
    disk.mkdir(exist_ok=True)
    table = Table()
    result: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}",
        "load_before": os.getloadavg(),
        "organisation": made.facts,
        "rspamd_off": NETWORK_MODULES,
        "rounds": 1 if options.quick else options.rounds,
    }
    print(json.dumps({k: v for k, v in result.items() if k != "rspamd_off"}), flush=True)
    try:
        with World() as world:
            hop = f"127.0.0.1:{world.port}"
            nixie = Nixie("nixie", queues, made=made, disk=disk, hop=hop)
            gateway(parts, options, nixie, world, queues, made, table, result)
        if "tools" in parts:
            tools(nixie.home if nixie.home.exists() else made.home, queues, options, table, result)
    finally:
        shutil.rmtree(queues, ignore_errors=True)
        shutil.rmtree(disk, ignore_errors=True)
    print(f"\n{table.text()}")
    result["goals"] = table.json()
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


def gateway(
    parts: list[str],
    options: argparse.Namespace,
    nixie: Nixie,
    world: World,
    queues: Path,
    made: Any,
    table: Table,
    result: dict[str, Any],
) -> None:
    """Measure what needs a running guard."""
    nothing = NoMilter("none", queues)
    contenders = [nothing, Noop("noop", queues), nixie, Rspamd("rspamd", queues)]
    tcp = [Nixie("nixie-tcp", queues, made=made, disk=nixie.disk, tcp=True)] if "rates" in parts else []
    if "rates" not in parts:
        contenders = [nothing, nixie]
    loader = Loader(queues, made.pairs)
    rounds = 1 if options.quick else options.rounds
    servers: dict[str, Any] = {}
    try:
        for contender in (*contenders, *tcp):
            contender.start()
        if "rates" in parts:
            found, servers = rates.measure(
                contenders, tcp, loader, queues, rounds, 4 if options.quick else 1, lambda text: print(text, flush=True)
            )
            result["rates"] = found.table()
            tell_rates(found, table)
            for contender in (*tcp, *contenders[1:2], *contenders[3:]):
                servers.pop(contender.name).stop()
                contender.stop()
        else:
            servers = {c.name: rates.postfix_for(c, queues) for c in contenders}
            loader.push(servers["nixie"].port, nixie, count=1_000, size=5_000, sessions=20)
        if "moments" in parts:
            tell_moments(nixie, world, servers["nixie"].port, made, rounds, table, result)
        if "latency" in parts:
            tell_latency(nixie, nothing, servers, loader, options, rounds, table, result)
    finally:
        for server in servers.values():
            server.stop()
        for contender in (*contenders, *tcp):
            contender.stop()


def tell_rates(found: rates.Rates, table: Table) -> None:
    """Set the rates beside their goals."""
    small, lone, thread = rates.CASES[0].name, rates.CASES[2].name, rates.CASES[3].name
    table.at_least("5 kB, 20 sessions, against the C no-op", 0.75, found.ratio(small, "nixie", "noop"), "x")
    table.at_least("5 kB, 20 sessions, against Rspamd", 1.7, found.ratio(small, "nixie", "rspamd"), "x")
    table.at_least("100 kB thread, 20 sessions, against the C no-op", 0.6, found.ratio(thread, "nixie", "noop"), "x")
    table.at_least("100 kB thread, 20 sessions, against Rspamd", 2.5, found.ratio(thread, "nixie", "rspamd"), "x")
    table.at_least("5 kB, 1 session, against the C no-op", 0.65, found.ratio(lone, "nixie", "noop"), "x")
    table.at_most(
        "5 kB, 1 session over TCP, p99 of a message", 40, found.median(rates.TCP.name, "nixie-tcp", "p99"), "ms"
    )
    table.at_most("CPU a 5 kB message, all processes", 1.0, found.median(small, "nixie", "cpu"), "ms")
    for case in rates.CASES[3:]:
        table.at_most(f"CPU a message, all processes, {case.name}", 3.0, found.median(case.name, "nixie", "cpu"), "ms")


def tell_moments(
    nixie: Nixie, world: World, port: int, made: Any, rounds: int, table: Table, result: dict[str, Any]
) -> None:
    """Measure memory, questions and the crowd; set them beside their goals."""
    memory = result["memory"] = moments.memory(nixie)
    table.at_most("private memory of a worker, 1 M known addresses", 90, max(memory["workers_mb"]), "MB")
    table.at_most("near index in the workers' own memory", 0, memory["index_private_mb"], "MB")
    web = [w for m in ("worker", "recorder_main", "courier_main") for w in moments.imports_web(f"nixie.service.{m}")]
    table.at_most("web modules in the mail path", 0, len(web) + len(memory["web_in_mail_path"]), "")
    asked = [moments.question(port, world, n) for n in range(max(3, rounds))]
    result["questions"] = asked
    wait = 2.0
    table.at_most(
        "notice after the final dot, less the set wait of 2 s", 5, max(q["notice_s"] for q in asked) - wait, "s"
    )
    table.at_most("release after the click", 5, max(q["release_s"] for q in asked), "s")
    crowds = result["crowd_s"] = [moments.crowd(port, made.pairs, n * 5_100) for n in range(max(3, rounds))]
    table.at_most("message to 5,000 recipients, dot to reply", 1, statistics.median(crowds), "s")


def tell_latency(
    nixie: Nixie,
    nothing: NoMilter,
    servers: dict[str, Any],
    loader: Loader,
    options: argparse.Namespace,
    rounds: int,
    table: Table,
    result: dict[str, Any],
) -> None:
    """Measure added latency, quiet and busy, and the restart between them."""
    short = options.quick
    plans = (
        ("5 kB", 5_000, "thread", 300 if short else 1_200, 50),
        ("10 MB", 10_000_000, "attachment", 12 if short else 30, 300),
    )
    halves = {
        name: latency.full_rate(loader, servers, nixie, size=size, kind=kind, count=count) / 2
        for name, size, kind, count, _ in plans
    }

    def one_round(when: str, repeats: int) -> None:
        for name, size, kind, count, worst in plans:
            told = latency.added(
                loader, servers, nothing, nixie, size=size, kind=kind, rate=halves[name], count=count, rounds=repeats
            )
            result.setdefault("latency", {})[f"{name}{when}"] = told
            print(f"latency {name}{when}: {told}", flush=True)
            if name == "5 kB":
                table.at_most(f"added latency at half load, {name}{when}, p50", 5, told["added_p50_ms"], "ms")
            table.at_most(f"added latency at half load, {name}{when}, p99", worst, told["added_p99_ms"], "ms")

    one_round("", rounds)
    nixie.stop()
    moments.open_holds(nixie.home, 500 if short else moments.OPEN_HOLDS)
    restarts = []
    for again in range(max(3, rounds)):
        if again:
            nixie.stop()
        restarts.append(moments.until_it_answers(nixie))
    result["restart_s"] = restarts
    table.at_most("restart with 1 M addresses", 3, statistics.median(restarts), "s")
    log = latency.log_to_learn(nixie.disk, 200_000 if short else 2_000_000)
    learner = latency.learning(nixie, log)
    try:
        loader.push(servers["nixie"].port, nixie, count=300, size=5_000, sessions=20)
        one_round(", while learning with 10,000 holds", 1 if short else min(rounds, 3))
        result["learning_went_on"] = learner.poll() is None
    finally:
        learner.terminate()
        learner.wait()


def tools(home: Path, folder: Path, options: argparse.Namespace, table: Table, result: dict[str, Any]) -> None:
    """Measure what runs by itself: one check, look-alikes, learning from logs."""
    short = options.quick
    check = moments.check_seconds(home, folder, 3 if short else 9)
    table.at_most("nixie check of one file, start to answer", 0.4, check, "s")
    known, lines = (20_000, 200_000) if short else (100_000, 2_000_000)
    more = ["--dnstwist", options.dnstwist] if options.dnstwist else []
    alike = result["lookalike"] = _script("lookalike.py", folder, "--known", str(known), *more)["lookalike"][0]
    table.at_most("look-alike domain against 100,000 known, median", 60, alike["median_us"], "us")
    table.at_least("look-alike: distance-1 neighbours found", 1.0, alike["recall_typed"], "")
    table.at_least("look-alike: skeleton neighbours found", 1.0, alike["recall_lookalike"], "")
    if alike["times_faster"]:
        table.at_least("look-alike against dnstwist", 1000, alike["times_faster"], "x")
    learned = result["learn"] = _script("learn_postfix.py", folder, "--lines", str(lines))
    table.at_least("nixie learn of Postfix logs, lines a second and core", 0.4e6, learned["lines_per_cpu_second"], "")
    table.at_most("nixie learn, peak memory", 200, learned["peak_rss_mb"], "MB")


def _script(name: str, folder: Path, *words: str) -> Any:
    out = folder / f"{name}.json"
    subprocess.run([sys.executable, HERE.parent / name, "--json", out, *words], check=True, stdout=subprocess.DEVNULL)
    return json.loads(out.read_text())


if __name__ == "__main__":
    main()
