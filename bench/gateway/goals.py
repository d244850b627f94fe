"""The goals, and the table that sets each beside what was measured."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """One measured figure beside its goal; `at_most` says which side of the goal is good."""

    measure: str
    goal: float
    measured: float
    unit: str
    at_most: bool = True

    @property
    def met(self) -> bool:
        """Return whether the goal is reached."""
        return self.measured <= self.goal if self.at_most else self.measured >= self.goal


@dataclass
class Table:
    """All lines of a run."""

    lines: list[Line] = field(default_factory=list)

    def at_most(self, measure: str, goal: float, measured: float, unit: str) -> None:
        """Add a figure that should be small."""
        self.lines.append(Line(measure, goal, measured, unit))

    def at_least(self, measure: str, goal: float, measured: float, unit: str) -> None:
        """Add a figure that should be large."""
        self.lines.append(Line(measure, goal, measured, unit, at_most=False))

    def text(self) -> str:
        """Return the table as people read it."""
        rows = [("measure", "goal", "measured", "")]
        for line in self.lines:
            sign = "<=" if line.at_most else ">="
            verdict = "met" if line.met else "NOT MET"
            rows.append(
                (line.measure, f"{sign} {line.goal:g} {line.unit}", f"{line.measured:.3g} {line.unit}", verdict)
            )
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        return "\n".join(
            "  ".join((*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[3])).rstrip() for row in rows
        )

    def json(self) -> list[dict[str, object]]:
        """Return the lines, JSON-ready."""
        return [
            {
                "measure": e.measure,
                "goal": e.goal,
                "at_most": e.at_most,
                "measured": round(e.measured, 4),
                "unit": e.unit,
                "met": e.met,
            }
            for e in self.lines
        ]
