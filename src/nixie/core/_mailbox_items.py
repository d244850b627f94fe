"""One item of a list of mailboxes, the parts between two separators, when it is not a plain one (RFC 5322, section 4.4).

People leave out commas and brackets, programs put addresses into names. The rule: an at sign makes an address if any
reading does, each defect is named, and the spans of the mailboxes tile the item.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from nixie.core._address import CONTROL, Address, unquoted
from nixie.core.domains import examine_domain, usable_domain
from nixie.core.words import decode_words, mended

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_COMMENT_DEPTH = 50
MAX_LOCAL = 64
"""Octets of a local part (RFC 5321, section 4.5.3.1.1); a longer one is kept and is a defect."""

BIDI_FOUND = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that make text run the other way, by which `a@b` can look like another address."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
SPEC = rf"({_ATOM}++(?:\.{_ATOM}++)*+)@([A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)*+)"
"""A plain ASCII address in two groups; what else is one takes the tokens."""
SIMPLE = re.compile(SPEC)
_FOLD = re.compile(r"[ \t]*(?:\r\n|\r|\n)[ \t]*")


class Token(NamedTuple):
    kind: str  # space, quoted, literal, word, mark, comment
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox of a list: decoded display name, address (None when there is none to be had), the text it came from.

    `value[start:end] == raw` for the value that was parsed (for bytes, of its bytes). `group` is the name of the group
    around it, `""` outside. `defects` are codes such as `missing-comma`, `comment-open`, `domain-empty-label`.
    """

    name: str = field(repr=False)
    address: Address | None
    raw: str = field(repr=False)
    group: str = field(repr=False)
    start: int
    end: int
    defects: tuple[str, ...]


class Item:
    """The tokens between two separators: what stands outside the angle brackets, and inside."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.outside: list[Token] = []
        self.inside: list[Token] = []
        self.comments: list[str] = []
        self.in_angle = False
        self.closed = False
        self.route = False
        self.defects: list[str] = []

    def in_route(self) -> bool:
        """Return whether a comma would stand inside a source route (`<@a,@b:c@d>`)."""
        return self.in_angle and self.route

    def take(self, token: Token, mark: str) -> None:
        if token.kind == "comment":
            self.comments.append(token.text[1:-1])
            if token.text.count("(") > MAX_COMMENT_DEPTH:
                self.defects.append("comment-deep")
            token = Token("space", " ", token.start, token.end)
        elif mark == "<" and not self.in_angle:
            self.in_angle = True
            return
        elif mark == ">" and self.in_angle:
            self.in_angle, self.closed = False, True
            return
        elif mark == ":" and self.route:
            # The route ends; what mail follows is the address behind it (RFC 5322, section 4.4).
            self.route = False
            self.inside.clear()
            self.defects.append("route")
            return
        elif mark in _STRAY:
            self.defects.append(_STRAY[mark])
            token = Token("space", " ", token.start, token.end)
        if self.in_angle:
            if mark == "@" and not any(t.kind != "space" for t in self.inside):
                self.route = True
            self.inside.append(token)
        else:
            self.outside.append(token)

    def mailboxes(self, text: str, end: int, group: str) -> Iterable[Mailbox]:
        """Yield the item's mailboxes; their spans tile it, so that every character stays in one of them."""
        defects = self.defects
        if self.in_angle:
            defects.append("angle-open")
        angle = self.in_angle or self.closed
        specs, names = _specs(self.inside if angle else self.outside)
        if angle:
            if names and specs:
                defects.append("text-in-angle")
            elif names and not self.outside:
                self.outside = self.inside
            if not specs:
                defects.append("no-address")
            name = phrase(self.outside)
            if "@" in name:
                defects.append("at-in-name")
        else:
            name = phrase(names)
            if specs and names:
                defects.append("angle-missing")
        if not name and self.comments:
            name = mended(decode_words(_tidy(self.comments[-1])))
        if BIDI_FOUND.search(text, self.start, end) or BIDI_FOUND.search(name):
            defects.append("bidi-control")
        if not specs:
            yield self._without_spec(name, text[self.start : end], group, end)
            return
        if len(specs) > 1:
            defects.append("missing-comma")
        start = self.start
        for number, (local, domain, spec_end) in enumerate(specs):
            stop = end if number == len(specs) - 1 else spec_end
            address, more = _address(local, domain)
            codes = tuple(dict.fromkeys((*defects, *more)))
            yield Mailbox("" if number else name, address, text[start:stop], group, start, stop, codes)
            start = stop

    def _without_spec(self, name: str, raw: str, group: str, end: int) -> Mailbox:
        address = None
        if simple := SIMPLE.fullmatch(name.strip("<> '")):
            address, more = _address(simple[1], simple[2])
            self.defects.extend(("quoted-address", *more))
        elif "no-address" not in self.defects:
            self.defects.append("no-address")
        return Mailbox(name, address, raw, group, self.start, end, tuple(dict.fromkeys(self.defects)))


_STRAY = {"<": "stray-angle", ">": "stray-angle", "(": "comment-open", ")": "stray-parenthesis", '"': "quote-open"}

_Spec = tuple["list[Token]", "list[Token]", int]


def _specs(tokens: Sequence[Token]) -> tuple[list[_Spec], list[Token]]:
    """Return the address specs among the tokens (local, domain, end of each) and the tokens that are in none."""
    ats = sum(t.kind == "mark" and t.text == "@" for t in tokens)
    if not ats:
        return [], list(tokens)
    chunks = [[t for t in tokens if t.kind != "space"]] if ats == 1 and _one_spec(tokens) else _chunks(tokens)
    specs: list[_Spec] = []
    names: list[Token] = []
    for chunk in chunks:
        at = max((i for i, t in enumerate(chunk) if t.kind == "mark" and t.text == "@"), default=-1)
        if at < 0:
            names += (*chunk, Token("space", " ", chunk[-1].end, chunk[-1].end))
        else:
            specs.append((chunk[:at], chunk[at + 1 :], chunk[-1].end))
    return specs, names


def _one_spec(tokens: Sequence[Token]) -> bool:
    """Return whether white space stands beside dots and the at sign only (obs-local-part, RFC 5322 section 4.4)."""
    solid = [(i, t) for i, t in enumerate(tokens) if t.kind != "space"]
    return all(
        j == i + 1 or left.text.endswith((".", "@")) or right.text.startswith((".", "@"))
        for (i, left), (j, right) in pairwise(solid)
    )


def _chunks(tokens: Sequence[Token]) -> list[list[Token]]:
    """Cut at white space, except beside an at sign."""
    chunks: list[list[Token]] = []
    space = True
    for token in tokens:
        if token.kind == "space":
            space = True
            continue
        beside = bool(chunks) and (token.text == "@" or chunks[-1][-1].text == "@")
        if chunks and (not space or beside):
            chunks[-1].append(token)
        else:
            chunks.append([token])
        space = False
    return chunks


def _address(local: list[Token] | str, domain: list[Token] | str) -> tuple[Address | None, tuple[str, ...]]:
    local = local if isinstance(local, str) else "".join(map(_content, local))
    domain = domain if isinstance(domain, str) else "".join(t.text for t in domain)
    if not local:
        return None, ("no-local-part",)
    normal, defects = examine_domain(domain)
    if CONTROL.search(local) or CONTROL.search(normal):
        return None, (*defects, "control-character")
    if not normal or not usable_domain(normal):
        return None, (*defects, "no-domain")
    if len(local) > MAX_LOCAL:
        defects = (*defects, "local-too-long")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        defects = (*defects, "local-dots")
    if not local.isascii() and any("\ud800" <= c <= "\udfff" for c in local):
        defects = (*defects, "not-utf8")
    return Address(local, normal), defects


def _content(token: Token) -> str:
    return unquoted(token.text[1:-1]) if token.kind == "quoted" else token.text


def phrase(tokens: Sequence[Token]) -> str:
    if not tokens:
        return ""
    return mended(decode_words(_tidy("".join(map(_content, tokens)))))


def _tidy(text: str) -> str:
    return _FOLD.sub(" ", text).strip() if "\n" in text or "\r" in text else text.strip()
