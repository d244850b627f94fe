"""A walk forward keeps to the budget as a gateway would: thresholds at the turn of the day, from what was stated before."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from nixie.cli.checking_stream import Walk, span
from nixie.core.budget import LEAST_MESSAGES, Budget
from nixie.core.finding import Finding
from nixie.core.organisation import Organisation
from nixie.service import engine
from nixie.service.engine import Engine
from nixie.service.installation import parse_shipped
from nixie.service.nothing import NothingKnown

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
BUDGET = Budget(per_1000_messages=2.0)


@pytest.fixture(autouse=True)
def stated(monkeypatch):
    """The model states as a probability the number in the recipient's name."""

    def check(case):
        local = case.envelope.recipients[0].address.local
        values = (("probability", float(f"0.{local[1:]}")), ("slip", "omission"))
        return (Finding("misdirected", 0, values),) if local[0] == "p" else ()

    told = SimpleNamespace(ID="misdirected", VALUES={"probability": float, "slip": str}, check=check)
    monkeypatch.setattr(engine, "CHECKS", (told,))


def walk(*lines, budget=BUDGET):
    policy = replace(parse_shipped("enforce"), budget=budget)
    walked = Walk(Engine(Organisation(("navy.example",)), policy, NothingKnown()), span("2d"), learning=True)
    return walked, list(walked.answers((json.dumps(one).encode() for one in lines), explain=False))


def line(day, number, to, **more):
    at = START + timedelta(days=day, seconds=number)
    return {"id": f"{day}.{number}@x", "date": at.isoformat(), "sender": "ann@navy.example", "to": [to], **more}


def busy_day(*suspected, **more):
    usual = [line(0, n, "kim@army.example") for n in range(LEAST_MESSAGES)]
    return [*usual, *(line(0, 2_000 + n, f"{to}@army.example", **more) for n, to in enumerate(suspected))]


def test_the_next_day_asks_from_the_threshold_that_the_day_before_leads_to():
    walked, told = walk(
        *busy_day("p80", "p70", "p60", "p55"), line(1, 0, "p60@army.example"), line(1, 1, "p75@army.example")
    )

    assert [one["recipients"][0]["disposition"] for one in told[-6:]] == ["hold-sender"] * 4 + [
        "deliver",
        "hold-sender",
    ]
    assert told[-2]["recipients"][0]["not_asked"] == "budget"
    assert walked.summary()["below_budget_copies"] == 1


def test_lines_that_are_not_learned_are_no_traffic():
    walked, _ = walk(*busy_day("p80", "p70", "p60", "p55", learn=False), line(1, 0, "p60@army.example"))

    assert walked.counts["below_budget_copies"] == 0


def test_a_policy_without_a_budget_asks_by_its_own_numbers():
    walked, _ = walk(*busy_day("p80", "p70", "p60", "p55"), line(1, 0, "p60@army.example"), budget=None)

    assert walked.counts["below_budget_copies"] == 0
