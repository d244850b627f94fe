"""Every copy is passed, held or refused, exactly one of them; who asks again hears the same and makes nothing twice."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nixie.core.envelope import Client
from nixie.core.events import EventKind
from nixie.core.verdict import Disposition
from nixie.service.engine import Engine
from nixie.service.installation import read_policy
from nixie.store import hold_views
from support.installed import NOW, Installation, mail

PEOPLE = ("ann@ministry.example", "ben@ministry.example")
RECIPIENTS = (
    "ops@army.mil", "ops@army.ml", "OPS@Army.ML", "kim@army.ml", "lee@flet.example", "lee@fleet.example", "new@house.example",
    "ann@ministry.exmaple", "cleo@ministry.example", "x@amry.mil", "ops+tag@army.ml", "a@b.ml", "x@[192.0.2.1]",
)  # fmt: skip
REFUSING = """
title = "Refuse what is sure, hold the rest"
[[slip.rule]]
name = "sure"
mode = "enforce"
when = { "misdirected.probability" = { at_least = 0.9 } }
then = "refuse"
message = "Another address was meant."
[[slip.rule]]
name = "likely"
mode = "enforce"
when = { "misdirected.probability" = { at_least = 0.2 } }
then = "hold-sender"
"""
NUMBERS = count()
ANY = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=["enforce", "observe", "refusing"])
def house(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    mode = "enforce" if request.param == "refusing" else request.param
    with Installation(folder / "home", partners=("fleet.example",), mode=mode) as house:
        for author, times in zip(PEOPLE, (200, 40), strict=True):
            house.teach(EventKind.SENT, author, "ops@army.mil", times, datetime(2026, 1, 10, 8, tzinfo=UTC))
        house.teach(EventKind.RELEASED_BY_SENDER, PEOPLE[1], "kim@army.ml", 1, datetime(2026, 2, 1, tzinfo=UTC))
        if request.param == "refusing":
            (folder / "policy.toml").write_text(REFUSING)
            house.engine = Engine(house.organisation, read_policy(folder / "policy.toml"), house.engine.facts)
            house.pipeline = house.pipeline_with(house.engine)
        yield house


@st.composite
def messages(draw):
    """Draw an author, the envelope's recipients and those whom the header shows."""
    to = draw(st.lists(st.sampled_from(RECIPIENTS), max_size=6))
    shown = draw(st.lists(st.sampled_from(RECIPIENTS), min_size=1, max_size=3)) if draw(st.booleans()) else to
    return draw(st.sampled_from(PEOPLE)), to, shown


def once(to):
    """Return each recipient once, as the store compares them."""
    return list({one.lower(): one for one in to}.values())


def told(answer):
    return answer.held, answer.refused, answer.later


def places(answer, number):
    """Return in how many of the three places each copy is."""
    passed = () if answer.refused or answer.later else tuple(n for n in range(number) if n not in answer.held)
    everywhere = [*answer.held, *answer.refused, *passed]
    return [everywhere.count(n) for n in range(number)]


@ANY
@given(drawn=messages(), minutes=st.integers(0, 50_000), again=st.integers(1, 3))
def test_every_copy_is_in_one_place_and_asking_again_changes_nothing(house, drawn, minutes, again):
    author, to, shown = drawn
    raw = mail(f"m{next(NUMBERS)}@ministry.example", author, shown)
    before = len(house.holds())
    first = house.submit(raw, author, to, at=NOW + timedelta(minutes=minutes))
    made = house.holds()
    repeated = [house.submit(raw, author, to, at=NOW + timedelta(minutes=minutes + n)) for n in range(again)]

    assert places(first, len(to)) == [1] * len(to)
    assert not first.later
    assert len(made) - before == len({to[n].lower() for n in first.held})
    assert {told(answer) for answer in repeated} <= {told(first)}
    assert house.holds() == made
    assert hold_views.balance(house.reader).ok


@ANY
@given(drawn=messages(), cut=st.integers(0, 6))
def test_a_message_in_one_transaction_or_in_two_holds_the_same_copies_and_asks_once(house, drawn, cut):
    author, to, shown = drawn
    to = once(to)
    shown = [*shown, *to]  # a mail server that divides a message leaves its header alone
    raw = mail(f"m{next(NUMBERS)}@ministry.example", author, shown)
    parts = [part for part in (to[:cut], to[cut:]) if part]
    held = {one[n].lower() for one in parts for n in house.submit(raw, author, one).held}
    other = mail(f"m{next(NUMBERS)}@ministry.example", author, shown)
    whole = house.submit(other, author, to)
    made = [h for h in house.holds() if h.recipient in held and h.message_id in raw.decode()]

    if not whole.refused and not any(house.submit(raw, author, one).refused for one in parts):
        assert held == {to[n].lower() for n in whole.held}
    assert len({h.question for h in made}) <= 1


@ANY
@given(drawn=messages(), action=st.sampled_from(["release", "cancel", "return"]))
def test_a_client_that_tries_again_after_a_decision_sends_nothing_twice(house, drawn, action):
    author, to, shown = drawn
    to = once(to)
    raw = mail(f"m{next(NUMBERS)}@ministry.example", author, shown)
    first = house.submit(raw, author, to)
    made = {h.id: h for h in house.holds() if h.id in first.hold_ids}
    may = [h for h in made if action == "return" or made[h].disposition != Disposition.REFUSE]
    for hold in may:
        house.act(hold, action, "reviewer", PEOPLE[1])
    number = len(house.holds())
    again = house.submit(raw, author, to)

    assert len(house.holds()) == number
    assert told(again) == told(first)


@ANY
@given(drawn=messages())
def test_a_released_copy_that_passes_the_door_on_its_way_is_let_through_and_no_other_is(house, drawn):
    author, to, shown = drawn
    to = once(to)
    raw = mail(f"m{next(NUMBERS)}@ministry.example", author, shown)
    first = house.submit(raw, author, to)
    for number, hold in zip(first.held, first.hold_ids, strict=True):
        comes = Client(helo=f"{hold}.release.example")
        before = house.submit(raw, author, [to[number]], client=comes)
        if house.disposition(hold) == Disposition.REFUSE:
            continue
        house.act(hold, "release", "reviewer", PEOPLE[1])
        after = house.submit(raw, author, [to[number]], client=comes)

        assert (before.held, after.held) == ((0,), ())
