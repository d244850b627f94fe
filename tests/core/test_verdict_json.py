import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.finding import Candidate, Evidence, Failed, Finding, Skipped
from nixie.core.verdict import Choice, Clause, CopyVerdict, Disposition, Mode, Reached, RuleTrace, Verdict
from nixie.core.verdict_json import from_json, to_json

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.one_of(WORDS, st.integers(-(2**53), 2**53), st.floats(allow_nan=False), st.booleans())
VALUES = st.dictionaries(WORDS, SCALARS, max_size=3).map(lambda d: tuple(d.items()))
EVIDENCE = st.lists(st.builds(Evidence, WORDS, VALUES, st.floats(-50, 50)), max_size=3).map(tuple)
CANDIDATES = st.lists(st.builds(Candidate, WORDS, WORDS, st.floats(0, 1), EVIDENCE), max_size=3).map(tuple)
RECIPIENTS = st.one_of(st.none(), st.integers(0, 9))
CLAUSES = st.lists(st.builds(Clause, WORDS, WORDS, WORDS, st.one_of(st.none(), SCALARS), st.booleans()), max_size=2)
TRACES = st.builds(
    RuleTrace,
    WORDS,
    WORDS,
    st.sampled_from(Mode),
    st.booleans(),
    st.sampled_from(Disposition),
    CLAUSES.map(tuple),
    WORDS,
)


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    dispositions, choices = st.sampled_from(Disposition), st.lists(st.sampled_from(Choice), max_size=3).map(tuple)
    copies = tuple(
        draw(
            st.one_of(
                st.just(CopyVerdict(n, Disposition.DELIVER, Disposition.DELIVER)),
                st.builds(
                    CopyVerdict,
                    st.just(n),
                    dispositions,
                    dispositions,
                    WORDS,
                    choices,
                    st.lists(TRACES, max_size=2).map(tuple),
                    WORDS,
                    st.lists(WORDS, max_size=2).map(tuple),
                ),
            )
        )
        for n in range(draw(st.integers(0, 4)))
    )
    return Verdict(
        copies,
        tuple(draw(st.lists(st.builds(Finding, WORDS, RECIPIENTS, VALUES, EVIDENCE, CANDIDATES), max_size=2))),
        tuple(draw(st.lists(st.builds(Skipped, st.sampled_from("ab"), RECIPIENTS, st.sampled_from("xy")), max_size=6))),
        tuple(draw(st.lists(st.builds(Failed, WORDS, WORDS), max_size=2))),
        draw(WORDS),
        tuple(draw(st.lists(st.sampled_from(Reached), min_size=len(copies), max_size=len(copies)))),
    )


@given(verdicts())
def test_a_verdict_survives_json(verdict: Verdict):
    assert from_json(json.loads(json.dumps(to_json(verdict)))) == verdict


def test_a_quiet_verdict_about_a_hundred_recipients_is_small():
    quiet = tuple(CopyVerdict(n, Disposition.DELIVER, Disposition.DELIVER) for n in range(100))
    skipped = tuple(Skipped("misdirected", n, "too-little-history") for n in range(100))
    reached = (Reached.TYPED,) * 100

    text = json.dumps(
        to_json(Verdict(quiet, (), skipped, policy="0123456789abcdef", reached=reached)), separators=(",", ":")
    )

    assert len(text) < 160


@pytest.mark.parametrize(
    "data",
    [
        {"of": "many"},
        {"of": 1, "copies": [{"recipient": 0}]},
        {"copies": [3]},
        {"of": 1, "copies": [{"recipient": 0, "disposition": "eat"}]},
        {"findings": [{}]},
    ],
)
def test_data_of_another_shape_is_refused(data: dict[str, object]):
    with pytest.raises(ValueError):
        from_json(data)
