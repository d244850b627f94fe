"""What stands before the text of a log line: four ways to write a time, and a tag.

RFC 3164 has no year and no zone: the year follows from a moment at which the log was still written (its file's mtime),
and rolls over when December becomes January. RFC 3339 stamps and RFC 5424 carry everything.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, tzinfo

MONTHS = {
    m: n
    for n, m in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1
    )
}
_HALF_A_YEAR = 6
_HOURS_KEPT = 4_096
_PRI = re.compile(rb"<\d{1,3}>")
_5424 = re.compile(
    rb"1 (\S+) (\S+) (\S+) (\S+) \S+ (?:-|(?:\[(?:[^\]\"]|\"(?:[^\"\\]|\\.)*+\")*+\])++) ?(?:\xef\xbb\xbf)?"
)
STAMP_3164 = re.compile(rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d ")
STAMP_3339 = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S* ")


def first_year(first: bytes, reference: datetime) -> int:
    """Return the year of a log whose first line begins with `first` and that was written to until `reference`."""
    month = MONTHS.get(first[:3], 1)
    try:
        day = int(first[4:6])
    except ValueError:
        day = 1
    edge = reference + timedelta(days=1)
    return (
        reference.year if (month, day) <= (edge.month, edge.day) or edge.year > reference.year else reference.year - 1
    )


class Clock:
    """The times of lines in their order, as seconds since 1970; None where a line begins with no time.

    `reference` dates the log (see `first_year`), `zone` is that of stamps without one.
    """

    def __init__(self, reference: datetime, zone: tzinfo = UTC) -> None:
        self._reference = reference
        self._zone = zone
        self._year = 0
        self._month = 0
        self._hours: dict[bytes, int] = {}
        self._minutes: dict[bytes, int] = {}

    def seconds(self, line: bytes) -> int | None:
        """Return the time at which the line was written."""
        try:
            if line[4:5] == b"-":
                end = line.find(b" ")
                minute = line[:16] + line[26 if end > 26 else 19 : end]  # what is between are fractions, or nothing
                found = self._minutes.get(minute)
                if found is None:
                    found = self._stamp(minute, line[:end])
                return found + int(line[17:19])
            return self._hour(line[:9]) + int(line[10:12]) * 60 + int(line[13:15])
        except (ValueError, KeyError, OverflowError):
            return None

    def _stamp(self, minute: bytes, stamp: bytes) -> int:
        """Return when the minute of a full stamp began."""
        at = datetime.fromisoformat(stamp.decode("ascii"))
        at = at if at.tzinfo else at.replace(tzinfo=self._zone)
        found = int(at.timestamp()) - at.second
        if len(stamp) in (
            20,
            25,
            27,
            32,
        ):  # `Z` or an offset, with none or six digits of a second: the rest is the zone
            if len(self._minutes) >= _HOURS_KEPT:
                self._minutes.clear()
            self._minutes[minute] = found
        return found

    def _hour(self, stamp: bytes) -> int:
        """Return when an hour (`Jan  9 16`) began; the year is the one we are in."""
        month = MONTHS[stamp[:3]]
        if not self._year:
            self._year = first_year(stamp, self._reference.astimezone(self._zone))
        elif month + _HALF_A_YEAR < self._month:
            self._year += 1
            self._hours.clear()
        year = self._year - 1 if self._month and month > self._month + _HALF_A_YEAR else self._year
        if year == self._year:
            self._month = month
        found = self._hours.get(stamp)
        if found is None:
            hour = datetime(year, month, int(stamp[4:6]), int(stamp[7:9]), tzinfo=self._zone)
            if len(self._hours) >= _HOURS_KEPT:
                self._hours.clear()
            found = self._hours[stamp] = int(hour.timestamp())
        return found

    def state(self) -> list[int]:
        """Return where in the years the clock stands, to go on from."""
        return [self._year, self._month]

    def go_on(self, state: list[int]) -> None:
        """Go on from a state."""
        self._year, self._month = state


def plain(line: bytes) -> bytes:
    """Return a line with a priority, in RFC 5424, or of `journalctl -o json`, written as `TIME HOST TAG[PID]: text`."""
    if line.startswith(b"{"):
        return _journal(line)
    if found := _PRI.match(line):
        line = line[found.end() :]
    if found := _5424.match(line):
        stamp, host, tag, pid = found.groups()
        return b"%s %s %s[%s]: %s" % (stamp, host, tag, pid, line[found.end() :])
    return line


def _journal(line: bytes) -> bytes:
    try:
        entry = json.loads(line)
        at = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
        pid = entry.get("SYSLOG_PID") or entry.get("_PID") or "-"
        tag, host, text = entry["SYSLOG_IDENTIFIER"], entry.get("_HOSTNAME", "-"), entry["MESSAGE"]
        whole = f"{at.isoformat()} {host} {tag}[{pid}]: {text}"
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return b""
    return whole.replace("\n", " ").encode("utf-8", "surrogateescape")
