"""A guard that runs while the tests of a module do, and the copies it holds."""

from __future__ import annotations

import itertools
import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from support.cli_world import SLIP, Held
from support.guard import Guard

_NUMBERS = itertools.count(1)
SETTINGS = {"notice": {"wait": "0s"}, "checks.destination": {"listed_countries": ["KP"]}}


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """A guard of army.mil with an outbox as next hop."""
    with Guard(tmp_path_factory.mktemp("guard"), milter="tcp", settings=SETTINGS) as guard:
        yield guard


@pytest.fixture
def hold_one(guard: Guard) -> Callable[..., Held]:
    """Send a mail with a slip and return the held copy; every recipient is a new one, as a release clears the address."""

    def send(domain: str = "army.ml") -> Held:
        number = next(_NUMBERS)
        held = Held("", f"held-{number}@army.mil", f"ops{number}@{domain}", f"ops{number}@army.mil")
        text = SLIP.replace("slip@army.mil", held.message_id).replace("ops@army.ml", held.recipient)
        with smtplib.SMTP("127.0.0.1", guard.smtp_port, timeout=60) as client:
            client.sendmail("ann@army.mil", [held.recipient, "bob@army.mil"], text)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if found := guard.holds_to(held.recipient, "waiting"):
                return replace(held, id=found[0]["id"])
            time.sleep(0.02)
        raise AssertionError(f"the copy was not held:\n{guard.log[-2000:]}")

    return send
