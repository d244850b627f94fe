"""Figures against tables that were worked out by hand."""

import pytest
from metrics import Cut, cut_at, equal_share, first_rate, rates, rising
from table import table_of

from support.misdirected import ORG, sample

ALL, NEW, REPLIES = "all", "new", "replies"


def judged(samples):
    """Return the table of the samples with the product's own score as the detector `nixie`."""
    table = table_of(ORG, samples)
    table.detectors["nixie"] = table.stated
    return table


def untouched_with(scores):
    return [sample(n, {"ann": p}) for n, p in enumerate(scores)]


@pytest.mark.parametrize(
    "allowed, cut",
    [
        (0, Cut(0.9, 0.0)),  # nothing may be flagged: only what is above every untouched score
        (1, Cut(0.5, 0.0)),
        (2, Cut(0.5, 0.5)),  # one above, and half of the two that are tied
        (3, Cut(0.2, 0.0)),
        (4, Cut(0.0, 0.0)),  # more are allowed than speak: whatever is not silent
        (9, Cut(0.0, 0.0)),
    ],
)
def test_threshold_flags_what_is_allowed(allowed, cut) -> None:
    import numpy as np

    assert cut_at(rising(np.array([0.0, 0.5, 0.9, 0.2, 0.5, 0.0])), allowed) == cut


def test_silence_is_never_flagged() -> None:
    samples = untouched_with([0.0] * 100)
    samples += [
        sample(200, {"ann": 0.0, "bob": 0.0}, kind="E", wrong="bob"),
        sample(201, {"ann": 0.0, "bob": 0.3}, kind="E", wrong="bob"),
    ]

    kind = rates(judged(samples), "nixie")["kinds"]["E"][ALL]

    assert (kind["recall"]["10"]["value"], kind["silent"]) == (0.5, 0.5)


def test_recall_at_an_allowance() -> None:
    # 1,000 untouched messages; two score 0.8 and 0.6: at one alarm per 1,000 the threshold is 0.6.
    clean = untouched_with([0.8, 0.6] + [0.1] * 998)
    slips = [
        sample(2000 + n, {"ann": 0.0, "bob": p}, kind="E", wrong="bob") for n, p in enumerate([0.9, 0.7, 0.6, 0.05])
    ]

    found = rates(judged(clean + slips), "nixie")

    assert found["kinds"]["E"][ALL]["recall"]["1"]["value"] == 0.5
    assert found["kinds"]["E"][ALL]["recall"]["2"]["value"] == 0.75  # all that is above the 0.1 of the others
    assert found["kinds"]["E"][ALL]["at_right_recipients"] == pytest.approx(0.75)


def test_a_message_with_three_flagged_copies_is_one_false_alarm() -> None:
    clean = [sample(0, {"ann": 0.9, "bob": 0.9, "cyd": 0.9}), *(sample(n, {"ann": 0.0}) for n in range(1, 200))]
    slip = sample(900, {"ann": 0.0, "bob": 0.5}, kind="E", wrong="bob")

    # 5 per 1,000 of 200 messages is one alarm, and the three copies are that one.
    assert rates(judged([*clean, slip]), "nixie")["kinds"]["E"][ALL]["recall"]["5"]["value"] == 1.0


def test_fewer_than_ten_expected_alarms_are_not_measurable() -> None:
    table = judged([*untouched_with([0.1] * 2000), sample(5000, {"bob": 0.5}, kind="E", wrong="bob")])

    budgets = rates(table, "nixie")["budgets"]

    assert [b for b, told in budgets.items() if told["measurable"]] == ["5", "10"]
    assert budgets["5"]["interval"] == pytest.approx([2.398, 9.195], abs=1e-3)  # Poisson limits of ten, over 2,000


def test_false_alarms_of_first_contacts_stand_apart() -> None:
    clean = [sample(n, {"ann": 0.9}, first=["ann"]) for n in range(10)] + [
        sample(100 + n, {"bob": 0.1}) for n in range(990)
    ]

    told = rates(judged([*clean, sample(5000, {"bob": 0.5}, kind="E", wrong="bob")]), "nixie")["budgets"]["10"]

    assert (told["per_1000_first_contact"], told["per_1000_known_contact"]) == (1000.0, 0.0)


def test_first_place_is_shared_among_ties() -> None:
    table = judged(
        [
            sample(0, {"ann": 0.1, "bob": 0.8}, kind="A", wrong="bob"),
            sample(1, {"ann": 0.8, "bob": 0.1}, kind="A", wrong="bob"),
            sample(2, {"ann": 0.0, "bob": 0.0, "cyd": 0.0, "dan": 0.0}, kind="A", wrong="bob"),
            sample(3, {"bob": 0.8}, kind="A", wrong="bob"),  # alone: not ranked
        ]
    )

    assert first_rate(table, table.stated, table.label == "A") == pytest.approx((1 + 0 + 0.25) / 3)


def test_replies_and_new_messages_are_told_apart() -> None:
    slips = [
        sample(1000, {"ann": 0.0, "bob": 0.5}, kind="E", wrong="bob", reply=True),
        sample(1001, {"ann": 0.0, "bob": 0.0}, kind="E", wrong="bob"),
    ]

    kind = rates(judged(untouched_with([0.1] * 200) + slips), "nixie")["kinds"]["E"]

    assert [kind[s]["recall"]["1"]["value"] for s in (REPLIES, NEW, ALL)] == [1.0, 0.0, 0.5]


def test_first_suggestion_counts_of_known_targets() -> None:
    slips = [
        sample(1000 + n, {"ann": 0.5}, kind="C", wrong="ann", true="anna", named=named) for n, named in enumerate([True, True, False])
    ]  # fmt: skip

    told = rates(judged(untouched_with([0.1] * 200) + slips), "nixie")["kinds"]["C known"][ALL]["suggested"]

    assert (told["known"], told["of_all"], told["flagged"]) == (3, pytest.approx(2 / 3), 3)


def test_tuned_messages_are_left_out_where_there_are_others() -> None:
    clean = [sample(n, {"ann": 0.9}, tuning=True) for n in range(50)] + [
        sample(100 + n, {"ann": 0.1}) for n in range(150)
    ]
    slips = [
        sample(1000, {"bob": 0.5}, kind="E", wrong="bob"),
        sample(1001, {"bob": 0.0}, kind="E", wrong="bob", tuning=True),
    ]

    found = rates(judged(clean + slips), "nixie")

    assert (
        found["untouched"],
        found["kinds"]["E"][ALL]["injected"],
        found["kinds"]["E"][ALL]["recall"]["1"]["value"],
    ) == (150, 1, 1.0)


def test_an_injected_copy_that_the_answer_does_not_show_is_counted_as_lost() -> None:
    table = table_of(ORG, [sample(0, {"ann": 0.5}, kind="E", wrong="bob")])

    assert (table.lost, len(table.label)) == (1, 0)


def test_kinds_have_one_share_each_and_strangers_none() -> None:
    kinds = {
        label: {ALL: {"injected": 3 if label == "B several" else 1, "at_right_recipients": value}}
        for label, value in {"B single": 0.2, "B several": 0.4, "E": 0.9, "D": 0.0}.items()
    }

    assert equal_share(kinds) == pytest.approx(((0.2 + 3 * 0.4) / 4 + 0.9) / 2)
