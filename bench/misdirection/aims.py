"""The goals, each beside what was measured: met, not met, or not measurable here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baselines import NAMES
from results import PRODUCT
from yardstick import NAME as YARDSTICK

if TYPE_CHECKING:
    from collections.abc import Iterator

RIVALS = tuple(name for name in NAMES if name != "random")
"""What counts as a published baseline: the best of these, kind by kind."""

KNN_AND_FREQUENCY = "Knn-30 + frequency"
LISTS = ("usrp", "btrfs")
FIRST_AIMS = {"lists": {"B": 0.65, "E": 0.75}, "enron": {"B": 0.25, "E": 0.50}}
MEANS = {"lists": 0.85, "enron": 0.70}
FACTOR, SLOPE = 1.5, (0.8, 1.25)
LEAST_CASES = 10
"""Fewer injected copies than this are no measurement."""


@dataclass(frozen=True, slots=True)
class Aim:
    """One goal in one organisation (`org` "" for all together). `met` is None where it is not measurable."""

    measure: str
    org: str
    goal: str
    measured: str
    met: bool | None

    @property
    def word(self) -> str:
        """Return the verdict as the page prints it."""
        return "*not measurable here*" if self.met is None else "met" if self.met else "**not met**"


def aims(found: dict[str, Any]) -> list[Aim]:
    """Return all goals of the figures of `results.figures`."""
    orgs = found["organisations"]
    told = [aim for org, figures in orgs.items() for aim in _traffic(org, figures)]
    told += list(_first_place(orgs))
    for org, figures in orgs.items():
        told += [*_typed(org, figures), *_twins(org, figures), *_people(org, figures)]
    for org, figures in orgs.items():
        told += [*_right_recipients(org, figures), *_calibration(org, figures)]
    return told


def case(figures: dict[str, Any], detector: str, label: str) -> dict[str, Any]:
    """Return the figures of a kind, empty where it was not injected often enough."""
    told: dict[str, Any] = figures["detectors"][detector]["kinds"].get(label, {}).get("all", {})
    return told if told.get("injected", 0) >= LEAST_CASES else {}


def recall(figures: dict[str, Any], detector: str, label: str, budget: str) -> tuple[float | None, bool]:
    """Return a recall and whether it is measurable here; None where there are no cases."""
    told = case(figures, detector, label).get("recall", {}).get(budget)
    return (told["value"], told["measurable"]) if told else (None, False)


def best_rival(figures: dict[str, Any], label: str, budget: str) -> tuple[str, float]:
    """Return the published baseline that catches most of a kind at an allowance, and how much."""
    values = {name: recall(figures, name, label, budget)[0] or 0.0 for name in RIVALS}
    name = max(values, key=lambda n: values[n])
    return name, values[name]


def _traffic(org: str, figures: dict[str, Any]) -> Iterator[Aim]:
    q = figures["questions"]
    rate = q["per_1000"]
    if rate is None:
        return
    low, high = q["interval"]
    sure = high <= 0.5 or low > 0.5
    yield Aim(
        "shipped policy, untouched test traffic", org, "<= 0.5 questions per 1,000",
        f"{rate:.2f} ({low:.2f} to {high:.2f}), {q['asked']} of {q['untouched']:,}" + ("" if sure else "; the interval holds the goal"), rate <= 0.5,
    )  # fmt: skip
    quarter, week = q["per_sender_quarter"], q["per_sender_week_p99"]
    yield Aim("questions per sender and quarter, median", org, "<= 1", f"{quarter:g}", quarter <= 1)
    yield Aim("questions per sender and week, p99", org, "<= 1", f"{week:g}", week <= 1)


def _first_place(orgs: dict[str, Any]) -> Iterator[Aim]:
    values: dict[str, tuple[float, float]] = {}
    for org, figures in orgs.items():
        ours, theirs = (case(figures, d, "A").get("prec1") for d in (PRODUCT, KNN_AND_FREQUENCY))
        if ours is not None and theirs is not None:
            values[org] = ours, theirs
    if not values:
        return
    mean = sum(ours for ours, _ in values.values()) / len(values)
    yield Aim("A: Prec@1, mean of organisations", "", ">= 0.90", f"{mean:.3f}", mean >= 0.90)
    for org, (ours, theirs) in values.items():
        yield Aim(
            "A: error against Knn + frequency", org, f"<= 0.6 x {1 - theirs:.3f} = {0.6 * (1 - theirs):.3f}", f"{1 - ours:.3f}", 1 - ours <= 0.6 * (1 - theirs)
        )  # fmt: skip


def _typed(org: str, figures: dict[str, Any]) -> Iterator[Aim]:
    for label in ("C known", "C2 known"):
        told = case(figures, PRODUCT, label)
        if not told:
            continue
        yield _at_least(f"{label}: recall at 1 per 1,000", org, 0.95, *recall(figures, PRODUCT, label, "1"))
        s = told["suggested"]
        first = s["of_flagged"] if s["of_flagged"] is not None else s["of_all"]
        of = f"of {s['flagged']} flagged" if s["of_flagged"] is not None else f"of {s['known']}"
        if first is not None:
            yield Aim(f"{label}: right suggestion first", org, ">= 0.99", f"{first:.3f} {of}", first >= 0.99)


def _twins(org: str, figures: dict[str, Any]) -> Iterator[Aim]:
    if case(figures, PRODUCT, "F"):
        yield _at_least("F: recall at 5 per 1,000", org, 0.95, *recall(figures, PRODUCT, "F", "5"))


def _people(org: str, figures: dict[str, Any]) -> Iterator[Aim]:
    for label in ("B single", "B several", "E"):
        value, measurable = recall(figures, PRODUCT, label, "5")
        if value is None:
            continue
        name, best = best_rival(figures, label, "5")
        yield _at_least(
            f"{label} at 5 per 1,000, 1.5 x the best baseline ({name}, {best:.3f})", org, 1.5 * best, value, measurable
        )
        top = recall(figures, YARDSTICK, label, "5")[0] or 0.0
        yield _at_least(f"{label} at 5 per 1,000, 0.9 x the yardstick ({top:.3f})", org, 0.9 * top, value, measurable)
        aim = FIRST_AIMS.get("lists" if org in LISTS else org, {}).get(label[0])
        if aim is not None:
            yield _at_least(f"{label} at 5 per 1,000, first aim", org, aim, value, measurable)


def _right_recipients(org: str, figures: dict[str, Any]) -> Iterator[Aim]:
    labels = [
        label for label in figures["detectors"][PRODUCT]["kinds"] if label != "D" and case(figures, PRODUCT, label)
    ]
    behind = []
    for label in labels:
        ours = case(figures, PRODUCT, label)["at_right_recipients"]
        best = max(case(figures, name, label)["at_right_recipients"] for name in RIVALS)
        if ours <= best:
            behind.append(f"{label} {ours:.3f} against {best:.3f}")
    enough = figures["detectors"][PRODUCT]["right_recipients"] * 0.005 >= 10
    if labels:
        words = "ahead on every kind" if not behind else "behind on " + ", ".join(behind)
        yield Aim(
            "0.5 % of right recipients flagged: every published baseline, every kind",
            org,
            "beaten",
            words,
            (not behind) if enough else None,
        )
    goal = MEANS.get("lists" if org in LISTS else org)
    mean = figures["mean_at_right_recipients"][PRODUCT]
    if goal is not None and mean is not None:
        yield _at_least("0.5 % of right recipients flagged: mean of kinds without D", org, goal, mean, enough)


def _calibration(org: str, figures: dict[str, Any]) -> Iterator[Aim]:
    for one_in, told in figures["calibration"].items():
        where = f"calibration at one slip in {int(one_in):,}"
        if told["slope"] is None:
            yield Aim(f"{where}: slope", org, "0.8 to 1.25", "no copy of both kinds", None)
            continue
        yield Aim(f"{where}: slope", org, "0.8 to 1.25", f"{told['slope']:.2f}", SLOPE[0] <= told["slope"] <= SLOPE[1])
        ratios = [(b["stated"] / b["observed"] if b["observed"] else float("inf")) for b in told["bins"] if b["counts"]]
        off = [r for r in ratios if not 1 / FACTOR <= r <= FACTOR]
        ends = f", {min(ratios):.2f} to {max(ratios):.2f}" if ratios else ""
        yield Aim(
            f"{where}: stated / observed", org, "within 1.5 in every bin of >= 50", f"{len(ratios) - len(off)} of {len(ratios)} bins{ends}",
            not off if ratios else None,
        )  # fmt: skip
        loss, guess = told["log_loss"], told["log_loss_of_guess"]
        yield Aim(f"{where}: log loss", org, f"< {guess:.4f} (base-rate guess)", f"{loss:.4f}", loss < guess)


def _at_least(measure: str, org: str, goal: float, value: float | None, measurable: bool) -> Aim:
    shown = "no cases" if value is None else f"{value:.3f}"
    return Aim(measure, org, f">= {goal:.3f}", shown, value >= goal if value is not None and measurable else None)
