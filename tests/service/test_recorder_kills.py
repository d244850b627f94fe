"""The recorder as a process: what it answered is there exactly once, wherever it was killed."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from nixie.core.mailing import Mailing
from nixie.service.recorder_client import RecorderClient, RecorderUnavailableError, ask_once
from nixie.service.requests import AddressList, decision
from nixie.store import hold_views, mailing_queue
from nixie.store.db import open_reader
from nixie.store.heads import last_head
from nixie.store.hold_states import State
from nixie.store.keys import create_keys
from nixie.store.ledger import Kind, rows_after, story, verify
from support.recording import ANN, AT, OPS, act, held, plain

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


@pytest.fixture
def home(tmp_path):
    create_keys(tmp_path / "keys")
    return tmp_path


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


def test_killed_before_a_mail_was_learned_the_next_recorder_learns_it_before_it_answers(home):
    mailing = Mailing(7, datetime(2026, 3, 1, tzinfo=UTC), ANN, (OPS,))
    process = start(home, "after-commit")
    while not (home / "r.sock").exists():
        time.sleep(0.05)
    with pytest.raises(RecorderUnavailableError):
        ask_once(home / "r.sock", decision(AT, "m1@x", AddressList((ANN, OPS)), mailing=mailing), b"{}")
    assert process.wait(20) == -signal.SIGKILL
    db = open_reader(home / "nixie.db")
    left = mailing_queue.waiting(db), db.execute("SELECT key FROM mailing").fetchall()
    process = start(home)
    patiently(home, {"do": "ping"})
    process.kill()
    process.wait(20)

    assert left == (1, [])
    assert (mailing_queue.waiting(db), db.execute("SELECT key FROM mailing").fetchall()) == (0, [(7,)])


def test_terminated_it_finishes_signs_and_removes_its_socket(home):
    process = start(home)
    patiently(home, plain("m1@x"))
    process.terminate()

    assert process.wait(20) == 0
    assert not (home / "r.sock").exists()
    assert verify(open_reader(home / "nixie.db"), last_head(home / "heads.jsonl")).tail_proven
