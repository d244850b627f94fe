"""What a held copy teaches: nothing until it leaves, and then what every other copy teaches."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nixie.core.address import parse_path
from nixie.core.envelope import Client
from nixie.core.events import EventKind
from nixie.service.engine import Engine
from nixie.sources.records import Record, events_of
from support.installed import NOW, Direct, Installation, mail

ANN, BOB = "ann@ministry.example", "bob@ministry.example"
CLERK = "clerk@sante.gov.ml"
PAST = datetime(2026, 1, 10, 8, tzinfo=UTC)


@pytest.fixture
def house(tmp_path):
    with Installation(tmp_path) as house:
        engine = house.engine
        listed = {"destination": {"listed_countries": ["ML"]}}
        house.pipeline.engine = Engine(engine.organisation, engine.policy, engine.facts, listed)
        yield house


def send(house, number, *to, author=ANN, **more):
    to = to or (CLERK,)
    return house.submit(mail(f"m{number}@ministry.example", author, to), author, to, **more)


def sent(house) -> dict[str, int]:
    """Return how often the house is known to have written to each address."""
    rows = house.writer.execute(
        "SELECT a.key, SUM(n) FROM address_day d JOIN address a ON a.id = d.address WHERE scope = 0 AND kind = 1 GROUP BY 1"
    )
    return dict(rows.fetchall())


def together(house) -> set[tuple[str, ...]]:
    """Return the circles of the mails that the house knows."""
    names = dict(house.writer.execute("SELECT id, key FROM address").fetchall())
    rows = house.writer.execute("SELECT members FROM mailing").fetchall()
    return {tuple(sorted(names[n] for n in memoryview(members).cast("I"))) for (members,) in rows}


def ask(house, hold: str, do: str, **more: Any) -> str:
    head = {"do": do, "hold": hold, "at": int(NOW.timestamp() * 1000), **more}
    return str(house.run(Direct(house.recorder).ask(head))["state"])


def decide(house, hold: str, action: str, **more: Any) -> str:
    return ask(house, hold, "act", action=action, role="reviewer", name="rita", by="test", reason="right", **more)


def test_a_first_contact_that_was_held_is_a_first_contact_when_it_is_sent_again(house):
    assert [send(house, n).held for n in range(3)] == [(0,)] * 3
    assert sent(house) == {}


def test_a_cancelled_copy_is_no_contact(house):
    (hold,) = send(house, 1).hold_ids
    decide(house, hold, "cancel")

    assert send(house, 2, author=BOB).held == (0,)


def test_the_copies_that_go_on_beside_a_held_one_are_sent(house):
    send(house, 1, CLERK, "kim@partner.example")

    assert sent(house) == {"kim@partner.example": 1}


def test_a_held_copy_is_in_no_circle_until_it_has_left(house):
    (hold,) = send(house, 1, CLERK, "kim@partner.example").hold_ids
    decide(house, hold, "release")
    assert together(house) == {("kim@partner.example",)}
    assert ask(house, hold, "outcome", result="done") == "released"

    assert together(house) == {(CLERK, "kim@partner.example")}


def test_a_mail_of_which_everything_is_held_is_no_mailing_until_a_copy_leaves(house):
    (hold,) = send(house, 1).hold_ids
    assert together(house) == set()
    decide(house, hold, "release")
    ask(house, hold, "outcome", result="done")

    assert together(house) == {(CLERK,)}


def test_colleagues_in_the_header_belong_to_the_circle_and_strangers_of_another_transaction_do_not(house):
    raw = mail("m1@ministry.example", ANN, ["kim@partner.example", BOB, CLERK])
    house.submit(raw, ANN, ["kim@partner.example"])

    assert together(house) == {(BOB, "kim@partner.example")}


def test_mail_inside_the_house_is_a_mailing_and_no_event(house):
    house.submit(mail("m1@ministry.example", ANN, [BOB]), ANN, [BOB])

    assert (together(house), sent(house)) == ({(BOB,)}, {})


def test_a_released_copy_is_sent_once_it_has_left_and_counts_like_the_line_of_a_log(house):
    (hold,) = send(house, 1).hold_ids
    decide(house, hold, "release")
    assert sent(house) == {}
    assert ask(house, hold, "outcome", result="done") == "released"
    assert sent(house) == {CLERK: 1}

    line = Record("m1@ministry.example", NOW, parse_path(ANN.encode()), (parse_path(CLERK.encode()),))
    taught = list(events_of(line, house.organisation))
    assert [e.kind for e in taught] == [EventKind.SENT]
    known = house.writer.execute("SELECT COUNT(*) FROM tail WHERE key = ?", (taught[0].key,))
    assert known.fetchone() == (1,)
    assert send(house, 2, at=NOW + timedelta(hours=1)).held == ()


@pytest.mark.parametrize("result", ["failed", "later"])
def test_a_release_that_did_not_arrive_is_no_contact(house, result):
    (hold,) = send(house, 1).hold_ids
    decide(house, hold, "release")
    head = {"do": "outcome", "hold": hold, "result": result, "next_try": 1, "at": int(NOW.timestamp() * 1000)}
    house.run(Direct(house.recorder).ask(head))

    assert sent(house) == {}


@pytest.mark.parametrize(
    ("corrected", "counted"),
    [("clerk@sante.example", {"clerk@sante.example": 1}), ("clerk@ministry.example", {})],
    ids=["outside", "inside"],
)
def test_a_corrected_copy_is_sent_to_the_address_that_was_right(house, corrected, counted):
    (hold,) = send(house, 1).hold_ids
    decide(house, hold, "correct", corrected=corrected)
    assert ask(house, hold, "outcome", result="done") == "corrected"

    assert sent(house) == counted
    assert together(house) == {(corrected,)}


def test_a_corrected_copy_that_is_held_again_is_not_sent(house):
    first, second = send(house, 1, CLERK, "kim@sante.gov.ml").hold_ids
    decide(house, first, "correct", corrected="kim@sante.gov.ml")
    ask(house, first, "outcome", result="done")
    assert sent(house) == {}

    decide(house, second, "release")
    ask(house, second, "outcome", result="done")
    assert sent(house) == {"kim@sante.gov.ml": 1}


def test_a_slip_that_is_held_again_and_again_never_becomes_trusted(house):
    house.teach(EventKind.SENT, ANN, "kim@partner.example", 300, PAST)
    house.teach(EventKind.SENT, ANN, "j.smith@riverbank.org", 5, PAST)

    held = [send(house, n, "j.smith@riverbnak.org", at=NOW + timedelta(hours=n)).held for n in range(8)]
    assert held == [(0,)] * 8


def test_all_copies_to_a_wrong_domain_are_held_however_many(tmp_path):
    with Installation(tmp_path, own=("army.mil",)) as house:
        to = [f"r{n}@army.ml" for n in range(500)]

        assert len(house.submit(mail("m1@army.mil", "ann@army.mil", to), "ann@army.mil", to).held) == 500


@pytest.mark.parametrize("written", ["ops%army.ml@army.mil", "army.ml!ops@army.mil"])
def test_a_copy_that_leaves_through_an_address_of_ours_is_held_under_its_own_path(tmp_path, written):
    with Installation(tmp_path, own=("army.mil",)) as house:
        answer = house.submit(mail("m1@army.mil", "ann@army.mil", [written]), "ann@army.mil", [written])
        (hold,) = house.holds()

        assert answer.held == (0,)
        assert hold.recipient_raw == f"<{written}>".encode()


def test_a_login_without_an_address_is_judged_learned_from_and_never_taken_for_a_namesake(tmp_path):
    anna = Client(login="anna")
    with Installation(tmp_path, own=("a.example", "b.example")) as house:
        to = ["ops@b.exampel", "kim@partner.org"]
        answer = house.submit(mail("m1@b.example", "info@b.example", to), "info@b.example", to, client=anna)
        (hold,) = house.holds()

        assert (answer.held, hold.author) == ((0,), "")
        assert sent(house) == {"kim@partner.org": 1}


def test_a_login_of_blanks_makes_nobody_an_author(tmp_path):
    blank = Client(login=" ", ip="203.0.113.7")
    with Installation(tmp_path, own=("army.mil",)) as house:
        house.submit(mail("m1@army.mil", "ceo@army.mil", [CLERK]), "ceo@army.mil", [CLERK], client=blank)

        assert sent(house) == {}
