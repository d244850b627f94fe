"""The budget in the text of a policy: what it may say, and what it does to a verdict."""

import pytest

from nixie.checks.predicates import PREDICATES
from nixie.core.budget import Budget
from nixie.core.policy import PolicyError, parse_policy
from nixie.core.verdict import Disposition, Mode, Verdict
from nixie.core.verdict_json import from_json, to_json
from support.policy_world import NOW, rule

ASKING = rule(when='{ "misdirected.probability" = { at_least = 0.5 }, "misdirected.within_budget" = true }')


def parsed(text):
    return parse_policy(text, "policy.toml", PREDICATES, ["misdirected", "destination"])


def judged(text, **values):
    (copy,) = parsed(text).judge([{f"misdirected.{name}": value for name, value in values.items()}], NOW)
    return copy


def test_both_numbers_are_read():
    text = "[budget]\nquestions_per_1000_messages = 1\nquestions_per_sender_per_quarter = 3\n\n" + ASKING

    assert parsed(text).budget == Budget(1.0, 3)


def test_a_policy_without_one_has_none_and_its_digest_is_another():
    with_it = parsed("[budget]\nquestions_per_1000_messages = 0.5\n\n" + ASKING)

    assert parsed(ASKING).budget is None
    assert parsed(ASKING).digest != with_it.digest


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "questions_per_1000_messages = 0",
            "policy.toml:2: budget.questions_per_1000_messages: must be a number above 0",
        ),
        ('questions_per_1000_messages = "few"', "must be a number above 0"),
        ("questions_per_1000_messages = true", "must be a number above 0"),
        ("questions_per_1000_messages = nan", "must be a number above 0"),
        ("questions_per_sender_per_quarter = 1.5", "budget.questions_per_sender_per_quarter: must be a whole number"),
        ("questions_per_sender = 4", 'unknown key "questions_per_sender"'),
        ("", "says nothing"),
    ],
)
def test_a_mistake_is_named_with_its_line(line, said):
    with pytest.raises(PolicyError) as error:
        parsed(f"[budget]\n{line}\n\n{ASKING}")

    assert said in str(error.value)


def test_a_budget_must_be_a_table():
    with pytest.raises(PolicyError, match=r"is written as \[budget\]"):
        parsed(f"budget = 3\n{ASKING}")


def test_a_budget_that_no_rule_asks_for_is_a_mistake():
    with pytest.raises(PolicyError, match="no rule asks for it"):
        parsed("[budget]\nquestions_per_1000_messages = 1\n\n" + rule())


def test_a_copy_below_the_budget_goes_on_and_names_the_rule():
    copy = judged(ASKING, probability=0.6, within_budget=False)

    assert (copy.disposition, copy.below_budget) == (Disposition.DELIVER, "r")
    assert from_json(to_json(Verdict((copy,)))).copies == (copy,)


def test_a_copy_that_no_rule_wanted_is_not_below_the_budget():
    assert judged(ASKING, probability=0.4, within_budget=False).below_budget == ""
    assert judged(ASKING, probability=0.6, within_budget=True).below_budget == ""


def test_what_is_only_observed_is_not_kept_from_anybody():
    watching = ASKING.replace('"enforce"', '"observe"')

    assert judged(watching, probability=0.6, within_budget=False).below_budget == ""
    assert parsed(watching).rules[0].mode is Mode.OBSERVE


def test_another_rule_that_holds_the_copy_leaves_nothing_to_keep_back():
    other = rule("destination", name='"country"', when='{ "destination.listed" = true }', then='"hold-reviewer"')
    (copy,) = parsed(ASKING + other).judge(
        [{"misdirected.probability": 0.6, "misdirected.within_budget": False, "destination.listed": True}], NOW
    )

    assert (copy.disposition, copy.rule, copy.below_budget) == (Disposition.HOLD_REVIEWER, "country", "")
