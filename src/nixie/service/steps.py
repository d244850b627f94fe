"""The numbered steps between "message received" and "outcome recorded", for tests that kill the guard at each of them.

`reached` does nothing unless a step was armed by name; then the process ends itself as a power failure would, with no
handler run and no buffer written, or stops so that a test can end another process at that moment. Only the shell of a
service arms one, from the variable `NIXIE_CRASH_AT`; nothing here reads the environment.
"""

from __future__ import annotations

import asyncio
import os
import signal
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CRASH_AT = "NIXIE_CRASH_AT"
PAUSE = "=pause"
SOON_SECONDS = 0.02


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


_armed: list[tuple[Step, int, signal.Signals]] = []


def arm(text: str) -> None:
    """Arm one step by name, `before-commit` or `before-commit:3` for the third time; `""` disarms.

    With `=pause` behind it the process stops there (SIGSTOP) until it is told to go on. Raises ValueError, naming the steps
    there are.
    """
    _armed.clear()
    if not text:
        return
    place, pause, _ = text.partition(PAUSE)
    name, _, times = place.partition(":")
    try:
        how = signal.SIGSTOP if pause else signal.SIGKILL
        _armed.append((Step[name.upper().replace("-", "_")], int(times or 1), how))
    except (KeyError, ValueError):
        known = ", ".join(step.name.lower().replace("_", "-") for step in Step)
        raise ValueError(f"{CRASH_AT}={text}: no such step; there are {known}, each with :N for the Nth time") from None


def reached(step: Step) -> None:
    """Say that a step is reached; the process dies or stops here when it is the armed one."""
    if _armed and _armed[0][0] is step:
        _, left, how = _armed[0]
        _armed[0] = (step, left - 1, how)
        if left <= 1:
            _armed.clear()
            os.kill(os.getpid(), how)


def reached_soon(step: Step) -> None:
    """Say in a running loop that a step is reached once what was written has left the process."""
    if _armed:
        asyncio.get_running_loop().call_later(SOON_SECONDS, reached, step)


def environment_of(role: str, start: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Return a child's environment: of the armed steps, those of its role alone, and of them the one for this start.

    `NIXIE_CRASH_AT=worker-1/spooled:2,worker-1/recorded,courier/notice-sent` arms the first two starts of one worker and the
    first of the courier; a child that is started once more lives. `role` in the variable is the beginning of a role's name.
    """
    own = dict(environment)
    told = [entry.partition("/") for entry in own.pop(CRASH_AT, "").split(",") if entry]
    mine = [step for beginning, _, step in told if role.startswith(beginning)]
    if start < len(mine):
        own[CRASH_AT] = mine[start]
    return own
