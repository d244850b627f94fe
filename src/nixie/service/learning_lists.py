"""`nixie learn --lists`: who is on which list, from tables, directories and alias maps.

All files of a run are read before anything is written, since a directory names members by entries that may stand in another
file. What a run says of a list replaces what was known of it; lists that it does not name stay. Each list is replaced in one
transaction, several small ones together, so that nobody waits long and no decision sees half a list.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from nixie.core.address import Address, parse_address
from nixie.core.proposals import known_key
from nixie.service.learning_files import read_fully
from nixie.sources.aliases import Alias, read_aliases, read_included
from nixie.sources.detect import HEAD, ListFormat, SourceError, detect_list
from nixie.sources.files import UNREADABLE, plain_stream
from nixie.sources.ldif_groups import Group, Named, read_groups
from nixie.sources.lines import Defect, lines_of
from nixie.sources.people_csv import read_memberships
from nixie.store.db import writing
from nixie.store.mail_lists import save_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from nixie.core.organisation import Organisation

BLOCK = 1 << 17
STEP = 1_000
"""Memberships after which a transaction ends, some 10 ms."""
MOST_DOMAINS = 50
"""Own domains at which a name without one is taken to stand."""
MOST_NAMED = 20
"""Places in files that are named in the report; the others are counted."""


@dataclass(slots=True)
class ListReport:
    """What a run did: `lists` of several members and `aliases` of one, `members` in all; `unknown` why the rest was not used.

    `skipped` names files and lines, without any text of theirs.
    """

    files: int = 0
    lists: int = 0
    aliases: int = 0
    members: int = 0
    new_domains: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)


def learn_lists(
    paths: Iterable[Path],
    organisation: Organisation,
    db: sqlite3.Connection,
    at: int,
    *,
    on_domains: Callable[[tuple[str, ...]], None] | None = None,
) -> ListReport:
    """Learn lists from files and from the files of folders, as of `at` (microseconds); `db` is a writer's connection.

    Raises `SourceError` before anything is written when a file that was named cannot be read or is of unknown format.
    """
    gathered = _Gathered(organisation)
    for path in paths:
        if not path.is_dir():
            gathered.read(path)
            continue
        for inner in sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")):
            try:
                gathered.read(inner)
            except SourceError as error:
                gathered.report.skipped.append(str(error))
    return _save(gathered, db, at, on_domains)


def _save(
    gathered: _Gathered, db: sqlite3.Connection, at: int, on_domains: Callable[[tuple[str, ...]], None] | None
) -> ListReport:
    report = gathered.report
    waiting = gathered.lists()
    following = next(waiting, None)
    while following is not None:
        new: list[str] = []
        written = 0
        with writing(db):
            while following is not None and written < STEP:
                name, members = following
                new += save_list(db, name, members, at)
                written += len(members)
                report.members += len(members)
                report.lists += len(members) > 1
                report.aliases += len(members) == 1
                following = next(waiting, None)
        report.new_domains += len(new)
        if new and on_domains:
            on_domains(tuple(new))
    return report


class _Gathered:
    """What the files say, and what waits for other files: members that are named by their entries."""

    def __init__(self, organisation: Organisation) -> None:
        self.report = ListReport()
        self._organisation = organisation
        self._own = [d for d in organisation.own_domains if not d.startswith("*.")][:MOST_DOMAINS]
        self._lists: dict[str, tuple[Address, dict[str, Address]]] = {}
        self._named: dict[bytes, str] = {}  # one text each: a directory has a million entries
        self._waiting: list[tuple[tuple[Address, ...], bytes]] = []

    def lists(self) -> Iterator[tuple[Address, list[Address]]]:
        """Yield each list with its members, which are never the list itself; those without any are counted."""
        for names, digest in self._waiting:
            people = [a for text in self._named.get(digest, "").split("\n") if (a := _outer(text))]
            self.report.unknown["member whose entry is not in the files"] += not people
            for name in names:
                self._add(name, people)
        for name, found in self._lists.values():
            members = [member for key, member in found.items() if key != known_key(name).key]
            if members:
                yield name, members
            else:
                self.report.unknown["list without a member that has an address"] += 1
        self.report.unknown = +self.report.unknown

    def read(self, path: Path) -> None:
        """Read one file. Raises `SourceError`."""
        try:
            with path.open("rb") as file:
                start = file.read(8)
                file.seek(0)
                stream = plain_stream(file, start)
                head = read_fully(stream, HEAD)
                format_ = detect_list(head, str(path))
                if format_ is ListFormat.EMPTY:
                    return
                blocks = _blocks(head, stream.read)
                if format_ is ListFormat.TABLE:
                    self._table(line.decode("utf-8", "replace") for line in lines_of(blocks))
                elif format_ is ListFormat.LDIF:
                    self._directory(path, lines_of(blocks))
                else:
                    self._aliases(path, lines_of(blocks))
        except UNREADABLE as error:
            reason = getattr(error, "strerror", None) or "damaged or cut"
            raise SourceError(f"{path}: {reason}; make it readable, or unpack it first") from error
        self.report.files += 1

    def _table(self, lines: Iterable[str]) -> None:
        for row in read_memberships(lines):
            if row is None:
                self.report.unknown["row without a list and a member"] += 1
            else:
                self._add(row[0], row[1:])

    def _directory(self, path: Path, lines: Iterable[bytes]) -> None:
        for entry in read_groups(lines):
            if isinstance(entry, Defect):
                self._defect(path, entry)
            elif isinstance(entry, Named):
                self._named[_digest(entry.dn)] = "\n".join(entry.addresses)
            else:
                self._group(path, entry)

    def _group(self, path: Path, group: Group) -> None:
        names = [a for text in group.addresses if (a := _outer(text))]
        names += [a for text in group.names for a in self._at_home(path, group.line, text)]
        for name in names:
            self._add(name, self._targets(path, group.line, group.members, name.domain))
        self._waiting += [(tuple(names), _digest(dn)) for dn in group.dns]

    def _aliases(self, path: Path, lines: Iterable[bytes]) -> None:
        for alias in read_aliases(lines):
            if isinstance(alias, Defect):
                self._defect(path, alias)
                continue
            targets = [*alias.targets, *(t for name in alias.includes for t in self._included(path, alias, name))]
            for name in self._at_home(path, alias.line, alias.name):
                self._add(name, self._targets(path, alias.line, targets, name.domain))

    def _included(self, path: Path, alias: Alias, name: str) -> list[str]:
        """Return the targets of a file that an alias includes; relative names are beside the table."""
        other = path.parent / name
        found: list[str] = []
        try:
            if not other.is_file():
                self._defect(path, Defect(alias.line, "included file that is not there"))
                return found
            with other.open("rb") as file:
                for target in read_included(lines_of(_blocks(b"", file.read))):
                    if isinstance(target, Defect):
                        self._defect(other, target)
                    else:
                        found.append(target)
        except OSError:
            self._defect(path, Defect(alias.line, "included file that cannot be read"))
        return found

    def _at_home(self, path: Path, line: int, text: str) -> list[Address]:
        """Return the addresses that a name on the left stands for: itself, or without a domain one at each own domain."""
        if "@" in text:
            address = _outer(text)
            found = [address] if address is not None else []
        else:
            found = [Address(text, domain) for domain in self._own]
        if not found:
            self._defect(path, Defect(line, "name without a domain of yours"))
        return found

    def _targets(self, path: Path, line: int, texts: Iterable[str], home: str) -> list[Address]:
        """Return the members that some targets are; a local name stands at the list's own domain, else at our first one."""
        domain = home if self._organisation.owns(home) else next(iter(self._own), "")
        found: list[Address] = []
        for text in texts:
            address = _outer(text) if "@" in text else Address(text, domain) if domain else None
            if address is None:
                self._defect(path, Defect(line, "target that is no address"))
            else:
                found.append(address)
        return found

    def _add(self, name: Address, members: Iterable[Address]) -> None:
        known = known_key(name)
        _, found = self._lists.setdefault(known.key, (known, {}))
        for member in members:
            found.setdefault(known_key(member).key, member)

    def _defect(self, path: Path, defect: Defect) -> None:
        self.report.unknown[defect.reason] += 1
        if len(self.report.skipped) < MOST_NAMED:
            self.report.skipped.append(f"{path}:{defect.line}: {defect.reason}")


def _outer(text: str) -> Address | None:
    """Return an address with a domain."""
    address = parse_address(text)
    return address if address is not None and address.domain and address.local else None


def _digest(dn: str) -> bytes:
    return blake2b(dn.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _blocks(head: bytes, read: Callable[[int], bytes]) -> Iterator[bytes]:
    if head:
        yield head
    while block := read(BLOCK):
        yield block


__all__ = ["ListReport", "learn_lists"]
