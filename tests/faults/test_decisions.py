"""Decisions that nobody may take, as the recorder meets them: forged, replayed, or one's own. Nothing changes, nothing is recorded."""

import pytest

from nixie.service.recorder import Hooks, Recorder
from nixie.store import hold_views
from nixie.store.db import open_reader
from nixie.store.hold_states import State
from nixie.store.keys import create_keys
from nixie.store.ledger import verify
from support.recording import ANN, AT, RIGHT, act, held, one, settings_of


@pytest.fixture
def house(tmp_path):
    recorder = Recorder(settings_of(tmp_path), create_keys(tmp_path / "keys"), Hooks())
    recorder._db.execute("PRAGMA synchronous = OFF")  # these tests end no process
    reader = open_reader(tmp_path / "nixie.db")
    yield recorder, reader
    reader.close()
    recorder.close()


def refused(house, head, code):
    """Ask, and assert that it was refused with this code, changed no hold and left no row."""
    recorder, reader = house
    before = recorder.rows, hold_views.find(reader, states=tuple(State))
    answer = one(recorder, head)

    assert answer.get("error") == code, answer
    assert (recorder.rows, hold_views.find(reader, states=tuple(State))) == before
    assert verify(reader).ok


def test_a_form_that_is_sent_twice_is_refused_the_second_time(house):
    (hold,) = one(house[0], held("m1@x"))["holds"]
    assert "state" in one(house[0], act(hold, "cancel", generation=1))

    refused(house, act(hold, "cancel", generation=1), "illegal")
    refused(house, act(hold, "release", generation=2), "illegal")


def test_a_form_that_was_loaded_before_another_answer_is_stale(house):
    """Two copies, one question, two open pages: the second answer must come from a page that shows the first."""
    recorder, _ = house
    (first,) = one(recorder, held("m1@x"))["holds"]
    other = held("m1@x")
    other["held"]["copies"][0]["key"] = "ff" * 16
    (second,) = one(recorder, other)["holds"]
    assert "state" in one(recorder, act(first, "cancel", generation=1))

    refused(house, act(second, "release", generation=1), "stale")
    refused(house, act(second, "release", generation=99), "stale")
    assert one(recorder, act(second, "release", generation=2))["state"] == "releasing"


@pytest.mark.parametrize(
    ("role", "who", "action"),
    [
        ("author", {"address": ANN.key}, "release"),
        ("author", {"address": ANN.key}, "return"),
        ("author", {"address": "bob@ours.example"}, "cancel"),
        ("author", {"address": "", "name": "ann"}, "release"),
        ("reviewer", {"address": ANN.key}, "release"),
        ("reviewer", {"address": "", "name": "ann"}, "release"),
        ("reviewer", {"address": "", "name": "Ann@Ours.Example"}, "release"),
        ("reviewer", {"address": "", "name": ""}, "release"),
        ("system", {"address": ""}, "release"),
        ("system", {"address": ""}, "cancel"),
        ("system", {"address": ""}, "correct"),
    ],
)
def test_a_copy_for_a_reviewer_is_released_by_another_person_only(house, role, who, action):
    (hold,) = one(house[0], held("m1@x", disposition="hold-reviewer"))["holds"]
    more = {"corrected": RIGHT.key} if action == "correct" else {}
    head = {**act(hold, action, role, **more), **who}

    refused(house, head, "forbidden")
    assert one(house[0], act(hold, "release", "reviewer", "rita@ours.example"))["state"] == "releasing"


@pytest.mark.parametrize("choices", [(), ("cancel",), ("correct", "cancel")])
def test_an_author_takes_no_choice_that_the_verdict_does_not_offer(house, choices):
    (hold,) = one(house[0], held("m1@x", choices=choices))["holds"]

    refused(house, act(hold, "release"), "forbidden")


@pytest.mark.parametrize(
    "forged",
    [
        {"role": "administrator"},
        {"action": "delete"},
        {"action": "released"},
        {"at": "now"},
        {"at": None},
        {"generation": "1 OR 1"},
        {"hold": "H' OR '1'='1"},
        {"hold": None},
        {"action": "correct"},
        {"action": "release", "corrected": "x@army.ml"},
    ],
    ids=str,
)
def test_a_request_that_no_part_of_ours_would_make_changes_nothing(house, forged):
    recorder, reader = house
    (hold,) = one(recorder, held("m1@x"))["holds"]
    rows = recorder.rows
    answer = one(recorder, {**act(hold, "release"), **forged})

    assert "error" in answer
    assert (recorder.rows, hold_views.show(reader, hold).hold.state) == (rows, State.WAITING)


@pytest.mark.parametrize("action", ["release", "cancel", "return"])
def test_nobody_decides_about_a_copy_whose_client_has_no_answer_yet(house, action):
    (hold,) = one(house[0], held("m1@x", token="t1"))["holds"]

    refused(house, act(hold, action, "reviewer", "rita@ours.example"), "illegal")


@pytest.mark.parametrize("result", ["done", "failed", "later"])
def test_an_outcome_of_what_is_not_on_its_way_is_refused(house, result):
    (hold,) = one(house[0], held("m1@x"))["holds"]

    refused(house, {"do": "outcome", "hold": hold, "result": result, "at": AT, "next_try": AT}, "illegal")


def test_a_confirmation_with_a_guessed_token_confirms_nothing(house):
    recorder, reader = house
    (hold,) = one(recorder, held("m1@x", token="t1"))["holds"]
    for token in ("", "t", "t1 ", "%", None):
        one(recorder, {"do": "confirm", "token": token, "at": AT})

    assert hold_views.show(reader, hold).hold.state is State.PROVISIONAL
