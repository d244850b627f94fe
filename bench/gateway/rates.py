"""The interleaved rounds: every contender behind a Postfix of its own, one after the other, round after round."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from load import NEVER, postfix_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from load import Loader, Pushed
    from rivals import Contender

    from support.postfix import PrivatePostfix


@dataclass(frozen=True)
class Case:
    """One kind of load: bytes a message, parallel sessions, messages a push, messages a connection, kind of message."""

    name: str
    size: int
    sessions: int
    count: int
    keep: int = NEVER
    kind: str = "thread"


CASES = (
    Case("5 kB, 20 sessions", 5_000, 20, 2_000),
    Case("5 kB, 20 sessions, a connection a message", 5_000, 20, 1_000, 1),
    Case("5 kB, 1 session", 5_000, 1, 400),
    Case("100 kB thread, 20 sessions", 100_000, 20, 500),
    Case("100 kB attachment, 20 sessions", 100_000, 20, 500, kind="attachment"),
)
TCP = Case("5 kB, 1 session, TCP", 5_000, 1, 300)


@dataclass
class Rates:
    """All pushes by (case, contender), and their medians."""

    pushes: dict[tuple[str, str], list[Pushed]] = field(default_factory=dict)

    def median(self, case: str, contender: str, what: str) -> float:
        """Return the median over the rounds of one figure of `Pushed`."""
        return statistics.median(getattr(one, what) for one in self.pushes[case, contender])

    def ratio(self, case: str, ours: str, theirs: str) -> float:
        """Return the median over the rounds of our rate divided by theirs in the same round."""
        pairs = zip(self.pushes[case, ours], self.pushes[case, theirs], strict=True)
        return statistics.median(one.rate / other.rate for one, other in pairs)

    def table(self) -> list[dict[str, object]]:
        """Return one row a case and contender, JSON-ready."""
        return [
            {
                "case": case,
                "contender": contender,
                "rate": round(self.median(case, contender, "rate"), 1),
                "cpu_ms": round(self.median(case, contender, "cpu"), 3),
                "p50_ms": round(self.median(case, contender, "p50"), 2),
                "p99_ms": round(self.median(case, contender, "p99"), 2),
                "rates": [round(p.rate, 1) for p in pushes],
                "refused": sum(p.refused for p in pushes),
            }
            for (case, contender), pushes in self.pushes.items()
        ]


def measure(
    contenders: Sequence[Contender],
    tcp: Sequence[Contender],
    loader: Loader,
    queues: Path,
    rounds: int,
    part: int,
    say: Callable[[str], None],
) -> tuple[Rates, dict[str, PrivatePostfix]]:
    """Run all cases; return what they showed and the Postfix of each contender, which the caller stops.

    The contenders are started already; each push is the `part`-th part of its case. A round gives every contender the same messages; a first push that does not count
    fills caches.
    """
    found = Rates()
    servers: dict[str, PrivatePostfix] = {}
    for contender in (*contenders, *tcp):
        servers[contender.name] = postfix_for(contender, queues)
    everybody = [(case, contenders) for case in CASES] + ([(TCP, tcp)] if tcp else [])
    for contender in (*contenders, *tcp):
        loader.push(
            servers[contender.name].port,
            contender,
            count=(4_000 if contender.name.startswith("nixie") else 500) // part,
            size=5_000,
            sessions=20,
            first=50_000,
        )
    for number in range(rounds):
        for place, (case, group) in enumerate(everybody):
            first = (number * len(everybody) + place) * 2_503
            for contender in group:
                pushed = loader.push(
                    servers[contender.name].port,
                    contender,
                    count=case.count // part,
                    size=case.size,
                    sessions=case.sessions,
                    keep=case.keep,
                    kind=case.kind,
                    first=first,
                )
                found.pushes.setdefault((case.name, contender.name), []).append(pushed)
                say(
                    f"round {number + 1}  {case.name:42} {contender.name:8} {pushed.rate:7.0f}/s  {pushed.cpu:5.2f} ms CPU"
                )
    return found, servers
