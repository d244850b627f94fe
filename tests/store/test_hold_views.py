"""Holds as others read them: stories, lists, sums; and the counter of temporary answers."""

import pytest

from nixie.store import hold_views, questions
from nixie.store.hold_states import (
    Action,
    State,
    UnknownHoldError,
)
from nixie.store.ledger import Kind, NotErasableError, verify
from nixie.store.retries import count_retry, forget_retries, retries
from support.held import AT, House


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "nixie.db")
    yield house
    house.db.close()


def test_holds_are_listed_by_state_author_age_and_text(house):
    first, second = house.hold(copies=2)
    (later,) = house.hold("m2@ours.example", first=2, at=AT + 1000)
    house.act(first, Action.CANCEL, house.ann)

    def ids(**wanted):
        return [h.id for h in hold_views.find(house.db, **wanted)]

    assert ids() == [second, later]
    assert ids(states=[State.CANCELLED]) == [first]
    assert ids(text="r2@") == [later]
    assert ids(text="%") == []
    assert ids(author="bob@ours.example") == []
    assert ids(held_before=AT + 1) == [second]
    assert ids(held_after=AT + 1, author="ann@ours.example") == [later]
    assert ids(limit=1, offset=1) == [later]


def test_an_unknown_hold_or_question_is_an_error_of_its_own(house):
    with pytest.raises(UnknownHoldError):
        hold_views.show(house.db, "HNOTHERE")
    with pytest.raises(UnknownHoldError):
        house.act("HNOTHERE", Action.CANCEL, house.rita)
    with pytest.raises(questions.UnknownQuestionError):
        questions.find_question(house.db, "QNOTHERE")


def test_a_decision_that_a_held_copy_needs_is_not_erased(house):
    (hold_id,) = house.hold()
    decision = hold_views.show(house.db, hold_id).hold.decision

    with pytest.raises(NotErasableError):
        house.ledger.erase([decision], AT, (), {})
    house.act(hold_id, Action.CANCEL, house.ann)
    house.ledger.erase([decision], AT, (), {})
    assert verify(house.db).ok


def test_the_story_of_a_hold_tells_decision_hold_and_action_with_its_actor(house):
    (hold_id,) = house.hold()
    house.act(hold_id, Action.RELEASE, house.ann, reason="she moved to Mali")

    told = hold_views.show(house.db, hold_id)

    assert told.verdict == {"v": 1}
    assert [row.kind for row in told.rows] == [Kind.DECISION, Kind.HELD, Kind.RELEASING]
    assert told.rows[2].addresses == ("ann@ours.example",)
    assert told.rows[2].body["actor"] == {"role": "author", "by": "link", "address": 0}
    assert told.rows[2].body["reason"] == "she moved to Mali"


def test_the_story_of_one_hold_leaves_out_the_moves_of_another(house):
    first, second = house.hold(copies=2)
    house.act(first, Action.CANCEL, house.ann)

    assert Kind.CANCELLED not in {row.kind for row in hold_views.show(house.db, second).rows}


def test_the_sums_notice_a_hold_that_vanished(house):
    first, *_ = house.hold(copies=3)
    assert hold_views.balance(house.db).ok

    house.db.execute("DELETE FROM hold WHERE public = ?", (first,))

    assert not hold_views.balance(house.db).ok


def test_temporary_answers_are_counted_by_message_and_forgotten_by_age(house):
    assert [count_retry(house.db, b"k" * 16, AT + n) for n in range(3)] == [1, 2, 3]
    assert retries(house.db, b"other") == 0
    assert forget_retries(house.db, AT) == 0
    assert forget_retries(house.db, AT + 10) == 1
    assert retries(house.db, b"k" * 16) == 0
