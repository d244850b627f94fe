"""The budget from the record to the verdict: set at night, in force the next day, and never in the way of a strong question."""

import email
from dataclasses import replace
from datetime import timedelta
from email import policy as mail_policy
from types import SimpleNamespace

import pytest

from nixie.core import mime
from nixie.core.budget import DAY_MS, STRONG, Budget, Thresholds
from nixie.core.events import EventKind
from nixie.core.finding import Finding
from nixie.core.verdict import Disposition
from nixie.render.story import story_lines
from nixie.service import engine
from nixie.service.budgeting import lately, request
from nixie.service.digests import due, not_asked
from nixie.service.engine import Decision
from nixie.service.installation import parse_shipped
from nixie.service.recorder_client import RecorderRefusedError
from nixie.service.stories import told
from nixie.service.suspicions import suspicions
from nixie.store.knowledge import fold
from nixie.store.ledger import Kind, rows_after
from nixie.store.suspicions import first_since, outside_messages
from nixie.store.tuning import StoredTuning, thresholds_at
from support.couriered import START, couriered
from support.installed import NOW, OURS, Installation, envelope, mail
from support.strict_hop import StrictHop
from support.suspected import ask, ordinary, suspect

ANN = "ann@ministry.example"


@pytest.fixture
def house(tmp_path):
    with Installation(tmp_path) as house:
        yield house


def with_budget(house, **numbers):
    house.engine = replace(
        house.engine,
        policy=replace(parse_shipped("enforce"), budget=Budget(**numbers)),
        tuning=StoredTuning(house.reader, lambda: 0.0, seconds=0.0),
    )
    house.pipeline = house.pipeline_with(house.engine)


def night(house, now=START):
    """Set the thresholds as the recorder does at night."""
    wanted = lately(house.reader, house.settings, house.engine.policy, now)
    ask(house, request(wanted, now), b'{"actor":{"role":"system","by":"night","login":""}}')
    return wanted


def test_recent_traffic_sets_the_threshold_and_the_ledger_tells_of_it(house):
    with_budget(house, per_1000_messages=1.0)
    ordinary(house, 1_500)
    for probability in (0.8, 0.7, 0.6, 0.55):
        suspect(house, probability)

    assert night(house).everybody == 0.701
    assert night(house).everybody == 0.701
    rows = [row for row in rows_after(house.reader, 0, 10_000) if row.kind is Kind.BUDGET]
    assert [row.body["asked_from"] for row in rows] == [0.701]


def test_a_suspicion_that_no_rule_would_ask_about_costs_nothing(house):
    with_budget(house, per_1000_messages=1.0)
    ordinary(house, 1_500)
    for probability in (0.45, 0.4, 0.3):
        suspect(house, probability, asked=False)

    assert night(house) == Thresholds()


def test_a_policy_without_a_budget_clears_what_was_set(house):
    with_budget(house, per_1000_messages=1.0)
    ask(house, request(Thresholds(0.6), START), b'{"actor":{"role":"system","by":"night","login":""}}')
    house.engine = replace(house.engine, policy=replace(house.engine.policy, budget=None))

    night(house, START + 1)

    assert thresholds_at(house.reader, START + 1) == Thresholds()


def test_messages_are_counted_and_not_their_copies_or_transactions(house):
    ordinary(house, 5, days_ago=3)
    for to in ("a@far.example", "b@far.example"):
        house.submit(mail("split@ministry.example", ANN, ("a@far.example", "b@far.example")), ANN, (to,))
    house.submit(mail("inside@ministry.example", ANN, ("bob@ministry.example",)), ANN, ("bob@ministry.example",))

    assert outside_messages(house.reader, START - 10 * DAY_MS, START + 1000) == 6
    assert outside_messages(house.reader, START - DAY_MS, START + 1000) == 1
    assert first_since(house.reader, START - 2 * DAY_MS) == 5


def test_the_record_tells_what_became_of_each_suspicion(house):
    suspect(house, 0.9, answer="correct")
    suspect(house, 0.8, answer="cancel", kind="swap")
    suspect(house, 0.7, answer="release")
    suspect(house, 0.6)
    suspect(house, 0.55, below="likely-slip")
    suspect(house, 0.2, asked=False)

    found = list(suspicions(house.reader, START - 9 * DAY_MS, START, house.engine.policy, house.organisation))

    assert [(s.probability, str(s.outcome), s.asked, s.below_budget, s.wanted) for s in found] == [
        (0.9, "corrected", True, False, True),
        (0.8, "cancelled", True, False, True),
        (0.7, "released", True, False, True),
        (0.6, "unknown", True, False, True),
        (0.55, "unknown", False, True, True),
        (0.2, "unknown", False, False, False),
    ]


def test_a_bounce_after_a_copy_that_nobody_was_asked_about_is_a_slip_found_later(house):
    to = suspect(house, 0.2, asked=False, days_ago=3)
    house.teach(EventKind.BOUNCED, ANN, to, 1, NOW - timedelta(days=2))
    fold(house.writer, NOW + timedelta(days=9))

    (found,) = suspicions(house.reader, START - 9 * DAY_MS, START)

    assert str(found.outcome) == "found-later"


def test_the_second_real_slip_of_a_week_is_held(house):
    """The tightest budget there is, and thresholds set every night: what is strong is asked all the same."""
    with_budget(house, per_1000_messages=0.001, per_sender_per_quarter=1)
    ordinary(house, 1_200)
    for number, days_ago in enumerate((6, 5, 4)):
        suspect(house, 0.97, days_ago=days_ago, author=ANN)
        night(house, START - (days_ago - 1) * DAY_MS + number)
    night(house)
    assert house.engine.tuning.asked_from(None, NOW) == STRONG

    first = house.submit(mail("one@ministry.example", ANN, ("ops@ministy.example",)), ANN, ("ops@ministy.example",))
    night(house, START + DAY_MS)
    second = house.submit(
        mail("two@ministry.example", ANN, ("eve@minisrty.example",)),
        ANN,
        ("eve@minisrty.example",),
        at=NOW + timedelta(days=2),
    )

    assert (first.held, second.held) == ((0,), (0,))


def test_a_weaker_suspicion_is_kept_from_its_author_and_its_verdict_says_so(house, monkeypatch):
    with_budget(house, per_1000_messages=1.0)
    ask(house, request(Thresholds(0.8), START - 1), b'{"actor":{"role":"system","by":"night","login":""}}')

    verdict = judged_at(house, 0.6, monkeypatch)
    strong = judged_at(house, 0.85, monkeypatch)

    assert (verdict.copies[0].disposition, verdict.copies[0].below_budget) == (Disposition.DELIVER, "likely-slip")
    assert strong.copies[0].disposition is Disposition.HOLD_SENDER


def judged_at(house, probability, monkeypatch):
    """Return the verdict about a copy of which the model says this probability."""
    found = (Finding("misdirected", 0, (("probability", probability), ("slip", "omission"))),)
    stated = SimpleNamespace(ID="misdirected", VALUES={"probability": float, "slip": str}, check=lambda _: found)
    monkeypatch.setattr(engine, "CHECKS", (stated,))
    raw = mail("probe@ministry.example", ANN, ("bob@harbor.example",))
    decision: Decision = house.engine.decide(mime.read(raw), envelope(ANN, ("bob@harbor.example",)), OURS, NOW)
    return decision.verdict


# the reviewers' digest


def digest_letters(house, hop, *moments, **notice):
    courier = couriered(house, hop.port, **notice)
    for moment in moments:
        house.run(courier.round(moment))
    return [email.message_from_bytes(body, policy=mail_policy.default) for body in hop.bodies]


def test_the_reviewers_read_each_day_of_what_nobody_was_asked_about(house):
    to = suspect(house, 0.62, below="likely-slip", days_ago=1)
    suspect(house, 0.7)
    with StrictHop() as hop:
        letters = digest_letters(
            house, hop, START, START + 60_000, START + 120_000, reviewers=("rita@ministry.example",)
        )

    digests = [letter for letter in letters if "Not asked" in letter["Subject"]]
    text = digests[0].get_body(("plain",)).get_content()
    assert [letter["To"] for letter in digests] == ["rita@ministry.example"]
    assert digests[0]["Subject"] == "Not asked: 1 copy on 2026-03-19"
    for said in (to, "62% probable", "budget; rule likely-slip", to.replace("harbor", "harbour")):
        assert said in text
    (row,) = [row for row in rows_after(house.reader, 0, 100) if row.kind is Kind.DIGEST]
    assert (row.addresses, row.body["copies"]) == (("rita@ministry.example",), 1)


def test_a_day_without_any_brings_no_letter_and_no_row(house):
    with StrictHop() as hop:
        assert digest_letters(house, hop, START) == []

    assert due(house.reader, START) is None
    assert due(house.reader, START + DAY_MS) is not None
    assert rows_after(house.reader, 0, 100) == ()


def test_a_digest_that_nobody_takes_is_tried_again(house):
    suspect(house, 0.62, below="likely-slip")
    with StrictHop(rcpt=lambda _: "451 4.2.0 later") as hop:
        courier = couriered(house, hop.port)
        house.run(courier.round(START))
        assert due(house.reader, START) is not None
        hop.rcpt = lambda _: "250 ok"
        house.run(courier.round(START + 30_000))
        assert due(house.reader, START) is not None
        house.run(courier.round(START + 60_000))

    assert due(house.reader, START) is None
    assert len(hop.bodies) == 1


def test_a_copy_that_was_judged_twice_is_told_once(house):
    suspect(house, 0.62, below="likely-slip")
    head = house.reader.execute("SELECT lookup, payload FROM ledger WHERE seq = 1").fetchone()
    house.writer.execute("BEGIN IMMEDIATE")
    house.recorder._records.ledger.append(START, Kind.DECISION, head[1], head[0])
    house.writer.execute("COMMIT")

    assert len(list(not_asked(house.reader, START - 3 * DAY_MS, START + 1))) == 1


def test_the_record_tells_of_thresholds_scales_and_digests_in_words(house):
    by = b'{"actor":{"role":"administrator","by":"cli","login":"rita"}}'
    ask(house, request(Thresholds(0.6), START), by)
    ask(house, {"do": "scales", "scales": {"all": 1.5, "kinds": {"dot": 0.5}}, "at": START}, by)
    ask(house, {"do": "digest", "day": 20_000, "copies": 2, "a": ["rita@ministry.example"], "at": START})

    lines = [line.partition("  ")[2].strip() for line in story_lines(told(rows_after(house.reader, 0, 10)))]

    assert lines == [
        "the budget asks from a probability of 0.6 on by administrator rita (cli)",
        "scales of slips were accepted: 1.5 for all by administrator rita (cli)",
        "dot: 0.5",
        "digest: 2 copies that nobody was asked about, told to 1 reviewer",
    ]


def test_scales_out_of_bounds_are_refused_and_change_nothing(house):
    with pytest.raises(RecorderRefusedError):
        ask(house, {"do": "scales", "scales": {"all": 9.0, "kinds": {}}, "at": START}, b'{"actor":{}}')

    assert rows_after(house.reader, 0, 10) == ()
