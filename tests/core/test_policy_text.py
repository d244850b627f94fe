from datetime import UTC, datetime

import pytest

from nixie.core.policy import PolicyError
from nixie.core.verdict import Choice, Disposition
from support.policy_world import exemption, policy, rule


def errors(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        policy(text)
    return str(caught.value).splitlines()


def test_an_empty_policy_delivers_everything():
    (copy,) = policy("").judge([{"misdirected.probability": 1.0}], datetime(2026, 11, 23, tzinfo=UTC))

    assert copy.disposition is Disposition.DELIVER


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("titel = 'x'", 1, 'titel: unknown key "titel"; did you mean "title"?'),
        ("[[slpi.rule]]", 1, 'slpi: unknown key "slpi"; did you mean "slip"?'),
        ("[slip]\nrules = []", 2, 'slip.rules: unknown key "rules"; did you mean "rule"?'),
        ("[slip]\nrule = 3", 2, "slip.rule: must be written as [[slip.rule]], once for each"),
        (rule(mdoe='"off"'), 6, 'slip.rule[1].mdoe: unknown key "mdoe"; did you mean "mode"?'),
        (rule(mode='"enforced"'), 3, 'slip.rule[1].mode: "enforced" is not one of them; did you mean "enforce"?'),
        (rule(then='"hold-sendr"'), 5, 'slip.rule[1].then: "hold-sendr" is not one of them; did you mean "hold-sender"?'),
        (rule(name='""'), 2, "slip.rule[1].name: must be text in quotes"),
        (rule(name='"a\\u0007"'), 2, "slip.rule[1].name: must be printable text of at most 80 characters"),
        (
            rule(when='{ "misdirected.probabilty" = 1 }'),
            4,
            ('slip.rule[1].when."misdirected.probabilty": unknown predicate "misdirected.probabilty"; '
            'did you mean "misdirected.probability"?'),
        ),
        (
            rule(when="{ misdirected.probability.atleast = 0.5 }"),
            4,
            'slip.rule[1].when.misdirected.probability.atleast: unknown operator "atleast"; did you mean "at_least"?',
        ),
        (
            rule(when='{ misdirected.probability = "high" }'),
            4,
            'slip.rule[1].when.misdirected.probability: must be a number, not "high"',
        ),
        (
            rule(when="{ misdirected.probability.at_least = nan }"),
            4,
            "slip.rule[1].when.misdirected.probability.at_least: must be a number, not nan",
        ),
        (
            rule(when='{ misdirected.slip = "tdl" }'),
            4,
            'slip.rule[1].when.misdirected.slip: "tdl" never occurs here; did you mean "tld"?',
        ),
        (
            rule(when="{ recipient.domain.at_least = 3 }"),
            4,
            "slip.rule[1].when.recipient.domain.at_least: at_least does not go with recipient.domain, which is text in quotes",
        ),
        (
            rule(when="{ recipient.country.one_of = [] }"),
            4,
            "slip.rule[1].when.recipient.country.one_of: the list is empty and would never match",
        ),
        (
            rule(when='{ recipient.country.is = ["ML"] }'),
            4,
            "slip.rule[1].when.recipient.country.is: is takes one value; write one_of for a list",
        ),
        (
            rule(when='{ recipient.country.one_of = "ML" }'),
            4,
            'slip.rule[1].when.recipient.country.one_of: must be a list, not "ML"',
        ),
        (rule(when="{}"), 4, 'slip.rule[1].when: is empty; write at least one condition, or "always"'),
        (rule(when="{ any = [] }"), 4, "slip.rule[1].when.any: must be a list of at least one condition in braces"),
        (rule(when='"sometimes"'), 4, 'slip.rule[1].when: must be a table of conditions or "always", not "sometimes"'),
        (
            rule(choices='["xyz"]'),
            6,
            'slip.rule[1].choices[1]: "xyz" is not one of them; valid: cancel, correct, send',
        ),
        (
            rule(then='"deliver"', choices='["send"]'),
            6,
            'slip.rule[1].choices: "deliver" asks nobody, so there is nothing to choose; remove this line',
        ),
        (
            rule(then='"hold-reviewer"', choices='["send"]'),
            6,
            'slip.rule[1].choices: "send" is the reviewer\'s word here; the author may be offered correct and cancel',
        ),
        (rule(choices="[]"), 6, "slip.rule[1].choices: the author must be left at least one choice"),
        (rule(reviewers='["desk"]'), 6, "slip.rule[1].reviewers[1]: must be a mail address, such as desk@example.org"),
        (exemption(checks='["misdrected"]'), 3, 'exemption[1].checks[1]: unknown check "misdrected"; did you mean "misdirected"?'),
        (exemption(checks="[]"), 3, "exemption[1].checks: must name at least one check"),
        (exemption(until='"2027-03-31"'), 7, "exemption[1].until: must be a day without quotes, such as 2027-03-31"),
        (exemption(until="2027-03-31T10:00:00"), 7, "exemption[1].until: must be a day without quotes, such as 2027-03-31"),
        (exemption(owner="3"), 5, "exemption[1].owner: must be text in quotes"),
        (
            exemption(when="{ misdirected.probability.at_least = 0.1 }"),
            4,
            ('exemption[1].when.misdirected: unknown predicate "misdirected"; valid: all, any, not, recipient.country, '
            "recipient.domain, sender.address"),
        ),
        (rule() + rule("crowd"), 6, 'rule.name: the name "r" is already taken by the rule in line 1'),
        ("a = 1\nb = [1,,", 2, "column 8: this is not TOML: Invalid value"),
        ("a = [1,", 1, "this is not TOML: Invalid value"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_line_key_and_remedy(text: str, line: int, said: str):
    assert errors(text) == [f"policy.toml:{line}: {said}"]


def test_all_mistakes_are_told_together_in_the_order_of_the_file():
    told = errors("titel = 1\n" + rule(mode='"on"', then='"hold"'))

    assert [line.split(": ")[0] for line in told] == ["policy.toml:1", "policy.toml:4", "policy.toml:6"]


def test_what_is_missing_is_named():
    assert errors("[[slip.rule]]") == [
        'policy.toml:1: slip.rule[1].then: "then" is missing',
        'policy.toml:1: slip.rule[1].name: "name" is missing',
        'policy.toml:1: slip.rule[1].mode: "mode" is missing',
        'policy.toml:1: slip.rule[1].when: "when" is missing; a rule for every copy says when = "always"',
    ]


def test_a_condition_over_several_lines_is_found_in_its_line():
    text = rule(when='{ all = [\n  { destination.listed = true },\n  { recipient.contry = "ML" },\n] }')

    assert errors(text)[0].startswith("policy.toml:6: slip.rule[1].when.all[2].recipient.contry: unknown predicate")


def test_deep_nesting_is_refused_and_not_followed():
    deep = "{ not = " * 60 + "{ destination.listed = true }" + " }" * 60

    assert errors(rule(when=deep))[0].endswith("nested more than 20 deep")


def test_nesting_that_toml_cannot_read_is_an_error_too():
    assert "policy.toml: nested too deeply" in errors("a = " + "[" * 100_000)[0]


def test_choices_are_kept_in_one_order_and_usual_ones_depend_on_the_disposition():
    (chosen,) = policy(rule(choices='["cancel", "correct"]')).rules
    (usual,) = policy(rule(then='"hold-reviewer"')).rules

    assert chosen.choices == usual.choices == (Choice.CORRECT, Choice.CANCEL)
