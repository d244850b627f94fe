from datetime import UTC, datetime
from typing import Any

import pytest

from nixie.checks.predicates import PREDICATES
from nixie.checks.registry import CHECKS
from nixie.config.home import POLICIES, shipped_policy
from nixie.core.policy import Policy, parse_policy
from nixie.core.verdict import CopyVerdict, Disposition, Mode

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def shipped(mode: str) -> Policy:
    return parse_policy(shipped_policy(mode), f"{mode}.toml", PREDICATES, [check.ID for check in CHECKS])


def judged(mode: str, **values: Any) -> CopyVerdict:
    values.setdefault("misdirected__within_budget", True)
    (copy,) = shipped(mode).judge([{name.replace("__", "."): value for name, value in values.items()}], NOW)
    return copy


def test_observing_stops_nothing_and_has_the_same_rules_as_enforcing():
    watch, act = shipped("observe"), shipped("enforce")

    assert {rule.mode for rule in watch.rules} == {Mode.OBSERVE}
    assert [(r.name, r.condition, r.disposition) for r in watch.rules] == [
        (r.name, r.condition, r.disposition) for r in act.rules
    ]


@pytest.mark.parametrize("mode", POLICIES)
def test_a_usual_copy_goes_on(mode: str):
    copy = judged(mode, recipient__domain="example.com", recipient__first_contact=True, recipient__country="GB")

    assert copy.disposition is copy.would_be is Disposition.DELIVER


def test_a_likely_slip_is_held_for_its_author():
    copy = judged("enforce", misdirected__probability=0.6, misdirected__intended_relation="known")

    assert (copy.disposition, copy.rule) == (Disposition.HOLD_SENDER, "likely-slip")


def test_a_slip_of_a_domain_of_ours_needs_less():
    assert judged("enforce", misdirected__probability=0.3, misdirected__intended_relation="own").disposition.holds
    weak = judged("enforce", misdirected__probability=0.3, misdirected__intended_relation="known")

    assert (weak.disposition, weak.would_be) == (Disposition.DELIVER, Disposition.HOLD_SENDER)


def test_what_the_budget_keeps_from_being_asked_about_goes_on_and_says_so():
    copy = judged("enforce", misdirected__probability=0.6, misdirected__within_budget=False)

    assert (copy.disposition, copy.below_budget) == (Disposition.DELIVER, "likely-slip")


def test_a_listed_country_is_outside_the_budget():
    copy = judged("enforce", destination__listed=True, recipient__first_contact=True, misdirected__within_budget=False)

    assert (copy.disposition, copy.below_budget) == (Disposition.HOLD_REVIEWER, "")


def test_a_first_contact_with_a_listed_country_waits_for_a_reviewer():
    copy = judged("enforce", destination__listed=True, recipient__first_contact=True, misdirected__probability=0.9)

    assert (copy.disposition, copy.rule) == (Disposition.HOLD_REVIEWER, "first-contact-with-listed-country")


def test_a_known_address_in_a_listed_country_is_only_recorded():
    copy = judged("enforce", destination__listed=True, recipient__first_contact=False)

    assert (copy.disposition, copy.would_be) == (Disposition.DELIVER, Disposition.HOLD_REVIEWER)
