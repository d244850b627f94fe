"""Files of `nixie learn` that hold people or partners instead of mail: tables, directories, address books.

They are read whole each time they changed, and the last word wins, so that a step has no position to go on from: a run that was
killed begins the file anew.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from nixie.sources import ldif, vcard
from nixie.sources.detect import Format, SourceError
from nixie.sources.lines import Defect, lines_of
from nixie.sources.people_csv import PartnerDomain, Person, read_partners, read_people
from nixie.store import knowledge_files, knowledge_people
from nixie.store.db import writing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from nixie.service.learning import LearnReport
    from nixie.service.learning_files import Opened

BLOCK = 1 << 17
STEP = 200
"""Rows of one transaction, about 15 ms; a directory has a million, and the recorder wants to write."""
MOST_NAMED = 10
"""Lines of one file that the report names; the others are counted."""

Row = Person | PartnerDomain | Defect | None

_READERS: dict[Format, Callable[[Iterable[bytes]], Iterator[Row]]] = {
    Format.PEOPLE: lambda lines: read_people(line.decode("utf-8", "replace") + "\n" for line in lines),
    Format.PARTNERS: lambda lines: read_partners(line.decode("utf-8", "replace") + "\n" for line in lines),
    Format.LDIF: ldif.read_people,
    Format.VCARD: vcard.read_people,
}
_NOT_USED = {
    Format.PEOPLE: "row without an address",
    Format.PARTNERS: "row without a domain",
    Format.LDIF: "entry without a mail address",
    Format.VCARD: "card without a mail address",
}

PEOPLE_FORMATS = frozenset(_READERS)
"""The formats that `learn_people` reads."""


def learn_people(
    db: sqlite3.Connection, format_: Format, path: Path, opened: Opened, report: LearnReport
) -> tuple[str, ...]:
    """Learn everybody whom the file names and return the new domains; what was not used is told in the report.

    A compressed file that turns out damaged is learned up to the damage and read again the next time.
    """
    rows = _READERS[format_](lines_of(opened.blocks(BLOCK)))
    new: list[str] = []
    told, whole = 0, True
    while True:
        step: list[Row] = []
        try:
            step += islice(rows, STEP)
        except SourceError as error:
            report.skipped.append(str(error))
            whole = False
        if not step:
            break
        for row in step:
            if isinstance(row, Defect):
                report.unknown[row.reason] += 1
                told += 1
                if told <= MOST_NAMED:
                    report.skipped.append(f"{path}:{row.line}: {row.reason}")
            elif row is None:
                report.unknown[_NOT_USED[format_]] += 1
        people = [(row.address, row.name, row.unit) for row in step if isinstance(row, Person)]
        partners = [(row.domain, row.name) for row in step if isinstance(row, PartnerDomain)]
        with writing(db):
            new += knowledge_people.add_people(db, people)
            new += knowledge_people.add_partners(db, partners)
        report.read += len(step)
        report.people += len(people)
        report.partners += len(partners)
    if not whole:
        return tuple(new)
    before = opened.before
    file = knowledge_files.LearnedFile(before.head_size, before.head, opened.stat, 0, opened.mark(0), "")
    with writing(db):
        knowledge_files.save(db, file)
    return tuple(new)
