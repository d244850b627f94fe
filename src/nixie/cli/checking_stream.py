"""`nixie check --stream`: many messages in one process, one JSON line out per line in, a summary last.

With `--walk-forward` it starts from nothing and learns each message after judging it, in a database in memory that is the
store's own: a walk forward sees exactly what the gateway would have known on that day.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from nixie.cli.common import EX_BAD, EX_NO, Complaint
from nixie.core.envelope import Client
from nixie.core.mailing import keys_of
from nixie.core.near_addresses import GrowingAddresses
from nixie.core.similarity import GrowingIndex
from nixie.render.decision import decision_json
from nixie.service.walking_budget import WalkTuning
from nixie.sources.mailings import mailing_of_record
from nixie.sources.records import answers_of, events_of
from nixie.sources.stream import StreamItem, outcomes_of_item, read_item, record_of_item
from nixie.store.address_list import addresses_after
from nixie.store.addresses import intern_keys
from nixie.store.db import migrate, writing
from nixie.store.knowledge import teach
from nixie.store.knowledge_facts import StoreFacts
from nixie.store.mailings import learn_mailings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from nixie.core.reading import Reading
    from nixie.service.engine import Engine

MAX_LINE = 64 << 20
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
CLIENT = Client()
_SPAN = re.compile(r"(\d+)\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def check_stream(
    engine: Engine,
    file: Path,
    *,
    slack: str,
    explain: bool,
    learning: bool,
    only_judged: bool = False,
    report_from: float | None = None,
) -> int:
    """Judge a stream and print the answers; return 0 when all would be delivered, 1 when not, 2 when lines were bad.

    `only_judged` leaves out the answers to lines that were not judged; `report_from` is the least probability of a slip that is
    reported (default: the model's own).
    """
    if report_from is not None:
        engine = reporting_from(engine, report_from)
    walk = Walk(engine, span(slack), learning=learning)
    each_at_once = str(file) == "-"
    source = sys.stdin.buffer if each_at_once else file.open("rb")
    out = sys.stdout
    with source:
        for told in walk.answers(source, explain=explain, only_judged=only_judged):
            out.write(_dumps(told) + "\n")
            if each_at_once:
                out.flush()
    click.echo(_dumps({"summary": walk.summary()}))
    if walk.counts["unreadable"]:
        return EX_BAD
    return EX_NO if walk.counts["stopped_copies"] else 0


def reporting_from(engine: Engine, probability: float) -> Engine:
    """Return the engine with another least probability of a slip that makes a finding."""
    misdirected = {**engine.settings.get("misdirected", {}), "report_from": probability}
    return replace(engine, settings={**engine.settings, "misdirected": misdirected})


def span(text: str) -> timedelta:
    """Return a span of time such as `2d`. Raises `Complaint`."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise Complaint(f"--slack {text}: not a span of time; write it as 2d or 12h")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


@dataclass(slots=True)
class Walk:
    """One pass over a stream: judges each item by what came before it, and with `learning` teaches it afterwards."""

    engine: Engine
    slack: timedelta
    learning: bool
    counts: Counter[str] = field(default_factory=Counter)
    defects: Counter[str] = field(default_factory=Counter)
    _db: sqlite3.Connection | None = None
    _near: GrowingIndex = field(default_factory=GrowingIndex)
    _near_addresses: GrowingAddresses = field(default_factory=GrowingAddresses)
    _taken: int = 0
    _latest: datetime | None = None
    _tuning: WalkTuning | None = None

    def __post_init__(self) -> None:
        """Begin with an empty store where learning is asked for."""
        if self.learning:
            self._db = sqlite3.connect(":memory:", isolation_level=None)
            self._db.execute("PRAGMA journal_mode = OFF")  # a walk that fails ends, and nothing of it is kept
            migrate(self._db, "memory")
            self.engine = replace(self.engine, facts=StoreFacts(self._db, self._near, self._near_addresses))
            if self.engine.policy.budget is not None:
                self._tuning = WalkTuning(self.engine.policy.budget)
                self.engine = replace(self.engine, tuning=self._tuning)

    def answers(self, lines: Iterable[bytes], *, explain: bool, only_judged: bool = False) -> Iterator[dict[str, Any]]:
        """Yield one answer a line, in order; empty lines are passed over, with `only_judged` those not judged too."""
        for number, line in enumerate(lines, 1):
            if line.strip():
                told = self._answer(read_item(line[:MAX_LINE]), number, explain=explain)
                if not only_judged or "recipients" in told:
                    yield told

    def summary(self) -> dict[str, Any]:
        """Return the sums over all lines so far."""
        return {**dict(sorted(self.counts.items())), "defects": dict(sorted(self.defects.items()))}

    def _answer(self, item: StreamItem, number: int, *, explain: bool) -> dict[str, Any]:
        item = self._dated(item)
        self.counts["lines"] += 1
        self.defects.update(item.defects)
        told: dict[str, Any] = {"line": number, "id": item.id, "kind": item.kind}
        reading = None
        if item.kind == "unreadable":
            self.counts["unreadable"] += 1
        elif item.judge and item.date is not None:
            decision = self.engine.decide(item.message, item.envelope, CLIENT, item.date)
            reading = decision.reading
            if self._tuning is not None and item.learn:
                self._tuning.note(decision, item.date)
            told |= decision_json(decision.envelope, decision.origin, decision.verdict, explain=explain)
            copies = decision.verdict.copies
            self.counts["judged"] += 1
            self.counts["copies"] += len(copies)
            self.counts["stopped_copies"] += sum(bool(c.disposition.strictness) for c in copies)
            self.counts["below_budget_copies"] += sum(bool(c.below_budget) for c in copies)
            self.counts["would_be_stopped_copies"] += sum(bool(c.would_be.strictness) for c in copies)
        if item.learn:
            self._learn(item, reading)
        if item.defects:
            told["defects"] = list(item.defects)
        return told

    def _dated(self, item: StreamItem) -> StreamItem:
        """Return the item with a date that does not go back further than the slack."""
        latest = self._latest
        if item.date is None:
            return replace(item, date=latest or datetime.now(UTC))
        if latest is not None and item.date < latest - self.slack:
            return replace(item, date=latest - self.slack, defects=(*item.defects, "date-goes-back"))
        if latest is None or item.date > latest:
            self._latest = item.date
        return item

    def _learn(self, item: StreamItem, reading: Reading | None) -> None:
        if self._db is None:
            return
        organisation = self.engine.organisation
        record = record_of_item(item, reading)
        events = tuple(outcomes_of_item(item, organisation) if record is None else events_of(record, organisation))
        answers = tuple(answers_of(record, organisation)) if record is not None else ()
        mailing = mailing_of_record(record, organisation) if record is not None else None
        if not (events or answers or mailing is not None):
            return
        known: dict[str, tuple[int, int]] = {}
        new: tuple[str, ...] = ()
        with writing(self._db):
            if mailing is not None:
                known, new = intern_keys(self._db, keys_of(mailing))
            taught = teach(self._db, events, answers, known)
            if mailing is not None:
                learn_mailings(self._db, (mailing,), known)
        self.counts["learned"] += taught.counted
        self.counts["mailings"] += mailing is not None
        for domain in (*new, *taught.new_domains):
            self._near.add(domain)
        met, self._taken = addresses_after(self._db, self._taken)
        for key in met:
            self._near_addresses.add(key)
