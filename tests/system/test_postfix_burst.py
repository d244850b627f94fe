"""Many sessions at once, over TCP and over a unix socket, with several workers: every message arrives and is recorded once."""

from __future__ import annotations

import json
import smtplib
import subprocess
import time

import pytest

from support.behind_postfix import Chain
from support.mail import message
from support.postfix import need
from support.world_sink import eventually

pytestmark = pytest.mark.system

FINE, WRONG = 280, 20


@pytest.mark.parametrize("milter", ["unix", "tcp"])
def test_a_burst_of_ten_sessions_is_delivered_recorded_and_balanced(milter: str) -> None:
    need("smtp-source")
    with Chain(milter=milter, settings={"workers": {"count": 3}, "notice": {"wait": "1h"}}) as chain:
        runs = [burst(chain, "bob@example.com", FINE, 10), burst(chain, "ops@army.ml", WRONG, 2)]
        assert [run.wait(120) for run in runs] == [0, 0]

        eventually(lambda: len(chain.world.mails_to("bob@example.com")) == FINE, "all messages")
        assert chain.world.mails_to("ops@army.ml") == []
        assert len(chain.guard.holds_to("ops@army.ml")) == WRONG
        assert chain.guard.rows() == FINE + WRONG + WRONG  # a decision each, and a hold
        code, balance = chain.guard.try_("holds", "balance", "--json")
        assert (code, json.loads(balance)["ok"]) == (0, True)
        assert "milter-reject" not in chain.postfix.text()
        # A milter over TCP that acknowledges late costs 40 ms in every single message, so the quickest one tells.
        assert min(times_of(chain, 30)) < 0.035


def times_of(chain: Chain, count: int) -> list[float]:
    """Return how long each of some messages of one session took, in seconds."""
    times = []
    with smtplib.SMTP("127.0.0.1", chain.postfix.port, timeout=60) as client:
        for number in range(count):
            content = message(f"<time{number}@army.mil>", ["bob@army.mil"])
            begun = time.monotonic()
            client.sendmail("ann@army.mil", ["bob@army.mil"], content)
            times.append(time.monotonic() - begun)
    return times


def burst(chain: Chain, to: str, count: int, sessions: int) -> subprocess.Popen[bytes]:
    words = ["-s", str(sessions), "-m", str(count), "-l", "5000", "-f", "ann@army.mil", "-t", to]
    return subprocess.Popen(["/usr/sbin/smtp-source", *words, f"127.0.0.1:{chain.postfix.port}"])
