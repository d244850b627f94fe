"""How much misdirected mail Nixie finds, and how often it cries wolf, on real public mail: one command, all figures.

    .venv/bin/python bench/misdirection/run.py --data DIR [--json OUT] [--plots DIR] [--quick] [--only enron,usrp] [--kinds A,B]

Each organisation is walked forward once: `streams` makes its mail, `injections` puts slips into copies of test messages, `driving` asks
`nixie check --stream --walk-forward` about all of them, and `report` sets the answers beside baselines that walk the same lines. Two
organisations run at a time. The data are real people's mail and stay where they are; nothing printed holds an address.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import natural
from corpora import READERS, load
from driving import NIXIE, samples_of
from planning import plan
from streams import Stream
from values import KINDS, OrgRun, Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

SEED = 20261123
ORGANISATIONS = ("btrfs", "enron", "usrp", "foia")
"""The largest first, so that two processes end at about the same time."""

NO_ADDRESSES = ("C", "C2", "F")
"""Kinds that say nothing where addresses are invented from names (foia)."""

CAPS = {"btrfs": 2_000, "enron": 3_000, "usrp": 3_000, "foia": 1_000}
QUICK_CAP, QUICK_TRIALS, TRIALS = 400, 2, 10
QUICK_LAST = {"btrfs": 6_000, "usrp": 6_000}
LAST = {"btrfs": 8_000}
"""Mails of a large corpus that are walked, the last ones; `--all` takes every one."""


_streams: dict[str, Stream] = {}


def main() -> None:
    """Run all and print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of the public tables")
    parser.add_argument("--json", type=Path, help="write every figure here")
    parser.add_argument("--plots", type=Path, help="write the plots into this folder")
    parser.add_argument("--quick", action="store_true", help="few trials, the end of the lists: whether it runs")
    parser.add_argument("--all", action="store_true", help="every mail of the large corpora, not the last ones only")
    parser.add_argument("--only", default=",".join(ORGANISATIONS), help="organisations, of " + ", ".join(READERS))
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds of slips to inject")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--trials", type=int)
    parser.add_argument("--cap", type=int, help="test messages of an organisation and half")
    parser.add_argument("--nixie", default=NIXIE[0], help="the nixie to ask")
    parser.add_argument("--work", type=Path, help="keep the streams here instead of in a folder that is removed")
    parser.add_argument("--brief", action="store_true", help="only recall of the product, no baselines")
    options = parser.parse_args()
    began = time.monotonic()
    orgs = [o for o in ORGANISATIONS if o in options.only.split(",")]
    for org in orgs:
        _streams[org] = make(org, options)
        print(f"{org}: {json.dumps({**_streams[org].corpus.facts, **_streams[org].plan.facts})}", flush=True)
    with tempfile.TemporaryDirectory(prefix="nixie-misdirection-") as temporary:
        folder = options.work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        runs = drive(orgs, folder, options.nixie)
    if not options.brief:
        import report

        report.tell(runs, json_file=options.json, plots=options.plots)
    else:
        brief(runs)
    print(f"\n{time.monotonic() - began:.0f} s in all", flush=True)


def make(org: str, options: argparse.Namespace) -> Stream:
    """Return the stream of one organisation, injections and all."""
    last = QUICK_LAST if options.quick else {} if options.all else LAST
    corpus = load(org, options.data, last.get(org))
    kinds = tuple(k for k in KINDS if k in options.kinds.split(",") and not (org == "foia" and k in NO_ADDRESSES))
    trials = options.trials or (QUICK_TRIALS if options.quick else TRIALS)
    cap = options.cap or (QUICK_CAP if options.quick else CAPS[org])
    return Stream(corpus, plan(corpus, options.data, seed=options.seed, trials=trials, cap=cap, kinds=kinds))


def drive(orgs: Sequence[str], folder: Path, nixie: str) -> list[OrgRun]:
    """Return the runs, two organisations at a time."""
    runs = []
    # Forked children have the streams; what comes back are the samples only.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        waiting = {org: pool.submit(_drive_one, org, folder, nixie) for org in orgs}
        for org, answer in waiting.items():
            samples, usage, summary = answer.result()
            stream = _streams[org]
            facts = {**stream.corpus.facts, **stream.plan.facts, "nixie": summary, "natural": natural.found(samples)}
            runs.append(OrgRun(org, tuple(samples), stream.lines, stream.corpus.lists, facts, usage))
            print(f"{org}: {len(samples)} judged; " + ", ".join(f"{k} {v:.0f} s" for k, v in usage.items()), flush=True)
    return runs


def _drive_one(org: str, folder: Path, nixie: str) -> tuple[list[Sample], dict[str, float], dict[str, Any]]:
    return samples_of(_streams[org], folder, (nixie,))


def brief(runs: Sequence[OrgRun]) -> None:
    """Print the product's recall at a few numbers of false alarms per 1,000 untouched messages, halves apart."""
    for run in runs:
        for tuning in (True, False):
            clean = sorted(
                (
                    max((r.score for r in s.recipients if r.counted), default=0.0)
                    for s in run.samples
                    if s.clean and s.tuning is tuning
                ),
                reverse=True,
            )
            if not clean:
                continue
            print(f"\n{run.org} {'tuning' if tuning else 'test'}: {len(clean)} untouched")
            caught: dict[str, list[tuple[float, bool, bool]]] = {}
            for sample in run.samples:
                put = sample.injected
                if put is None or sample.tuning is not tuning:
                    continue
                wrong = next((r for r in sample.recipients if r.address.lower() == put.wrong.lower()), None)
                score = wrong.score if wrong else 0.0
                best = score > max((r.score for r in sample.recipients if r.counted and r is not wrong), default=0.0)
                named = wrong is not None and put.true is not None and wrong.intended.lower() == put.true
                label = put.kind + (" " + put.subkind.split()[0] if put.kind in ("B", "D") else "")
                if put.kind in ("C", "C2"):
                    label += " known" if put.target_known else " unknown"
                caught.setdefault(label, []).append((score, best, named))
            for label, found in sorted(caught.items()):
                row = []
                for budget in (1.0, 5.0, 10.0):
                    allowed = int(len(clean) * budget / 1000)
                    cut = clean[allowed] if allowed < len(clean) else 0.0
                    row.append(f"{sum(e[0] > cut for e in found) / len(found):.3f}")
                first = sum(b for _, b, _ in found) / len(found)
                named = sum(n for _, _, n in found) / len(found)
                print(
                    f"  {label:<14}{len(found):>6}  recall@1,5,10 {' '.join(row)}  first {first:.3f}  names {named:.3f}"
                )


if __name__ == "__main__":
    main()
