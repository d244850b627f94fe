"""Conditions of policy rules: a tree of comparisons of named values, small enough to be read aloud.

A condition is a value (it can be printed, digested and compared with another) and is compiled once into nested functions,
because it is asked for every recipient of every message.

A value that nobody found is absent: every comparison with it is false, `is_not` and `none_of` included, because a rule
must never fire on something that was not seen. `not` of such a comparison is true; `known` asks whether a value is there.
Text is compared without regard to case.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nixie.core.verdict import Clause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nixie.core.finding import Scalar

    Subject = Mapping[str, Scalar]
    """The values of one recipient by predicate name."""
    Test = Callable[[Subject], bool]
    Wanted = Scalar | tuple[Scalar, ...]
    Make = Callable[[Wanted], Callable[[Scalar], bool]]


@dataclass(frozen=True, slots=True)
class Predicate:
    """A named value that rules may ask: its type (str, int, float, bool), a sentence for people, and, where only certain
    words can occur, those words.
    """

    kind: type
    sentence: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """One leaf: the value of `predicate`, compared by `operator` with what is wanted (text already in lower case)."""

    predicate: str
    operator: str
    wanted: Wanted = field(repr=False)


@dataclass(frozen=True, slots=True)
class Always:
    """The condition that is always true."""


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every part is."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one part is."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when the part is not."""

    part: Condition


Condition = Comparison | Always | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Operator:
    """One way to compare: for which types, whether it takes a list, a sentence, and the function of (wanted) -> (seen) -> bool."""

    kinds: tuple[type, ...]
    takes_list: bool
    sentence: str
    make: Make = field(repr=False)


def _under(wanted: Wanted) -> Callable[[Scalar], bool]:
    domains = _many(wanted)
    endings = tuple("." + str(domain) for domain in domains)
    exact = frozenset(domains)

    def test(seen: Scalar) -> bool:
        text = str(seen).casefold()
        return text in exact or text.endswith(endings)

    return test


def _like(wanted: Wanted) -> Callable[[Scalar], bool]:
    patterns = tuple(str(pattern).split("*") for pattern in _many(wanted))

    def test(seen: Scalar) -> bool:
        text = str(seen).casefold()
        return any(_pieces_match(text, pieces) for pieces in patterns)

    return test


def _pieces_match(text: str, pieces: list[str]) -> bool:
    """Return whether the text is the pieces with anything between them; linear: each piece is searched once, leftmost."""
    if len(pieces) == 1:
        return text == pieces[0]
    first, *middle, last = pieces
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _is(wanted: Wanted) -> Callable[[Scalar], bool]:
    if isinstance(wanted, str):
        return lambda seen: str(seen).casefold() == wanted
    return lambda seen: seen == wanted


def _one_of(wanted: Wanted) -> Callable[[Scalar], bool]:
    among = frozenset(_many(wanted))
    return lambda seen: (seen.casefold() if isinstance(seen, str) else seen) in among


def _opposite(
    make: Make,
) -> Make:
    def made(wanted: Wanted) -> Callable[[Scalar], bool]:
        test = make(wanted)
        return lambda seen: not test(seen)

    return made


def _many(wanted: Wanted) -> tuple[Scalar, ...]:
    return wanted if isinstance(wanted, tuple) else (wanted,)


def _compare(holds: Callable[[Any, Any], bool]) -> Make:
    def made(wanted: Wanted) -> Callable[[Scalar], bool]:
        return lambda seen: isinstance(seen, int | float) and holds(seen, wanted)

    return made


_TEXT, _NUMBER, _EVERY = (str,), (int, float), (str, int, float, bool)

OPERATORS: dict[str, Operator] = {
    "is": Operator(_EVERY, False, "the value is this one; `name = value` means the same", _is),
    "is_not": Operator(_EVERY, False, "the value is there and is another", _opposite(_is)),
    "one_of": Operator((str, int), True, "the value is one of a list", _one_of),
    "none_of": Operator((str, int), True, "the value is there and is none of a list", _opposite(_one_of)),
    "at_least": Operator(_NUMBER, False, "this number or more", _compare(operator.ge)),
    "at_most": Operator(_NUMBER, False, "this number or less", _compare(operator.le)),
    "more_than": Operator(_NUMBER, False, "more than this number", _compare(operator.gt)),
    "less_than": Operator(_NUMBER, False, "less than this number", _compare(operator.lt)),
    "under": Operator(_TEXT, True, "the domain is one of these, or lies below one", _under),
    "like": Operator(_TEXT, True, "the text fits a pattern in which * stands for anything", _like),
    "known": Operator(_EVERY, False, "true: the value was found; false: it was not", lambda _: lambda _seen: True),
}
"""Every operator of a condition, by the key that a policy writes."""


def compiled(condition: Condition) -> Test:
    """Return the function that says whether a subject meets the condition."""
    match condition:
        case Comparison():
            return _compiled_comparison(condition)
        case AllOf(parts):
            tests = tuple(compiled(part) for part in parts)
            return _all_test(tests)
        case AnyOf(parts):
            tests = tuple(compiled(part) for part in parts)
            return lambda subject: any(test(subject) for test in tests)
        case Not(part):
            inner = compiled(part)
            return lambda subject: not inner(subject)
        case Always():
            return lambda _subject: True


def _all_test(tests: tuple[Test, ...]) -> Test:
    def test(subject: Subject) -> bool:
        for part in tests:  # noqa: SIM110 - a loop costs half of all() with a generator, for every recipient
            if not part(subject):
                return False
        return True

    return test


def _compiled_comparison(comparison: Comparison) -> Test:
    name, wanted = comparison.predicate, comparison.wanted
    if comparison.operator == "known":
        return lambda subject: (name in subject) is wanted
    holds = OPERATORS[comparison.operator].make(wanted)

    def test(subject: Subject) -> bool:
        seen = subject.get(name)
        return seen is not None and holds(seen)

    return test


def comparisons(condition: Condition) -> tuple[Comparison, ...]:
    """Return every leaf in the order in which the policy writes them."""
    match condition:
        case Comparison():
            return (condition,)
        case AllOf(parts) | AnyOf(parts):
            return tuple(leaf for part in parts for leaf in comparisons(part))
        case Not(part):
            return comparisons(part)
        case Always():
            return ()


def clauses(condition: Condition, subject: Subject) -> tuple[Clause, ...]:
    """Return every leaf as it was evaluated for the subject, with the value seen (None: absent)."""
    return tuple(
        Clause(
            leaf.predicate,
            leaf.operator,
            written(leaf.wanted),
            subject.get(leaf.predicate),
            _compiled_comparison(leaf)(subject),
        )
        for leaf in comparisons(condition)
    )


def written(wanted: Wanted) -> str:
    """Return a wanted value as a person writes it: `0.5`, `tld, typed`, `yes`."""
    if isinstance(wanted, tuple):
        return ", ".join(written(one) for one in wanted)
    if isinstance(wanted, bool):
        return "yes" if wanted else "no"
    return f"{wanted:g}" if isinstance(wanted, float) else str(wanted)


def canonical(condition: Condition) -> list[object]:
    """Return the condition as nested lists in an order that does not depend on how it was written down.

    Two conditions with equal canonical forms mean the same; JSON of it goes into the digest of a policy.
    """
    match condition:
        case Comparison(predicate, operator, wanted):
            values = sorted(map(repr, wanted)) if isinstance(wanted, tuple) else [repr(wanted)]
            return ["compare", predicate, operator, values]
        case AllOf(parts) | AnyOf(parts):
            word = "all" if isinstance(condition, AllOf) else "any"
            return [word, sorted((canonical(part) for part in parts), key=repr)]
        case Not(part):
            return ["not", canonical(part)]
        case Always():
            return ["always"]
