"""Holds: only forward, each by a named actor, each copy once, and the sums agree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.store import hold_views, questions
from nixie.store.hold_states import (
    FINAL,
    MOVES,
    Action,
    ForbiddenError,
    HoldError,
    IllegalMoveError,
    NotOfferedError,
    NotYoursError,
    OwnRequestError,
    Role,
    State,
)
from nixie.store.holds import Actor, attempt, confirm, finish, void, void_stale
from nixie.store.ledger import verify
from support.held import AT, MINUTE, House


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "nixie.db")
    yield house
    house.db.close()


def test_a_held_copy_keeps_everything_that_its_release_needs(house):
    (hold_id,) = house.hold()

    kept = hold_views.show(house.db, hold_id).hold

    assert (kept.state, kept.recipient, kept.author) == (State.WAITING, "r0@army.ml", "ann@ours.example")
    assert (kept.sender_raw, kept.sender_params) == (b"<Ann@ours.example>", (b"RET=HDRS", b"ENVID=x"))
    assert (kept.recipient_raw, kept.recipient_params) == (b"<R0@army.ml>", (b"NOTIFY=NEVER",))
    assert kept.choices == ("correct", "send", "cancel")


def test_the_same_copy_is_held_once_and_asked_about_once(house):
    first = house.hold(copies=3)

    assert house.hold(copies=3) == first
    assert house.db.execute("SELECT COUNT(*) FROM hold").fetchone() == (3,)
    assert house.db.execute("SELECT COUNT(*) FROM question").fetchone() == (1,)


@pytest.mark.parametrize("action", [Action.RELEASE, Action.CANCEL, Action.CORRECT])
def test_a_copy_whose_fate_is_decided_is_not_held_again(house, action):
    (hold_id,) = house.hold()
    house.act(hold_id, action, house.ann)

    assert house.hold() == (hold_id,)
    assert hold_views.existing(house.db, [b"m1@ours.example0"])[b"m1@ours.example0"].id == hold_id


def test_every_move_that_the_table_does_not_name_is_refused(house):
    (hold_id,) = house.hold()
    house.act(hold_id, Action.CANCEL, house.ann)

    for action in Action:
        with pytest.raises(IllegalMoveError, match="cancelled"):
            house.act(hold_id, action, house.rita)
    with pytest.raises(IllegalMoveError):
        finish(house.ledger, hold_id, AT, done=True)


def test_states_only_go_forward():
    """No state can be reached from itself."""

    def reachable(state):
        return {later for step in MOVES[state] for later in ({step} | reachable(step))}

    assert all(state not in reachable(state) for state in State)
    assert set(FINAL) == {State.VOID, State.RELEASED, State.CORRECTED, State.CANCELLED, State.RETURNED}


@pytest.mark.parametrize(
    ("who", "action", "disposition", "error"),
    [
        ("bob", Action.RELEASE, "hold-sender", NotYoursError),
        ("ann", Action.RELEASE, "hold-reviewer", OwnRequestError),
        ("ann", Action.RETURN, "hold-sender", ForbiddenError),
        ("ann_reviews", Action.RELEASE, "hold-reviewer", OwnRequestError),
        ("ann_logs_in", Action.RELEASE, "hold-reviewer", OwnRequestError),
        ("system", Action.RELEASE, "hold-sender", ForbiddenError),
        ("ann", Action.RELEASE, "hold-sender", None),
        ("ann", Action.CANCEL, "hold-reviewer", None),
        ("rita", Action.RELEASE, "hold-reviewer", None),
        ("root", Action.RELEASE, "hold-reviewer", None),
        ("system", Action.RETURN, "hold-reviewer", None),
    ],
)
def test_nobody_approves_their_own_request(house, who, action, disposition, error):
    actors = {
        "ann": house.ann, "bob": house.bob, "rita": house.rita,
        "ann_reviews": Actor(Role.REVIEWER, by="console", address=house.ann.address),
        "ann_logs_in": Actor(Role.REVIEWER, name="Ann", by="cli"),
        "root": Actor(Role.REVIEWER, name="root", by="cli"),
        "system": Actor(Role.SYSTEM, by="courier"),
    }  # fmt: skip
    (hold_id,) = house.hold(disposition=disposition)
    if error is None:
        assert house.act(hold_id, action, actors[who]).id == hold_id
        return

    with pytest.raises(error):
        house.act(hold_id, action, actors[who])
    assert hold_views.show(house.db, hold_id).hold.state is State.WAITING


def test_a_choice_that_the_verdict_does_not_offer_is_refused_to_the_author_only(house):
    (hold_id,) = house.hold()
    house.db.execute("UPDATE hold SET choices = 'cancel'")

    with pytest.raises(NotOfferedError):
        house.act(hold_id, Action.RELEASE, house.ann)
    assert house.act(hold_id, Action.RELEASE, house.rita).state is State.RELEASING


def test_a_release_is_work_until_it_is_taken_and_then_forgets_the_envelope(house):
    (hold_id,) = house.hold()
    house.act(hold_id, Action.RELEASE, house.ann)
    assert [h.id for h in hold_views.work(house.db, AT + 1)] == [hold_id]

    assert attempt(house.ledger, hold_id, AT + 2, AT + MINUTE, "451 try later") == 1
    assert hold_views.work(house.db, AT + 3) == ()
    assert hold_views.work(house.db, AT + MINUTE)[0].tries == 1
    assert hold_views.spool_needed(house.db, "a" * 20)

    finish(house.ledger, hold_id, AT + MINUTE, done=True, reply="250 taken")
    kept = hold_views.show(house.db, hold_id).hold
    assert (kept.state, kept.recipient_raw, kept.sender_params) == (State.RELEASED, b"", ())
    assert not hold_views.spool_needed(house.db, "a" * 20)


def test_a_release_that_fails_for_good_goes_on_to_a_return(house):
    (hold_id,) = house.hold()
    house.act(hold_id, Action.RELEASE, house.ann)
    finish(house.ledger, hold_id, AT + 2, done=False, reply="550 no such user")

    assert hold_views.work(house.db, AT + 2)[0].state is State.RETURNING
    with pytest.raises(IllegalMoveError):
        finish(house.ledger, hold_id, AT + 3, done=False)
    assert finish(house.ledger, hold_id, AT + 3, done=True).state is State.RETURNED


def test_a_correction_carries_the_right_address(house):
    (hold_id,) = house.hold()
    house.act(hold_id, Action.CORRECT, house.ann)

    told = hold_views.show(house.db, hold_id)

    assert told.hold.corrected == "r9@army.ml"
    assert told.rows[-1].addresses[told.rows[-1].body["corrected"]] == "r9@army.ml"


def test_a_void_hold_frees_its_copy_key(house):
    (first,) = house.hold(token="t1")
    assert [moved.id for moved in void(house.ledger, "t1", AT)] == [first]
    (second,) = house.hold()

    assert first != second
    assert hold_views.existing(house.db, [b"m1@ours.example0"])[b"m1@ours.example0"].id == second


def state_of(house, hold_id):
    return hold_views.show(house.db, hold_id).hold.state


@pytest.mark.parametrize("order", [("t1", "t2"), ("t2", "t1")])
def test_a_hold_that_two_sessions_claim_is_void_only_when_both_gave_it_up(house, order):
    (hold_id,) = house.hold(token="t1")
    assert house.hold(token="t2") == (hold_id,)

    assert void(house.ledger, order[0], AT) == ()
    assert state_of(house, hold_id) is State.PROVISIONAL
    void(house.ledger, order[1], AT)
    assert state_of(house, hold_id) is State.VOID


@pytest.mark.parametrize(("stands", "fails"), [("t1", "t2"), ("t2", "t1")])
def test_a_hold_that_two_sessions_claim_is_firm_when_one_stands(house, stands, fails):
    (hold_id,) = house.hold(token="t1")
    house.hold(token="t2")
    confirm(house.ledger, stands, AT)
    void(house.ledger, fails, AT)

    assert state_of(house, hold_id) is State.WAITING
    assert len(questions.due(house.db, AT + 5000)) == 1


def test_a_firm_session_makes_anothers_provisional_hold_firm(house):
    (hold_id,) = house.hold(token="t1")

    assert house.hold() == (hold_id,)
    assert state_of(house, hold_id) is State.WAITING
    void(house.ledger, "t1", AT)
    assert state_of(house, hold_id) is State.WAITING


def test_a_late_claim_keeps_a_hold_from_being_stale_and_old_claims_go(house):
    (hold_id,) = house.hold(token="t1")
    house.hold(token="t2", at=AT + MINUTE)
    assert void_stale(house.ledger, AT + 1, AT + MINUTE) == 0
    confirm(house.ledger, "t2", AT + MINUTE)

    void_stale(house.ledger, AT + 2 * MINUTE, AT + 3 * MINUTE)
    assert state_of(house, hold_id) is State.WAITING
    assert house.db.execute("SELECT COUNT(*) FROM claim").fetchone() == (0,)


def test_a_session_taken_for_dead_cannot_confirm(house):
    house.hold(token="t1")
    assert void_stale(house.ledger, AT, AT) == 0
    assert void_stale(house.ledger, AT + 1, AT + 2) == 1

    with pytest.raises(IllegalMoveError, match="void"):
        confirm(house.ledger, "t1", AT + 3)


def test_an_empty_token_names_no_hold(house):
    house.hold()

    assert void(house.ledger, "", AT) == ()
    assert confirm(house.ledger, "", AT) == 0


def test_ids_are_short_and_hard_to_guess(house):
    ids = house.hold(copies=20)

    assert all(len(i) == 17 and i[0] == "H" and i.isalnum() for i in ids)
    assert len(set(ids)) == 20


MOVE = st.tuples(st.sampled_from([*Action, "done", "failed", "later", "confirm", "void"]), st.integers(0, 7))


@given(moves=st.lists(MOVE, max_size=40))
@settings(max_examples=25, deadline=None)
def test_whatever_is_tried_the_sums_agree_and_the_chain_verifies(tmp_path_factory, moves):
    house = House(tmp_path_factory.mktemp("db") / "nixie.db")
    ids = [*house.hold(copies=4), *house.hold("m2@x", copies=2, token="t1"), *house.hold("m3@x", copies=2, token="t2")]
    steps = {
        "done": lambda i: finish(house.ledger, i, AT, done=True),
        "failed": lambda i: finish(house.ledger, i, AT, done=False),
        "later": lambda i: attempt(house.ledger, i, AT, AT + 1),
        "confirm": lambda _: confirm(house.ledger, "t1", AT),
        "void": lambda _: void(house.ledger, "t2", AT),
    }
    for what, which in moves:
        try:
            if isinstance(what, Action):
                house.act(ids[which], what, house.rita)
            else:
                steps[what](ids[which])
        except HoldError:
            continue
    sums = hold_views.balance(house.db)
    found = verify(house.db)
    house.db.close()

    assert sums.ok
    assert sums.held + sums.provisional + sums.void == 8
    assert found.ok
