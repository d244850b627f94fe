"""What a file is, from its first bytes and lines. Guessing wrong would teach nonsense, so in doubt nothing is guessed.

A file whose first fifty lines are of two kinds, or of none we know, is refused with an error that says what to do.
"""

from __future__ import annotations

import re
from enum import StrEnum

from nixie.sources.aliases import looks_like_aliases
from nixie.sources.eml import is_message
from nixie.sources.mbox import is_mbox
from nixie.sources.people_csv import names_lists
from nixie.sources.syslog import STAMP_3164, STAMP_3339

HEAD = 1 << 16
LINES = 50


class SourceError(Exception):
    """A source cannot be read; the text names the file and the remedy."""


class Format(StrEnum):
    """The kinds of files that can be learned from."""

    POSTFIX = "postfix"
    MBOX = "mbox"
    EML = "eml"
    STREAM = "stream"
    PEOPLE = "people"
    PARTNERS = "partners"
    LDIF = "ldif"
    VCARD = "vcard"
    EMPTY = "empty"


class ListFormat(StrEnum):
    """The kinds of files that say who is on a list."""

    TABLE = "table"
    LDIF = "ldif"
    ALIASES = "aliases"
    EMPTY = "empty"


_JOURNAL = re.compile(rb'\{.*"__REALTIME_TIMESTAMP"')
_5424 = re.compile(rb"(?:<\d{1,3}>)?1 \d{4}-\d\d-\d\dT")
_PRI = re.compile(rb"<\d{1,3}>(?=[A-Z\d])")
_HEADING = re.compile(rb"^[\w .\"'/-]+(?:[,;\t][\w .\"'/()-]*)+$")
_ADDRESS_COLUMN = re.compile(rb"(?i)mail|address|smtp|upn|userprincipalname")
_DOMAIN_COLUMN = re.compile(rb"(?i)domain")
_LDIF = re.compile(rb"(?i)(?:version:[ ]*1[ \t\r]*$|dn::?[ ]*[^ ])")
_VCARD = re.compile(rb"(?i)BEGIN:VCARD[ \t\r]*$")
_MAIL_FIELDS = re.compile(rb"(?im)^(received|return-path|from|date|subject|message-id|mime-version):")


def detect(head: bytes, name: str) -> Format:
    """Return the format of a file from its first (decompressed) bytes; `name` is for the error.

    Raises `SourceError` for what is unknown or mixed.
    """
    head = head[:HEAD].removeprefix(b"\xef\xbb\xbf")
    if not head.strip():
        return Format.EMPTY
    if b"\0" in head[:4096]:
        raise SourceError(
            f"{name}: binary data; give Postfix logs, mbox, Maildir, .eml, JSON lines, CSV, LDIF or vCard files"
        )
    if is_mbox(head):
        return Format.MBOX
    lines = [line for line in head.split(b"\n")[: LINES + 1] if line.strip()]
    if len(lines) > 1 and len(head) == HEAD:
        lines.pop()  # may be cut
    kinds = {kind for line in lines[:LINES] if (kind := _line_kind(line))}
    if len(kinds) > 1:
        found = " and ".join(sorted(kinds))
        raise SourceError(f"{name}: the first {LINES} lines mix {found}; split the file and give each part on its own")
    if kinds:
        return kinds.pop()
    if directory := _directory(lines):
        return directory
    if is_message(head):
        return Format.EML
    first = lines[0].strip()
    if _HEADING.match(first) or (b"@" not in first and len(first) < 80 and len(lines) > 1):
        if _DOMAIN_COLUMN.search(first):
            return Format.PARTNERS
        if _ADDRESS_COLUMN.search(first):
            return Format.PEOPLE
    raise SourceError(
        f"{name}: the format is not known; give Postfix logs, mbox, Maildir, .eml, JSON lines with id and date, LDIF, vCards,"
        " or a CSV whose first line names a column email (people) or domain (partners)"
    )


def detect_list(head: bytes, name: str) -> ListFormat:
    """Return the format of a file that says who is on a list, from its first (decompressed) bytes; `name` is for the error.

    Raises `SourceError` for anything else, saying what it is where that can be told.
    """
    head = head[:HEAD].removeprefix(b"\xef\xbb\xbf")
    if not head.strip():
        return ListFormat.EMPTY
    if b"\0" in head[:4096]:
        raise SourceError(f"{name}: binary data; give the text from which postalias or postmap made it, a CSV, or LDIF")
    lines = [line for line in head.split(b"\n")[:LINES] if line.strip()]
    kind = _directory(lines)
    if kind is Format.LDIF:
        return ListFormat.LDIF
    if names_lists(lines[0].decode("utf-8", "replace")):
        return ListFormat.TABLE
    mail = len(set(map(bytes.lower, _MAIL_FIELDS.findall(head[:4096])))) > 1
    if kind or mail or is_mbox(head) or any(map(_line_kind, lines)):
        raise SourceError(f"{name}: this says nothing about lists; learn it without --lists")
    if looks_like_aliases(head):
        return ListFormat.ALIASES
    raise SourceError(
        f"{name}: the format is not known; give a CSV whose first line names the columns list and member, LDIF, or a Postfix"
        " alias table (aliases or virtual)"
    )


def _directory(lines: list[bytes]) -> Format | None:
    """Return LDIF or vCard where the first line that is no comment begins one."""
    first = next((line for line in lines if line[:1] not in b"# "), b"")
    if _LDIF.match(first):
        return Format.LDIF
    return Format.VCARD if _VCARD.match(first.strip()) else None


def _line_kind(line: bytes) -> Format | None:
    if line.startswith(b"{"):
        return Format.POSTFIX if _JOURNAL.match(line) else Format.STREAM
    if _5424.match(line):
        return Format.POSTFIX
    rest = line[found.end() :] if (found := _PRI.match(line)) else line
    return Format.POSTFIX if STAMP_3164.match(rest) or STAMP_3339.match(rest) else None
