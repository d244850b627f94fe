from nixie.core.suspicion import Outcome, Suspicion
from nixie.core.what_if import Tally, what_if

RIGHT, WRONG, UNKNOWN, LATER = Outcome.CORRECTED, Outcome.RELEASED, Outcome.UNKNOWN, Outcome.FOUND_LATER


def suspicion(number, probability, outcome, kind="omission"):
    return Suspicion(0, 1, str(number).encode(), kind, probability, outcome=outcome)


def told(*suspicions, messages=10_000, tried=(0.1, 0.2, 5.0)):
    return what_if(suspicions, messages, tried)


MIXED = (
    suspicion(1, 0.95, RIGHT),
    suspicion(2, 0.7, WRONG, "swap"),
    suspicion(3, 0.6, UNKNOWN),
    suspicion(4, 0.5, LATER),
)


def test_each_setting_tells_what_it_would_have_asked_and_caught():
    tight, middle, wide = told(*MIXED).settings

    assert (tight.all, middle.all, wide.all) == (Tally(1, 1, 0), Tally(2, 1, 1), Tally(4, 2, 1))
    assert wide.all.unknown == 1
    assert (tight.asked_from, middle.asked_from, wide.asked_from) == (0.701, 0.601, 0.0)


def test_the_kinds_of_a_setting_add_up_to_it():
    wide = told(*MIXED).settings[-1]

    assert dict(wide.kinds) == {"omission": Tally(3, 2, 0), "swap": Tally(1, 0, 1)}
    assert sum(wide.kinds.values(), Tally()) == wide.all


def test_a_strong_question_is_asked_by_every_setting():
    strong = [suspicion(n, 0.95, UNKNOWN) for n in range(9)]

    assert [one.all.questions for one in told(*strong).settings] == [9, 9, 9]


def test_confused_endings_stand_apart():
    found = told(*MIXED, suspicion(9, 0.4, RIGHT, "tld_confusion"))

    assert found.outside == {"tld_confusion": Tally(1, 1, 0)}
    assert found.settings[-1].all.questions == 4


def test_a_message_of_many_copies_is_one_question_and_right_when_one_of_them_was():
    found = told(suspicion(1, 0.8, WRONG), suspicion(1, 0.3, RIGHT, "swap"))

    assert (found.suspected, found.answered) == (1, 1)
    assert found.settings[0].all == Tally(1, 1, 0)


def test_nothing_recorded_is_nothing_told():
    found = told(messages=0)

    assert [one.all for one in found.settings] == [Tally()] * 3
