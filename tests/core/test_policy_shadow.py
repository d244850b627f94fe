import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.condition import AllOf, Always, AnyOf, Comparison, Condition, Not, compiled
from nixie.core.policy import PolicyError
from nixie.core.policy_shadow import implies
from support.policy_world import PREDICATES, policy, rule

LIKELY = '{ "misdirected.probability" = { at_least = 0.5 } }'
FROM_MALI = '{ "recipient.country" = "ML" }'


def two(first: str, second: str, first_mode: str = '"enforce"', second_mode: str = '"enforce"') -> str:
    return rule(name='"one"', when=first, mode=first_mode) + rule(name='"two"', when=second, mode=second_mode)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (LIKELY, LIKELY),
        ('"always"', LIKELY),
        (LIKELY, "{ misdirected.probability.at_least = 0.7 }"),
        (LIKELY, '{ misdirected.probability.at_least = 0.5, recipient.country = "ML" }'),
        (FROM_MALI, '{ recipient.country.one_of = ["ml"] }'),
        ('{ recipient.country = ["ML", "FR"] }', FROM_MALI),
        ('{ any = [{ recipient.country = "ML" }, { destination.listed = true }] }', FROM_MALI),
        ('{ recipient.country = "ML", destination.listed = true }', '{ all = [{ destination.listed = true }, { recipient.country = "ML" }] }'),
    ],
)  # fmt: skip
def test_a_rule_that_is_never_reached_is_an_error(first: str, second: str):
    with pytest.raises(PolicyError) as caught:
        policy(two(first, second))

    (problem,) = caught.value.problems
    assert str(problem) == (
        'policy.toml:6: slip.rule "two": is never reached: "one" in line 1 always matches before it; move it up, or remove it'
    )


@pytest.mark.parametrize(
    "text",
    [
        two(LIKELY, "{ misdirected.probability.at_least = 0.4 }"),
        two(LIKELY, FROM_MALI),
        two(LIKELY, LIKELY, first_mode='"off"'),
        two(LIKELY, LIKELY, second_mode='"off"'),
        two(LIKELY, LIKELY, first_mode='"observe"'),
        rule(name='"one"', when=LIKELY) + rule("crowd", name='"two"', when=LIKELY),
    ],
)  # fmt: skip
def test_a_rule_that_can_be_reached_is_let_through(text: str):
    assert len(policy(text).rules) == 2


def test_a_watching_rule_hides_only_other_watching_rules():
    with pytest.raises(PolicyError):
        policy(two(LIKELY, LIKELY, '"observe"', '"observe"'))


LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.just(Always()),
    st.builds(
        Comparison,
        st.just("misdirected.probability"),
        st.sampled_from(["at_least", "more_than", "at_most", "less_than", "is"]),
        st.sampled_from([0.0, 0.5, 1.0]),
    ),
    st.builds(
        Comparison, st.just("recipient.country"), st.sampled_from(["is", "is_not"]), st.sampled_from(["ml", "fr"])
    ),
    st.builds(
        Comparison,
        st.just("recipient.country"),
        st.sampled_from(["one_of", "none_of"]),
        st.lists(st.sampled_from(["ml", "fr", "gb"]), min_size=1).map(tuple),
    ),
    st.builds(Comparison, st.just("recipient.country"), st.just("known"), st.booleans()),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)
SUBJECTS = [
    {key: value for key, value in (("misdirected.probability", p), ("recipient.country", c)) if value is not None}
    for p in (None, 0.0, 0.2, 0.5, 0.7, 1.0)
    for c in (None, "ML", "FR", "GB")
]


@given(CONDITIONS, CONDITIONS)
def test_what_is_said_to_imply_really_does(narrow: Condition, wide: Condition):
    assert set(SUBJECTS[-1]) <= set(PREDICATES)
    if implies(narrow, wide):
        assert all(compiled(wide)(s) for s in SUBJECTS if compiled(narrow)(s))
