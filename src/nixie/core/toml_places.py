"""On which line a key of a TOML text stands: `tomllib` reads values and forgets where they were.

`read` parses with `tomllib`, the only judge of what is valid, and then walks the text once more for the lines. The walk
therefore expects valid TOML and looks only at what it needs: headers, keys, and the nesting of arrays and inline tables
(TOML 1.0.0, sections "Keys", "Table", "Array of Tables", "Inline Table").
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from nixie.core.problems import Problem, ProblemsError

Path = tuple[str | int, ...]
"""A place in the data: keys of tables and numbers (from 0) in arrays."""

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRINGS = (
    re.compile(r'"""(?:[^\\"]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^\\"\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


def read(text: str, source: str) -> tuple[dict[str, Any], dict[Path, int]]:
    """Return the data of a TOML text and the line (from 1) of every key, table header and array element.

    Raises ProblemsError with the line and column when the text is not TOML.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        at = re.search(r"at line (\d+), column (\d+)", said)
        what = re.sub(r" \(at .*\)$", "", said)
        place = f"column {at[2]}: " if at else ""
        line = int(at[1]) if at else text.count("\n") + 1
        raise ProblemsError((Problem(source, line, "", f"{place}this is not TOML: {what}"),)) from None
    except RecursionError:
        raise ProblemsError((Problem(source, 0, "", "nested too deeply"),)) from None
    return data, _Walk(text).lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Return the line of the place, or of the nearest place around it; 0 when nothing around it has one."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 0


def dotted(path: Path) -> str:
    """Return a place as people write it, arrays counted from 1: `slip.rule[2].when`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        else:
            text += ("." if text else "") + (step if _BARE.fullmatch(step) else f'"{step}"')
    return text


class _Walk:
    """One pass over a valid text; `lines` is the result."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._counted = (0, 1)
        self._arrays: dict[Path, int] = {}
        table: Path = ()
        self._blank()
        while self.at < len(text):
            if text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._blank()

    def _line(self) -> int:
        before, line = self._counted
        line += self.text.count("\n", before, self.at)
        self._counted = (self.at, line)
        return line

    def _blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _header(self) -> Path:
        line = self._line()
        is_array = self.text.startswith("[[", self.at)
        self.at += 2 if is_array else 1
        keys = self._keys()
        self.at = self.text.find("]", self.at) + (2 if is_array else 1)
        path: Path = ()
        for number, key in enumerate(keys):
            path = (*path, key)
            last = number == len(keys) - 1
            if last and is_array:
                self._arrays[path] = self._arrays.get(path, -1) + 1
            if path in self._arrays:
                self.lines.setdefault(path, line)
                path = (*path, self._arrays[path])
            self.lines.setdefault(path, line)
        return path

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._blank()
            if self.text[self.at] in "\"'":
                end = self._string_end()
                keys.append(next(iter(tomllib.loads(self.text[self.at : end] + " = 0"))))
                self.at = end
            else:
                found = _BARE.match(self.text, self.at)
                if found is None:
                    return keys
                keys.append(found[0])
                self.at = found.end()
            self._blank()
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.at = self.text.find("=", self.at) + 1
        self._blank()
        self._value(path)

    def _value(self, path: Path) -> None:
        sign = self.text[self.at]
        if sign in "\"'":
            self.at = self._string_end()
        elif sign == "[":
            self._nested(path, "]")
        elif sign == "{":
            self._nested(path, "}")
        else:
            found = _SCALAR.match(self.text, self.at)
            self.at = found.end() if found else len(self.text)

    def _nested(self, path: Path, closing: str) -> None:
        self.at += 1
        number = 0
        while True:
            self._blank()
            if self.text[self.at] == closing:
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
            elif closing == "]":
                self.lines[*path, number] = self._line()
                self._value((*path, number))
                number += 1
            else:
                self._pair(path)

    def _string_end(self) -> int:
        for pattern in _STRINGS:
            found = pattern.match(self.text, self.at)
            if found:
                return found.end()
        return len(self.text)
