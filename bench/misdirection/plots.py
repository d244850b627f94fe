"""Plots as SVG in plain Python: curves with a logarithmic axis, points beside a diagonal, bars. Small multiples on one sheet.

Nothing is drawn that the tables beside it do not say. Colours are those of Okabe & Ito, told apart by people who see fewer; lines differ
in their dashes too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from math import log10

BLUE, ORANGE, GREEN, GREY, BLACK, PINK = "#0072b2", "#d55e00", "#009e73", "#8a8a8a", "#222222", "#cc79a7"
WIDTH, HEIGHT = 250, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 24, 38
FONT = 'font-family="system-ui, sans-serif"'


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its words, its ends, where it has ticks, and whether it is logarithmic."""

    label: str
    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def at(self, value: float) -> float:
        """Return where a value lies, 0 at the low end and 1 at the high one; what is beyond an end lies at it."""
        kept = min(max(value, self.low), self.high)
        if self.log:
            return log10(kept / self.low) / log10(self.high / self.low)
        return (kept - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or points where `dot` gives their radius."""

    name: str
    points: tuple[tuple[float, float], ...]
    colour: str = BLUE
    width: float = 2.0
    dash: str = ""
    dot: float = 0.0


@dataclass(frozen=True, slots=True)
class Panel:
    """One small plot; `shade` is a part of the x axis to draw grey, with its words."""

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    shade: tuple[float, float, str] | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar between 0 and 1, with its limits where they are known."""

    label: str
    value: float
    colour: str = BLUE
    limits: tuple[float, float] | None = None
    heading: str = field(default="")


def sheet(title: str, panels: list[Panel], columns: int = 4) -> str:
    """Return one SVG with all panels in rows, and one legend for the series of all of them."""
    columns = min(columns, max(1, len(panels)))
    names = {s.name: s for p in panels for s in p.series if s.name}
    rows = -(-len(panels) // columns)
    width = columns * WIDTH
    lines = _legend(list(names.values()), width)
    height = rows * HEIGHT + 20 * (1 + max((line for line, _, _ in lines), default=0)) + 8
    parts = [_open(title, width, height)]
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        parts.append(f'<g transform="translate({column * WIDTH},{row * HEIGHT})">{_panel(panel)}</g>')
    for line, x, series in lines:
        y = rows * HEIGHT + 14 + 20 * line
        parts.append(
            _stroke([(x, y - 4), (x + 24, y - 4)], series) if not series.dot else _dot(x + 12, y - 4, 4, series.colour)
        )
        parts.append(_text(x + 30, y, series.name, 11))
    return "".join([*parts, "</svg>"])


def bars(title: str, found: list[Bar], axis: str = "") -> str:
    """Return one SVG of horizontal bars in their order; a bar with a heading begins a group."""
    row, left, width = 19, 240, 720
    length = width - left - 60
    height = sum(row + (row if bar.heading else 0) for bar in found) + 26
    parts, y = [_open(title, width, height)], 0.0
    for bar in found:
        if bar.heading:
            parts.append(_text(4, y + 14, bar.heading, 12, weight="600"))
            y += row
        parts.append(_text(left - 8, y + 13, bar.label, 11, anchor="end"))
        parts.append(
            f'<rect x="{left}" y="{y + 3:.1f}" width="{length * bar.value:.1f}" height="13" fill="{bar.colour}"/>'
        )
        end = bar.value
        if bar.limits is not None:
            low, high = (left + length * e for e in bar.limits)
            end = max(end, bar.limits[1])
            parts.append(f'<path d="M{low:.1f} {y + 9.5:.1f}H{high:.1f}" stroke="{BLACK}" stroke-width="1.2"/>')
        parts.append(_text(left + length * end + 6, y + 13, f"{bar.value:.3f}", 11))
        y += row
    parts.append(f'<path d="M{left} 0V{y:.0f}" stroke="{BLACK}"/>')
    parts.append(_text(left, y + 18, axis, 11))
    return "".join([*parts, "</svg>"])


def _panel(panel: Panel) -> str:
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + wide * panel.x.at(x), TOP + tall * (1 - panel.y.at(y))

    parts = [_text(LEFT, 15, panel.title, 12, weight="600")]
    if panel.shade is not None:
        low, high = place(panel.shade[0], panel.y.low)[0], place(panel.shade[1], panel.y.low)[0]
        parts.append(
            f'<rect x="{low:.1f}" y="{TOP}" width="{max(0.0, high - low):.1f}" height="{tall}" fill="#eeeeee"/>'
        )
        if high - low > 70:
            parts.append(_text(low + 4, TOP + 11, panel.shade[2], 9, colour="#666666"))
    for tick in panel.x.ticks:
        x, y = place(tick, panel.y.low)
        parts.append(
            f'<path d="M{x:.1f} {TOP}V{y:.1f}" stroke="#e2e2e2"/>' + _text(x, y + 13, f"{tick:g}", 9, anchor="middle")
        )
    for tick in panel.y.ticks:
        x, y = place(panel.x.low, tick)
        parts.append(
            f'<path d="M{x:.1f} {y:.1f}h{wide}" stroke="#e2e2e2"/>' + _text(x - 4, y + 3, f"{tick:g}", 9, anchor="end")
        )
    parts.append(f'<path d="M{LEFT} {TOP}v{tall}h{wide}" fill="none" stroke="{BLACK}"/>')
    parts.append(_text(LEFT + wide / 2, HEIGHT - 8, panel.x.label, 10, anchor="middle"))
    parts.append(
        f'<text transform="translate(11,{TOP + tall / 2:.0f}) rotate(-90)" text-anchor="middle" font-size="10" {FONT}>{escape(panel.y.label)}</text>'
    )
    for series in panel.series:
        points = [place(*p) for p in series.points]
        if series.dot:
            parts += [_dot(x, y, series.dot, series.colour) for x, y in points]
        elif points:
            parts.append(_stroke(points, series))
    return "".join(parts)


def _legend(series: list[Series], width: int) -> list[tuple[int, float, Series]]:
    """Return line, place and series of each entry, as many on a line as fit."""
    found: list[tuple[int, float, Series]] = []
    line, x = 0, 8.0
    for each in series:
        room = 44 + 6.3 * len(each.name)
        if x + room > width and x > 8:
            line, x = line + 1, 8.0
        found.append((line, x, each))
        x += room
    return found


def _open(title: str, width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img">'
        f'<title>{escape(title)}</title><rect width="100%" height="100%" fill="#ffffff"/>'
    )


def _text(
    x: float, y: float, words: str, size: int, *, anchor: str = "start", weight: str = "400", colour: str = BLACK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{colour}" {FONT}>'
        f"{escape(words)}</text>"
    )


def _stroke(points: list[tuple[float, float]], series: Series) -> str:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dash = f' stroke-dasharray="{series.dash}"' if series.dash else ""
    return f'<path d="{path}" fill="none" stroke="{series.colour}" stroke-width="{series.width}"{dash}/>'


def _dot(x: float, y: float, radius: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}" fill-opacity="0.75"/>'
