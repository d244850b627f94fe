"""The recorder's group commit: each request is recorded or undone by itself, and the recorder outlives everything."""

import sqlite3
import time

import pytest

from nixie.core.address import Address
from nixie.core.events import EventKind
from nixie.service.recorder import Hooks, Recorder
from nixie.service.requests import AddressList, HeldRequest, HoldRequest, decision, teach
from nixie.store import hold_views
from nixie.store.db import open_reader
from nixie.store.heads import check, last_head, read_head
from nixie.store.keys import create_keys, load_keys
from nixie.store.ledger import Kind, rows_after, story, verify
from nixie.store.questions import Deadlines, due
from nixie.store.spool import Spool
from support.recording import ANN, AT, RIGHT, act, held, one, plain, sent, settings_of


@pytest.fixture
def home(tmp_path):
    create_keys(tmp_path / "keys")
    return tmp_path


@pytest.fixture
def keys(home):
    return load_keys(home / "keys")


@pytest.fixture
def recorder(home, keys):
    recorder = Recorder(settings_of(home), keys, Hooks())
    recorder._db.execute("PRAGMA synchronous = OFF")  # these tests end no process
    yield recorder
    recorder.close()


def test_a_decision_is_recorded_with_its_body_as_it_came(recorder, home):
    answer = one(recorder, plain("m1@ours.example") | {"id": 7}, b'{"copies":[1]}')

    (row,) = story(open_reader(home / "nixie.db"), message_id="m1@ours.example")
    assert (answer["id"], answer["seq"], row.seq) == (7, 1, 1)
    assert row.addresses == ("ann@ours.example", "ops@army.ml")
    assert row.body == {"copies": [1]}


def test_a_request_that_fails_does_not_hurt_its_group(recorder, home):
    group = [
        plain("m1@x"),
        {"do": "decision", "at": "yesterday", "message_id": "bad@x", "a": []},
        {"do": "decision"},
        {"do": "format disk"},
        {"do": ["list"]} | {"do": "act", "hold": "HNO", "action": "cancel", "role": "reviewer", "at": 1},
        held("m2@x"),
        {"do": "append", "kind": "tombstone", "at": AT},
        plain("m3@x"),
    ]
    answers = recorder.commit([(head, b"{}") for head in group])

    errors = [a.get("error") for a in answers]
    assert errors == [None, "bad", "bad", "bad", "unknown", None, "bad", None]
    db = open_reader(home / "nixie.db")
    assert verify(db).ok
    assert [row.kind for row in rows_after(db, 0, 10)] == [Kind.DECISION, Kind.DECISION, Kind.HELD, Kind.DECISION]


def test_a_message_id_that_no_encoding_explains_is_held_and_found(recorder, home):
    (hold_id,) = one(recorder, held("caf\udce9@x"))["holds"]
    assert one(recorder, act(hold_id, "cancel"))["state"] == "cancelled"

    db = open_reader(home / "nixie.db")
    assert hold_views.show(db, hold_id).hold.message_id == "caf\udce9@x"
    assert len(story(db, message_id="caf\udce9@x")) == 3


def test_every_action_names_its_actor(recorder):
    (hold_id,) = one(recorder, held("m1@x"))["holds"]

    assert one(recorder, act(hold_id, "release", "reviewer", ""))["error"] == "forbidden"


def test_events_that_cannot_be_counted_undo_their_own_request_only(recorder, home):
    bad = teach((sent("m2@x"),))
    bad["events"][0][4] = 1 << 70
    answers = recorder.commit([(plain("m1@x"), b"{}"), (bad, b""), (plain("m3@x"), b"{}")])

    assert [a.get("error") for a in answers] == [None, "bad", None]
    db = open_reader(home / "nixie.db")
    assert db.execute("SELECT COUNT(*) FROM tail").fetchone() == (2,)
    assert (verify(db).ok, verify(db).rows) == (True, 2)


@pytest.mark.parametrize("head", [{"do": ["decision"]}, {"do": None}, {}, {"do": {"a": 1}}])
def test_a_request_of_no_kind_is_bad(recorder, head):
    assert one(recorder, head)["error"] == "bad"
    assert "seq" in one(recorder, {"do": "ping"})


def test_an_error_tells_a_class_and_nothing_of_the_message(recorder):
    answer = one(recorder, {"do": "decision", "at": "secret@army.ml", "message_id": "x", "a": ["secret@army.ml"]})

    assert "secret" not in str(answer)


def test_a_held_copy_is_asked_about_released_and_taught(recorder, home):
    (hold_id,) = one(recorder, held("m1@x"))["holds"]
    assert one(recorder, act(hold_id, "release", reason="it is right"))["state"] == "releasing"
    assert (
        one(recorder, {"do": "outcome", "hold": hold_id, "result": "later", "next_try": AT + 9, "at": AT + 2})["tries"]
        == 1
    )
    assert (
        one(recorder, {"do": "outcome", "hold": hold_id, "result": "done", "reply": "250 ok", "at": AT + 3})["state"]
        == "released"
    )

    db = open_reader(home / "nixie.db")
    kinds = [row.kind for row in hold_views.show(db, hold_id).rows]
    assert kinds == [Kind.DECISION, Kind.HELD, Kind.RELEASING, Kind.ATTEMPT, Kind.RELEASED]
    assert db.execute("SELECT kind FROM tail").fetchall() == [(EventKind.RELEASED_BY_SENDER,)]
    assert hold_views.balance(db).ok


@pytest.mark.parametrize(
    ("action", "role", "kind"),
    [
        ("cancel", "author", EventKind.CANCELLED),
        ("correct", "author", EventKind.CORRECTED_AWAY),
        ("release", "reviewer", EventKind.RELEASED_BY_REVIEWER),
        ("return", "reviewer", None),
    ],
)
def test_what_a_person_decides_teaches(recorder, home, action, role, kind):
    (hold_id,) = one(recorder, held("m1@x"))["holds"]
    corrected = RIGHT.key if action == "correct" else ""
    address = "" if role == "reviewer" else ANN.key
    assert "state" in one(recorder, act(hold_id, action, role, address, name="root", corrected=corrected))

    taught = open_reader(home / "nixie.db").execute("SELECT kind FROM tail").fetchall()
    assert taught == ([] if kind is None else [(kind,)])


def test_who_may_not_act_is_told_so_by_a_code(recorder):
    (hold_id,) = one(recorder, held("m1@x", disposition="hold-reviewer"))["holds"]

    assert one(recorder, act(hold_id, "release"))["error"] == "forbidden"
    assert one(recorder, act(hold_id, "release", address="bob@ours.example"))["error"] == "forbidden"
    assert one(recorder, act(hold_id, "cancel", generation=1))["state"] == "cancelled"
    assert one(recorder, act(hold_id, "cancel", generation=1))["error"] == "illegal"


def test_a_spool_file_goes_when_no_copy_needs_it(recorder, home, keys):
    spool = Spool(home / "spool", keys.spool)
    spool_id = spool.write(b"held")
    (first,) = one(recorder, held("m1@x", spool=spool_id))["holds"]
    (second,) = one(recorder, held("m2@x", spool=spool_id))["holds"]

    one(recorder, act(first, "cancel"))
    assert list(spool.ids()) == [spool_id]
    one(recorder, act(second, "cancel"))
    assert list(spool.ids()) == []


def test_a_provisional_hold_is_confirmed_or_void(recorder, home, keys):
    spool_id = Spool(home / "spool", keys.spool).write(b"held")
    first = one(recorder, held("m1@x", token="t1"))
    assert one(recorder, held("m1@x", token="t2"))["holds"] == first["holds"]
    assert one(recorder, {"do": "confirm", "token": "t1", "at": AT})["holds"] == 1
    one(recorder, held("m2@x", token="t3", spool=spool_id))
    assert one(recorder, {"do": "void", "token": "t3", "at": AT})["holds"] == 1

    sums = hold_views.balance(open_reader(home / "nixie.db"))
    assert (sums.held, sums.waiting, sums.void, sums.ok) == (1, 1, 1, True)
    assert not list((home / "spool").iterdir())


def test_a_notice_is_recorded_and_no_longer_due(recorder, home):
    one(recorder, held("m1@x"))
    db = open_reader(home / "nixie.db")
    question = due(db, AT)[0].question.id
    answer = one(recorder, {"do": "notice", "question": question, "step": "notice", "at": AT, "a": [ANN.key]})

    assert answer["seq"] == 3
    assert due(db, AT) == ()
    assert story(db, message_id="m1@x")[-1].addresses == (ANN.key,)


def test_temporary_answers_are_counted(recorder):
    counts = [one(recorder, {"do": "retry-count", "key": "00" * 16, "at": AT})["count"] for _ in range(3)]

    assert counts == [1, 2, 3]


def test_new_domains_are_told_once_after_the_commit(home, keys):
    told = []
    recorder = Recorder(settings_of(home), keys, Hooks(new_domains=told.append))
    recorder.commit([(teach((sent("m1@x"),)), b""), ({"do": "decision", "a": ["x@undone.example"]}, b"")])
    recorder.commit([(teach((sent("m2@x"),)), b"")])
    recorder.close()

    assert sorted(sum(told, ())) == ["army.ml", "ours.example"]


def test_a_full_disk_records_nobody_and_the_recorder_lives_on(recorder, home):
    one(recorder, plain("before@x"))
    pages = recorder._db.execute("PRAGMA page_count").fetchone()[0]
    recorder._db.execute(f"PRAGMA max_page_count = {pages}")
    answers = recorder.commit([(plain(f"m{n}@x"), b'"' + b"x" * 3000 + b'"') for n in range(20)])
    recorder._db.execute("PRAGMA max_page_count = 1000000")

    assert {a["error"] for a in answers} == {"store"}
    assert one(recorder, plain("after@x"))["seq"] == 2
    assert verify(open_reader(home / "nixie.db")).rows == 2


def test_a_locked_database_records_nobody_and_the_recorder_lives_on(recorder, home):
    recorder.busy_seconds = 0.02
    other = sqlite3.connect(home / "nixie.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert one(recorder, plain("m1@x"))["error"] == "store"
    other.execute("ROLLBACK")
    other.close()

    assert one(recorder, plain("m1@x"))["seq"] == 1


def test_an_error_in_a_hook_changes_no_answer(home, keys):
    def broken(_):
        raise RuntimeError

    recorder = Recorder(settings_of(home), keys, Hooks(new_domains=broken))

    assert one(recorder, plain("m1@x"))["seq"] == 1
    recorder.close()


def test_heads_are_signed_by_rows_and_at_the_end(home, keys):
    recorder = Recorder(settings_of(home, sign_rows=5), keys, Hooks())
    recorder.commit([(plain(f"m{n}@x"), b"{}") for n in range(5)])
    first = last_head(home / "heads.jsonl")
    recorder.commit([(plain("m9@x"), b"{}")])
    line = one(recorder, {"do": "head"})["line"]
    recorder.close()

    assert (first.seq, last_head(home / "heads.jsonl").seq, read_head(line).seq) == (5, 6, 6)
    check(first, keys.heads_public)
    assert verify(open_reader(home / "nixie.db"), first).tail_proven


def test_chores_void_dead_sessions_and_call_the_nightly_hook_once_a_day(home, keys):
    clock, nights = [AT / 1000], []
    recorder = Recorder(settings_of(home), keys, Hooks(nightly=nights.append), now=lambda: clock[0])
    first = one(recorder, held("m1@x", token="t1"))
    recorder.chores()
    assert one(recorder, held("m1@x", token="t2"))["holds"] == first["holds"]

    clock[0] += 86400
    recorder.chores()
    recorder.chores()
    assert one(recorder, held("m1@x", token="t3"))["holds"] != first["holds"]
    assert len(nights) == 1
    recorder.close()


def test_a_message_for_5000_recipients_is_held_within_a_second(recorder):
    recipients = [Address(f"r{n}", f"d{n % 500}.example") for n in range(5000)]
    copies = tuple(HoldRequest(b"%016d" % n, r, "hold-sender", str(r).encode()) for n, r in enumerate(recipients))
    head = decision(
        AT, "m1@x", AddressList((ANN, *recipients)), held=HeldRequest("a" * 20, ANN, ANN, Deadlines(AT), copies)
    )
    start = time.process_time()
    answer = one(recorder, head, b'{"x":"%s"}' % (b"y" * 40_000))

    assert len(answer["holds"]) == 5000
    assert time.process_time() - start < 1.0
