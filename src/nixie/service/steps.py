"""The numbered steps between "message received" and "outcome recorded", for tests that kill the guard at each of them.

`reached` does nothing unless a step was armed by name; then the process ends itself as a power failure would, with no
handler run and no buffer written. Only the shell of a service arms one, from the variable `NIXIE_CRASH_AT`; nothing here
reads the environment.
"""

from __future__ import annotations

import os
import signal
from enum import IntEnum


class Step(IntEnum):
    """Where a process may die; the order is that of a held copy's life."""

    RECEIVED = 1
    """A door has the whole message."""
    JUDGED = 2
    """The verdict is made, nothing is written."""
    SPOOLED = 3
    """The held message is encrypted and synced."""
    BEFORE_COMMIT = 4
    """The recorder has written a group and not committed it."""
    AFTER_COMMIT = 5
    """The group is durable, nobody was told."""
    RECORDED = 6
    """The worker knows that the decision is durable; its door has not answered."""
    BEFORE_CONFIRM = 7
    """The proxy has the next hop's answer; its provisional holds are not confirmed."""
    CONFIRMED = 8
    """The provisional holds are firm; the client has no reply."""
    ANSWERED = 9
    """The mail server or client has its reply."""
    NOTICE_SENT = 10
    """A notice was taken by its hop; the record does not say so."""
    RELEASE_BEGUN = 11
    """The intention to release is durable; nothing was sent."""
    RELEASE_TAKEN = 12
    """The next hop said 250; the record does not say so."""
    OUTCOME_RECORDED = 13
    """The record says so."""


_armed: list[tuple[Step, int]] = []


def arm(text: str) -> None:
    """Arm one step by name, `before-commit` or `before-commit:3` for the third time; `""` disarms.

    Raises ValueError, naming the steps there are.
    """
    _armed.clear()
    if not text:
        return
    name, _, times = text.partition(":")
    try:
        _armed.append((Step[name.upper().replace("-", "_")], int(times or 1)))
    except (KeyError, ValueError):
        known = ", ".join(step.name.lower().replace("_", "-") for step in Step)
        raise ValueError(
            f"NIXIE_CRASH_AT={text}: no such step; there are {known}, each with :N for the Nth time"
        ) from None


def reached(step: Step) -> None:
    """Say that a step is reached; the process dies here when it is the armed one."""
    if _armed and _armed[0][0] is step:
        left = _armed[0][1] - 1
        _armed[0] = (step, left)
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
