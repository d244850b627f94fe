"""The baselines on invented mail, each doing what its sentence says."""

import numpy as np
import pytest
from baselines import FACTS, NAMES, add_baselines, walk
from boosting import boosted
from known import KnownAddresses
from learners import logistic, scored, tuned
from neighbours import Neighbours
from table import table_of
from yardstick import NAME, add_yardstick, factors_of

from support.misdirected import ORG, line, run_of, sample

ME = "me=own.example@own.example"


def facts_of(lines, judged):
    run = run_of(lines, [judged])
    rows = walk(run, table_of(ORG, run.samples))
    return [dict(zip(FACTS, row, strict=True)) for row in rows.tolist()]


def test_counts_are_those_before_the_message() -> None:
    lines = [
        line(0, ME, "ann@x.example bob@x.example"),
        line(1, ME, "ann@x.example"),
        line(2, "ann@x.example", ME, incoming=True),
        line(3, ME, "ann@x.example bob@x.example cyd@x.example", judged=True),
        line(4, ME, "cyd@x.example"),
    ]

    ann, bob, cyd = facts_of(lines, sample(3, {"ann@x.example": 0, "bob@x.example": 0, "cyd@x.example": 0}, sender=ME))

    assert [f["sent share"] for f in (ann, bob, cyd)] == [1.0, 0.5, 0.0]
    assert [f["received share"] for f in (ann, bob, cyd)] == [1.0, 0.0, 0.0]
    assert [f["never sent"] for f in (ann, bob, cyd)] == [0.0, 0.0, 1.0]


def test_together_is_the_part_of_mail_that_went_to_the_others_too() -> None:
    lines = [line(n, ME, "ann@x.example bob@x.example") for n in range(3)]
    lines += [line(3, ME, "ann@x.example"), line(4, ME, "cyd@x.example"), line(5, ME, "", judged=True)]

    ann, bob, cyd = facts_of(lines, sample(5, {"ann@x.example": 0, "bob@x.example": 0, "cyd@x.example": 0}, sender=ME))

    assert [f["together"] for f in (ann, bob, cyd)] == [0.375, 0.5, 0.0]


def test_edit_distance_warns_of_unknown_neighbours_of_known_addresses_alone() -> None:
    known = KnownAddresses()
    for _ in range(3):
        known.add("kim.lee@navy.example")
    known.add("kim.leo@navy.example")

    assert known.suspicion("kim.leo@navy.example") == 0.0
    assert known.suspicion("pat@other.example") == 0.0
    assert known.nearest("kim.le@navy.example") == (
        "kim.lee@navy.example",
        1,
    )  # both are one edit away; this was seen more often
    assert known.nearest("mik.lee@navy.example") is not None
    assert known.suspicion("kim.le@navy.example") > known.suspicion("km.le@navy.example") > 0


def test_nothing_within_two_edits_is_overlooked() -> None:
    from rapidfuzz.distance import OSA

    dice = np.random.default_rng(7)
    names = ["".join(dice.choice(list("abcde"), 6)) for _ in range(300)]
    known = KnownAddresses()
    for name in names[:250]:
        known.add(name)

    for name in names[250:]:
        best = min(OSA.distance(name, other) for other in names[:250] if other != name)
        found = known.nearest(name)
        assert (found[1] if found else 3) == min(best, 3)


def test_neighbours_score_those_who_had_the_like_mail() -> None:
    mail = Neighbours()
    for n in range(5):
        mail.add(ME, f"a{n}", "reactor", "valve pressure turbine", ("ann@x.example",))
        mail.add(ME, f"b{n}", "picnic", "salad lemonade blanket", ("bob@x.example",))

    found = mail.scores(ME, "new", "", "the turbine and the valve")

    assert found["ann@x.example"] > 0.5
    assert "bob@x.example" not in found
    assert mail.scores("nobody", "new", "", "turbine") == {}


def test_no_more_than_thirty_neighbours_speak() -> None:
    mail = Neighbours()
    for n in range(40):
        mail.add(ME, f"f{n}", "", f"filler{n} words", ("dan@x.example",))
    for n in range(40):
        mail.add(ME, f"a{n}", "", "turbine", ("ann@x.example",))

    assert mail.scores(ME, "new", "", "turbine")["ann@x.example"] == pytest.approx(30, abs=1e-3)


def separable(count=600):
    """Return lines and samples in which the injected copy goes to somebody whom the sender never wrote to."""
    lines, samples = [], []
    for n in range(count):
        to = f"p{n % 7}@x.example"
        if n > 50 and n % 2:
            wrong = f"q{n}@x.example"
            samples.append(
                sample(n, {to: 0.0, wrong: 0.0}, kind="E", wrong=wrong, sender=ME, tuning=True, factors={"f": 1.0})
            )
            lines.append(line(n, ME, f"{to} {wrong}", judged=True))
        else:
            samples.append(sample(n, {to: 0.0}, sender=ME, tuning=True))
            lines.append(line(n, ME, to, judged=True))
    return run_of(lines, samples)


def test_every_baseline_and_the_yardstick_score_every_copy() -> None:
    run = separable()
    table = table_of(ORG, run.samples)
    facts = walk(run, table)

    add_baselines([table], [facts])
    add_yardstick([table], factors_of([run], [table], [facts])[1])

    assert set(table.detectors) == {*NAMES, NAME}
    assert {len(scores) for scores in table.detectors.values()} == {len(table.message)}
    for name in ("frequency", "the same, fitted to all kinds"):
        scores = table.detectors[name]
        assert scores[table.slip].min() > np.quantile(scores[~table.slip], 0.9)


def test_both_sides_of_a_fit_weigh_the_same_and_kinds_alike() -> None:
    samples = [sample(n, {"ann": 0.0}, tuning=True) for n in range(10)]
    samples += [sample(20 + n, {"ann": 0.0, "bob": 0.0}, kind="E", wrong="bob", tuning=True) for n in range(4)]
    samples += [sample(30, {"bob": 0.0}, kind="F", wrong="bob", tuning=True)]
    samples += [
        sample(40, {"bob": 0.0}, kind="F", wrong="bob"),
        sample(41, {"bob": 0.0}, kind="A", wrong="bob"),
    ]
    table = table_of(ORG, samples)

    which, weight = tuned(table)

    label = table.label[table.message]
    assert which.sum() == 15
    assert [weight[label == k].sum() for k in ("", "E", "F", "A")] == pytest.approx([1.0, 0.5, 0.5, 0.0])
    assert tuned(table, "E")[1][label == "E"].sum() == pytest.approx(1.0)


def test_logistic_regression_finds_the_odds_of_a_mark() -> None:
    x = np.array([[0.0]] * 100 + [[1.0]] * 100)
    y = np.array([n < 20 for n in range(100)] + [n < 80 for n in range(100)])

    fit = logistic(x, y, np.ones(200))

    assert fit(np.array([[0.0], [1.0]])) == pytest.approx([0.2, 0.8], abs=2e-3)


def test_trees_learn_what_no_line_can_tell_and_what_is_missing() -> None:
    dice = np.random.default_rng(3)
    x = dice.random((4000, 3))
    y = (x[:, 0] > 0.5) ^ (x[:, 1] > 0.5)
    x[::10, 2] = np.nan
    y[::10] = True

    fit = boosted(x, y, np.ones(4000), trees=40, depth=3)

    asked = np.array([[0.1, 0.9, 0.5], [0.1, 0.1, 0.5], [0.9, 0.9, 0.5], [0.1, 0.1, np.nan]])
    assert (fit(asked) > 0.5).tolist() == [True, False, False, True]


def test_trees_heed_weights() -> None:
    x, y = np.zeros((100, 1)), np.arange(100) < 50

    fit = boosted(x, y, np.where(y, 3.0, 1.0), trees=5)

    assert fit(x[:1]) == pytest.approx([0.75], abs=1e-6)


def test_messages_are_never_scored_by_a_fit_that_saw_them() -> None:
    # Noise alone: a fit that had the answers by heart would tell slips from the rest.
    dice = np.random.default_rng(5)
    samples = [sample(n, {"ann": 0.0}, tuning=True) for n in range(600)]
    samples += [sample(1000 + n, {"bob": 0.0}, kind="E", wrong="bob", tuning=True) for n in range(600)]
    table = table_of(ORG, samples)
    x = dice.random((len(table.message), 6))

    (scores,) = scored([table], [x], lambda *rows: boosted(*rows, trees=40), 100)

    above = (scores[table.slip][:, None] > scores[~table.slip][None, :]).mean()
    assert above == pytest.approx(0.5, abs=0.06)


def test_where_too_little_is_known_the_fit_of_others_is_borrowed() -> None:
    rich = separable()
    tables = [table_of(ORG, rich.samples), table_of("other", [sample(0, {"ann": 0.0, "bob": 0.0})])]
    matrices = [tables[0].slip.astype(float)[:, None], np.array([[0.0], [1.0]])]

    _, borrowed = scored(tables, matrices, logistic, 100)

    assert borrowed.tolist() == pytest.approx([0.0, 1.0], abs=0.1)
