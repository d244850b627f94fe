"""Read a condition of a policy: TOML tables in, a `Condition` out, every mistake noted with its place.

The shape is made to be read aloud. A table's entries must all hold; `all`, `any` and `not` nest; a predicate may be
written in quotes or as dotted keys, with a plain value or with operators:

    when = { "misdirected.probability" = { at_least = 0.5 }, "recipient.country" = "ML" }

    when.any = [ { recipient.domain.under = "gov.example" }, { not = { misdirected.slip.one_of = ["tld", "typed"] } } ]
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nixie.core.condition import OPERATORS, AllOf, Always, AnyOf, Comparison, Condition, Not, Predicate
from nixie.core.domains import normal_domain
from nixie.core.nearest import advice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nixie.core.finding import Scalar
    from nixie.core.toml_places import Path

    Note = Callable[[Path, str], None]
    """Writes a problem down: its place and its text."""

MAX_DEPTH = 20
_KIND_NAMES = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}
_TREE_KEYS = ("all", "any", "not")
_OF_ONE = {"one_of": "is", "none_of": "is_not"}
"""A list of one value means the same as the value, and is compared and shown as such."""
NEVER = AnyOf(())
"""Stands for a condition that could not be read; its problem is noted."""


class ConditionReader:
    """Reads conditions against the predicates that exist; problems go to `note`, and reading goes on."""

    def __init__(self, predicates: Mapping[str, Predicate], note: Note) -> None:
        self._predicates = predicates
        self._note = note

    def read(self, value: object, path: Path) -> Condition:
        """Return the condition that the value at `path` says: `"always"`, or a table."""
        if value == "always":
            return Always()
        if not isinstance(value, dict):
            self._note(path, f'must be a table of conditions or "always", not {_shown(value)}')
            return NEVER
        return self._table(value, path, 0)

    def _table(self, table: Mapping[str, Any], path: Path, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            self._note(path, f"nested more than {MAX_DEPTH} deep")
            return NEVER
        if not table:
            self._note(path, 'is empty; write at least one condition, or "always"')
            return NEVER
        parts = [part for key, value in table.items() for part in self._entry(key, value, (*path, key), depth)]
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _entry(self, key: str, value: object, path: Path, depth: int) -> list[Condition]:
        if key == "not":
            if not isinstance(value, dict):
                self._note(path, f"must be a table of conditions, not {_shown(value)}")
                return [NEVER]
            return [Not(self._table(value, path, depth + 1))]
        if key in ("all", "any"):
            if not isinstance(value, list) or not value or not all(isinstance(part, dict) for part in value):
                self._note(path, "must be a list of at least one condition in braces")
                return [NEVER]
            parts = tuple(self._table(part, (*path, n), depth + 1) for n, part in enumerate(value))
            return [AllOf(parts) if key == "all" else AnyOf(parts)]
        return self._predicate(key, value, path, depth)

    def _predicate(self, name: str, value: object, path: Path, depth: int) -> list[Condition]:
        predicate = self._predicates.get(name)
        if predicate is None and isinstance(value, dict) and depth <= MAX_DEPTH and self._begins(name):
            return [
                part
                for key, inner in value.items()
                for part in self._predicate(f"{name}.{key}", inner, (*path, key), depth + 1)
            ]
        if predicate is None:
            self._note(path, f'unknown predicate "{name}"; {advice(name, (*self._predicates, *_TREE_KEYS))}')
            return [NEVER]
        if not isinstance(value, dict):
            operator = "one_of" if isinstance(value, list) else "is"
            return [self._comparison(name, predicate, operator, value, path)]
        if not value:
            self._note(path, "is empty; write a value or an operator")
            return [NEVER]
        return [
            self._comparison(name, predicate, operator, wanted, (*path, operator)) for operator, wanted in value.items()
        ]

    def _begins(self, name: str) -> bool:
        return any(known.startswith(name + ".") for known in self._predicates)

    def _comparison(self, name: str, predicate: Predicate, word: str, value: object, path: Path) -> Condition:
        operator = OPERATORS.get(word)
        if operator is None:
            self._note(path, f'unknown operator "{word}"; {advice(word, OPERATORS)}')
            return NEVER
        if predicate.kind not in operator.kinds:
            self._note(path, f"{word} does not go with {name}, which is {_KIND_NAMES[predicate.kind]}")
            return NEVER
        if word == "known":
            wanted = self._scalar(Predicate(bool, ""), value, path)
            return NEVER if wanted is None else Comparison(name, word, wanted)
        if isinstance(value, list):
            return self._list(name, predicate, word, value, path)
        if operator.takes_list and word not in ("under", "like"):
            self._note(path, f"must be a list, not {_shown(value)}")
            return NEVER
        wanted = self._scalar(predicate, value, path, open_text=operator.takes_list)
        if wanted is None:
            return NEVER
        wanted = _as_compared(name, word, wanted)
        return Comparison(name, word, (wanted,) if operator.takes_list else wanted)

    def _list(self, name: str, predicate: Predicate, word: str, values: list[Any], path: Path) -> Condition:
        if not OPERATORS[word].takes_list:
            self._note(path, f"{word} takes one value; write one_of for a list")
            return NEVER
        if not values:
            self._note(path, "the list is empty and would never match")
            return NEVER
        open_text = word in ("under", "like")
        read = [self._scalar(predicate, v, (*path, n), open_text=open_text) for n, v in enumerate(values)]
        wanted = tuple(dict.fromkeys(_as_compared(name, word, one) for one in read if one is not None))
        if None in read:
            return NEVER
        if len(wanted) == 1 and word in _OF_ONE:
            return Comparison(name, _OF_ONE[word], wanted[0])
        return Comparison(name, word, wanted)

    def _scalar(self, predicate: Predicate, value: object, path: Path, *, open_text: bool = False) -> Scalar | None:
        kind = predicate.kind
        if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        if type(value) is not kind or kind is float:
            self._note(path, f"must be {_KIND_NAMES[kind]}, not {_shown(value)}")
            return None
        if not isinstance(value, str):
            return value if isinstance(value, int) else None
        text = value.casefold()
        if predicate.values and not open_text and text not in map(str.casefold, predicate.values):
            self._note(path, f'"{value}" never occurs here; {advice(value, predicate.values)}')
            return None
        return text


def _as_compared(name: str, word: str, wanted: Scalar) -> Scalar:
    """Return a wanted domain as domains are compared everywhere (A-labels), and anything else unchanged."""
    if isinstance(wanted, str) and (word == "under" or (name.endswith(".domain") and word != "like")):
        return normal_domain(wanted.strip().removeprefix("*").strip("."))
    return wanted


def _shown(value: object) -> str:
    """Return a wrong value as an error may show it: its type always, itself when it is short and plain."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str():
            return f'"{value}"' if len(value) <= 40 else "a long text"
        case list():
            return "a list"
        case dict():
            return "a table"
    return f"a {type(value).__name__}"
