"""Postfix logs: lines in, events in columns out, a million lines in a second or two.

Six lines tell one mail: client, message-id, from, to, removed, joined by a queue id. The work per line is one search for
the end of the tag and one for the end of the queue id; no pattern runs, and addresses are normalised once and remembered.
The join is on the queue id alone; short ids are used again, so an entry ends at `removed` and begins at `client=`.

A mail is dated by its first line, the moment of arrival. `orig_to` counts before `to`: it is what was written, the other
what an alias made of it. With a filter behind the queue each mail passes twice, and its event key makes it count once.
What a log cannot tell: subjects, who stood in To or Bcc, and whether a list or a robot wrote.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from nixie.core.address import AddressError, canonical, parse_path
from nixie.core.events import EventKind
from nixie.sources.records import nobody
from nixie.sources.syslog import Clock, plain

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from nixie.core.organisation import Organisation
    from nixie.sources.columns import Columns

MAX_OPEN = 50_000
"""Mails on their way that are remembered; the oldest are given up first."""
MAX_LINE = 1 << 16
MAX_KNOWN = 100_000
"""Spellings of addresses remembered with what they mean."""

_SENT, _WROTE, _BOUNCED = int(EventKind.SENT), int(EventKind.WROTE_TO_US), int(EventKind.BOUNCED)
_PREFIX = {kind: b"%d\0" % kind for kind in (_SENT, _WROTE, _BOUNCED)}
_NOBODY, _OWN, _INSIDE, _OUTSIDE = range(4)
_SIMPLE = re.compile(rb"[a-z0-9._-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_CONNECTIONS = frozenset(
    (b"conn", b"disc", b"lost", b"time", b"stat", b"Anon", b"Untr", b"Trus", b"Veri", b"SSL_", b"warn", b"tabl", b"fata",
     b"impr", b"too ", b"daem", b"relo", b"star", b"stop", b"term", b"refr", b"host", b"mast", b"err", b"cann", b"conf")
)  # fmt: skip
_OTHERS = frozenset(
    (b"sen", b"hos", b"mil", b"hol", b"war", b"inf", b"rep", b"pre", b"red", b"dis", b"los", b"con", b"enc", b"ski",
     b"rej", b"fil", b"pla", b"rel", b"req", b"pos", b"res", b"Cli", b"ena", b"add", b"tim", b"ret", b"ETR", b"bre", b"SSL")
)  # fmt: skip

Known = tuple[int, int, bytes]
"""What a spelling of an address means: its place in the columns, which side it is on, its key's bytes."""
Waiting = list[Any]
"""A mail on its way: seconds of arrival, Message-ID, envelope sender and login as bytes, the mailing's key (0: not made yet)."""
_NOONE: Known = (0, _NOBODY, b"")


class PostfixReader:
    """Blocks of a log in their order; events go to `columns`. `reference` and `zone` as in `syslog.Clock`.

    `position` counts the bytes of whole lines taken, and `state()` holds the mails that were still on their way there:
    together they let reading go on in the grown file, or in the next file of a rotated set.
    """

    def __init__(
        self, columns: Columns, organisation: Organisation, reference: datetime, zone: tzinfo = UTC, state: str = ""
    ) -> None:
        self.position = 0
        self.lines = self.joined = self.refused = 0
        self.unknown: Counter[str] = Counter()
        self._columns = columns
        self._organisation = organisation
        self._clock = Clock(reference, zone)
        self._rest = b""
        self._known: dict[bytes, Known] = {b"": _NOONE}
        self._sides: dict[str, int] = {}
        self._generation = columns.generation
        self._open: dict[bytes, Waiting] = {}
        if state:
            self._go_on(state)

    def feed(self, block: bytes) -> None:
        """Take a block; a line that it cuts waits for the next."""
        data = self._rest + block
        cut = data.rfind(b"\n") + 1
        self._rest = data[cut:]
        if len(self._rest) > MAX_LINE:
            self.unknown["line too long"] += 1
            cut += len(self._rest)
            self._rest = b""
        self._take(data[:cut].split(b"\n"))
        self.position += cut

    def finish(self) -> None:
        """Take a last line that has no end; only for a log that grows no more."""
        self._take([self._rest])
        self.position += len(self._rest)
        self._rest = b""

    def state(self) -> str:
        """Return the mails on their way and the clock's year, as text to go on from."""
        waiting = {q.decode("latin-1"): [e[0], *(v.decode("latin-1") for v in e[1:4])] for q, e in self._open.items()}
        return json.dumps({"clock": self._clock.state(), "open": waiting})

    def _go_on(self, state: str) -> None:
        found = json.loads(state)
        self._clock.go_on(found["clock"])
        for qid, (at, *rest) in found["open"].items():
            mid, sender, login = (v.encode("latin-1") for v in rest)
            self._open[qid.encode("latin-1")] = [at, mid, sender, login, 0]

    def _take(self, lines: list[bytes]) -> None:
        columns, waiting, clock = self._columns, self._open, self._clock
        if columns.generation != self._generation:
            self._known, self._generation = {b"": _NOONE}, columns.generation
        known = self._known
        add_key, add_at, add_kind = columns.key.append, columns.at.append, columns.kind.append
        add_ours, add_other = columns.ours.append, columns.other.append
        add_mail, add_mail_at = columns.mail.append, columns.mail_at.append
        add_mail_from, add_mail_to, add_mail_ours = (
            columns.mail_from.append,
            columns.mail_to.append,
            columns.mail_ours.append,
        )
        number = int.from_bytes
        last, at = b"", 0
        read = len(lines)
        joined = 0
        if lines[0][:1] in (b"<", b"{") or lines[0][:2] == b"1 ":
            lines = [plain(line) for line in lines]
        for line in lines:
            start = line.find(b"]: ", 16) + 3
            colon = line.find(b": ", start, start + 26)
            if colon < 0 or start == 2:
                if line[start : start + 4] not in _CONNECTIONS:
                    if line:
                        self._miss(line, start, b"")
                    else:
                        read -= 1
                continue
            qid = line[start:colon]
            text = colon + 2
            word = line[text : text + 3]
            if word == b"to=":
                entry = waiting.get(qid)
                if entry is None or not entry[1]:
                    self.unknown["delivery without its beginning"] += 1
                    continue
                if line[text + 3 : text + 4] == b"<":
                    end = line.find(b">, ", text)
                    raw = line[text + 4 : end]
                else:
                    end = line.find(b", ", text)
                    raw = line[text + 3 : end]
                if (orig := line.find(b" orig_to=", end, end + 12)) > 0:
                    raw = self._original(line, orig + 9, raw)
                sender = known.get(entry[2]) or self._who(entry[2])
                if entry[3] and sender[1] >= _INSIDE:
                    sender = self._author(sender, entry)
                recipient = known.get(raw) or self._who(raw)
                joined += 1
                if sender[1] == _OWN:
                    kind, ours, other, who = _SENT, sender, recipient, recipient[2]
                elif sender[1] == _OUTSIDE and recipient[1] == _OWN:
                    kind, ours, other, who = _WROTE, recipient, sender, b"%s\0%s" % (sender[2], recipient[2])
                else:
                    continue
                status = line.find(b" status=", end) + 8
                how = line[status : status + 4]
                if how != b"sent" and (how == b"unde" or line.startswith(b"deliverable", status)):
                    continue  # an address being probed, no mail
                mail = entry[4]
                if not mail:
                    mail = entry[4] = number(blake2b(b"mail\0" + entry[1], digest_size=8).digest(), "big") >> 1
                if recipient[0] != sender[0] and recipient[0]:
                    add_mail(mail)
                    add_mail_at(entry[0] * 1_000_000)
                    add_mail_from(sender[0])
                    add_mail_to(recipient[0])
                    add_mail_ours((kind == _SENT) | (recipient[1] == _OWN) << 1)
                if recipient[1] != _OUTSIDE and kind == _SENT:
                    continue
                add_key(
                    number(blake2b(b"%s%s\0%s" % (_PREFIX[kind], entry[1], who), digest_size=8).digest(), "big") >> 1
                )
                add_at(entry[0] * 1_000_000)
                add_kind(kind)
                add_ours(ours[0])
                add_other(other[0])
                if how == b"boun" and kind == _SENT and line.find(b" dsn=5.1.", end, status) > 0:
                    add_key(
                        number(blake2b(b"%s%s\0%s" % (_PREFIX[_BOUNCED], entry[1], who), digest_size=8).digest(), "big")
                        >> 1
                    )
                    add_at(entry[0] * 1_000_000)
                    add_kind(_BOUNCED)
                    add_ours(ours[0])
                    add_other(other[0])
            elif word == b"fro":
                end = line.find(b">, size=", text)
                if end > 0 and (entry := waiting.get(qid)) is not None:
                    entry[2] = line[text + 6 : end]
            elif word == b"mes":
                entry = waiting.get(qid)
                if entry is None:
                    entry = waiting[qid] = [clock.seconds(line) or 0, b"", b"", b"", 0]
                if entry[0]:
                    entry[4] = 0
                    entry[1] = line[text + 11 :].strip(b"<> ") or b"%s@%d" % (qid, entry[0])
            elif word in (b"cli", b"uid"):
                if line[:19] != last:
                    last, at = line[:19], clock.seconds(line) or 0
                login = b""
                if (found := line.find(b", sasl_username=", text)) > 0:
                    login = line[found + 16 :].partition(b",")[0]
                waiting[qid] = [at, b"", b"", login, 0]
            elif word == b"rem":
                waiting.pop(qid, None)
            else:
                self._miss(line, start, word)
        self.lines += read
        self.joined += joined
        while len(waiting) > MAX_OPEN:
            del waiting[next(iter(waiting))]
            self.unknown["mail that never ended"] += 1
        if len(known) > MAX_KNOWN:
            self._known = {b"": _NOONE}

    def _miss(self, line: bytes, start: int, word: bytes) -> None:
        """Count a line that teaches nothing: silently when it is one of the usual, else by its daemon."""
        if start == 2:
            self.unknown["no syslog line"] += 1
        elif line.startswith(b"NOQUEUE: ", start):
            self.refused += 1
        elif word not in _OTHERS and line[start : start + 4] not in _CONNECTIONS:
            tag = line[: start - 3].rpartition(b"[")[0].rpartition(b" ")[2]
            self.unknown[tag[:40].decode("ascii", "replace") or "no tag"] += 1

    def _original(self, line: bytes, start: int, raw: bytes) -> bytes:
        """Return the address before aliases; the final one when the original has no domain."""
        if line[start : start + 1] == b"<":
            original = line[start + 1 : line.find(b">, ", start)]
        else:
            original = line[start : line.find(b", ", start)]
        return original if b"@" in original else raw

    def _author(self, sender: Known, entry: Waiting) -> Known:
        """Return who logged in, where the envelope's sender is none of ours: an address, or a name at our domain."""
        login = entry[3]
        if b"@" not in login:
            domain = next((d for d in self._organisation.own_domains if not d.startswith("*")), "")
            login = b"%s@%s" % (login, domain.encode("ascii", "replace"))
        found = self._known.get(login) or self._who(login)
        return found if found[1] == _OWN else sender

    def _who(self, raw: bytes) -> Known:
        """Return what a spelling means, remembering it."""
        if _SIMPLE.fullmatch(raw):  # nothing to normalise: the spelling is the key
            key = raw.decode("ascii")
            domain = key.rpartition("@")[2]
        else:
            try:
                address = parse_path(raw)
            except AddressError:
                self.unknown["address that is none"] += 1
                return _NOONE
            if nobody(address):
                self._known[raw] = _NOONE
                return _NOONE
            address = canonical(address)
            key, domain = address.key, address.domain
        found = (self._columns.place(key), self._side(domain), key.encode("utf-8", "surrogateescape"))
        self._known[raw] = found
        return found

    def _side(self, domain: str) -> int:
        """Return on which side a domain is, remembering it."""
        found = self._sides.get(domain)
        if found is None:
            organisation = self._organisation
            found = _OWN if organisation.owns(domain) else _INSIDE if organisation.inside(domain) else _OUTSIDE
            if len(self._sides) >= MAX_KNOWN:
                self._sides.clear()
            self._sides[domain] = found
        return found
