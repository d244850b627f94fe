"""The supervisor is killed: nobody stays behind on its sockets, and the next one serves at once."""

import signal
import socket

import pytest

from support.breaking import Traffic, alive, check_sums, eventually, kill, serve_fails
from support.mail import submit

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def half_open(guard):
    """Return connections that stand in the middle of something at each door."""
    smtp = socket.create_connection(("127.0.0.1", guard.smtp_port), 10)
    smtp.sendall(b"EHLO x\r\nMAIL FROM:<ann@army.mil>\r\nRCPT TO:<f@friend.example>\r\nDATA\r\nFrom: a")
    milter = socket.socket(socket.AF_UNIX)
    milter.connect(guard.milter_address.removeprefix("unix:"))
    milter.sendall(b"\0\0")
    pages = socket.create_connection(("127.0.0.1", guard.http_port), 10)
    pages.sendall(b"GET /d/x HTTP/1.1\r\nHos")
    return smtp, milter, pages


def test_children_end_with_their_supervisor_and_the_next_one_serves_at_once(guard, world):
    guard.start()
    open_ones = half_open(guard)
    with Traffic(guard) as traffic:
        eventually(lambda: traffic.answered > 3, "some answers")
        left = guard.kill_supervisor()
        guard.start()
        have = traffic.answered
        eventually(lambda: traffic.answered > have + 3, "answers of the next guard")
        sent = traffic.finish()
    guard.wait_settled()
    for one in open_ones:
        one.close()

    assert len(left) == 4
    assert not any(alive(pid) for pid in left)
    check_sums(guard, world, sent, twice=4, notices_twice=1)


def test_children_that_stand_still_or_only_just_start_end_with_their_supervisor(guard):
    guard.start()
    kill(guard.one("recorder"), signal.SIGSTOP)
    first = guard.one("worker")
    kill(first)
    eventually(lambda: guard.children().get("worker", [first]) != [first], "a worker that starts")
    left = guard.kill_supervisor()
    guard.start()

    assert not any(alive(pid) for pid in left)


def test_a_second_guard_on_the_same_home_is_refused_and_hurts_nobody(guard, world):
    guard.start()

    assert "another guard" in serve_fails(guard)
    assert submit(guard.smtp_port, b"Message-ID: <a@army.mil>\r\n\r\nx\r\n", ["f@friend.example"])[0] == 250
