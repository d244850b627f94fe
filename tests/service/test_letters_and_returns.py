"""Letters count when somebody took them; a copy that its author cannot have back has an end; many copies cost their number."""

import email
from dataclasses import replace
from email import policy

import pytest
from structlog.testing import capture_logs

from nixie.core.verdict import Choice
from nixie.service.desk import Decided
from nixie.store import questions
from nixie.store.ledger import Kind, story
from nixie.store.questions import Step
from support.couriered import START, couriered, desk_of, only, rounds
from support.installed import Installation, mail
from support.strict_hop import StrictHop

ANN, SLIP, POSTMASTER = "ann@army.mil", "ops@army.ml", "postmaster@army.mil"
SOON = 0.5


@pytest.fixture
def house(tmp_path):
    with Installation(tmp_path, own=("army.mil",)) as house:
        yield house


def hold(house, author=ANN, to=(SLIP,), **more):
    answer = house.submit(mail("m1@army.mil", author, to, **more), author, to)
    assert len(answer.held) == len(to)
    return house.holds()


def notices(house):
    rows = house.reader.execute("SELECT lookup FROM ledger WHERE kind = ?", (Kind.NOTICE,)).fetchall()
    return [row for row in story(house.reader, message_id="m1@army.mil") if row.kind is Kind.NOTICE] if rows else []


def refusing(*who, reply="550 5.1.1 no such user"):
    return lambda command: reply if any(f"<{w}>" in command for w in who) else "250 2.1.5 ok"


def parsed(body):
    return email.message_from_bytes(body, policy=policy.default)


def test_a_notice_that_everybody_refuses_is_not_recorded_as_given_and_tried_again(house) -> None:
    hold(house)
    with StrictHop(rcpt=lambda _: "550 5.1.1 no such user") as hop:
        courier = couriered(house, hop.port)
        rounds(house, courier, SOON)
        assert notices(house) == []
        hop.rcpt = lambda _: "250 ok"
        rounds(house, courier, SOON + 2)

    assert [row.body["step"] for row in notices(house)] == ["notice"]


def test_an_author_who_refuses_letters_has_the_reviewers_asked_at_once(house) -> None:
    hold(house)
    with StrictHop(rcpt=refusing(ANN)) as hop:
        courier = couriered(house, hop.port, reviewers=("rita@army.mil",))
        rounds(house, courier, SOON, 9, 25, 26)

    told = [(row.body["step"], row.addresses, (row.body["more"] or {}).get("refused")) for row in notices(house)]
    assert told[:2] == [("escalate", ("rita@army.mil",), None), ("notice", (), ["550 5.1.1"])]
    assert [step for step, to, _ in told if "rita@army.mil" in to] == ["escalate"]


def test_only_readers_who_took_a_letter_count_as_told_and_none_is_told_twice(house) -> None:
    hold(house)
    with StrictHop(rcpt=refusing(ANN, "rob@army.mil")) as hop:
        courier = couriered(house, hop.port, reviewers=("rob@army.mil", "rita@army.mil"))
        rounds(house, courier, SOON)

    assert [row.addresses for row in notices(house)] == [("rita@army.mil",), ()]


def test_an_author_whose_server_says_later_is_asked_later_though_a_reviewer_was_told(house) -> None:
    hold(house)
    with StrictHop(rcpt=refusing(ANN, reply="451 4.2.0 later")) as hop:
        courier = couriered(house, hop.port)
        rounds(house, courier, SOON)
        assert notices(house) == []
        hop.rcpt = lambda _: "250 ok"
        rounds(house, courier, SOON + 2)

    assert [(row.body["step"], row.addresses) for row in notices(house)] == [("notice", (ANN,))]


def test_a_question_that_nobody_may_be_asked_is_an_error_in_the_log(house) -> None:
    house.settings = replace(house.settings, organisation=replace(house.settings.organisation, postmaster=""))
    hold(house)
    forget(house, ANN)
    with StrictHop() as hop, capture_logs() as logged:
        rounds(house, couriered(house, hop.port), SOON)

    assert ["nobody may be asked" in line["event"] for line in logged if line["log_level"] == "error"] == [True]
    assert hop.bodies == []


def test_a_return_that_the_author_cannot_get_goes_to_the_postmaster_who_is_told_whose_it_is(house) -> None:
    (held,) = hold(house)
    house.act(held.id, "return", "reviewer", POSTMASTER)
    with StrictHop(rcpt=refusing(ANN)) as hop:
        rounds(house, couriered(house, hop.port), 1)

    assert only(house).state == "returned"
    (letter,) = map(parsed, hop.bodies)
    assert letter["To"] == POSTMASTER
    assert f"This mail is for {ANN}" in letter.get_body(("plain",)).get_content()
    last = story(house.reader, hold_id=held.id)[-1]
    assert (last.kind, last.body["reply"]) == (
        Kind.RETURNED,
        "250 2.0.0 from the postmaster's server; 550 5.1.1 from the author's",
    )


def test_a_return_that_the_authors_server_puts_off_for_too_long_goes_to_the_postmaster(house) -> None:
    (held,) = hold(house)
    house.act(held.id, "return", "reviewer", POSTMASTER)
    with StrictHop(rcpt=refusing(ANN, reply="450 4.2.1 later")) as hop:
        courier = couriered(house, hop.port)
        rounds(house, courier, 1, 20, 40)
        assert (only(house).state, hop.bodies) == ("returning", [])
        rounds(house, courier, 49)

    assert only(house).state == "returned"
    assert [parsed(body)["To"] for body in hop.bodies] == [POSTMASTER]


def test_a_return_that_nobody_takes_is_kept_and_tried_again(house) -> None:
    (held,) = hold(house)
    house.act(held.id, "return", "reviewer", POSTMASTER)
    with StrictHop(rcpt=lambda _: "550 5.1.1 nobody") as hop:
        courier = couriered(house, hop.port)
        rounds(house, courier, 1, 60)
        assert (only(house).state, only(house).tries) == ("returning", 2)
        hop.rcpt = lambda _: "250 ok"
        rounds(house, courier, 70)

    assert [parsed(body)["To"] for body in hop.bodies] == [ANN]


def test_a_return_beyond_ascii_crosses_a_hop_of_seven_bits_byte_for_byte(house) -> None:
    (held,) = hold(house, body="grüße\r\n")
    house.act(held.id, "return", "reviewer", POSTMASTER)
    with StrictHop(keywords=("SIZE 100000",)) as hop:
        rounds(house, couriered(house, hop.port), 1)

    (body,) = hop.bodies
    (attached,) = parsed(body).iter_attachments()
    assert body.isascii()
    assert attached.get_content() == mail("m1@army.mil", ANN, [SLIP], body="grüße\r\n")
    assert only(house).state == "returned"


@pytest.mark.parametrize(
    ("author", "path"), [("jörg@army.mil", "<jörg@army.mil>"), ('"john smith"@army.mil', '<"john smith"@army.mil>')]
)
def test_letters_reach_an_author_whose_local_part_is_not_plain(house, author, path) -> None:
    hold(house, author=author)
    with StrictHop() as hop:
        rounds(house, couriered(house, hop.port), SOON)

    assert hop.said("RCPT") == [f"RCPT TO:{path}".encode()]
    assert (b"SMTPUTF8" in hop.said("MAIL")[0]) is not path.isascii()
    assert f"To: {author}\r\n".encode() in hop.bodies[0]
    assert [row.addresses for row in notices(house)] == [(author.replace('"', ""),)]


def test_an_author_who_was_erased_is_not_written_to(house) -> None:
    (held,) = hold(house)
    house.act(held.id, "return", "reviewer", POSTMASTER)
    forget(house, ANN)
    with StrictHop() as hop:
        rounds(house, couriered(house, hop.port), 1)
    assert [parsed(body)["To"] for body in hop.bodies] == [POSTMASTER]


def test_a_letter_tells_of_twenty_copies_and_counts_the_others(house) -> None:
    hold(house, to=tuple(f"r{n}@army.ml" for n in range(50)))
    with StrictHop() as hop:
        rounds(house, couriered(house, hop.port), SOON)

    letter = parsed(hop.bodies[0])
    text = letter.get_body(("plain",)).get_content()
    assert letter["Subject"] == "Held: your message to r0@army.ml and 49 more"
    assert (text.count("Held: the copy to "), "30 more copies wait." in text) == (20, True)
    assert "held 50 copies of your message" in text


def test_a_decision_is_read_once_however_many_copies_it_holds(house) -> None:
    held = hold(house, to=tuple(f"r{n}@army.ml" for n in range(60)))
    courier = couriered(house, 1)
    asked, read = _question(house), []
    house.reader.set_trace_callback(lambda sql: read.append(sql) if "payload FROM ledger" in sql else None)
    letters = courier.letters.asking(asked, Step.NOTICE, START)
    house.reader.set_trace_callback(None)

    assert (len(letters), len(read)) == (1, 1)
    view = desk_of(house).question(held[0].question)
    assert len({copy.recipient for copy in view.copies}) == 60
    assert all(copy.reasons and copy.suggestions for copy in view.copies)


@pytest.mark.parametrize(
    ("login", "by", "kept"),
    [("", "link", None), (ANN, "login", None), ("Ann", "login", None), ("sue", "login", "sue")],
)
def test_a_decision_names_its_author_by_number_so_that_erasing_reaches_it(house, login, by, kept) -> None:
    (held,) = hold(house)
    decided = Decided(held.id, Choice.CANCEL, 1)
    house.run(desk_of(house).decide(held.question, decided, login))

    row = next(r for r in story(house.reader, hold_id=held.id) if r.kind is Kind.CANCELLED)
    actor = {"role": "author", "by": by, "address": 0} | ({"login": kept} if kept else {})
    assert (row.body["actor"], row.addresses[0]) == (actor, ANN)
    forget(house, ANN)
    row = next(r for r in story(house.reader, hold_id=held.id) if r.kind is Kind.CANCELLED)
    assert row.addresses[0] == "?@army.mil"
    assert "ann" not in str(row.body).lower()


def forget(house, key):
    house.writer.execute("UPDATE address SET key = NULL WHERE key = ?", (key,))


def _question(house):
    (due,) = questions.due(house.reader, START + 10_000)
    return due.question
