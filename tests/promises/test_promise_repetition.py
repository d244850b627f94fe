"""Repetition proves nothing: who writes a wrong address often, or is answered from there, has not made it right."""

from datetime import UTC, datetime, timedelta

import pytest

from nixie.core.envelope import Client
from nixie.core.events import EventKind
from nixie.service.doubting import doubted_addresses
from support.installed import NOW, Installation, mail

ANN, BEN = "ann@ministry.example", "ben@ministry.example"
RIGHT, WRONG = "ops@army.mil", "ops@army.ml"
PAST = datetime(2026, 1, 10, 8, tzinfo=UTC)
STRANGER = Client(ip="198.51.100.9")
PEOPLE = [f"p{n}@ministry.example" for n in range(1000)]


@pytest.fixture
def house(tmp_path):
    with Installation(tmp_path) as house:
        for author in (ANN, BEN):
            house.teach(EventKind.SENT, author, RIGHT, 200, PAST)
        yield house


def send(house, number, author=ANN, **more):
    return house.submit(mail(f"m{number}@ministry.example", author, [WRONG]), author, [WRONG], **more)


def doubted(house):
    return {d.address: (d.instead, d.sent) for d in doubted_addresses(house.reader, house.places, house.organisation)}


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_five_sends_to_the_same_wrong_address_still_flag_the_sixth(tmp_path, mode):
    with Installation(tmp_path, mode=mode) as house:
        house.teach(EventKind.SENT, ANN, RIGHT, 200, PAST)
        first = house.probability(ANN, WRONG)
        answers = [send(house, n, at=NOW + timedelta(days=n)) for n in range(5)]

        assert [a.held for a in answers] == [(0,) if mode == "enforce" else ()] * 5
        # A copy that was held is no contact: there is nothing to doubt yet.
        assert doubted(house) == ({} if mode == "enforce" else {WRONG: ("army.mil", 5)})
        assert house.probability(ANN, WRONG, NOW + timedelta(days=6)) > 0.9 * first > 0.5
        assert house.probability(BEN, WRONG, NOW + timedelta(days=6)) > 0.5


def test_writing_to_a_thousand_of_our_people_first_gains_the_owner_of_a_look_alike_nothing(house):
    before = house.probability(ANN, WRONG), house.probability(PEOPLE[7], WRONG)
    for n in range(10):
        some = PEOPLE[100 * n : 100 * n + 100]
        house.submit(mail(f"bait{n}@army.ml", WRONG, some), WRONG, some, client=STRANGER, at=NOW - timedelta(days=9))

    counted = house.reader.execute("SELECT SUM(n) FROM address_day WHERE scope = 0 AND kind = 2").fetchone()
    assert counted == (1000,)
    assert (house.probability(ANN, WRONG), house.probability(PEOPLE[7], WRONG)) >= before
    assert send(house, 1).held == (0,)


@pytest.mark.parametrize("automatic", ["Auto-Submitted: auto-replied\r\n", ""])
def test_an_answer_from_a_look_alike_gains_it_nothing(tmp_path, automatic):
    with Installation(tmp_path, mode="observe") as house:
        house.teach(EventKind.SENT, ANN, RIGHT, 200, PAST)
        before = house.probability(ANN, WRONG)
        for n in range(5):
            assert send(house, n, at=NOW + timedelta(hours=n)).held == ()
            answer = mail(f"re{n}@army.ml", WRONG, [ANN], more=f"In-Reply-To: <m{n}@ministry.example>\r\n{automatic}")
            house.submit(answer, WRONG, [ANN], client=STRANGER, at=NOW + timedelta(hours=n, minutes=1))

        replied = house.reader.execute("SELECT COALESCE(SUM(n), 0) FROM address_day WHERE scope = 0 AND kind = 3")
        assert replied.fetchone() == (0 if automatic else 5,)
        assert house.probability(ANN, WRONG, NOW + timedelta(days=1)) > 0.9 * before
        assert house.probability(BEN, WRONG, NOW + timedelta(days=1)) > 0.5
        assert WRONG in doubted(house)


def test_a_reviewers_release_clears_for_everybody(house):
    hold = send(house, 1).hold_ids[0]
    house.act(hold, "release", "reviewer", BEN)

    later = NOW + timedelta(hours=1)
    assert send(house, 2, at=later).held == send(house, 3, BEN, at=later).held == ()
    assert house.probability(PEOPLE[0], WRONG, later) < 0.25
    assert WRONG not in doubted(house)


def test_an_authors_release_clears_for_that_author_only(house):
    hold = send(house, 1).hold_ids[0]
    house.act(hold, "release", "author", ANN)

    later = NOW + timedelta(hours=1)
    assert send(house, 2, at=later).held == ()
    assert send(house, 3, BEN, at=later).held == (0,)
    assert house.probability(PEOPLE[0], WRONG, later) > 0.5
    assert WRONG in doubted(house)


def test_a_release_of_one_address_clears_no_other_at_its_domain(house):
    hold = send(house, 1).hold_ids[0]
    house.act(hold, "release", "reviewer", BEN)
    house.teach(EventKind.SENT, ANN, "logistics@army.mil", 20, PAST)

    assert house.probability(ANN, "logistics@army.ml", NOW + timedelta(hours=1)) > 0.5
