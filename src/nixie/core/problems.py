"""What is wrong with a text that an administrator wrote: the file, the line, the key, and what to do about it.

Policy and configuration collect all problems of a file and show them together, so that one run of `nixie policy check`
is enough.

    * ProblemsError
      x PolicyError     policy.toml cannot be used
      x ConfigError     nixie.toml or partners.toml cannot be used
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at `source:line` (line 0: the file as a whole); `key` is the dotted place, `text` says what and how to mend it."""

    source: str
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}" if self.line else self.source
        return f"{where}: {self.key}: {self.text}" if self.key else f"{where}: {self.text}"


class ProblemsError(ValueError):
    """A text cannot be used; `problems` says why, in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.source, p.line)))
        super().__init__("\n".join(map(str, self.problems)))
