"""`nixie learn`: many files, each mail once, in small steps that survive being killed.

The recorder is the only writer of the mail path. `nixie learn` in a process of its own writes to the same database file;
SQLite lets one of them write at a time, so each step here is one short `BEGIN IMMEDIATE` transaction: the events of some
thousand mails, their keys, and how far the file was read, all or nothing. Steps are small while somebody else writes and
larger while nobody does, and a killed run goes on after its last step.

Memory does not depend on the size of a source: blocks of a megabyte, columns of bounded length, addresses remembered up
to a bound.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from nixie.core.mailing import keys_of
from nixie.service.learning_files import Found, Opened, find, latest_in, written_until
from nixie.service.learning_folders import learn_folder
from nixie.service.learning_people import PEOPLE_FORMATS, learn_people
from nixie.service.learning_readers import LineReader, MailboxReader, MessageReader, Reader, StreamReader
from nixie.service.learning_zone import local_zone
from nixie.sources.columns import Columns
from nixie.sources.detect import Format, SourceError
from nixie.sources.files import set_name
from nixie.sources.postfix import PostfixReader
from nixie.store import knowledge_files
from nixie.store.addresses import intern_keys
from nixie.store.db import writing
from nixie.store.knowledge import Taught, fold, teach
from nixie.store.knowledge_answers import settle_answers
from nixie.store.knowledge_batch import Batch, Numbers, learn_batch
from nixie.store.mailings import learn_mailings
from nixie.store.mailings_batch import MailRows, learn_mail_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from datetime import tzinfo
    from pathlib import Path

    from nixie.core.organisation import Organisation

BLOCK = 1 << 17
STEP_EVENTS = 25_000
"""Events of a step while nobody else writes: large steps cost less each."""
STEP_EVENTS_SHARED = 300
"""Most events of a step beside the recorder, and of the first one; it is smaller where it would hold the lock longer."""
SHARED_SECONDS = 0.01
SHARED_FOR = 5.0
"""Somebody who wrote so many seconds ago may write again at any moment."""
STEP_SECONDS = 2.0
POLL_SECONDS = 0.5
CACHE_KB = 16_000


@dataclass(slots=True)
class LearnReport:
    """What a run did. `read` are log lines, mails, or rows; `joined` those that told of a delivery or a mail;
    `unknown` why the rest was not used, in counts without any text of theirs.
    """

    files: int = 0
    unchanged: int = 0
    read: int = 0
    joined: int = 0
    counted: int = 0
    duplicates: int = 0
    replies: int = 0
    refused: int = 0
    people: int = 0
    partners: int = 0
    new_domains: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)


Progress = "Callable[[int, int, str], None]"
"""Called with bytes done, bytes in all, and the file's path."""


def learn(
    paths: Iterable[Path],
    organisation: Organisation,
    db: sqlite3.Connection,
    progress: Callable[[int, int, str], None] | None = None,
    *,
    on_domains: Callable[[tuple[str, ...]], None] | None = None,
    now: datetime | None = None,
    zone: tzinfo | None = None,
) -> LearnReport:
    """Learn from files and folders and return what was read; `db` is a writer's connection.

    `zone` is that of log lines without one (default: this machine's). Raises `SourceError` before anything is read when
    a named path is missing or of unknown format. A compressed file that turns out damaged is learned up to the damage
    and named in `skipped`.
    """
    learner = Learner(organisation, db, on_domains, zone or local_zone(), now or datetime.now(UTC))
    listing = find(list(paths), learner.zone)
    learner.report.skipped += listing.skipped
    total, done = sum(f.size for f in listing.files), 0
    db.execute(f"PRAGMA cache_size = -{CACHE_KB}")  # a step touches many pages; the default keeps two megabytes of them
    # A power failure may take the last steps with the position they had reached, and the next run reads that part again.
    db.execute("PRAGMA synchronous = NORMAL")
    fold(db, learner.now)
    log_set, carried = "", ""
    for found in listing.files:
        this_set = f"{found.path.parent}/{set_name(found.path.name)}" if found.format is Format.POSTFIX else ""
        if this_set != log_set:
            log_set, carried = this_set, ""

        def tell(taken: int, found: Found = found, done: int = done) -> None:
            if progress:
                progress(done + min(taken, found.size), total, str(found.path))

        carried = learner.learn_file(found, carried, tell)
        done += found.size
    for folder in listing.folders:
        learn_folder(learner, folder, progress)
    learner.report.replies = settle_answers(db)
    return learner.report


class Learner:
    """One run: the columns that fill, the numbers that are remembered, the report that grows."""

    def __init__(
        self,
        organisation: Organisation,
        db: sqlite3.Connection,
        on_domains: Callable[[tuple[str, ...]], None] | None,
        zone: tzinfo,
        now: datetime,
    ) -> None:
        self.organisation = organisation
        self.db = db
        self.zone = zone
        self.now = now
        self.report = LearnReport()
        self.columns = Columns()
        self._numbers = Numbers()
        self._hashes: dict[int, tuple[int, ...]] = {}
        self._on_domains = on_domains
        self._since = time.monotonic()
        self._others = self._version()
        self._met = -SHARED_FOR
        self._step_events = min(STEP_EVENTS, STEP_EVENTS_SHARED)

    def _version(self) -> int:
        """Return a number that changes when another connection commits."""
        (version,) = self.db.execute("PRAGMA data_version").fetchone()
        return int(version)

    def learn_file(self, found: Found, carried: str, tell: Callable[[int], None]) -> str:
        """Learn from one file what was not read before; return what its reader carries into the next of its set."""
        with Opened(self.db, found.path) as opened:
            if opened.unchanged:
                self.report.unchanged += 1
                return opened.before.state
            self.report.files += 1
            if found.format in PEOPLE_FORMATS:
                new = learn_people(self.db, found.format, found.path, opened, self.report)
                self._counted(Taught(0, 0, new))
                return ""
            reader = self._reader(found.format, found.path, opened.before.state or carried)
            reader.position = opened.before.position
            try:
                self.read_on(opened, reader, tell)
            except SourceError as error:
                self.report.skipped.append(str(error))
                self.step(opened, reader, "")
                reader.report_to(self.report)
                return reader.state()
            if opened.packed or found.format is not Format.POSTFIX:
                reader.finish()
            self.step(opened, reader, opened.stat)
            reader.report_to(self.report)
            return reader.state()

    def read_on(self, opened: Opened, reader: Reader, tell: Callable[[int], None]) -> None:
        """Read what is new, a step at a time; the last, unfinished step is left to the caller."""
        for block in opened.blocks(BLOCK):
            reader.feed(block)
            if self.step_is_full():
                self.step(opened, reader, "")
            tell(opened.taken())

    def step_is_full(self) -> bool:
        """Return whether enough has gathered for a transaction."""
        return self.columns.size >= self._step_events or time.monotonic() - self._since > STEP_SECONDS

    def step(self, opened: Opened, reader: Reader, stat: str) -> None:
        """Write the events so far and how far the file was read, in one transaction."""
        before = opened.before
        self.write(
            knowledge_files.LearnedFile(
                before.head_size, before.head, stat, reader.position, opened.mark(reader.position), reader.state()
            )
        )

    def write(self, file: knowledge_files.LearnedFile) -> None:
        """Write the columns and a source's new position in one transaction, then empty the columns."""
        columns, generation = self.columns, self.columns.generation
        # The copies free the arrays, which cannot grow while numpy looks at them.
        arrays = [
            np.array(c, dtype=np.int64) for c in (columns.key, columns.at, columns.kind, columns.ours, columns.other)
        ]
        try:
            with writing(self.db):
                began = time.monotonic()
                taught = learn_batch(self.db, Batch(columns.keys, *arrays), self._numbers)
                answers = teach(self.db, (), columns.answers) if columns.answers else Taught()
                people = self._learn_mailings()
                knowledge_files.save(self.db, file)
        except BaseException:
            self._numbers.clear()
            raise
        self._step_events = self._next_step(columns.size, time.monotonic() - began)
        columns.empty()
        if columns.generation != generation:
            self._numbers.clear()
            self._hashes.clear()
        self._since = time.monotonic()
        self._counted(taught)
        self._counted(answers)
        self._counted(people)

    def _learn_mailings(self) -> Taught:
        """Write the mailings in the columns, inside the caller's transaction; what is counted there is the events' affair."""
        c = self.columns
        new: tuple[str, ...] = ()
        if c.mailings:
            known, new = intern_keys(self.db, list(dict.fromkeys(key for m in c.mailings for key in keys_of(m))))
            learn_mailings(self.db, c.mailings, known)
        if c.mail:
            arrays = [np.array(a, dtype=np.int64) for a in (c.mail, c.mail_at, c.mail_from, c.mail_to, c.mail_ours)]
            new += learn_mail_rows(self.db, MailRows(c.keys, *arrays), self._numbers, self._hashes)
        return Taught(new_domains=new)

    def _next_step(self, events: int, seconds: float) -> int:
        """Return how many events the next step takes, after one of so many that held the lock so long.

        Beside somebody who wrote within the last `SHARED_FOR` seconds a step is as large as `SHARED_SECONDS` allow; else steps
        grow fast.
        """
        version, now = self._version(), time.monotonic()
        if version != self._others:
            self._others, self._met = version, now
        if now - self._met > SHARED_FOR:
            return min(STEP_EVENTS, 4 * self._step_events)
        fitting = int(max(events, 1) * SHARED_SECONDS / max(seconds, 0.001))
        return max(20, min(fitting, STEP_EVENTS_SHARED))

    def _counted(self, taught: Taught) -> None:
        self.report.counted += taught.counted
        self.report.duplicates += taught.duplicates
        self.report.new_domains += len(taught.new_domains)
        if taught.new_domains and self._on_domains:
            self._on_domains(taught.new_domains)

    def _reader(self, format_: Format, path: Path, state: str) -> Reader:
        if format_ is Format.POSTFIX:
            until = written_until(path)
            return LineReader(PostfixReader(self.columns, self.organisation, until, self.zone, state))
        latest = latest_in(path)
        if format_ is Format.MBOX:
            return MailboxReader(self.columns, self.organisation, latest)
        if format_ is Format.STREAM:
            return StreamReader(self.columns, self.organisation)
        return MessageReader(self.columns, self.organisation, latest)


def follow(
    path: Path,
    organisation: Organisation,
    db: sqlite3.Connection,
    stopped: Callable[[], bool],
    *,
    on_domains: Callable[[tuple[str, ...]], None] | None = None,
    on_step: Callable[[LearnReport], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
    zone: tzinfo | None = None,
) -> LearnReport:
    """Learn from a growing log until `stopped()` says so, through rotation by renaming and by cutting.

    `on_step` hears the report after each look at the file. Raises `SourceError` when the file is not there at the start
    or its format is not known.
    """
    learner = Learner(organisation, db, on_domains, zone or local_zone(), datetime.now(UTC))
    fold(db, learner.now)
    carried, met = "", False
    while not stopped():
        if met and not path.exists():  # a rotation is on its way
            sleep(POLL_SECONDS)
            continue
        listing = find([path], learner.zone)
        if not listing.files:
            sleep(POLL_SECONDS)
            continue
        with Opened(db, path) as opened:
            reader = learner._reader(listing.files[0].format, path, opened.before.state or carried)  # noqa: SLF001
            reader.position = opened.before.position
            blocks = opened.blocks(BLOCK)
            last = False
            while True:
                grown = False
                for block in blocks:
                    reader.feed(block)
                    grown = True
                    if learner.step_is_full():
                        learner.step(opened, reader, "")
                if grown:
                    learner.step(opened, reader, "")
                    reader.report_to(learner.report)
                if on_step:
                    on_step(learner.report)
                if last or stopped():
                    break
                # One more look after the change of files: lines may have come between our last look and it.
                last = opened.replaced(path)
                if not last:
                    sleep(POLL_SECONDS)
                blocks = opened.more(BLOCK)
            carried, met = reader.state(), True
    return learner.report
