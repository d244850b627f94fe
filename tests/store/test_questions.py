"""Questions: one per author and message, and silence moves each along its steps once."""

import pytest

from nixie.store import hold_views, questions
from nixie.store.hold_states import (
    Action,
    State,
)
from nixie.store.holds import confirm
from nixie.store.questions import StaleAnswerError, Step
from support.held import AT, MINUTE, House


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "nixie.db")
    yield house
    house.db.close()


def test_silence_brings_notice_reminder_escalation_and_return_each_once(house):
    house.hold()
    seen = []
    for now in range(AT, AT + 700 * MINUTE, 10 * MINUTE):
        for due in questions.due(house.db, now):
            for step in due.steps:
                questions.done(house.db, due.question.id, step, now)
                seen.append(step)

    assert seen == list(Step)


def test_an_answered_question_rests_and_a_new_hold_wakes_it(house):
    (first,) = house.hold()
    question = questions.due(house.db, AT + 5000)[0].question
    questions.done(house.db, question.id, Step.NOTICE, AT + 5000)
    house.act(first, Action.CANCEL, house.ann)
    assert questions.due(house.db, AT + 10**10) == ()

    house.hold(first=1)
    assert questions.due(house.db, AT + 5000)[0].steps == (Step.NOTICE,)
    assert questions.find_question(house.db, question.id).generation == 2


def test_a_copy_held_after_the_notice_makes_it_due_again(house):
    house.hold()
    question = questions.due(house.db, AT + 5000)[0].question
    questions.done(house.db, question.id, Step.NOTICE, AT + 5000)
    assert questions.due(house.db, AT + 6000) == ()

    house.hold(first=1)
    assert questions.due(house.db, AT + 6000)[0].steps == (Step.NOTICE,)


def test_a_provisional_hold_asks_nobody_until_it_is_confirmed(house):
    (hold_id,) = house.hold(token="t1")
    assert questions.due(house.db, AT + 10**9) == ()
    assert hold_views.existing(house.db, [b"m1@ours.example0"]) == {}

    assert confirm(house.ledger, "t1", AT + 1) == 1
    assert confirm(house.ledger, "t1", AT + 2) == 0
    assert hold_views.show(house.db, hold_id).hold.state is State.WAITING
    assert [due.steps for due in questions.due(house.db, AT + 5000)] == [(Step.NOTICE,)]


def test_a_replayed_form_is_refused(house):
    first, second = house.hold(copies=2)
    house.act(first, Action.CANCEL, house.ann, generation=1)

    with pytest.raises(StaleAnswerError):
        house.act(second, Action.RELEASE, house.ann, generation=1)
    assert house.act(second, Action.RELEASE, house.ann, generation=2).state is State.RELEASING


def test_a_message_split_into_three_transactions_is_one_question(house):
    ids = [house.hold(first=n)[0] for n in range(3)]

    questions_seen = {hold_views.show(house.db, i).hold.question for i in ids}

    assert len(set(ids)) == 3
    assert len(questions_seen) == 1
    assert len(hold_views.of_question(house.db, questions_seen.pop())) == 3
