"""Rules that can never be reached, because an earlier rule of their track always matches first.

A rule that somebody wrote and that never speaks is a mistake in the policy, so it is an error and not a warning. Found is
what can be proved: the same condition, a condition with more parts than the earlier one, a narrower number or list.
What cannot be proved is let through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core.condition import AllOf, Always, AnyOf, Comparison, Condition, canonical
from nixie.core.verdict import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixie.core.rules import Rule


def shadowing(earlier: Sequence[Rule], rule: Rule) -> Rule | None:
    """Return the first of the earlier rules in the same track behind which the rule is never reached, None if there is none.

    An enforced rule hides all later ones. An observed one hides only other observed ones: an enforced rule behind it
    still acts.
    """
    if rule.mode is Mode.OFF:
        return None
    hiding = (Mode.ENFORCE,) if rule.mode is Mode.ENFORCE else (Mode.ENFORCE, Mode.OBSERVE)
    return next((e for e in earlier if e.mode in hiding and implies(rule.condition, e.condition)), None)


def implies(narrow: Condition, wide: Condition) -> bool:
    """Return whether it is certain that every subject that meets `narrow` meets `wide` too."""
    if isinstance(wide, Always) or canonical(narrow) == canonical(wide):
        return True
    if isinstance(narrow, AnyOf):
        return all(implies(part, wide) for part in narrow.parts)
    if isinstance(wide, AllOf):
        return all(implies(narrow, part) for part in wide.parts)
    if isinstance(narrow, AllOf) and any(implies(part, wide) for part in narrow.parts):
        return True
    if isinstance(wide, AnyOf):
        return any(implies(narrow, part) for part in wide.parts)
    return isinstance(narrow, Comparison) and isinstance(wide, Comparison) and _narrower(narrow, wide)


def _narrower(narrow: Comparison, wide: Comparison) -> bool:
    if narrow.predicate != wide.predicate:
        return False
    if wide.operator == "known":
        return wide.wanted is True and narrow.operator != "known"
    if wide.operator == "one_of" and isinstance(wide.wanted, tuple):
        among = narrow.wanted if isinstance(narrow.wanted, tuple) else (narrow.wanted,)
        return narrow.operator in ("is", "one_of") and set(among) <= set(wide.wanted)
    if not isinstance(narrow.wanted, int | float) or not isinstance(wide.wanted, int | float):
        return False
    match narrow.operator, wide.operator:
        case ("at_least" | "more_than" | "is", "at_least") | ("more_than", "more_than"):
            return narrow.wanted >= wide.wanted
        case ("at_least" | "is", "more_than"):
            return narrow.wanted > wide.wanted
        case ("at_most" | "less_than" | "is", "at_most") | ("less_than", "less_than"):
            return narrow.wanted <= wide.wanted
        case ("at_most" | "is", "less_than"):
            return narrow.wanted < wide.wanted
    return False
