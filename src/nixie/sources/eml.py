"""Single message files (`.eml`, the files of a Maildir): header and the beginning of the text, all of it where a missing
Message-ID needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.sources.headers import HAS_ID, MAX_TEXT, body_digest, header_end, record_of

if TYPE_CHECKING:
    from datetime import datetime

    from nixie.sources.records import Record


def is_message(start: bytes) -> bool:
    """Return whether the first bytes of a file look like the header of a mail: two field names before anything else."""
    lines = start.lstrip(b"\r\n").split(b"\n", 40)
    if lines and lines[0].startswith(b"From "):
        lines = lines[1:]
    named = 0
    for line in lines:
        if not line.strip():
            break
        if line[:1] in b" \t":
            continue
        name, colon, _ = line.partition(b":")
        if not colon or not name or any(c < 33 or c > 126 for c in name.rstrip(b" \t")):
            return False
        named += 1
    return named >= 2


def message_record(raw: bytes, latest: datetime) -> Record | None:
    """Return the record of one mail from its bytes (line ends of any kind); None when it has no usable date."""
    raw = raw.lstrip(b"\r\n")
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    end = header_end(raw)
    header = raw if end < 0 else raw[:end]
    digest = b"" if end < 0 or HAS_ID.search(header) else body_digest(raw[end:])
    return record_of(header, latest, digest, b"" if end < 0 else raw[end : end + MAX_TEXT])
