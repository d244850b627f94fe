"""Alias tables as Postfix and Sendmail read them: aliases(5), `name: ann, bob@example.org`, and virtual(5), `list@example.org ann, bob`.

What stands there beside addresses (commands, files, catch-alls, patterns) is no list of people: it is counted with its line and
never run or opened. An `:include:` file is named to the caller, who may hand its text to `read_included`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from nixie.core.words import text_of
from nixie.sources.lines import Defect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_TARGETS = 200_000
"""Targets of one name that are kept."""

MAX_TEXT = 1 << 23
"""Characters of one logical line; a longer one is a defect."""

_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_ALIAS = re.compile(rf"({_QUOTED}|[^\s:\"#]++)\s*+:(?!//)")
_VIRTUAL = re.compile(rf"({_QUOTED}(?:@\S++)?|[^\s\"#]++)\s++(?=\S)")
_TARGET = re.compile(r'(?:"(?:[^"\\]|\\.?)*+(?:"|\Z)|[^,"]++)++')  # a quote without an end takes the rest
_PATTERN = re.compile(r"(?:/.*/\w*|if|endif)\Z")
_INCLUDE = ":include:"
_PAIR = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Alias:
    """One line: the name as it stands (`team`, `team@example.org`), its addresses or local names, and files to include."""

    line: int
    name: str = field(repr=False)
    targets: tuple[str, ...] = field(repr=False)
    includes: tuple[str, ...] = field(default=(), repr=False)


def looks_like_aliases(head: bytes) -> bool:
    """Return whether the first lines of a file are those of an alias table: names, and nothing but targets behind them."""
    first = [text for _, text in islice(_logical(head[: 1 << 14].split(b"\n")), 5)]
    return bool(first) and all(map(_looks_like_alias, first))


def _looks_like_alias(text: str) -> bool:
    found = _split(text)
    if found is None:
        return False
    name, rest, virtual = found
    # Two words of prose are no line of a virtual table.
    named = not virtual or "@" in text or _PATTERN.match(name) is not None
    return named and all(map(_address_like, _targets(rest)))


def read_aliases(lines: Iterable[bytes]) -> Iterator[Alias | Defect]:
    """Yield each name with its targets, and a `Defect` for whatever of it is no address."""
    for number, text in _logical(lines):
        found = _split(text) if len(text) <= MAX_TEXT else None
        if found is None:
            yield Defect(number, "line without a name and its addresses")
            continue
        name, rest, virtual = found
        if _PATTERN.match(name):
            yield Defect(number, "pattern")
        elif name.startswith("@") or (virtual and "." in name and "@" not in name):
            yield Defect(number, "whole domain")
        else:
            targets, includes, defects = _sorted(rest, number)
            yield from defects
            if targets or includes:
                yield Alias(number, name, targets, includes)


def read_included(lines: Iterable[bytes]) -> Iterator[str | Defect]:
    """Yield the targets of an included file, whose lines are as after the colon; files within it are not followed."""
    for number, text in _logical(lines):
        targets, includes, defects = _sorted(text, number)
        yield from targets
        yield from defects
        yield from (Defect(number, "file included by an included one") for _ in includes)


def _sorted(rest: str, number: int) -> tuple[tuple[str, ...], tuple[str, ...], list[Defect]]:
    """Return the addresses and local names, the files to include, and a defect for everything else."""
    targets: dict[str, None] = {}
    includes: list[str] = []
    defects: list[Defect] = []
    for text in _targets(rest):
        if text.lower().startswith(_INCLUDE):
            includes.append(text[len(_INCLUDE) :].strip())
        elif text.startswith("|"):
            defects.append(Defect(number, "command"))
        elif text.startswith("/"):
            defects.append(Defect(number, "file that mail is written to"))
        elif len(targets) >= MAX_TARGETS:
            defects.append(Defect(number, "address beyond the most that one name may have"))
        elif _address_like(text):
            targets[text.removeprefix("\\")] = None
        else:
            defects.append(Defect(number, "target that is no address"))
    return tuple(targets), tuple(includes), defects


def _targets(rest: str) -> Iterator[str]:
    """Yield what commas divide, without its quotes."""
    for found in _TARGET.finditer(rest):
        text = found[0].strip()
        if text[:1] == '"' and text[-1:] == '"' and len(text) > 1 and '"@' not in text:
            inner = _PAIR.sub(r"\1", text[1:-1])
            text = inner if inner.startswith(("|", "/", _INCLUDE)) or "@" not in inner else text
        if text:
            yield text


def _address_like(text: str) -> bool:
    """Return whether a target is an address, or a name that the server completes to one."""
    if text[:1] in ("|", "/") or text.lower().startswith(_INCLUDE):
        return True
    return "@" in text or re.fullmatch(r"\\?[\w.+&'=%!-]+", text) is not None


def _split(text: str) -> tuple[str, str, bool] | None:
    """Return the name without its quotes, the rest of a logical line, and whether it is of a virtual table; None without both."""
    alias = _ALIAS.match(text)
    found = alias or _VIRTUAL.match(text)
    if found is None or not (rest := text[found.end() :].strip()):
        return None
    name = found[1]
    plain = _PAIR.sub(r"\1", name[1:-1]) if name[:1] == '"' and name[-1:] == '"' else name
    return plain, rest, alias is None


def _logical(lines: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Yield each logical line with the number of its first one: lines that begin with white space go on, comments and empty ones go.

    Both are skipped even between the parts of one line, as postalias(1) does.
    """
    start, parts, size = 0, [""], 0
    for number, raw in enumerate(lines, 1):
        line = text_of(raw).rstrip()
        stripped = line.lstrip()
        if not stripped or stripped[0] == "#":
            continue
        if line[0].isspace() and start:
            if size <= MAX_TEXT:
                parts.append(stripped)
                size += len(stripped) + 1
            continue
        if start:
            yield start, " ".join(parts)
        start, parts, size = number, [stripped], len(stripped)
    if start:
        yield start, " ".join(parts)
