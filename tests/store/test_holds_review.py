"""Every copy has an end, what the policy refuses is released by nobody, and a story is that of its own message."""

import json

import pytest

from nixie.store import hold_views, questions
from nixie.store.db import writing
from nixie.store.hold_states import Action, NotOfferedError, Role, State
from nixie.store.holds import Actor, confirm
from nixie.store.ledger import Kind, lookup_key, payload_of, story
from nixie.store.questions import Step
from support.held import AT, MINUTE, House

SYSTEM = Actor(Role.SYSTEM, by="courier")
DAY = 24 * 60 * MINUTE


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "nixie.db")
    yield house
    house.db.close()


def return_everything(house):
    """Take every step, as silence does, and give back what waits."""
    for due in questions.due(house.db, AT + DAY):
        for hold in hold_views.of_question(house.db, due.question.id):
            if hold.state is State.WAITING:
                house.act(hold.id, Action.RETURN, SYSTEM)
        for step in Step:
            questions.done(house.db, due.question.id, step, AT + DAY)


def steps_due(house, at):
    return [step for due in questions.due(house.db, at) for step in due.steps]


@pytest.mark.parametrize("firm", ["its own session", "another session"])
def test_a_copy_that_becomes_firm_after_the_others_were_returned_is_asked_about_like_a_new_one(house, firm):
    house.hold()
    (late,) = house.hold(first=1, token="t1")
    return_everything(house)
    with writing(house.db):
        if firm == "its own session":
            confirm(house.ledger, "t1", AT + 2 * DAY)
    if firm == "another session":
        assert house.hold(first=1, at=AT + 2 * DAY) == (late,)

    assert steps_due(house, AT + 2 * DAY) == [Step.NOTICE]
    assert steps_due(house, AT + 2 * DAY + 60 * MINUTE) == [Step.NOTICE, Step.REMIND]
    assert steps_due(house, AT + 2 * DAY + 600 * MINUTE) == list(Step)


def test_a_copy_held_while_another_waits_past_the_return_begins_the_steps_anew(house):
    house.hold()
    (due,) = questions.due(house.db, AT + 5000)
    for step in Step:
        questions.done(house.db, due.question.id, step, AT + DAY)
    assert steps_due(house, AT + 2 * DAY) == []

    house.hold(first=1, at=AT + DAY)

    assert steps_due(house, AT + 2 * DAY) == list(Step)


def test_a_copy_confirmed_before_any_return_keeps_the_deadlines_of_its_question(house):
    house.hold()
    house.hold(first=1, token="t1")
    with writing(house.db):
        confirm(house.ledger, "t1", AT + 300 * MINUTE)
    assert Step.RETURN not in steps_due(house, AT + 599 * MINUTE)
    assert Step.RETURN in steps_due(house, AT + 600 * MINUTE)


@pytest.mark.parametrize("role", ["author", "reviewer"])
def test_what_the_policy_refuses_is_released_by_nobody(house, role):
    (hold_id,) = house.hold(disposition="refuse")
    actor = {"author": house.ann, "reviewer": house.rita}[role]
    with pytest.raises(NotOfferedError, match="policy"):
        house.act(hold_id, Action.RELEASE, actor)
    assert house.act(hold_id, Action.RETURN, SYSTEM).state is State.RETURNING


def decide(house, author, sender, to, message_id="m1@ours.example"):
    """Append a decision as the service does: its body refers to the payload's addresses by index."""
    numbers = [house.number[key] for key in (author, sender, to)]
    body = {"door": "smtp", "from": 1, "to": [2], "author": 0}
    with writing(house.db):
        return house.ledger.append(
            AT, Kind.DECISION, payload_of(numbers, json.dumps(body).encode()), lookup_key(message_id)
        )


def test_the_story_of_a_hold_has_nothing_of_strangers_who_write_under_its_message_id(house):
    ann, bob = "ann@ours.example", "bob@ours.example"
    (hold_id,) = house.hold()
    own = hold_views.show(house.db, hold_id).hold.decision
    second = decide(house, ann, ann, "r5@army.ml")
    strangers = [decide(house, bob, bob, "r6@army.ml"), decide(house, ann, bob, "r6@army.ml")]
    lookup = lookup_key("m1@ours.example")
    question = hold_views.show(house.db, hold_id).hold.question
    with writing(house.db):
        for named in (question, "QSOMEBODYELSES"):
            told = json.dumps({"question": named, "step": "notice", "more": None}).encode()
            strangers.append(house.ledger.append(AT, Kind.NOTICE, payload_of((), told), lookup))
        for named in (hold_id, "HSOMEBODYELSES"):
            told = json.dumps({"holds": [named], "passed": 0}).encode()
            strangers.append(house.ledger.append(AT, Kind.REPEATED, payload_of((), told), lookup))

    rows = [row.seq for row in story(house.db, hold_id=hold_id)]
    assert rows[0] == own
    assert second in rows
    assert [seq in rows for seq in strangers] == [False, False, True, False, True, False]
    assert {*strangers} < {row.seq for row in story(house.db, message_id="m1@ours.example")}


def test_an_erased_row_stays_in_the_story(house):
    (hold_id,) = house.hold()
    second = decide(house, "ann@ours.example", "ann@ours.example", "r5@army.ml")
    with writing(house.db):
        house.ledger.erase([second], AT, (), {})
    assert second in [row.seq for row in story(house.db, hold_id=hold_id)]


def test_a_story_is_never_longer_than_its_limit(house):
    (hold_id,) = house.hold()
    for _ in range(30):
        decide(house, "ann@ours.example", "ann@ours.example", "r5@army.ml")
    whole = story(house.db, hold_id=hold_id)
    assert story(house.db, hold_id=hold_id, limit=5) == whole[:5]
    assert len(story(house.db, message_id="m1@ours.example", limit=7)) == 7
