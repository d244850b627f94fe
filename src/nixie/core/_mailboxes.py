"""Lists of mailboxes as header fields hold them, read in one pass (RFC 5322 section 3.4 and 4.4, RFC 6532, RFC 2047).

Most mailboxes are plain: one pattern takes `Name <a@b>`, `"Name" <a@b>` and `a@b` whole. Everything else is cut into
tokens, and an item ends at a comma or semicolon. The promises: linear time (possessive patterns, no recursion, a quote or
comment that never ends is looked for once), never an exception, and no text with an at sign is lost: it is in an
address, or in the `raw` of a mailbox whose defects say why not.
"""

from __future__ import annotations

import re

from nixie.core._address import Address
from nixie.core._mailbox_items import BIDI_FOUND, MAX_LOCAL, SIMPLE, SPEC, Item, Mailbox, Token, phrase
from nixie.core.domains import examine_domain
from nixie.core.words import decode_words, text_of

MAX_MAILBOXES = 5000
# Latin-1 and no more: larger classes take milliseconds to compile, and other scripts mostly come as encoded words.
_NAME = r"[\t !#-'*+./0-9=?A-Z^-~\xa1-\xff-]"
_QUOTED_NAME = r"[\t !#-\[\]-~\xa1-\xff]"
_PLAIN = re.compile(
    rf"(?:(?:({_NAME}*+)|\"({_QUOTED_NAME}*+)\"[ \t]*+)<{SPEC}>|{SPEC})[ \t\r\n]*+(?:([,;])|\Z)",
)
_BETWEEN = re.compile(r"[ \t\r\n,]*+")
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]++)
    |(?P<quoted>"(?:[^"\\]|\\.)*+")
    |(?P<literal>\[[^\[\]\\@<>,\s]{0,255}+\])
    |(?P<word>[^ \t\r\n()<>:;@,"]++)
    |(?P<mark>.)""",
    re.DOTALL | re.VERBOSE,
)
_TOKEN_UNQUOTED = re.compile(_TOKEN.pattern.replace('(?P<quoted>"(?:', "(?P<quoted>(?!)(?:"), _TOKEN.flags)
_PAREN = re.compile(r"\\.|[()]", re.DOTALL)


def parse_address(text: str | bytes) -> Address | None:
    """Return the address of a text that is one mailbox (`a@b`, `Name <a@b>`), None when it is none or several."""
    value = text_of(text)
    if simple := SIMPLE.fullmatch(value):
        return Address(simple[1], examine_domain(simple[2])[0])
    found = parse_mailboxes(value, 2)
    return found[0].address if len(found) == 1 else None


def parse_mailboxes(value: str | bytes, limit: int = MAX_MAILBOXES) -> tuple[Mailbox, ...]:
    """Return the mailboxes of a header field's value in their order, never raising.

    An item without an address (`Smith, John <a@b>` has one) is a mailbox without an address. After `limit` mailboxes the
    rest of the text follows as one more with the defect `too-many`.
    """
    text = text_of(value)
    found = _Reader(text, limit).run()
    if isinstance(value, bytes) and not value.isascii():
        found = _in_bytes(text, found)
    return tuple(found)


class _Reader:
    """The state of one pass: where it stands, the group around it, and which marks can no longer find their end."""

    def __init__(self, text: str, limit: int) -> None:
        self.text = text
        self.limit = limit
        self.at = 0
        self.group = ""
        self.found: list[Mailbox] = []
        self.no_quotes = False
        self.no_comments = False

    def run(self) -> list[Mailbox]:
        text, found, plain, between = self.text, self.found, _PLAIN.match, _BETWEEN.match
        at, size = 0, len(text)
        while True:
            if gap := between(text, at):
                at = gap.end()
            if at >= size:
                return found
            if len(found) >= self.limit:
                found.append(Mailbox("", None, text[at:], self.group, at, size, ("too-many",)))
                return found
            if match := plain(text, at):
                found.append(self._plain(match, at))
                at = match.end()
            else:
                self.at = at
                self._item()
                at = self.at

    def _plain(self, match: re.Match[str], at: int) -> Mailbox:
        name, quoted, local, domain, bare_local, bare_domain, separator = match.groups()
        if local is None:
            local, domain, end = bare_local, bare_domain, match.end(6)
        else:
            end = match.end(4) + 1
            if quoted is not None:
                name = quoted
        if name:
            name = name.strip()
            if "=?" in name:
                name = decode_words(name)
        domain, defects = examine_domain(domain)
        if name and not name.isascii() and BIDI_FOUND.search(name):
            defects = (*defects, "bidi-control")
        if len(local) > MAX_LOCAL:
            defects = (*defects, "local-too-long")
        box = Mailbox(name or "", Address(local, domain), self.text[at:end], self.group, at, end, defects)
        if separator == ";":
            self.group = ""
        return box

    def _token(self) -> Token:
        text, at = self.text, self.at
        match = (_TOKEN_UNQUOTED if self.no_quotes else _TOKEN).match(text, at)
        assert match is not None
        kind, end = match.lastgroup or "mark", match.end()
        if kind == "mark" and text[at] == "(" and not self.no_comments:
            kind, end = self._comment(at)
        elif kind == "mark" and text[at] == '"':
            self.no_quotes = True
        self.at = end
        return Token(kind, text[at:end], at, end)

    def _comment(self, at: int) -> tuple[str, int]:
        depth = 0
        for paren in _PAREN.finditer(self.text, at):
            depth += {"(": 1, ")": -1}.get(paren[0], 0)
            if depth == 0:
                return "comment", paren.end()
        self.no_comments = True
        return "mark", at + 1

    def _item(self) -> None:
        """Read tokens to the end of one item (its separator is taken) and append its mailboxes."""
        item = Item(self.at)
        while self.at < len(self.text):
            token = self._token()
            mark = token.text if token.kind == "mark" else ""
            if mark == ";" or (mark == "," and not item.in_route()):
                self._finish(item, token.start)
                if mark == ";":
                    self.group = ""
                return
            if mark == ":" and not item.in_angle:
                self._open_group(item, token)
                return
            if item.closed and token.kind not in ("space", "comment"):
                # Something follows a finished `<a@b>`: a comma was forgotten, and a new item begins here.
                item.defects.append("missing-comma")
                self.at = token.start
                self._finish(item, token.start)
                return
            item.take(token, mark)
        self._finish(item, len(self.text))

    def _open_group(self, item: Item, colon: Token) -> None:
        name = phrase(item.outside)
        if "@" in self.text[item.start : colon.start]:
            item.defects.append("colon")
            self._finish(item, colon.start)
            return
        self.group = "" if name.lower() == "mailto" else name

    def _finish(self, item: Item, end: int) -> None:
        text = self.text
        while end > item.start and text[end - 1] in " \t\r\n":
            end -= 1
        if end > item.start:
            self.found.extend(item.mailboxes(text, end, self.group))


def _in_bytes(text: str, found: list[Mailbox]) -> list[Mailbox]:
    """Return the mailboxes with spans that count bytes of the value instead of characters of its text."""
    out = []
    chars = octets = 0
    for box in found:
        start = octets + len(text[chars : box.start].encode("utf-8", "surrogateescape"))
        end = start + len(text[box.start : box.end].encode("utf-8", "surrogateescape"))
        chars, octets = box.end, end
        out.append(Mailbox(box.name, box.address, box.raw, box.group, start, end, box.defects))
    return out
