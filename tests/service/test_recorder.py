"""The recorder: what it answered is there exactly once, whatever is killed, full, locked or wrong."""

import asyncio
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from nixie.core.address import Address
from nixie.core.events import Event, EventKind, event_key
from nixie.service import recorder as recorder_module
from nixie.service.recorder import Hooks, Recorder, RecorderError, RecorderSettings, serve
from nixie.service.recorder_client import RecorderClient, RecorderRefusedError, RecorderUnavailableError, ask_once
from nixie.service.requests import AddressList, HeldRequest, HoldRequest, decision, teach
from nixie.store import hold_views
from nixie.store.db import open_reader
from nixie.store.heads import check, last_head, read_head
from nixie.store.hold_states import State
from nixie.store.keys import create_keys, load_keys
from nixie.store.ledger import Kind, rows_after, story, verify
from nixie.store.questions import Deadlines, due
from nixie.store.spool import Spool

AT = 1_790_000_000_000
ANN = Address("Ann", "ours.example")
OPS = Address("ops", "army.ml")
RIGHT = Address("ops", "army.mil")

SERVER = """
import os, sys
from pathlib import Path
from nixie.service.recorder import RecorderSettings, run_recorder
from nixie.service.steps import arm
from nixie.store.keys import load_keys
arm(sys.argv[2])
home = Path(sys.argv[1])
run_recorder(RecorderSettings(home/'nixie.db', home/'r.sock', home/'heads.jsonl', home/'spool', sign_rows=50), load_keys(home/'keys'))
"""


def settings_of(home, **more):
    return RecorderSettings(home / "nixie.db", home / "r.sock", home / "heads.jsonl", home / "spool", **more)


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


def sent(message_id, other=OPS):
    return Event(
        EventKind.SENT,
        ANN,
        other,
        datetime.fromtimestamp(AT / 1000, UTC),
        event_key(EventKind.SENT, message_id, other.key),
    )


def held(message_id, *, token="", spool="a" * 20, choices=("correct", "send", "cancel"), disposition="hold-sender"):
    copy = HoldRequest(
        message_id.encode().ljust(16, b".")[:16], OPS, disposition, b"<OPS@army.ml>", (b"NOTIFY=NEVER",), choices
    )
    request = HeldRequest(
        spool, ANN, ANN, Deadlines(AT, AT + 10, AT + 20, AT + 30), (copy,), b"<Ann@ours.example>", (), token
    )
    return decision(AT, message_id, AddressList((ANN, OPS)), events=(), held=request)


def plain(message_id, *, events=True):
    return decision(AT, message_id, AddressList((ANN, OPS)), events=(sent(message_id),) if events else ())


def one(recorder, head, body=b"{}"):
    return recorder.commit([(head, body)])[0]


def act(hold_id, action, role="author", address="ann@ours.example", **more):
    return {
        "do": "act",
        "hold": hold_id,
        "action": action,
        "role": role,
        "address": address,
        "by": "link",
        "at": AT + 1,
        **more,
    }


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
    recorder._db.execute("PRAGMA busy_timeout = 20")
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


# With sockets


@asynccontextmanager
async def serving(home, keys, hooks=None, **more):
    stop = asyncio.Event()
    task = asyncio.create_task(serve(settings_of(home, **more), keys, hooks or Hooks(), stop))
    client = RecorderClient(home / "r.sock", deadline=3.0)
    try:
        yield client
    finally:
        await client.close()
        stop.set()
        await task


def test_clients_are_answered_each_their_own(home, keys):
    async def main():
        async with serving(home, keys) as client:
            return await asyncio.gather(*(client.ask(plain(f"m{n}@x"), b"{}") for n in range(200)))

    answers = asyncio.run(main())

    assert sorted(a["seq"] for a in answers) == list(range(1, 201))


def test_what_waits_together_shares_a_commit(home, keys, monkeypatch):
    groups = []
    commit = Recorder.commit
    monkeypatch.setattr(Recorder, "commit", lambda self, group: groups.append(len(group)) or commit(self, group))

    async def main():
        async with serving(home, keys) as client:
            await client.ask({"do": "ping"})
            await asyncio.gather(*(client.ask(plain(f"m{n}@x"), b"{}") for n in range(100)))

    asyncio.run(main())

    assert len(groups) < 20


def test_a_refusal_is_an_error_with_its_code(home, keys):
    async def main():
        async with serving(home, keys) as client:
            with pytest.raises(RecorderRefusedError) as refused:
                await client.ask(act("HNOTHERE", "cancel"))
            return refused.value.code

    assert asyncio.run(main()) == "unknown"


def test_nobody_there_is_unavailable_within_the_deadline(tmp_path):
    client = RecorderClient(tmp_path / "none.sock", deadline=0.2)
    start = time.monotonic()
    with pytest.raises(RecorderUnavailableError):
        asyncio.run(client.ask({"do": "ping"}))
    with pytest.raises(RecorderUnavailableError, match="nixie serve"):
        ask_once(tmp_path / "none.sock", {"do": "ping"}, deadline=0.2)

    assert time.monotonic() - start < 2


def test_a_recorder_that_does_not_answer_is_unavailable(tmp_path):
    """The socket listens, nobody accepts."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "r.sock"))
        silent.listen()

        async def main():
            client = RecorderClient(tmp_path / "r.sock", deadline=0.2)
            with pytest.raises(RecorderUnavailableError):
                await client.ask({"do": "ping"})
            await client.close()

        asyncio.run(main())


def test_the_client_finds_a_recorder_that_was_started_again(home, keys):
    async def main():
        async with serving(home, keys) as client:
            await client.ask(plain("m1@x"), b"{}")
        async with serving(home, keys):
            answer = await client.ask(plain("m2@x"), b"{}")
            await client.close()
            return answer["seq"]

    assert asyncio.run(main()) == 2


def test_a_stranger_who_sends_rubbish_is_cut_off_and_hurts_nobody(home, keys):
    async def main():
        async with serving(home, keys) as client:
            await client.ask({"do": "ping"})
            reader, writer = await asyncio.open_unix_connection(home / "r.sock")
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            assert await reader.read() == b""
            writer.close()
            return await client.ask(plain("m1@x"), b"{}")

    assert asyncio.run(main())["seq"] == 1


def test_a_second_recorder_is_refused(home, keys):
    async def main():
        async with serving(home, keys) as client:
            await client.ask({"do": "ping"})
            with pytest.raises(RecorderError, match="another recorder"):
                await serve(settings_of(home), keys, Hooks(), asyncio.Event())
            return await client.ask({"do": "ping"})

    assert asyncio.run(main())["seq"] == 0


def test_the_nights_work_runs_beside_the_traffic(home, keys, monkeypatch):
    began = []

    async def night(database):
        began.append(database)
        await asyncio.sleep(60)

    monkeypatch.setattr(Recorder, "chores", lambda _: True)

    async def main():
        async with serving(home, keys, Hooks(night=night), chores_seconds=0.02) as client:
            await client.ask({"do": "ping"})
            await asyncio.sleep(0.2)
            return await client.ask(plain("m1@x"), b"{}")

    assert asyncio.run(main())["seq"] == 1
    assert began == [home / "nixie.db"]


def test_one_turn_takes_a_bounded_group(home, keys, monkeypatch):
    monkeypatch.setattr(recorder_module, "GROUP", 3)

    async def main():
        async with serving(home, keys) as client:
            return await asyncio.gather(*(client.ask(plain(f"m{n}@x"), b"{}") for n in range(10)))

    assert len(asyncio.run(main())) == 10


# With processes


def start(home, crash_at=""):
    return subprocess.Popen(
        [sys.executable, "-c", SERVER, str(home), crash_at], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )


def patiently(home, head):
    """Ask as soon as the recorder is up."""

    async def main():
        client = RecorderClient(home / "r.sock", deadline=20)
        try:
            return await client.ask(head, b"{}")
        finally:
            await client.close()

    return asyncio.run(main())


async def hammer(home, prefix, stop, known):
    """Send decisions, holds and actions until told to stop; keep what was answered."""
    client = RecorderClient(home / "r.sock", deadline=1.0)
    number = 0
    while not stop.is_set():
        number += 1
        message_id = f"{prefix}-{number}@x"
        try:
            if number % 3:
                await client.ask(plain(message_id, events=False), b"{}")
                known.append(message_id)
                continue
            (hold_id,) = (await client.ask(held(message_id), b"{}"))["holds"]
            known.append(message_id)
            if number % 2:
                await client.ask(act(hold_id, "cancel"))
                known.append(hold_id)
        except RecorderUnavailableError:
            continue
    await client.close()


def test_killed_under_load_everything_answered_is_there_once(home):
    rng, known = random.Random(7), []

    async def main():
        stop = asyncio.Event()
        load = [asyncio.create_task(hammer(home, f"c{n}", stop, known)) for n in range(8)]
        for _ in range(5):
            process, before = start(home), len(known)
            while len(known) < before + 30:  # noqa: ASYNC110 - the load knows nothing of us
                await asyncio.sleep(0.002)
            await asyncio.sleep(rng.random() * 0.1)
            process.send_signal(signal.SIGKILL)
            process.wait()
        stop.set()
        await asyncio.gather(*load)

    asyncio.run(main())
    process = start(home)
    patiently(home, {"do": "ping"})
    process.terminate()
    assert process.wait(20) == 0

    db = open_reader(home / "nixie.db")
    rows = rows_after(db, 0, 10**6)
    lookups = Counter(lookup for (lookup,) in db.execute("SELECT lookup FROM ledger WHERE kind = 1"))
    assert len(known) >= 150
    assert verify(db, last_head(home / "heads.jsonl")).tail_proven
    assert hold_views.balance(db).ok
    assert max(lookups.values()) == 1
    assert len(rows) == verify(db).rows
    for name in known:
        if name.startswith("H"):
            assert hold_views.show(db, name).hold.state is State.CANCELLED
        else:
            assert len([r for r in story(db, message_id=name) if r.kind is Kind.DECISION]) == 1


@pytest.mark.parametrize(("crash_at", "recorded"), [("before-commit", 0), ("after-commit", 1)])
def test_killed_around_the_commit_the_client_hears_nothing_and_tries_again(home, crash_at, recorded):
    process = start(home, crash_at)
    for _ in range(100):
        if (home / "r.sock").exists():
            break
        time.sleep(0.05)
    with pytest.raises(RecorderUnavailableError):
        ask_once(home / "r.sock", held("m1@x"), b"{}")
    assert process.wait(20) == -signal.SIGKILL

    db = open_reader(home / "nixie.db")
    assert len(hold_views.find(db)) == recorded
    process = start(home)
    answer = patiently(home, held("m1@x"))
    process.terminate()
    process.wait(20)
    assert [h.id for h in hold_views.find(db)] == answer["holds"]
    assert verify(db).ok
    assert hold_views.balance(db).ok


def test_terminated_it_finishes_signs_and_removes_its_socket(home, keys):
    process = start(home)
    patiently(home, plain("m1@x"))
    process.terminate()

    assert process.wait(20) == 0
    assert not (home / "r.sock").exists()
    assert verify(open_reader(home / "nixie.db"), last_head(home / "heads.jsonl")).tail_proven
