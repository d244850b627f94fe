"""Small invented walks for the bench of misdirection: samples whose scores are written down, lines of a stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from values import Injection, OrgRun, Sample, Scored, Walked

START = datetime(2026, 1, 5, tzinfo=UTC)
ORG = "cba"


def sample(
    number: int,
    scores: Mapping[str, float],
    *,
    kind: str = "",
    wrong: str = "",
    true: str | None = None,
    named: bool = False,
    subkind: str = "",
    reply: bool = False,
    tuning: bool = False,
    split: bool = False,
    first: Iterable[str] = (),
    stopped: Iterable[str] = (),
    sender: str = "kim",
    original: int | None = None,
    factors: Mapping[str, float] | None = None,
    days: float = 0.0,
) -> Sample:
    """Return a judged message; with a `kind` its copy to `wrong` is the injected one."""
    line = f"m{number}" if original is None else f"m{original}.x.{kind}.{number}"
    injected = None
    if kind:
        injected = Injection(
            0, kind, subkind, ORG, line, f"m{number if original is None else original}", sender, reply, len(scores), wrong, true, True
        )  # fmt: skip
    fresh, held = set(first), set(stopped)
    recipients = tuple(
        Scored(
            a, p, true or "" if named and a == wrong else "", "", factors or {}, first_sender=a in fresh, first_org=a in fresh,
            disposition="hold-for-sender" if a in held else "deliver",
        )
        for a, p in scores.items()
    )  # fmt: skip
    at = START + timedelta(days=days, minutes=number)
    return Sample(line, ORG, sender, reply, bool(fresh), bool(fresh), recipients, injected, not kind, tuning, split, at)


def line(number: int, sender: str, to: str, text: str = "", *, judged: bool = False, incoming: bool = False) -> Walked:
    """Return a line of the walk; several recipients stand with spaces between them."""
    recipients = tuple(to.split())
    return Walked(
        f"m{number}", f"m{number}", ORG, START + timedelta(minutes=number), incoming, judged, True, sender, "", recipients,
        ("",) * len(recipients), "", text, (), False, judged, False, False,
    )  # fmt: skip


def run_of(lines: list[Walked], samples: list[Sample]) -> OrgRun:
    """Return the run of an organisation with these lines and samples."""
    return OrgRun(ORG, tuple(samples), lambda: iter(lines), frozenset(), {}, {})
