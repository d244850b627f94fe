"""`nixie check --stream --walk-forward`: every line is judged by what came before it, and then learned."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nixie.cli.checking_stream import Walk, reporting_from, span
from nixie.core.address import parse_address
from nixie.core.facts import SuggestQuery
from nixie.core.mailing import mailing_key
from nixie.core.organisation import Organisation
from nixie.core.topic import topic_of
from nixie.service.engine import Engine
from nixie.service.installation import parse_shipped
from nixie.service.nothing import NothingKnown
from support.cli_world import nixie

ANN, BEN, KIM, LEE = "ann@navy.example", "ben@navy.example", "kim@army.example", "lee@army.example"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def line(number, sender, *to, **more):
    at = START + timedelta(hours=number)
    return {"id": f"{number}@x", "date": at.isoformat(), "sender": sender, "to": list(to), "subject": "harbour", **more}


def walk(*lines, **options):
    """Return the walk over some lines and its answers."""
    engine = Engine(Organisation(("navy.example",)), parse_shipped("observe"), NothingKnown())
    walked = Walk(engine, span("2d"), learning=True)
    return walked, list(walked.answers((json.dumps(one).encode() for one in lines), explain=False, **options))


def mails_to(walked, author, other, hours=1000):
    """Return the members of each mail of the author to somebody that is known so many hours after the start."""
    people = (parse_address(other),)
    asked = SuggestQuery(parse_address(author), people, people, START + timedelta(hours=hours))
    return [past.members for past in walked.engine.facts.suggest(asked).mails.get(other, ())]


def test_each_line_is_learned_as_a_mailing_after_it_was_judged():
    walked, told = walk(line(1, ANN, KIM, LEE), line(2, ANN, KIM))

    assert [len(members) for members in mails_to(walked, ANN, KIM)] == [1, 2]
    assert mails_to(walked, ANN, KIM, hours=1) == []
    assert (walked.counts["mailings"], len(told)) == (2, 2)


@pytest.mark.parametrize(
    "untold",
    [line(1, ANN, KIM, learn=False), line(1, ANN, KIM, list_id="all.example"), line(1, KIM, LEE)],
    ids=["not to learn", "a list", "not ours"],
)
def test_some_lines_are_no_mailings(untold):
    walked, _ = walk(untold)

    assert walked.counts["mailings"] == 0
    assert mails_to(walked, ANN, KIM) == []


def test_a_line_from_outside_is_a_mailing_to_us_which_a_reply_finds():
    walked, _ = walk(line(1, KIM, ANN, LEE, judge=False))
    people = tuple(map(parse_address, (KIM, LEE)))
    asked = SuggestQuery(
        parse_address(ANN), people, people, START + timedelta(hours=9), references=(mailing_key("1@x"),)
    )
    around = walked.engine.facts.suggest(asked)

    assert [len(past.members) for past in around.thread] == [2]
    assert mails_to(walked, ANN, LEE) == []


def test_a_line_from_outside_is_known_to_its_reader_and_found_by_its_subject():
    walked, _ = walk(line(1, KIM, ANN, LEE, subject="Harbour figures", judge=False))
    people = (parse_address(LEE),)
    topic, _ = topic_of("AW: harbour  figures")
    asked = SuggestQuery(parse_address(ANN), people, people, START + timedelta(hours=9), topic=topic)
    around = walked.engine.facts.suggest(asked)

    assert [len(past.members) for past in around.received[LEE]] == [3]
    assert [past.key for past in around.thread] == [mailing_key("1@x")]
    assert not walked.engine.facts.suggest(replace(asked, author=parse_address(BEN))).received


def test_names_in_a_line_are_learned():
    walked, _ = walk(line(1, ANN, {"addr": KIM, "name": "Kim Ray"}))
    people = (parse_address(KIM),)

    around = walked.engine.facts.suggest(SuggestQuery(parse_address(ANN), people, people, START + timedelta(hours=9)))
    assert around.names[KIM] == ("Kim Ray",)


def test_only_the_judged_lines_are_told_if_wanted():
    lines = [line(1, ANN, KIM), line(2, ANN, KIM, judge=False), line(3, KIM, ANN, judge=False), line(4, ANN, LEE)]
    walked, told = walk(*lines, only_judged=True)

    assert [one["id"] for one in told] == ["1@x", "4@x"]
    assert (walked.counts["lines"], walked.counts["judged"]) == (4, 2)


def test_the_least_probability_that_is_reported_is_an_option_of_the_check():
    engine = Engine(
        Organisation(("navy.example",)), parse_shipped("observe"), NothingKnown(), {"destination": {"a": 1}}
    )
    changed = reporting_from(replace(engine, settings={"misdirected": {"b": 2}, **engine.settings}), 0.0)

    assert changed.settings == {"misdirected": {"b": 2, "report_from": 0.0}, "destination": {"a": 1}}


def test_the_command_takes_both_options(tmp_path):
    file = tmp_path / "mails.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in (line(1, ANN, KIM), line(2, KIM, ANN, judge=False))))

    ended = nixie(
        "check",
        "--stream",
        file,
        "--walk-forward",
        "--own-domain",
        "navy.example",
        "--only-judged",
        "--report-from",
        "0",
    )

    told = [json.loads(one) for one in ended.out.splitlines()]
    assert [one.get("id") for one in told] == ["1@x", None]
    assert told[-1]["summary"]["mailings"] == 2
