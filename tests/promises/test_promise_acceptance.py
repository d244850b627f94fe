"""What Nixie must stop on the first day, what it must leave alone without evidence, and what watching means."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from nixie.core.events import EventKind
from nixie.core.verdict import Disposition
from support.guard import cli
from support.installed import NOW, Installation, mail

ANN, BEN = "ann@ministry.example", "ben@ministry.example"
PAST = datetime(2026, 1, 10, 8, tzinfo=UTC)
HELD, DELIVER = Disposition.HOLD_SENDER, Disposition.DELIVER
APART = [
    ("x.org", "x.org.uk"),
    ("x.org", "x.tv"),
    ("dept.gov.uk", "dept.mod.uk"),
    ("mod.gov.uk", "dstl.mod.uk"),
    ("defence.gov.uk", "defence.mod.uk"),
]
"""A domain that is written to every day, and another that no hand makes of it, whoever is written to there."""

ALIKE = ("mail.com", "mailw.com")
"""Two domains one letter apart; that alone is no evidence."""


def stream(folder, lines):
    path = folder / "mails.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def line(number, to, author=ANN, at=PAST, **more):
    when = (at + timedelta(hours=number)).isoformat()
    return {"id": f"s{number}@ministry.example", "date": when, "sender": author, "to": [to], **more}


def check(*words):
    """Return the exit code and the lines of `nixie check`, each read from JSON."""
    code, said = cli("check", *words)
    return code, [json.loads(one) for one in said.splitlines() if one.startswith(("{", "["))]


def walk(folder, lines, own="ministry.example"):
    return check("--stream", str(stream(folder, lines)), "--walk-forward", "--own-domain", own)


def test_a_slip_of_the_own_domain_is_held_on_the_first_day_with_empty_knowledge(tmp_path):
    with Installation(tmp_path, own=("cba.com.au",)) as house:
        (copy,) = house.judged("ann@cba.com.au", "lee@cba.com").verdict.copies
        answer = house.submit(
            mail("m1@cba.com.au", "ann@cba.com.au", ["lee@cba.com"]), "ann@cba.com.au", ["lee@cba.com"]
        )

    assert (copy.disposition, answer.held) == (HELD, (0,))


def test_the_command_line_holds_a_slip_of_the_own_domain_without_any_installation(tmp_path):
    (tmp_path / "draft.eml").write_bytes(mail("m1@cba.com.au", "ann@cba.com.au", ["lee@cba.com"]))
    code, ((one,),) = check(str(tmp_path / "draft.eml"), "--own-domain", "cba.com.au", "--json")

    assert (code, one["recipients"][0]["disposition"]) == (1, "hold-sender")


def test_a_slip_of_a_partners_domain_is_held_on_the_first_day(tmp_path):
    with Installation(tmp_path, partners=("army.mil",)) as house:
        (copy,) = house.judged(ANN, "ops@army.ml").verdict.copies

    assert copy.disposition is HELD


def house_that_writes_to(folder, known):
    """Return a house a third of whose mail goes to one domain."""
    house = Installation(folder).open()
    for author in (ANN, BEN):
        house.teach(EventKind.SENT, author, f"desk@{known}", 200, PAST)
        house.teach(EventKind.SENT, author, "kim@partner.example", 400, PAST)
    return house


@pytest.mark.parametrize("known, other", APART)
def test_a_neighbour_of_a_known_domain_never_fires_whoever_is_written_to_there(tmp_path, known, other):
    with house_that_writes_to(tmp_path, known) as house:
        verdicts = [house.judged(ANN, f"{local}@{other}").verdict for local in ("desk", "new", "info")]

    assert {c.would_be for v in verdicts for c in v.copies} == {DELIVER}


def test_one_letter_from_a_known_domain_is_no_evidence_by_itself(tmp_path):
    known, other = ALIKE
    with house_that_writes_to(tmp_path, known) as house:
        verdicts = [house.judged(ANN, f"{local}@{other}").verdict for local in ("new", "info", "someone.else")]
        same_person = house.judged(ANN, f"desk@{other}").verdict

    assert {c.disposition for v in verdicts for c in v.copies} == {DELIVER}
    assert same_person.copies[0].disposition is HELD


def test_a_neighbour_of_a_known_domain_never_fires_in_a_walk_forward(tmp_path):
    known = [known for known, _ in (*APART, ALIKE)]
    past = [line(n, f"desk@{known[n % len(known)]}", (ANN, BEN)[n % 2]) for n in range(900)]
    first = [line(1000 + n, f"desk@{other}") for n, (_, other) in enumerate(APART)]
    code, (*told, last) = walk(tmp_path, [*past, *first, line(1010, f"new@{ALIKE[1]}")])

    assert {r["would_be"] for one in told for r in one["recipients"]} == {"deliver"}
    assert (code, last["summary"]["judged"]) == (0, 906)


@pytest.mark.parametrize("own, other", APART[:3])
def test_a_neighbour_of_an_own_domain_never_fires_on_the_first_day(tmp_path, own, other):
    with Installation(tmp_path, own=(own,)) as house:
        (copy,) = house.judged(f"ann@{own}", f"lee@{other}").verdict.copies

    assert copy.would_be is DELIVER


def test_ops_at_army_ml_from_someone_who_writes_to_army_mil_is_held(tmp_path):
    past = [line(n, "ops@army.mil") for n in range(240)]
    code, (*_, found, summary) = walk(tmp_path, [*past, line(241, "ops@army.ml")])

    (recipient,) = found["recipients"]
    assert (code, summary["summary"]["stopped_copies"]) == (1, 1)
    assert (recipient["disposition"], recipient["intended"]) == ("hold-sender", "ops@army.mil")
    assert recipient["probability"] > 0.5


def test_what_a_bounce_shows_is_evidence_against_a_neighbour(tmp_path):
    with Installation(tmp_path) as house:
        house.teach(EventKind.SENT, ANN, "desk@mail.com", 300, PAST)
        before = house.probability(ANN, "desk@mailw.com")
        house.teach(EventKind.BOUNCED, ANN, "desk@mailw.com", 3, NOW - timedelta(days=3))
        house.teach(EventKind.CORRECTED_AWAY, ANN, "desk@mailw.com", 2, NOW - timedelta(days=2))

        assert house.probability(ANN, "desk@mailw.com") > max(before, 0.01)


def test_the_observe_policy_holds_nothing_and_records_what_would_have_been(tmp_path):
    with Installation(tmp_path, mode="observe", partners=("army.mil",)) as house:
        answer = house.submit(mail("m1@ministry.example", ANN, ["ops@army.ml"]), ANN, ["ops@army.ml"])
        (body,) = house.reader.execute("SELECT payload FROM ledger WHERE kind = 1").fetchone()
        (copy,) = house.judged(ANN, "ops@army.ml").verdict.copies

        assert (answer.held, answer.refused, answer.later, house.holds()) == ((), (), False, ())
    assert (copy.disposition, copy.would_be) == (DELIVER, HELD)
    assert b"hold-sender" in body
