"""Folders whose files are one mail each: Maildir and directories of .eml.

The position of a folder is the latest change (ctime) among the files read: a file that is written, moved in or renamed
later has a later one. Changes of the last second are looked at again next time, since file times come in ticks; the event
keys make that harmless.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from nixie.service.learning_files import latest_in, read_fully
from nixie.service.learning_readers import MAX_MESSAGE, RecordReader
from nixie.sources.eml import message_record
from nixie.sources.files import UNREADABLE, plain_stream
from nixie.store import knowledge_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from nixie.service.learning import Learner
    from nixie.service.learning_files import Folder

FOLDER = 0
"""The head size that marks a folder among the learned files."""
TICK = 1_000_000_000


def learn_folder(learner: Learner, folder: Folder, progress: Callable[[int, int, str], None] | None) -> None:
    """Learn from the files of a folder that changed since it was last read."""
    head = blake2b(os.fsencode(folder.path.resolve()), digest_size=16).digest()
    before = knowledge_files.by_head(learner.db, FOLDER, head)
    since = before.position if before else 0
    files = sorted((ctime, path) for f in folder.folders for ctime, path in _files(f) if ctime > since)
    if not files:
        learner.report.unchanged += 1
        return
    learner.report.files += 1
    limit = int(learner.now.timestamp()) * TICK - TICK
    reader = RecordReader(learner.columns, learner.organisation)
    for number, (ctime, path) in enumerate(files, 1):
        try:
            with Path(path).open("rb") as file:
                start = file.read(8)
                file.seek(0)
                raw = read_fully(plain_stream(file, start), MAX_MESSAGE)
        except UNREADABLE:
            learner.report.unknown["file that cannot be read"] += 1
            continue
        reader.take(message_record(raw, latest_in(Path(path))))
        since = max(since, min(ctime, limit))
        if learner.step_is_full():
            learner.write(knowledge_files.LearnedFile(FOLDER, head, "", since, b"", ""))
        if progress and number % 100 == 0:
            progress(number, len(files), str(folder.path))
    learner.write(knowledge_files.LearnedFile(FOLDER, head, "", since, b"", ""))
    reader.report_to(learner.report)


def _files(folder: Path) -> list[tuple[int, str]]:
    with os.scandir(folder) as entries:
        return [
            (entry.stat().st_ctime_ns, entry.path)
            for entry in entries
            if entry.is_file() and not entry.name.startswith(".") and _is_mail(folder, entry.name)
        ]


def _is_mail(folder: Path, name: str) -> bool:
    return folder.name in ("cur", "new") or name.lower().endswith(".eml")
