"""Mails that passed the guard wait in one row each and are learned soon; no decision, no crash and no bad mail changes that."""

import asyncio
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest

from nixie.core.mailing import Mailing
from nixie.service import folding as module
from nixie.service.folding import Folding
from nixie.service.recorder import Hooks, Recorder, serve
from nixie.service.recorder_client import RecorderClient
from nixie.service.requests import AddressList, decision, teach
from nixie.store import mailing_queue
from nixie.store.db import open_reader, open_writer, writing
from nixie.store.keys import create_keys
from support.recording import ANN, AT, OPS, one, settings_of

START = datetime(2026, 3, 1, tzinfo=UTC)


def mailing(number):
    return Mailing(key=number, at=START + timedelta(seconds=number % 1000), sender=ANN, recipients=(OPS,))


def decided(number):
    return decision(AT, f"m{number}@x", AddressList((ANN, OPS)), mailing=mailing(number))


def known(db):
    """Return the mails that are learned and how many wait."""
    return [key for (key,) in db.execute("SELECT key FROM mailing ORDER BY key")], mailing_queue.waiting(db)


@pytest.fixture
def told():
    return []


@pytest.fixture
def recorder(tmp_path, told):
    recorder = Recorder(settings_of(tmp_path), create_keys(tmp_path / "keys"), Hooks(new_domains=told.append))
    recorder._db.execute("PRAGMA synchronous = OFF")  # these tests end no process
    yield recorder
    recorder.close()


def test_a_decision_leaves_one_row_which_is_learned_afterwards(recorder):
    recorder.fold_all()
    for n in range(3):
        assert "seq" in one(recorder, decided(n))
    before = known(recorder._db), recorder.folding.waiting
    recorder.fold_all()

    assert before == (([], 3), True)
    assert (known(recorder._db), recorder.folding.waiting) == (([0, 1, 2], 0), False)


def test_a_request_that_is_undone_leaves_no_row(recorder):
    head = decided(1) | {"held": {}}
    assert [a.get("error") for a in recorder.commit([(head, b"{}"), (decided(2), b"{}")])] == ["bad", None]

    recorder.fold_all()
    assert known(recorder._db) == ([2], 0)


def test_domains_met_beside_the_recipients_are_told(recorder, told):
    one(recorder, teach((), mailings=[mailing(1)]))
    recorder.fold_all()

    assert {name for names in told for name in names} == {"ours.example", "army.ml"}


def test_a_mail_that_cannot_be_learned_is_given_up_and_the_others_are_learned(recorder):
    for n in (1, 2, 2**70, 3):
        one(recorder, decided(n))
    recorder.fold_all()

    assert known(recorder._db) == ([1, 2, 3], 0)


def test_while_somebody_else_writes_the_mails_wait(recorder, tmp_path):
    one(recorder, decided(1))
    other = open_writer(tmp_path / "nixie.db")
    with writing(other):
        recorder.fold_all()
        assert (known(other), recorder.folding.waiting) == (([], 1), True)
    recorder.fold_all()

    assert known(other) == ([1], 0)
    other.close()


def test_a_broken_disk_is_no_reason_to_give_a_mail_up(recorder, monkeypatch):
    def full(*_):
        error = sqlite3.OperationalError("disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    one(recorder, decided(1))
    with monkeypatch.context() as patch:
        patch.setattr(mailing_queue, "fold", full)
        recorder.fold_all()
        assert recorder.folding.pause == module.FAILED_SECONDS
    recorder.fold_all()

    assert known(recorder._db) == ([1], 0)


def test_portions_shrink_to_the_time_they_may_take(recorder):
    for n in range(400):
        one(recorder, decided(n))
    folding = Folding(recorder._db, None)
    lengths = []
    while folding.waiting:
        began = time.perf_counter()
        folding.fold()
        lengths.append(time.perf_counter() - began)

    assert known(recorder._db)[1] == 0
    assert module.LEAST <= folding._most <= module.MOST
    assert min(lengths) < 0.1


def test_served_mail_is_learned_within_a_second(tmp_path):
    keys, path = create_keys(tmp_path / "keys"), tmp_path / "nixie.db"

    async def main():
        stop = asyncio.Event()
        serving = asyncio.create_task(serve(settings_of(tmp_path), keys, Hooks(), stop))
        client = RecorderClient(tmp_path / "r.sock", deadline=20)
        reader = None
        try:
            while not (tmp_path / "r.sock").exists():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
            reader = open_reader(path)
            await client.ask(decided(1), b"{}")
            answered = time.monotonic()
            while known(reader) != ([1], 0):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
            return time.monotonic() - answered
        finally:
            stop.set()
            await serving
            await client.close()
            if reader is not None:
                reader.close()

    assert asyncio.run(main()) < 1.0
