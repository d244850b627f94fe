"""Holds: only forward, each by a named actor, each copy once, and the sums agree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.store import hold_views, questions
from nixie.store.addresses import intern_keys
from nixie.store.db import open_writer, writing
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
    UnknownHoldError,
)
from nixie.store.holds import Actor, HeldCopy, HeldMessage, act, attempt, confirm, finish, hold, void, void_stale
from nixie.store.ledger import Kind, Ledger, NotErasableError, lookup_key, payload_of, verify
from nixie.store.questions import Deadlines, StaleAnswerError, Step
from nixie.store.retries import count_retry, forget_retries, retries

AT = 1_790_000_000_000
MINUTE = 60_000
ASKED = Deadlines(notice=AT + 5000, remind=AT + 60 * MINUTE, escalate=AT + 120 * MINUTE, return_=AT + 600 * MINUTE)


class House:
    """A database with a ledger, an author, and a short way to hold copies."""

    def __init__(self, path):
        self.db = open_writer(path)
        self.db.execute("PRAGMA synchronous = OFF")  # no test here ends a process
        self.ledger = Ledger(self.db)
        keys = ["ann@ours.example", "bob@ours.example", "rita@ours.example", *(f"r{n}@army.ml" for n in range(20))]
        self.number = {key: number for key, (number, _) in intern_keys(self.db, keys)[0].items()}
        self.ann = Actor(Role.AUTHOR, by="link", address=self.number["ann@ours.example"])
        self.bob = Actor(Role.AUTHOR, by="link", address=self.number["bob@ours.example"])
        self.rita = Actor(Role.REVIEWER, by="console", address=self.number["rita@ours.example"])

    def hold(self, message_id="m1@ours.example", copies=1, first=0, *, token="", disposition="hold-sender", at=AT):
        author = self.number["ann@ours.example"]
        with writing(self.db):
            lookup = lookup_key(message_id)
            decision = self.ledger.append(at, Kind.DECISION, payload_of((author,), b'{"v":1}'), lookup)
            message = HeldMessage(
                decision, lookup, message_id, "a" * 20, author, author, b"<Ann@ours.example>", (b"RET=HDRS", b"ENVID=x"),
                token, ASKED,
            )  # fmt: skip
            held = [
                HeldCopy(
                    f"{message_id}{n}".encode().ljust(16, b".")[-16:], self.number[f"r{n}@army.ml"], disposition,
                    f"<R{n}@army.ml>".encode(), (b"NOTIFY=NEVER",), ("correct", "send", "cancel"),
                )
                for n in range(first, first + copies)
            ]  # fmt: skip
            return hold(self.ledger, message, held, at)

    def act(self, hold_id, action, actor, **more):
        if action is Action.CORRECT:
            more.setdefault("corrected", self.number["r9@army.ml"])
        with writing(self.db):
            return act(self.ledger, hold_id, action, actor, AT + 1, **more)


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


def test_a_message_split_into_three_transactions_is_one_question(house):
    ids = [house.hold(first=n)[0] for n in range(3)]

    questions_seen = {hold_views.show(house.db, i).hold.question for i in ids}

    assert len(set(ids)) == 3
    assert len(questions_seen) == 1
    assert len(hold_views.of_question(house.db, questions_seen.pop())) == 3


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


def test_a_replayed_form_is_refused(house):
    first, second = house.hold(copies=2)
    house.act(first, Action.CANCEL, house.ann, generation=1)

    with pytest.raises(StaleAnswerError):
        house.act(second, Action.RELEASE, house.ann, generation=1)
    assert house.act(second, Action.RELEASE, house.ann, generation=2).state is State.RELEASING


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


def test_a_provisional_hold_asks_nobody_until_it_is_confirmed(house):
    (hold_id,) = house.hold(token="t1")
    assert questions.due(house.db, AT + 10**9) == ()
    assert hold_views.existing(house.db, [b"m1@ours.example0"]) == {}

    assert confirm(house.ledger, "t1", AT + 1) == 1
    assert confirm(house.ledger, "t1", AT + 2) == 0
    assert hold_views.show(house.db, hold_id).hold.state is State.WAITING
    assert [due.steps for due in questions.due(house.db, AT + 5000)] == [(Step.NOTICE,)]


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


def test_an_unknown_hold_or_question_is_an_error_of_its_own(house):
    with pytest.raises(UnknownHoldError):
        hold_views.show(house.db, "HNOTHERE")
    with pytest.raises(UnknownHoldError):
        house.act("HNOTHERE", Action.CANCEL, house.rita)
    with pytest.raises(questions.UnknownQuestionError):
        questions.find_question(house.db, "QNOTHERE")


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


def test_a_decision_that_a_held_copy_needs_is_not_erased(house):
    (hold_id,) = house.hold()
    decision = hold_views.show(house.db, hold_id).hold.decision

    with pytest.raises(NotErasableError):
        house.ledger.erase([decision], AT, (), {})
    house.act(hold_id, Action.CANCEL, house.ann)
    house.ledger.erase([decision], AT, (), {})
    assert verify(house.db).ok


def test_ids_are_short_and_hard_to_guess(house):
    ids = house.hold(copies=20)

    assert all(len(i) == 17 and i[0] == "H" and i.isalnum() for i in ids)
    assert len(set(ids)) == 20


def test_the_sums_notice_a_hold_that_vanished(house):
    first, *_ = house.hold(copies=3)
    assert hold_views.balance(house.db).ok

    house.db.execute("DELETE FROM hold WHERE public = ?", (first,))

    assert not hold_views.balance(house.db).ok


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


def test_temporary_answers_are_counted_by_message_and_forgotten_by_age(house):
    assert [count_retry(house.db, b"k" * 16, AT + n) for n in range(3)] == [1, 2, 3]
    assert retries(house.db, b"other") == 0
    assert forget_retries(house.db, AT) == 0
    assert forget_retries(house.db, AT + 10) == 1
    assert retries(house.db, b"k" * 16) == 0
