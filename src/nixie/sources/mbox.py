"""mbox files of any size: one pass, memory bounded by one header and the beginning of one text.

A mail begins at a line `From ` behind an empty line (or at the start) that carries a time and a year, which mboxrd and
mboxo writers agree on; a sentence that begins with "From" does not. All of the body is looked at only when there is no
Message-ID: then its digest, with CRLF line ends and mboxrd's quoting undone, stands for one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nixie.sources.headers import HAS_ID, MAX_HEADER, MAX_TEXT, body_digest, header_end, record_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from nixie.sources.records import Record

_BEGIN = re.compile(rb"\r?\nFrom (?=[^\n]{0,1000}?\b(?:19|20)\d\d\b)[^\n]{0,1000}?\b\d\d?:\d\d")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_LONGEST_LINE = 4096
"""A `From ` line may begin in one block and end in the next; no honest one is longer than this."""
_LONGEST_BODY = 1 << 23
"""Bytes of body that a missing Message-ID is made of."""
_MARK = b"\nFrom "


def is_mbox(start: bytes) -> bool:
    """Return whether the first bytes of a file are those of an mbox."""
    return _BEGIN.match(b"\n" + start.lstrip(b"\r\n")) is not None


class MboxReader:
    """Blocks in, (position, record) out; the position is where the next mail begins, so that reading can go on there.

    A record is None where the mail names no usable date. `latest` as in `headers.record_of`.
    """

    def __init__(self, latest: datetime, position: int = 0) -> None:
        self._latest = latest
        self._data = b"\n\n"  # the start of a file is as good as an empty line
        self._base = position - len(self._data)
        self._scan = 0
        self._inside = False
        self._header = b""
        self._body: list[bytes] | None = None
        self._size = 0

    def feed(self, block: bytes) -> Iterator[tuple[int, Record | None]]:
        """Yield the mails that end in this block."""
        data = self._data + block
        done, scan = 0, self._scan
        while (at := data.find(_MARK, scan)) >= 0:
            end = data.find(b"\n", at + 1)
            if end < 0 and len(data) - at < _LONGEST_LINE:
                break
            if (
                end < 0
                or not (data[at - 1 : at] == b"\n" or data[at - 2 : at] == b"\n\r")
                or not _BEGIN.match(data, at)
            ):
                scan = at + 1
                continue
            if self._inside:
                self._take(data[done : at + 1])
                yield self._base + at + 1, self._record()
            self._inside, self._header, self._body, self._size = True, b"", None, 0
            done, scan = end + 1, end
        look = at if at >= 0 else max(scan, len(data) - len(_MARK) + 1)
        keep = max(done, look - 2)
        if self._inside:
            self._take(data[done:keep])
        self._data, self._scan = data[keep:], max(0, look - keep)
        self._base += keep

    def finish(self) -> Iterator[tuple[int, Record | None]]:
        """Yield the last mail."""
        if self._inside:
            self._take(self._data)
            self._inside = False
            yield self._base + len(self._data), self._record()

    def _take(self, piece: bytes) -> None:
        if self._body is None:
            if len(self._header) > MAX_HEADER:
                return
            self._header += piece
            end = header_end(self._header)
            if end < 0:
                return
            self._header, piece = self._header[:end], self._header[end:]
            self._body = []
        if self._size < (_LONGEST_BODY if self._needs_body() else MAX_TEXT):
            self._body.append(piece)
            self._size += len(piece)

    def _needs_body(self) -> bool:
        return HAS_ID.search(self._header) is None

    def _record(self) -> Record | None:
        digest = b""
        body = b"".join(self._body or ())
        if self._body and self._needs_body():
            body = body.removesuffix(b"\n").removesuffix(b"\r")  # the empty line before the next mail
            digest = body_digest(_QUOTED.sub(rb"\1", body))
        return record_of(self._header, self._latest, digest, body[:MAX_TEXT])
