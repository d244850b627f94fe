"""The page of results in Markdown: one table of goals, and of each organisation what was caught, by whom, and what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aims import Aim, best_rival, case, recall
from baselines import NAMES
from metrics import BUDGETS
from results import PRODUCT
from yardstick import NAME as YARDSTICK

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = {
    "A": "a 3g-address *added* (as published)",
    "B single": "a 3g-address *instead of* the only recipient",
    "B several": "a 3g-address instead of one of several",
    "C known": "typed slip, the intended address was known",
    "C unknown": "typed slip, nobody had met the intended address",
    "C2 known": "typed slip of published lists, target known",
    "C2 unknown": "typed slip of published lists, target unknown",
    "D": "an unseen stranger",
    "E": "a member of a known group replaced by a frequent contact from outside it",
    "F": "the private twin of a recipient",
}
NOTES = """Each figure is of one organisation; nothing is pooled. Recall is of injected slips, at a stated number of false alarms per 1,000 untouched
messages; in brackets the recall at the limits of the 95 % Poisson interval of that number. A column is missing, and named as
*not measurable here*, where fewer than 10 false alarms are expected. Thresholds are set on the untouched messages that are reported;
replies and new messages share one. Prec@1 is of messages with two recipients or more.

Knn-30 and its combinations are re-implemented from Carvalho & Cohen 2007; fitted to kind A as there, and once to all
kinds. The yardstick is gradient-boosted trees over what Nixie states of each copy and the plain counts: what an opaque model would make of
the same facts. Both are fitted on the tuning half, to the kinds of slips that are injected here; a message is never scored by a fit that saw it."""


def markdown(found: dict[str, Any], goals: Sequence[Aim], plots: dict[str, str]) -> str:
    """Return the page; `plots` are the lines that show them, by name."""
    parts = ["# Who was meant: results", NOTES, "## Goals", goals_table(goals)]
    if "first-place" in plots:
        parts += ["## Ranked first", plots["first-place"]]
    for org, figures in found["organisations"].items():
        parts += _organisation(org, figures, plots.get(f"recall-{org}", ""))
    parts += ["## Calibration", _calibration_note(), plots.get("calibration", ""), _calibration(found["organisations"])]
    return "\n\n".join(p for p in parts if p) + "\n"


def goals_table(goals: Sequence[Aim]) -> str:
    """Return every goal with what was measured, met or not."""
    return table(
        ("measure", "organisation", "goal", "measured", ""),
        [(a.measure, a.org or "all", a.goal, a.measured, a.word) for a in goals],
    )


def _organisation(org: str, figures: dict[str, Any], plot: str) -> list[str]:
    ours = figures["detectors"][PRODUCT]
    usable = [f"{b:g}" for b in BUDGETS if ours["budgets"][f"{b:g}"]["measurable"]]
    missing = [f"{b:g}" for b in BUDGETS if f"{b:g}" not in usable]
    half = "the test half" if figures["test_half"] else "all of it also used for tuning"
    head = f"{ours['untouched']:,} untouched messages with {ours['right_recipients']:,} right recipients ({half})."
    if missing:
        head += f" *Not measurable here*: {', '.join(missing)} per 1,000."
    if figures["lost"]:
        head += f" {figures['lost']} injected copies were not in the answer."
    return [
        f"## {org}", head, plot,
        f"### What Nixie finds, {org}", _kinds(ours, usable),
        *_beside(org, figures, usable),
        f"### False alarms of Nixie, {org}", _alarms(ours, usable),
        f"### Questions of the shipped policy, {org}", _questions(figures, usable),
    ]  # fmt: skip


def _kinds(ours: dict[str, Any], usable: list[str]) -> str:
    rows = []
    for label, strata in ours["kinds"].items():
        for name, told in strata.items():
            if not told["injected"] or (name != "all" and told["injected"] == strata["all"]["injected"]):
                continue
            first = "" if name != "all" else f" ({KINDS.get(label, '')})"
            rows.append(
                (
                    f"**{label}**{first}" if name == "all" else f"{label}, {name}", f"{told['injected']:,} of {told['messages']:,}", share(told["prec1"]),
                    *(_with_ends(told["recall"][b]) for b in usable), share(told["at_right_recipients"]), _suggested(told["suggested"]),
                )
            )  # fmt: skip
    head = (
        "kind",
        "copies of messages",
        "Prec@1",
        *(f"recall at {b}" for b in usable),
        "at 0.5 % of right recipients",
        "true address first",
    )
    return table(head, rows)


def _beside(org: str, figures: dict[str, Any], usable: list[str]) -> list[str]:
    """Return the tables that set baselines and yardstick beside the product."""
    detectors = (PRODUCT, YARDSTICK, *NAMES)
    labels = [label for label in figures["detectors"][PRODUCT]["kinds"] if case(figures, PRODUCT, label)]
    found = []
    if usable:
        budget = "5" if "5" in usable else usable[0]
        rows = [(name, *(share(recall(figures, name, label, budget)[0]) for label in labels)) for name in detectors]
        best = [best_rival(figures, label, budget)[0] for label in labels]
        rows.append(("*best published*", *best))
        found += [f"### Recall at {budget} per 1,000, {org}", table(("detector", *labels), rows)]
    rows = [
        (name, *(share(case(figures, name, label)["at_right_recipients"]) for label in labels), share(figures["mean_at_right_recipients"][name]))
        for name in detectors
    ]  # fmt: skip
    return [
        *found,
        f"### Recall with 0.5 % of right recipients flagged, {org}",
        table(("detector", *labels, "mean of kinds without D"), rows),
    ]


def _alarms(ours: dict[str, Any], usable: list[str]) -> str:
    rows = []
    for budget in usable:
        b = ours["budgets"][budget]
        low, high = b["interval"]
        rows.append(
            (
                budget, f"{b['alarms']:g}", f"{low:.2f} to {high:.2f}", f"{b['threshold']:.3g}",
                *(rate(b[f"per_1000_{part}"]) for part in ("new", "replies", "first_contact", "known_contact")),
            )
        )  # fmt: skip
    head = (
        "per 1,000",
        "alarms",
        "interval",
        "at stated",
        "new",
        "replies",
        "first contact of the sender",
        "no first contact",
    )
    return table(head, rows) if rows else "*Not measurable here.*"


def _questions(figures: dict[str, Any], usable: list[str]) -> str:
    q, read = figures["questions"], figures.get("read", {})
    low, high = q["interval"] or (None, None)
    right = q["right"]
    rows = [
        (
            "questions per 1,000 untouched messages",
            f"{rate(q['per_1000'])} ({rate(low)} to {rate(high)}), {q['asked']} in all",
        ),
        (
            "per sender and quarter: median, mean",
            f"{rate(q['per_sender_quarter'])}, {rate(q['per_sender_quarter_mean'])}",
        ),
        ("per sender and week, p99", rate(q["per_sender_week_p99"])),
        ("slips it asks about", ", ".join(f"{k} {v:.2f}" for k, v in q["recall"].items()) or "none injected"),
        ("right questions, at one slip in 500, 2,500, 10,000 messages", ", ".join(share(v) for v in right.values())),
    ]
    for budget in usable:
        shares = figures["right_questions"][budget]
        rows.append((f"the same at {budget} false alarms per 1,000", ", ".join(share(v) for v in shares.values())))
    if read:
        words = ", ".join(f"{read[w]} {w}" for w in ("right", "wrong", "unclear"))
        rows.append(("the highest-ranked clean alarms, read", f"{words}, {read['not_read']} not read"))
    return table(("", ""), rows)


def _calibration_note() -> str:
    return (
        "Copies with a stated probability of at least 0.02, injections re-weighted to one slip in 463 and in 2,500 messages, each kind but D with one share. "
        "Nixie states probabilities for one slip in 2,500; for 463 the stated odds are multiplied by the ratio of the base rates, "
        "as a site that states its own would see them. Beside it stands the fit of what is stated unmoved."
    )


def _calibration(orgs: dict[str, Any]) -> str:
    rows = []
    for org, figures in orgs.items():
        for one_in, told in figures["calibration"].items():
            unmoved = figures["calibration_unmoved"][one_in]
            rows.append(
                (
                    org, f"{int(one_in):,}", f"{told['copies']:,}, {told['untouched']:,} of them untouched", number(told["slope"]), number(told["intercept"]),
                    number(unmoved["slope"]), "; ".join(_bin(b) for b in told["bins"] if b["counts"]) or "none",
                    f"{number(told['log_loss'], 4)} / {number(told['log_loss_of_guess'], 4)}",
                )
            )  # fmt: skip
    head = (
        "organisation",
        "one in",
        "copies",
        "slope",
        "intercept",
        "slope unmoved",
        "stated:observed, bins of >= 50",
        "log loss / of the guess",
    )
    return table(head, rows)


def _bin(b: dict[str, Any]) -> str:
    low, high = b["observed_interval"]
    return f"{b['stated']:.3f}:{b['observed']:.3f} ({low:.3f} to {high:.3f})"


def _with_ends(told: dict[str, Any]) -> str:
    if not told["measurable"]:
        return "*not measurable here*"
    low, high = told["by_alarms"]
    return f"{told['value']:.3f} ({low:.2f} to {high:.2f})"


def _suggested(told: dict[str, Any]) -> str:
    if not told["known"]:
        return ""
    flagged = f", {told['of_flagged']:.3f} of flagged" if told["of_flagged"] is not None else ""
    return f"{told['of_all']:.3f}{flagged}"


def share(value: float | None) -> str:
    """Return a share as printed, a dash for none."""
    return "-" if value is None else f"{value:.3f}"


def rate(value: float | None) -> str:
    """Return a rate as printed, a dash for none."""
    return "-" if value is None else f"{value:.2f}"


def number(value: float | None, digits: int = 2) -> str:
    """Return a number as printed, a dash for none."""
    return "-" if value is None else f"{value:.{digits}f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
