"""The twenty highest-ranked alarms on untouched messages of each organisation, to be read by a person.

They are mail of real people, some of it truly misdirected: so they are written to a file on this machine only (`var/bench`), and what goes into the
repository is a hash and a label: right (the address was wrong indeed), wrong (a false alarm) or unclear.
"""

from __future__ import annotations

import csv
import json
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from metrics import untouched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from table import Table
    from values import OrgRun, Walked

HERE = Path(__file__).resolve().parent
LOCAL = HERE.parents[1] / "var" / "bench" / "misdirection"
LABELS = HERE / "labels.csv"
"""Columns `hash` and `label`."""

WORDS = ("right", "wrong", "unclear")
READ = 20


def hash_of(org: str, line_id: str, address: str) -> str:
    """Return the name of an alarm under which it is labelled."""
    return blake2b(f"{org}\0{line_id}\0{address}".encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def highest(run: OrgRun, table: Table) -> list[dict[str, Any]]:
    """Return the highest-ranked alarms, with everything a reader needs; not for the repository."""
    top = np.where(untouched(table), table.highest(table.stated), 0.0)
    order = [n for n in np.argsort(-top, kind="stable")[:READ].tolist() if top[n] > 0]
    samples = [run.samples[table.kept[n]] for n in order]
    wanted = {s.line_id for s in samples}
    lines: dict[str, Walked] = {line.line_id: line for line in run.walk() if line.judged and line.line_id in wanted}
    found = []
    for sample in samples:
        copy = max((r for r in sample.recipients if r.counted), key=lambda r: r.score)
        line = lines[sample.line_id]
        found.append(
            {
                "hash": hash_of(run.org, sample.line_id, copy.address),
                "label": "",
                "stated": copy.score,
                "slip": copy.slip,
                "written": copy.address,
                "meant": copy.intended,
                "factors": dict(copy.factors),
                "at": sample.at.isoformat(),
                "reply": sample.reply,
                "from": sample.sender,
                "to": [r.address for r in sample.recipients],
                "subject": line.subject,
                "body": line.body,
            }
        )
    return found


def write_and_count(run: OrgRun, table: Table, labels: dict[str, str], folder: Path = LOCAL) -> dict[str, int]:
    """Write the alarms of an organisation for a reader; return how many are labelled how."""
    found = highest(run, table)
    for alarm in found:
        alarm["label"] = labels.get(alarm["hash"], "")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"alarms-{run.org}.jsonl"
    path.write_text(
        "".join(json.dumps(a, ensure_ascii=False) + "\n" for a in found), encoding="utf-8", errors="replace"
    )
    given = [a["label"] for a in found]
    return {"alarms": len(found), **{word: given.count(word) for word in WORDS}, "not_read": given.count("")}


def labels_of(path: Path = LABELS) -> dict[str, str]:
    """Return the labels of the repository by hash. Raises ValueError at a label that is none of `WORDS`."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        found = {row["hash"]: row["label"] for row in csv.DictReader(file)}
    if wrong := set(found.values()) - set(WORDS):
        raise ValueError(f"{path.name}: {sorted(wrong)} is no label; write right, wrong or unclear")
    return found


def read_alarms(runs: Sequence[OrgRun], tables: Sequence[Table], folder: Path = LOCAL) -> dict[str, dict[str, int]]:
    """Write all alarms to the local folder; return the counts of labels by organisation."""
    labels, by_org = labels_of(), {run.org: run for run in runs}
    return {t.org: write_and_count(by_org[t.org], t, labels, folder) for t in tables}
