"""Read policy.toml: a budget, tracks of rules and exemptions, with every mistake of the file collected before any is reported.

    [budget]                            # optional; see core.budget
    questions_per_1000_messages = 0.5   # outside messages of everybody
    questions_per_sender_per_quarter = 4

    [[slip.rule]]                       # a track is one of core.rules.TRACKS; rules stand in the order of the file
    name = "likely-slip"                # unique in the policy
    mode = "enforce"                    # off, observe, enforce
    when = { "misdirected.probability" = { at_least = 0.5 } }
    then = "hold-sender"                # deliver, hold-sender, hold-reviewer, refuse
    choices = ["correct", "send", "cancel"]
    reviewers = ["desk@example.org"]    # instead of the organisation's
    message = "This address looks like a slip."

    [[exemption]]
    name = "partner-newsletter"
    checks = ["misdirected"]
    when = { "recipient.domain" = { under = "partner.example" } }
    owner = "Registry"
    reason = "Old and new domain both in use until the move is over."
    until = 2027-03-31                  # the last day on which it applies

The predicates and checks that exist are handed in, so this file knows neither.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from nixie.core import toml_places
from nixie.core.budget import WITHIN_BUDGET, Budget
from nixie.core.condition import comparisons
from nixie.core.condition_text import NEVER, ConditionReader
from nixie.core.nearest import advice
from nixie.core.policy_shadow import shadowing
from nixie.core.problems import Problem, ProblemsError
from nixie.core.rules import Exemption, Rule
from nixie.core.verdict import Choice, Disposition, Mode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from nixie.core.condition import Condition, Predicate
    from nixie.core.toml_places import Path

    Table = Mapping[str, Any]

Word = TypeVar("Word", Choice, Disposition, Mode)

_RULE_KEYS = ("name", "mode", "when", "then", "choices", "reviewers", "message")
_BUDGET_KEYS = ("questions_per_1000_messages", "questions_per_sender_per_quarter")
_MOST_PER_1000 = 1000
_MOST_PER_QUARTER = 10_000
_EXEMPTION_KEYS = ("name", "checks", "when", "owner", "reason", "until")
_EXEMPTION_PREDICATES = ("recipient.", "sender.")
_USUAL_CHOICES = {
    Disposition.HOLD_SENDER: (Choice.CORRECT, Choice.SEND, Choice.CANCEL),
    Disposition.HOLD_REVIEWER: (Choice.CORRECT, Choice.CANCEL),
}
"""What the author is offered when a rule does not say; who must ask a reviewer may not send on their own."""
_LONGEST_NAME = 80
_LONGEST_TEXT = 1000


class PolicyError(ProblemsError):
    """The policy cannot be used; `problems` names each mistake with file, line and key."""


def read_policy(
    text: str,
    source: str,
    predicates: Mapping[str, Predicate],
    checks: Collection[str],
    tracks: Sequence[str],
) -> tuple[str, tuple[Rule, ...], tuple[Exemption, ...], Budget | None]:
    """Return title, rules (by track in the order of `tracks`, then as written), exemptions, and the budget. Raises PolicyError."""
    try:
        data, lines = toml_places.read(text, source)
    except ProblemsError as error:
        raise PolicyError(error.problems) from None
    reader = _Reader(source, lines, predicates, checks)
    reader.unknown_keys(data, ("title", "budget", *tracks, "exemption"), ())
    title = reader.words(data, "title", (), required=False)
    budget = reader.budget(data) if "budget" in data else None
    rules = tuple(
        reader.rule(track, table, path)
        for track in tracks
        for table, path in reader.tables(reader.track_rules(data, track), (track, "rule"), f"[[{track}.rule]]")
    )
    listed = reader.tables(data.get("exemption", []), ("exemption",), "[[exemption]]")
    exemptions = tuple(reader.exemption(table, path) for table, path in listed)
    reader.unique([(r.name, r.line) for r in rules], "rule")
    reader.unique([(e.name, e.line) for e in exemptions], "exemption")
    if not reader.problems:
        reader.reachable(rules, tracks)
        if budget is not None:
            reader.heard(rules)
    if reader.problems:
        raise PolicyError(tuple(reader.problems))
    return title, rules, exemptions, budget


class _Reader:
    """Turns tables into values; each mistake becomes a problem and a stand-in, so that reading goes on."""

    def __init__(
        self, source: str, lines: dict[Path, int], predicates: Mapping[str, Predicate], checks: Collection[str]
    ) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._lines = lines
        self._checks = checks
        self._conditions = ConditionReader(predicates, self.note)
        about_people = {n: p for n, p in predicates.items() if n.startswith(_EXEMPTION_PREDICATES)}
        self._exemption_conditions = ConditionReader(about_people, self.note)

    def note(self, path: Path, text: str) -> None:
        self.problems.append(self._problem(toml_places.line_of(self._lines, path), toml_places.dotted(path), text))

    def _problem(self, line: int, key: str, text: str) -> Problem:
        return Problem(self._source, line, key, text)

    def unknown_keys(self, table: Table, valid: Iterable[str], path: Path) -> None:
        names = tuple(valid)
        for key in table:
            if key not in names:
                self.note((*path, key), f'unknown key "{key}"; {advice(key, names)}')

    def track_rules(self, data: Table, track: str) -> object:
        table = data.get(track, {})
        if not isinstance(table, dict):
            self.note((track,), f"rules are written as [[{track}.rule]]")
            return []
        self.unknown_keys(table, ("rule",), (track,))
        return table.get("rule", [])

    def tables(self, value: object, path: Path, written: str) -> list[tuple[Table, Path]]:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.note(path, f"must be written as {written}, once for each")
            return []
        return [(table, (*path, number)) for number, table in enumerate(value)]

    def rule(self, track: str, table: Table, path: Path) -> Rule:
        self.unknown_keys(table, _RULE_KEYS, path)
        then = self._word(table, "then", path, Disposition, Disposition.DELIVER)
        return Rule(
            track=track,
            name=self.words(table, "name", path, longest=_LONGEST_NAME),
            mode=self._word(table, "mode", path, Mode, Mode.OFF),
            condition=self._condition(self._conditions, table, path),
            disposition=then,
            choices=self._choices(table, path, then),
            reviewers=self._reviewers(table, path, then),
            message=self.words(table, "message", path, required=False),
            line=toml_places.line_of(self._lines, path),
        )

    def exemption(self, table: Table, path: Path) -> Exemption:
        self.unknown_keys(table, _EXEMPTION_KEYS, path)
        return Exemption(
            name=self.words(table, "name", path, longest=_LONGEST_NAME),
            checks=self._check_names(table, path),
            condition=self._condition(self._exemption_conditions, table, path),
            owner=self.words(table, "owner", path),
            reason=self.words(table, "reason", path),
            until=self._day(table, path),
            line=toml_places.line_of(self._lines, path),
        )

    def budget(self, data: Table) -> Budget:
        """Return what [budget] allows."""
        table, path = data["budget"], ("budget",)
        if not isinstance(table, dict):
            self.note(path, "is written as [budget], with its numbers below")
            return Budget()
        self.unknown_keys(table, _BUDGET_KEYS, path)
        if not table:
            self.note(path, f"says nothing; {' or '.join(_BUDGET_KEYS)} belongs there, or remove it")
        messages, sender = (table.get(key) for key in _BUDGET_KEYS)
        if messages is not None and not (_is_number(messages) and 0 < messages <= _MOST_PER_1000):
            self.note((*path, _BUDGET_KEYS[0]), f"must be a number above 0 and at most {_MOST_PER_1000}, such as 0.5")
            messages = None
        if sender is not None and not (type(sender) is int and 0 < sender <= _MOST_PER_QUARTER):
            self.note((*path, _BUDGET_KEYS[1]), f"must be a whole number from 1 to {_MOST_PER_QUARTER}, such as 4")
            sender = None
        return Budget(float(messages) if messages is not None else None, sender)

    def heard(self, rules: Sequence[Rule]) -> None:
        """Report a budget that no rule asks about: it would change nothing, and its author would never learn that."""
        asked = {leaf.predicate for rule in rules for leaf in comparisons(rule.condition)}
        if WITHIN_BUDGET not in asked:
            text = f'no rule asks for it; add "{WITHIN_BUDGET}" = true to the rules about slips, or remove the budget'
            self.note(("budget",), text)

    def unique(self, names: Sequence[tuple[str, int]], what: str) -> None:
        first: dict[str, int] = {}
        for name, line in names:
            if name and name in first:
                text = f'the name "{name}" is already taken by the {what} in line {first[name]}'
                self.problems.append(self._problem(line, f"{what}.name", text))
            first.setdefault(name, line)

    def reachable(self, rules: Sequence[Rule], tracks: Sequence[str]) -> None:
        for track in tracks:
            seen: list[Rule] = []
            for rule in (r for r in rules if r.track == track):
                by = shadowing(seen, rule)
                if by:
                    text = f'is never reached: "{by.name}" in line {by.line} always matches before it; move it up, or remove it'
                    self.problems.append(self._problem(rule.line, f'{track}.rule "{rule.name}"', text))
                seen.append(rule)

    def words(self, table: Table, key: str, path: Path, *, required: bool = True, longest: int = _LONGEST_TEXT) -> str:
        value = table.get(key)
        if value is None:
            if required:
                self._missing(path, key)
            return ""
        if not isinstance(value, str) or not value.strip():
            self.note((*path, key), "must be text in quotes")
            return ""
        text = " ".join(value.split())
        if len(text) > longest or not text.isprintable():
            self.note((*path, key), f"must be printable text of at most {longest} characters")
            return ""
        return text

    def _missing(self, path: Path, key: str) -> None:
        self.note((*path, key), f'"{key}" is missing')

    def _word(self, table: Table, key: str, path: Path, kind: type[Word], stand_in: Word) -> Word:
        value = table.get(key)
        if value is None:
            self._missing(path, key)
            return stand_in
        return self._one_word(value, (*path, key), kind) or stand_in

    def _one_word(self, value: object, path: Path, kind: type[Word]) -> Word | None:
        names = [str(one) for one in kind]
        if value in names:
            return kind(value)
        said = f'"{value}" is not one of them' if isinstance(value, str) else "must be text in quotes"
        self.note(path, f"{said}; {advice(str(value), names)}")
        return None

    def _condition(self, reader: ConditionReader, table: Table, path: Path) -> Condition:
        if "when" not in table:
            self.note((*path, "when"), '"when" is missing; a rule for every copy says when = "always"')
            return NEVER
        return reader.read(table["when"], (*path, "when"))

    def _list(self, table: Table, key: str, path: Path) -> list[tuple[str, Path]]:
        value = table[key]
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.note((*path, key), "must be a list of texts in quotes")
            return []
        return [(one, (*path, key, number)) for number, one in enumerate(value)]

    def _choices(self, table: Table, path: Path, then: Disposition) -> tuple[Choice, ...]:
        usual = _USUAL_CHOICES.get(then, ())
        if "choices" not in table:
            return usual
        place = (*path, "choices")
        if table.get("then") != then:
            return ()
        if not usual:
            self.note(place, f'"{then}" asks nobody, so there is nothing to choose; remove this line')
            return ()
        read = [self._one_word(word, at, Choice) for word, at in self._list(table, "choices", path)]
        found = tuple(choice for choice in usual if choice in read)
        if then is Disposition.HOLD_REVIEWER and Choice.SEND in read:
            self.note(place, '"send" is the reviewer\'s word here; the author may be offered correct and cancel')
        elif not found and None not in read and then is Disposition.HOLD_SENDER:
            self.note(place, "the author must be left at least one choice")
        return found

    def _reviewers(self, table: Table, path: Path, then: Disposition) -> tuple[str, ...]:
        if "reviewers" not in table:
            return ()
        if table.get("then") == then and not then.holds:
            self.note((*path, "reviewers"), f'"{then}" asks nobody; remove this line')
        read = self._list(table, "reviewers", path)
        for address, at in read:
            local, _, domain = address.rpartition("@")
            if not local or not domain or len(address.split()) != 1:
                self.note(at, "must be a mail address, such as desk@example.org")
        return tuple(address for address, _ in read)

    def _check_names(self, table: Table, path: Path) -> tuple[str, ...]:
        if "checks" not in table:
            self._missing(path, "checks")
            return ()
        read = self._list(table, "checks", path)
        for name, at in read:
            if name not in self._checks:
                self.note(at, f'unknown check "{name}"; {advice(name, self._checks)}')
        if table["checks"] == []:
            self.note((*path, "checks"), "must name at least one check")
        return tuple(dict.fromkeys(name for name, _ in read))

    def _day(self, table: Table, path: Path) -> date:
        value = table.get("until")
        if value is None:
            self.note((*path, "until"), '"until" is missing; every exemption has an end, such as until = 2027-03-31')
        elif isinstance(value, date) and not isinstance(value, datetime):
            return value
        else:
            self.note((*path, "until"), "must be a day without quotes, such as 2027-03-31")
        return date.min


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
