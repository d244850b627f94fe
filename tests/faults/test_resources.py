"""What the guard does when a disk is full, a database locked, a process stuck, a client slow: later, and nothing is lost."""

import asyncio
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time

import pytest

from nixie.store.hold_states import State
from support.breaking import Sent, Traffic, check_sums, eventually, kill, try_once
from support.mail import message, submit

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

SLIP = ["crew@army.ml"]


@pytest.fixture
def small_disk(guard):
    """Put the installation's `var` on a disk of its own that a test can fill."""
    guard.make()
    var = guard.home / "var"
    var.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", var], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        if os.environ.get("NIXIE_REQUIRE") == "all":
            pytest.fail(f"no tmpfs: {done.stderr}")
        pytest.skip(f"no small disk to fill: {done.stderr.strip()}")
    yield var
    guard.stop()
    subprocess.run(["umount", "-l", var], check=False)


def fill(folder):
    """Write until nothing fits any more; return the file."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1 << 9, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def once(guard, one):
    """Offer a message once at its door; return whether the answer was final."""
    asyncio.run(try_once(guard, one))
    return one.answered


def messages(prefix, count=4):
    doors = ("smtp", "milter")
    return [
        Sent(f"{prefix}{n}@army.mil", doors[n % 2], (f"{prefix}{n}@friend.example", f"{prefix}{n}@army.ml"))
        for n in range(count)
    ]


def test_a_full_disk_is_try_again_later_and_nothing_is_lost(guard, world, small_disk):
    guard.start()
    before = messages("before")
    assert all(once(guard, one) for one in before)
    eventually(world.notices, "a notice")
    filler = fill(small_disk)
    during = messages("during", 8)
    big = message("<big@army.mil>", SLIP, body="x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 3000)

    # What fits into a page that the database owns already may still be recorded; a message never fits.
    answered = [once(guard, one) for one in during]
    assert submit(guard.smtp_port, big, SLIP)[0] in (451, 452)
    assert not all(answered)

    filler.unlink()
    for one in during:
        eventually(lambda one=one: one.answered or once(guard, one), f"an answer for {one.id}")
    guard.wait_settled()
    check_sums(guard, world, before + during, twice=8)
    assert submit(guard.smtp_port, big, SLIP)[0] == 250


def test_a_file_that_may_not_grow_is_try_again_later(guard, world):
    """The same for one who is not root: the worker's files end after a few kilobytes (RLIMIT_FSIZE)."""
    guard.start()
    worker = guard.one("worker")
    resource_limit(worker, 4096)
    big = message("<big@army.mil>", SLIP, body="y" * 70 + "\r\n" * 9000)
    assert submit(guard.smtp_port, big, SLIP)[0] == 451
    assert not guard.stands()

    resource_limit(worker, -1)
    assert submit(guard.smtp_port, big, SLIP)[0] == 250
    assert [h.state for h in guard.stands()] == [State.WAITING]
    assert guard.one("worker") == worker


def resource_limit(pid, size):
    import resource

    soft = resource.RLIM_INFINITY if size < 0 else size
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))


def test_a_database_that_another_process_locks_is_try_again_later(guard, world):
    guard.start()
    during = messages("locked")
    other = sqlite3.connect(guard.places.database, isolation_level=None, timeout=30)
    other.execute("BEGIN IMMEDIATE")
    assert not any(once(guard, one) for one in during)
    other.execute("ROLLBACK")
    other.close()

    for one in during:
        eventually(lambda one=one: one.answered or once(guard, one), f"an answer for {one.id}")
    guard.wait_settled()
    check_sums(guard, world, during)


def test_a_recorder_that_stands_still_is_try_again_later_within_the_deadline(guard, world):
    guard.start()
    recorder = guard.one("recorder")
    kill(recorder, signal.SIGSTOP)
    during = messages("still")
    begun = time.monotonic()
    answers = [once(guard, one) for one in during]
    took = time.monotonic() - begun
    kill(recorder, signal.SIGCONT)

    assert not any(answers)
    assert took < 5 * len(during) + 10
    for one in during:
        eventually(lambda one=one: one.answered or once(guard, one), f"an answer for {one.id}")
    assert guard.one("recorder") == recorder
    guard.wait_settled()
    check_sums(guard, world, during)


def slow(guard, sends):
    """Return a connection to the SMTP door that has said so much and says no more."""
    client = socket.create_connection(("127.0.0.1", guard.smtp_port), 30)
    client.sendall(sends)
    return client


def test_slow_and_silent_clients_stop_nobody_else_and_are_sent_away(guard, world):
    guard.settings = {"smtp": {"idle": "4s", "sessions": 30}, "milter": {"idle": "4s"}}
    guard.start()
    talk = b"EHLO x\r\nMAIL FROM:<ann@army.mil>\r\nRCPT TO:<f@friend.example>\r\nDATA\r\nSubject: x\r\n"
    silent = [slow(guard, talk[:cut]) for cut in (0, 3, 8, 40, 60)]
    milters = []
    for cut in (0, 3, 5):
        client = socket.socket(socket.AF_UNIX)
        client.connect(guard.milter_address.removeprefix("unix:"))
        client.sendall(b"\0\0\0\x0dO\0\0"[:cut])
        milters.append(client)
    dripping = slow(guard, b"")
    begun = time.monotonic()
    with Traffic(guard, 12) as traffic:
        for byte in b"EHLO dripping.exam":
            try:
                dripping.sendall(bytes((byte,)))
            except OSError:
                break
            time.sleep(0.3)
        sent = traffic.finish()

    for client in (*silent, *milters, dripping):
        client.settimeout(60)
        heard = b""
        try:
            while piece := client.recv(4096):
                heard += piece
        except ConnectionResetError:
            pass
        client.close()
    assert time.monotonic() - begun < 60
    guard.wait_settled()
    check_sums(guard, world, sent)


def test_sessions_are_bounded_and_a_place_that_is_free_is_taken(guard, world):
    guard.settings = {"smtp": {"sessions": 5}}
    guard.start()
    full = [slow(guard, b"EHLO x\r\n") for _ in range(5)]
    assert all(re.match(rb"220 ", client.recv(4096)) for client in full)
    refused = slow(guard, b"")
    assert refused.recv(4096).startswith(b"421 4.3.2")
    refused.close()

    full.pop().close()
    eventually(lambda: greeted(guard), "a greeting")
    for client in full:
        client.close()


def greeted(guard):
    client = slow(guard, b"")
    said = client.recv(4096)
    client.close()
    return said.startswith(b"220 ")
