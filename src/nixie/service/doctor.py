"""What `nixie doctor` says: one point for each thing it looked at, with the remedy beside each mistake.

The checks are functions of values (`doctor_postfix`: a parsed Postfix configuration and what the guard says of itself) or look at
the machine (`doctor_home`). Both give points; whoever shows them decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a point stands: well, worth a thought, or wrong."""

    OK = "ok"
    ADVICE = "advice"
    MISTAKE = "mistake"


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that was looked at: its name (stable, for scripts), what was seen, and what to do (`""` when nothing)."""

    level: Level
    name: str
    text: str
    remedy: str = ""


def ok(name: str, text: str) -> Point:
    """Return a point about something that is well."""
    return Point(Level.OK, name, text)


def advice(name: str, text: str, remedy: str) -> Point:
    """Return a point about something to think about."""
    return Point(Level.ADVICE, name, text, remedy)


def mistake(name: str, text: str, remedy: str) -> Point:
    """Return a point about something that loses mail, lets slips pass, or breaks a promise."""
    return Point(Level.MISTAKE, name, text, remedy)
