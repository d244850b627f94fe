"""Which plots the page has: curves per kind, stated against observed, and who is ranked first beside what was published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aims import RIVALS, case
from baselines import COMBINED, TEXT
from calibration import ENOUGH_COPIES
from plots import BLACK, BLUE, GREEN, GREY, ORANGE, PINK, Axis, Bar, Panel, Series, bars, sheet
from results import PRODUCT
from yardstick import NAME as YARDSTICK

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLISHED_FIRST = (
    ("random", 0.406),
    (TEXT, 0.56),
    ("Knn-30 + frequency", 0.804),
    ("Knn-30 + frequency + co-occurrence + 3g", 0.814),
)
"""Prec@1 of Carvalho & Cohen 2007 on their Enron users."""

ALARMS = Axis("false alarms per 1,000 messages", 0.1, 100, (0.1, 1, 10, 100), log=True)
CAUGHT = Axis("recall", 0, 1, (0, 0.25, 0.5, 0.75, 1))
STATED = Axis("stated", 0.02, 1, (0.02, 0.05, 0.1, 0.2, 0.5, 1), log=True)
OBSERVED = Axis("observed", 0.005, 1, (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1), log=True)
LINES = {
    YARDSTICK: (BLACK, 1.3, "5 3"),
    "Knn-30 + frequency + co-occurrence": (ORANGE, 1.6, ""),
    "the same, fitted to all kinds": (ORANGE, 1.2, "4 2"),
    TEXT: (PINK, 1.2, "2 2"),
    "frequency": (GREEN, 1.2, "6 2 2 2"),
    "edit distance": (GREY, 1.4, ""),
    "first contact (organisation)": (GREY, 1.2, "2 3"),
}


def drawn(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return title and SVG of each plot by its name."""
    orgs = found["organisations"]
    plots = {
        f"recall-{org}": (f"Recall against false alarms, {org}", _curves(org, figures)) for org, figures in orgs.items()
    }
    plots["calibration"] = (
        "Stated and observed probability",
        sheet("Stated and observed probability", list(_reliability(orgs))),
    )
    plots["first-place"] = ("Injected recipients ranked first (A)", _first_place(orgs))
    return plots


def _curves(org: str, figures: dict[str, Any]) -> str:
    panels = []
    total = figures["detectors"][PRODUCT]["untouched"]
    unsure = (0.1, min(100.0, 10_000 / total), "not measurable") if total else None
    for label in figures["detectors"][PRODUCT]["curves"]:
        told = case(figures, PRODUCT, label)
        if not told:
            continue
        series = [
            Series(name, tuple(map(tuple, figures["detectors"][name]["curves"][label])), *LINES[name]) for name in LINES
        ]
        series.append(Series("Nixie", tuple(map(tuple, figures["detectors"][PRODUCT]["curves"][label])), BLUE, 2.6))
        panels.append(Panel(f"{label} ({told['injected']:,})", ALARMS, CAUGHT, tuple(series), unsure))
    return sheet(f"Recall against false alarms, {org}", panels)


def _reliability(orgs: dict[str, Any]) -> Iterator[Panel]:
    diagonal = Series("as stated", ((0.02, 0.02), (1, 1)), BLACK, 1.0, "4 3")
    bounds = [
        Series("within a factor of 1.5", ((0.02, 0.02 * f), (1 / max(f, 1), min(1, f))), GREY, 1.0, "2 2")
        for f in (1.5, 1 / 1.5)
    ]
    for org, figures in orgs.items():
        for one_in, told in figures["calibration"].items():
            seen = [b for b in told["bins"] if b["observed"]]
            many = [b for b in seen if b["counts"]]
            few = [b for b in seen if not b["counts"]]
            series = [
                diagonal,
                *bounds,
                _dots(f"bin of {ENOUGH_COPIES} copies or more", many, BLUE),
                _dots("smaller bin", few, GREY),
            ]
            yield Panel(f"{org}, one in {int(one_in):,}", STATED, OBSERVED, tuple(series))


def _dots(name: str, bins: list[dict[str, Any]], colour: str) -> Series:
    return Series(name, tuple((b["stated"], b["observed"]) for b in bins), colour, dot=4.0)


def _first_place(orgs: dict[str, Any]) -> str:
    found = [
        Bar(name, value, GREY, heading="published (Carvalho & Cohen 2007, Enron)" if i == 0 else "")
        for i, (name, value) in enumerate(PUBLISHED_FIRST)
    ]
    for org, figures in orgs.items():
        heading = f"{org}, this run"
        for name in ("random", *(r for r in RIVALS if r in ("frequency", TEXT, *COMBINED)), YARDSTICK, PRODUCT):
            told = case(figures, name, "A")
            if told.get("prec1") is not None:
                colour = BLUE if name == PRODUCT else BLACK if name == YARDSTICK else ORANGE
                found.append(
                    Bar(
                        "Nixie" if name == PRODUCT else name,
                        told["prec1"],
                        colour,
                        tuple(told["prec1_interval"]),
                        heading,
                    )
                )
                heading = ""
    return bars(
        "Injected recipients ranked first (A)",
        found,
        "share of messages in which the injected recipient is ranked first",
    )
