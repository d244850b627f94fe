import pytest

from nixie.core.condition import OPERATORS, Always, Comparison, Condition, Not, compiled, written
from nixie.core.condition_text import ConditionReader
from support.policy_world import PREDICATES


def read(value: object) -> Condition:
    def fail(path: object, text: str) -> None:
        raise AssertionError(f"{path}: {text}")

    return ConditionReader(PREDICATES, fail).read(value, ("when",))


CASES = [
    ({"recipient.country": "ML"}, {"recipient.country": "ML"}, True),
    ({"recipient.country": "ML"}, {"recipient.country": "ml"}, True),
    ({"recipient.country": "ML"}, {"recipient.country": "GB"}, False),
    ({"recipient.country": {"is_not": "GB"}}, {"recipient.country": "ML"}, True),
    ({"recipient.country": {"is_not": "GB"}}, {}, False),
    ({"not": {"recipient.country": "GB"}}, {}, True),
    ({"recipient.country": ["ML", "FR"]}, {"recipient.country": "FR"}, True),
    ({"recipient.country": {"none_of": ["ML", "FR"]}}, {"recipient.country": "FR"}, False),
    ({"recipient.country": {"none_of": ["ML", "FR"]}}, {"recipient.country": "GB"}, True),
    ({"recipient.country": {"none_of": ["ML", "FR"]}}, {}, False),
    ({"misdirected.probability": {"at_least": 0.5}}, {"misdirected.probability": 0.5}, True),
    ({"misdirected.probability": {"more_than": 0.5}}, {"misdirected.probability": 0.5}, False),
    ({"misdirected.probability": {"at_most": 0.5}}, {"misdirected.probability": 0.5}, True),
    ({"misdirected.probability": {"less_than": 0.5}}, {"misdirected.probability": 0.4}, True),
    ({"misdirected.probability": {"at_least": 0}}, {}, False),
    ({"misdirected.probability": {"at_least": 0.1, "less_than": 0.5}}, {"misdirected.probability": 0.7}, False),
    ({"misdirected.probability": {"known": True}}, {"misdirected.probability": 0.0}, True),
    ({"misdirected.probability": {"known": False}}, {}, True),
    ({"destination.listed": True}, {"destination.listed": False}, False),
    ({"destination": {"listed": True}}, {"destination.listed": True}, True),
    ({"recipient.domain": {"under": "gov.example"}}, {"recipient.domain": "a.gov.example"}, True),
    ({"recipient.domain": {"under": "gov.example"}}, {"recipient.domain": "gov.example"}, True),
    ({"recipient.domain": {"under": "gov.example"}}, {"recipient.domain": "notgov.example"}, False),
    ({"recipient.domain": {"under": ["*.Münster.example"]}}, {"recipient.domain": "a.xn--mnster-3ya.example"}, True),
    ({"recipient.domain": "Münster.example"}, {"recipient.domain": "xn--mnster-3ya.example"}, True),
    ({"sender.address": {"like": "press-*@example.org"}}, {"sender.address": "press-desk@example.org"}, True),
    ({"sender.address": {"like": "press-*@example.org"}}, {"sender.address": "press-@example.com"}, False),
    ({"sender.address": {"like": ["*a*b*", "x"]}}, {"sender.address": "xxaxxbxx"}, True),
    ({"sender.address": {"like": "aa*aa"}}, {"sender.address": "aaa"}, False),
    ({"any": [{"recipient.country": "ML"}, {"destination.listed": True}]}, {"destination.listed": True}, True),
    ({"all": [{"recipient.country": "ML"}, {"destination.listed": True}]}, {"destination.listed": True}, False),
    ({"crowd.strangers": {"one_of": [1, 2]}}, {"crowd.strangers": 2}, True),
    ("always", {}, True),
]


@pytest.mark.parametrize(("when", "subject", "expected"), CASES)
def test_a_condition_is_met_or_not(when: object, subject: dict[str, object], expected: object):
    assert compiled(read(when))(subject) is expected


def test_every_operator_has_a_case_above():
    used = str(CASES)

    assert [name for name in OPERATORS if name != "is" and f"'{name}'" not in used] == []


def test_a_value_of_another_type_is_no_match_and_no_crash():
    odd = {"misdirected.probability": "much", "recipient.domain": 7, "sender.address": True}

    for when in (case[0] for case in CASES):
        compiled(read(when))(odd)


def test_values_are_written_as_people_write_them():
    assert [written(w) for w in (0.5, True, ("a", "b"), 3)] == ["0.5", "yes", "a, b", "3"]


def test_a_long_text_does_not_make_a_pattern_slow():
    test = compiled(Comparison("sender.address", "like", ("*a" * 50 + "b",)))

    assert not test({"sender.address": "a" * 100_000})


def test_not_always_is_never():
    assert not compiled(Not(Always()))({})
