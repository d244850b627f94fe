"""The readers of `sources` behind one face: blocks in, events in the columns, a position to go on from."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from nixie.sources.eml import message_record
from nixie.sources.mailings import mailing_of_record
from nixie.sources.mbox import MboxReader
from nixie.sources.records import answers_of, events_of
from nixie.sources.stream import events_of_item, read_item, record_of_item

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from nixie.core.organisation import Organisation
    from nixie.service.learning import LearnReport
    from nixie.sources.columns import Columns
    from nixie.sources.postfix import PostfixReader
    from nixie.sources.records import Record

MAX_MESSAGE = 1 << 26
"""Bytes of a single message file that are looked at."""
MAX_LINE = 1 << 26


class Reader(Protocol):
    """What `service.learning` needs of a source; `position` counts bytes whose mails are in the columns."""

    position: int

    def feed(self, block: bytes) -> None:
        """Take a block."""

    def finish(self) -> None:
        """Take what waits for an end that will not come."""

    def state(self) -> str:
        """Return what the position alone does not say."""

    def report_to(self, report: LearnReport) -> None:
        """Add what was read since the last call."""


class LineReader:
    """A log."""

    def __init__(self, reader: PostfixReader) -> None:
        self._reader = reader

    @property
    def position(self) -> int:
        """Return bytes of whole lines taken."""
        return self._reader.position

    @position.setter
    def position(self, value: int) -> None:
        self._reader.position = value

    def feed(self, block: bytes) -> None:
        """Take a block of lines."""
        self._reader.feed(block)

    def finish(self) -> None:
        """Take a last line without an end."""
        self._reader.finish()

    def state(self) -> str:
        """Return the mails on their way."""
        return self._reader.state()

    def report_to(self, report: LearnReport) -> None:
        """Add lines, joined deliveries and what was unknown."""
        reader = self._reader
        report.read += reader.lines
        report.joined += reader.joined
        report.refused += reader.refused
        report.unknown.update(reader.unknown)
        reader.lines = reader.joined = reader.refused = 0
        reader.unknown.clear()


class RecordReader:
    """What all sources of whole mails share: records in, events in the columns, and what was not usable."""

    def __init__(self, columns: Columns, organisation: Organisation) -> None:
        self.position = 0
        self._columns = columns
        self._organisation = organisation
        self._read = 0
        self._unknown: Counter[str] = Counter()

    def take(self, record: Record | None) -> None:
        """Take one mail."""
        self._read += 1
        if record is None:
            self._unknown["mail without a date"] += 1
            return
        self._unknown.update(record.defects)
        for event in events_of(record, self._organisation):
            self._columns.add(event)
        self._columns.answers.extend(answers_of(record, self._organisation))
        if (mailing := mailing_of_record(record, self._organisation)) is not None:
            self._columns.mailings.append(mailing)

    def state(self) -> str:
        """Return nothing: the position says it all."""
        return ""

    def report_to(self, report: LearnReport) -> None:
        """Add mails and what was unknown."""
        report.read += self._read
        report.joined += self._read - self._unknown["mail without a date"]
        report.unknown.update(+self._unknown)
        self._read = 0
        self._unknown.clear()


class MailboxReader(RecordReader):
    """An mbox. The position is known before the reader is made by setting it."""

    def __init__(self, columns: Columns, organisation: Organisation, latest: datetime) -> None:
        super().__init__(columns, organisation)
        self._latest = latest
        self._box: MboxReader | None = None

    def feed(self, block: bytes) -> None:
        """Take a block of mails."""
        self._box = self._box or MboxReader(self._latest, self.position)
        self._take_all(self._box.feed(block))

    def finish(self) -> None:
        """Take the last mail."""
        if self._box:
            self._take_all(self._box.finish())

    def _take_all(self, mails: Iterator[tuple[int, Record | None]]) -> None:
        for position, record in mails:
            self.take(record)
            self.position = position


class MessageReader(RecordReader):
    """A file that is one mail."""

    def __init__(self, columns: Columns, organisation: Organisation, latest: datetime) -> None:
        super().__init__(columns, organisation)
        self._latest = latest
        self._raw = b""

    def feed(self, block: bytes) -> None:
        """Gather the mail."""
        if len(self._raw) < MAX_MESSAGE:
            self._raw += block

    def finish(self) -> None:
        """Take the mail; a file that grew since it was read is none any more."""
        if self._raw and not self.position:
            self.take(message_record(self._raw, self._latest))
        self.position += len(self._raw)
        self._raw = b""


class StreamReader(RecordReader):
    """JSON lines."""

    def __init__(self, columns: Columns, organisation: Organisation) -> None:
        super().__init__(columns, organisation)
        self._rest = b""

    def feed(self, block: bytes) -> None:
        """Take a block of lines."""
        *lines, self._rest = (self._rest + block).split(b"\n")
        for line in lines:
            self.position += len(line) + 1
            self._line(line)
        if len(self._rest) > MAX_LINE:
            self._unknown["line too long"] += 1
            self.position += len(self._rest)
            self._rest = b""

    def finish(self) -> None:
        """Take a last line without an end."""
        self.position += len(self._rest)
        self._line(self._rest)
        self._rest = b""

    def _line(self, line: bytes) -> None:
        if not line.strip():
            return
        item = read_item(line)
        self._unknown.update(item.defects)
        if not item.learn or item.kind == "unreadable":
            self._read += 1
            self._unknown["item not to learn from"] += not item.learn
        elif item.kind == "outcome":
            self._read += 1
            for event in events_of_item(item, self._organisation):
                self._columns.add(event)
        else:
            self.take(record_of_item(item))
