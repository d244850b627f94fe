"""Real messages of public archives: none fails, and the standard library agrees about what they say."""

from __future__ import annotations

import io
import os
import tarfile
from collections import Counter
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from nixie.core.mime import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixie.core.message import Message

DATA = Path(os.environ.get("NIXIE_DATA", Path(__file__).parents[3] / "shared" / "data"))
ARCHIVES = ("raw_eml_spamassassin_ham.tar.zst", "raw_eml_usrp_users.tar.zst")
LEAST_AGREEMENT = 0.995


def raw_messages(archive: Path) -> Iterator[bytes]:
    with archive.open("rb") as file:
        unpacked = zstandard.ZstdDecompressor().stream_reader(file).read()
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as tar:
        for member in tar:
            if (content := tar.extractfile(member)) is not None:
                yield content.read()


def decoded(value: Any) -> str:
    return (
        "" if value is None else str(make_header(decode_header(str(value).replace("\r", "").replace("\n", "")))).strip()
    )


def theirs(raw: bytes) -> dict[str, object]:
    message = message_from_bytes(raw)
    leaves = [part for part in message.walk() if not part.is_multipart()]
    people = {
        name: [a.lower() for _, a in getaddresses([str(v) for v in message.get_all(name, [])]) if "@" in a]
        for name in ("from", "to", "cc", "reply-to", "sender")
    }
    return {
        **people,
        "subject": decoded(message["subject"]),
        "message-id": (message["message-id"] or "").strip().strip("<>"),
        "received": len(message.get_all("received", [])),
        "types": [part.get_content_type() for part in leaves],
        "files": [decoded(part.get_filename()) for part in leaves],
    }


def ours(message: Message) -> dict[str, object]:
    assert isinstance(message.parts, tuple)
    fields = {
        "from": message.from_,
        "to": message.to,
        "cc": message.cc,
        "reply-to": message.reply_to,
        "sender": message.sender,
    }
    people = {
        name: [str(box.address).lower() for box in boxes if box.address]
        for name, boxes in fields.items()
        if isinstance(boxes, tuple)
    }
    return {
        **people,
        "subject": message.subject,
        "message-id": message.message_id,
        "received": message.received,
        "types": [part.content_type for part in message.parts],
        "files": [part.filename for part in message.parts],
    }


@pytest.mark.parametrize("name", ARCHIVES)
def test_every_real_message_is_read_as_the_standard_library_reads_it(name: str) -> None:
    archive = DATA / name
    if not archive.exists():
        pytest.skip(f"{name} is not in {DATA} (set NIXIE_DATA)")
    asked: Counter[str] = Counter()
    differed: Counter[str] = Counter()

    for raw in raw_messages(archive):
        expected, found = theirs(raw), ours(read(raw))
        asked.update(expected.keys())
        differed.update(key for key, value in expected.items() if found[key] != value)

    assert asked.total() > 5000
    # Field names and counts only: nothing of the messages may show in a failing test.
    assert differed.total() <= (1 - LEAST_AGREEMENT) * asked.total(), dict(differed)
