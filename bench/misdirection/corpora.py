"""The public corpora, read by path from the folder `--data` names: one `Corpus` of dated mails each, nothing of it kept anywhere else.

* enron: three tables put together; the same sender, minute and subject is one mail (also a whole number of hours up to nine apart, since one
  table has no zones). Entries that are no SMTP address are resolved where their display name belongs to one person only, and dropped otherwise.
  The internal table has no bodies. Bcc repeats Cc in one table and is not used.
* usrp, btrfs: public lists. The list writes From anew for some senders ("Name via List"): such a mail is the named person's where one person
  bears that name (or far more often than others), else that of an address invented from the name.
* foia: names only. A name becomes an address at one invented domain, so nothing that reads addresses means anything there.

A mail without date, sender or recipients is dropped. Mailing lists are addresses that never send and that at least `LIST_WRITERS` people write to
without a person's name beside them, that at least a quarter of all mail goes to, or that live at a host of lists.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
from people import PROVIDERS, People, domain_of, house, local_of, own_form, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

LIST_WRITERS = 20
LIST_SHARE = 0.25
_LIST_HOST = re.compile(
    r"^(?:lists?|vger|groups|googlegroups|lore|redhat-list)\b|(?:^|\.)(?:googlegroups\.com|lists\.[\w.]+|vger\.kernel\.org|kvack\.org)$"
)
_REPLY = re.compile(r"^\s*(?:\[[^\]]{1,40}\]\s*)*(?:re|aw|sv|antw|r[ée]f)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
_FORWARD = re.compile(r"^\s*(?:fw|fwd|wg)\s*:", re.IGNORECASE)
_LEADING = re.compile(r"^\s*(?:(?:re|fw|fwd|aw)\s*:\s*|\[[^\]]{1,40}\]\s*)+", re.IGNORECASE)
_SMTP = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_FIELDS = [
    "message_id",
    "date",
    "sender",
    "sender_name",
    "to",
    "cc",
    "to_names",
    "cc_names",
    "subject",
    "body",
    "in_reply_to",
]
TEST_FROM = datetime(2001, 7, 1, tzinfo=UTC)
"""Enron from here on is the test half; before it, and the lists, are for tuning."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as the corpus shows it; addresses are lower case, recipients each once."""

    id: str
    at: datetime
    sender: str
    sender_name: str
    recipients: tuple[tuple[str, str], ...] = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)
    in_reply_to: str = ""
    reply: bool = False


@dataclass(frozen=True, slots=True)
class Corpus:
    """One organisation: mails in order of time, who is who, which addresses are lists. Mails before `test_from` are for tuning."""

    org: str
    mails: tuple[Mail, ...] = field(repr=False)
    people: People = field(repr=False)
    lists: frozenset[str] = field(repr=False)
    test_from: datetime | None
    facts: dict[str, object]


def load(org: str, data: Path, last: int | None = None) -> Corpus:
    """Return the corpus named; with `last` only so many mails of its end. Raises OSError where a table is missing."""
    mails, dropped = READERS[org](data)
    mails.sort(key=lambda m: (m.at, m.id))
    found = len(mails)
    if last is not None and found > last:
        mails = mails[-last:]
    lists = _lists(mails)
    people = People()
    _see(people, mails)
    people.settle(lists)
    if org == "enron":
        mails, merged = _one_each(mails, people)
        dropped["same mail seen twice"] = merged
    span = f"{mails[0].at:%Y-%m-%d}..{mails[-1].at:%Y-%m-%d}" if mails else "none"
    facts: dict[str, object] = {
        "mails": len(mails),
        "span": span,
        "senders": len({people.own(m.sender) for m in mails}),
        "copies": sum(len(m.recipients) for m in mails),
        "copies_to_personal_providers": sum(domain_of(a) in PROVIDERS for m in mails for a, _ in m.recipients),
        "lists": len(lists),
        **people.facts(),
        "dropped": dict(dropped),
    }
    test_from = {"enron": TEST_FROM, "foia": None}.get(org, datetime.max.replace(tzinfo=UTC))
    return Corpus(org, tuple(mails), people, lists, test_from, facts)


def invented(org: str, mails: Iterable[Mail], test_from: datetime | None = None) -> Corpus:
    """Return a corpus of mails that a test made up."""
    ordered = tuple(sorted(mails, key=lambda m: (m.at, m.id)))
    lists, people = _lists(ordered), People()
    _see(people, ordered)
    people.settle(lists)
    return Corpus(org, ordered, people, lists, test_from, {"mails": len(ordered)})


def _see(people: People, mails: Iterable[Mail]) -> None:
    for mail in mails:
        people.see(mail.sender, mail.sender_name, as_sender=True)
        for address, name in mail.recipients:
            people.see(address, name)


def _rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path, columns=_FIELDS).to_pylist()
    return rows


def _mail(row: dict[str, Any], dropped: Counter[str], address: Callable[[str, str], str]) -> Mail | None:
    """Return a row's mail; `address(entry, name)` gives the SMTP form of an entry, "" to drop it."""
    sender = address(row["sender"] or "", row["sender_name"] or "")
    if not row["date"] or not sender:
        dropped["no date" if sender else "no sender address"] += 1
        return None
    people: dict[str, str] = {}
    for entries, names in ((row["to"], row["to_names"]), (row["cc"], row["cc_names"])):
        for entry, name in zip(entries, names, strict=True):
            if found := address(entry, name or ""):
                people.setdefault(found, "" if "@" in (name or "") else name or "")
            else:
                dropped["copies to entries that are no address"] += 1
    if not people:
        dropped["no recipient"] += 1
        return None
    subject = row["subject"] or ""
    parent = (row["in_reply_to"] or "").strip("<> ")
    return Mail(
        id=row["message_id"],
        at=datetime.fromisoformat(row["date"]).astimezone(UTC),
        sender=sender,
        sender_name=row["sender_name"] or "",
        recipients=tuple(people.items()),
        subject=subject,
        body=row["body"] or "",
        in_reply_to=parent,
        reply=bool(_REPLY.match(subject)),
    )


def _smtp(entry: str, _name: str) -> str:
    return entry if _SMTP.fullmatch(entry) and not entry.startswith("imceafax-") else ""


def _enron(data: Path) -> tuple[list[Mail], Counter[str]]:
    dropped: Counter[str] = Counter()
    names = ("enron_pst_messages", "enron_berkeley_messages", "enron_internal_pre2001-10")
    tables = [_rows(data / f"{name}.parquet") for name in names]
    known = People()
    for row in (r for rows in tables for r in rows):
        entries = [
            (row["sender"], row["sender_name"]),
            *zip(row["to"], row["to_names"], strict=True),
            *zip(row["cc"], row["cc_names"], strict=True),
        ]
        for entry, name in entries:
            if entry and _smtp(entry, ""):
                known.see(entry, name or "")
    known.settle()
    by_name = known.by_name()

    def address(entry: str, name: str) -> str:
        if found := _smtp(entry, name):
            return found
        label = name if name and "@" not in name else entry.partition(":")[2]
        return by_name.get(tuple(sorted(words(label))), "")

    mails = [m for rows in tables for r in rows if (m := _mail(r, dropped, address))]
    return mails, dropped


def _one_each(mails: list[Mail], people: People) -> tuple[list[Mail], int]:
    """Return the mails without those seen twice: same sender, subject and minute, or whole hours (up to nine) apart with a subject of its own."""
    latest: dict[tuple[object, ...], list[Mail]] = defaultdict(list)
    kept: dict[str, Mail] = {}
    for mail in mails:
        subject = " ".join(mail.subject.lower().split())
        key = (people.person(mail.sender), subject, mail.at.minute)
        twin = next((m for m in reversed(latest[key]) if _same(m, mail, subject)), None)
        if twin is None:
            latest[key].append(mail)
            kept[mail.id] = mail
        else:
            index = latest[key].index(twin)
            latest[key][index] = kept[twin.id] = _united(kept[twin.id], mail)
    return [kept[i] for i in kept], len(mails) - len(kept)


def _same(one: Mail, other: Mail, subject: str) -> bool:
    apart = abs((other.at - one.at).total_seconds())
    if apart < 60:
        return True
    plain = _LEADING.sub("", subject)
    shared = {a for a, _ in one.recipients} & {a for a, _ in other.recipients}
    return (
        len(plain) >= 8
        and bool(shared)
        and apart <= 9 * 3600 + 60
        and one.id.partition(":")[0] != other.id.partition(":")[0]
    )


def _united(one: Mail, other: Mail) -> Mail:
    """Return one mail of two sightings: the one with more recipients, with what text the other has."""
    more, less = (one, other) if len(one.recipients) >= len(other.recipients) else (other, one)
    named = dict(less.recipients)
    people = tuple((a, n or named.get(a, "")) for a, n in more.recipients)
    return replace(more, id=one.id, at=one.at, recipients=people, body=more.body or less.body)


def _list_reader(table: str) -> Callable[[Path], tuple[list[Mail], Counter[str]]]:
    def read(data: Path) -> tuple[list[Mail], Counter[str]]:
        dropped: Counter[str] = Counter()
        rows = _rows(data / f"{table}.parquet")
        # Whom nearly every mail of an archive goes to is the list itself.
        own_list = Counter(a for row in rows for a in (*row["to"], *row["cc"])).most_common(1)[0][0]
        known = People()
        for row in rows:
            if row["sender"] != own_list:
                known.see(row["sender"] or "", row["sender_name"] or "", as_sender=True)
            for entry, name in (
                *zip(row["to"], row["to_names"], strict=True),
                *zip(row["cc"], row["cc_names"], strict=True),
            ):
                known.see(entry, name or "")
        known.settle([own_list])
        by_name = {**_by_local_part(rows), **known.by_name()}
        for row in rows:
            if row["sender"] == own_list:
                label = words(row["sender_name"] or "")
                row["sender"] = by_name.get(
                    tuple(sorted(label)), ".".join(label) + "@unknown.example" if len(label) > 1 else ""
                )
                row["sender_name"] = re.sub(r"\s+via\s+\S+.*$", "", row["sender_name"] or "", flags=re.IGNORECASE)
                dropped["From written anew by the list (kept)"] += 1
        return [m for r in rows if (m := _mail(r, dropped, _smtp))], dropped

    return read


def _by_local_part(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, ...], str]:
    """Return recipients' addresses by the words of their local parts, where two words or more name one address."""
    found: dict[tuple[str, ...], set[str]] = {}
    for row in rows:
        for entry in (*row["to"], *row["cc"]):
            label = tuple(sorted(words(entry.partition("@")[0].replace(".", " ").replace("_", " "))))
            if len(label) > 1:
                found.setdefault(label, set()).add(entry)
    return {label: next(iter(some)) for label, some in found.items() if len(some) == 1}


def _foia(data: Path) -> tuple[list[Mail], Counter[str]]:
    dropped: Counter[str] = Counter()

    def address(entry: str, _name: str) -> str:
        if "@" in entry:
            return _smtp(entry, "")
        last, _, first = entry.partition(":")[2].partition(",")
        label = [*words(first), *words(last)]
        return ".".join(label) + "@foia.example" if label else ""

    return [m for r in _rows(data / "fauci_foia_messages.parquet") if (m := _mail(r, dropped, address))], dropped


READERS: dict[str, Callable[[Path], tuple[list[Mail], Counter[str]]]] = {
    "enron": _enron,
    "usrp": _list_reader("lists_usrp_users"),
    "btrfs": _list_reader("lists_linux_btrfs"),
    "foia": _foia,
}


def _lists(mails: Iterable[Mail]) -> frozenset[str]:
    writers: dict[str, set[str]] = defaultdict(set)
    named: Counter[str] = Counter()
    got: Counter[str] = Counter()
    senders, total = {m.sender for m in mails}, 0
    for mail in mails:
        total += 1
        for address, name in mail.recipients:
            writers[address].add(mail.sender)
            got[address] += 1
            named[address] += len(words(name)) > 1 and "list" not in name.lower()
    found = set()
    for address, who in writers.items():
        host = _LIST_HOST.search(domain_of(address)) is not None
        crowd = (
            len(who) >= LIST_WRITERS and address not in senders and not _personal(address, named[address], got[address])
        )
        most = total > 2_000 and got[address] >= LIST_SHARE * total and named[address] * 2 < got[address]
        if (host and address not in senders) or crowd or most:
            found.add(address)
    return frozenset(found)


def _personal(address: str, named: int, got: int) -> bool:
    """Return whether a much-addressed mailbox looks like somebody's: one time in ten with a name of two words, or written `first.last`."""
    parts = [p for p in re.split(r"[._-]", local_of(address)) if len(p) > 1]
    plain = len(parts) == 2 and "-" not in address and all(p.isalpha() for p in parts)
    return not _TEAM.intersection(parts) and (named * 10 > got or plain)


_TEAM = frozenset(
    [
        "all",
        "team",
        "group",
        "list",
        "report",
        "office",
        "desk",
        "dl",
        "staff",
        "houston",
        "worldwide",
        "enron",
        "announcements",
        "users",
        "kernel",
        "linux",
        "discuss",
        "dev",
        "devel",
        "bugs",
        "info",
        "support",
        "help",
        "admin",
    ]
)

__all__ = ["Corpus", "Mail", "house", "invented", "load", "own_form"]
