"""What is shown is what was weighed: the facts add up to the odds, and notice, page, command line and JSON show the same ones."""

import email
import html
import json
import re
from dataclasses import replace
from email import policy
from math import log
from operator import itemgetter

import pytest

from nixie.checks.predicates import PREDICATES
from nixie.checks.registry import CHECKS
from nixie.cli.checking_stream import CLIENT
from nixie.config.home import shipped_policy
from nixie.core import hypotheses, mime
from nixie.core.policy import parse_policy
from nixie.render.decision import decision_json, decision_lines
from nixie.render.evidence import Reader, reasons, sentence
from nixie.service import requests
from nixie.service.letters import Letters
from nixie.sources.mailings import mailing_of_record
from nixie.sources.records import events_of
from nixie.sources.stream import read_item, record_of_item
from nixie.store import questions
from nixie.store.questions import Step
from nixie.web.app import WebSettings
from support.couriered import desk_of
from support.installed import OURS, Direct, Installation, envelope
from support.small_house import (
    ANN,
    BERTH,
    CARA,
    CRANE,
    GONE,
    JOHANNA,
    JOHN,
    KARL,
    MARY,
    NAMESAKE,
    OWN,
    PETER,
    PRIVATE_BEN,
    PRIVATE_PETER,
    ROTA,
    STRANGER,
    TOM,
    WATCH,
    answering,
    harbour,
)
from support.webserver import serve

SHOWN_FROM = 0.05
"""Log-odds from which a fact has a line; smaller ones are left out, and may be missing in the sum."""

MAILS = {
    "a namesake in a group": ((NAMESAKE, MARY, KARL), CRANE),
    "a namesake alone": ((NAMESAKE,), CRANE),
    "a namesake about his own matter": ((NAMESAKE,), BERTH),
    "a wrong entry of a list": ((JOHANNA, MARY, KARL), CRANE),
    "a private twin": ((PRIVATE_PETER, MARY), CRANE),
    "one replaced": ((JOHN, MARY, TOM), CRANE),
    "a stranger": ((JOHN, MARY, KARL, STRANGER), CRANE),
    "an outsider": ((CARA, TOM), answering("inside", WATCH)),
    "an answer to one that bounced": ((KARL, GONE), answering("gone", CRANE)),
    "a letter missing": (("jon.smith@vantor.com",), CRANE),
    "a letter missing in company": (("jon.smith@vantor.com", PETER, MARY), CRANE),
    "another ending": (("john.smith@vantor.co",), CRANE),
    "somebody greeted": ((MARY,), {**CRANE, "body": "Dear Karl,\n\nthe crane."}),
}


@pytest.mark.parametrize("name", MAILS)
def test_the_weights_of_all_facts_add_up_to_the_stated_odds(name):
    """The likeliest hypothesis of the most suspect copy: its facts sum to its odds against everybody being right."""
    to, content = MAILS[name]
    told = harbour().ask(ANN, *to, **content)
    facts, stated = weighed(told)
    others = sum(told.probability(one["address"]) for one in told.line["recipients"] if one["address"] != told.suspect)
    assert others < 0.01, "another copy is as suspect, and shares the base rate"
    assert sum(one["weight"] for one in facts) == pytest.approx(stated, abs=SHOWN_FROM * 4), told.text
    assert all(one["text"].endswith(".") for one in facts)


@pytest.mark.parametrize("name", ["a namesake in a group", "a namesake about his own matter"])
def test_the_context_says_no_more_than_its_bound(name, monkeypatch):
    """What fits or not is bounded for all facts together, whatever they say one by one."""
    monkeypatch.setattr(hypotheses, "MOST_FOR", 2.0)
    monkeypatch.setattr(hypotheses, "MOST_AGAINST", -2.0)
    to, content = MAILS[name]
    told = harbour().ask(ANN, *to, **content)
    facts, stated = weighed(told)
    context = sum(one["weight"] for one in facts if of_context(one["code"]))
    bare = sum(one["weight"] for one in facts if not of_context(one["code"]))

    assert abs(context) > 3.0
    assert stated == pytest.approx(bare + (2.0 if context > 0 else -2.0), abs=0.01)


def weighed(told):
    """Return the facts of the likeliest hypothesis of the most suspect copy, and the log-odds that are stated for it."""
    about = told.about(told.suspect)
    (factors,) = (one for one in about["factors"] if one["check"] == "misdirected")
    best = max(factors["candidates"], key=itemgetter("probability"))
    stated = log(best["probability"]) - log(1.0 - about["probability"])
    return [*factors["evidence"], *best["evidence"]], stated


def of_context(code):
    """Return whether a fact is about how an address fits, of which all together are bounded."""
    return code.endswith(("-written", "-intended")) and not code.startswith(("author-", "organisation-"))


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """The harbour's history in a whole installation."""
    with Installation(tmp_path_factory.mktemp("harbour"), own=(OWN,)) as house:
        records = [r for line in harbour().lines if (r := record_of_item(read_item(json.dumps(line)))) is not None]
        events = [event for record in records for event in events_of(record, house.organisation)]
        mailings = [m for record in records if (m := mailing_of_record(record, house.organisation)) is not None]
        house.run(Direct(house.recorder).ask(requests.teach(events, (), mailings)))
        yield house


WARY = parse_policy(
    shipped_policy("enforce").replace("= 0.5 ", "= 0.03 ").replace("= 0.25 ", "= 0.02 ").replace("= 0.1 ", "= 0.01 "),
    "wary.toml",
    PREDICATES,
    [check.ID for check in CHECKS],
)
"""The shipped policy, asking from a smaller probability: what is shown does not hang on how sure it is."""

HELD = {
    "a colleague's private mailbox": ((PRIVATE_BEN, CARA), ROTA, PRIVATE_BEN, f"ben.carter@{OWN}"),
    "a namesake in a group": ((NAMESAKE, MARY, KARL), CRANE, NAMESAKE, JOHN),
}


def raw_mail(identity, to, content):
    head = (
        f"From: Ann Lee <{ANN}>\r\nTo: {', '.join(to)}\r\nMessage-ID: <{identity}>\r\nSubject: {content['subject']}\r\n"
    )
    return f"{head}Date: Fri, 20 Mar 2026 12:00:00 +0000\r\n\r\n{content['body']}\r\n".encode()


def flat(text):
    return " ".join(text.split())


@pytest.mark.parametrize("name", HELD)
def test_notice_page_command_line_and_json_show_the_same_facts(house, name):
    to, content, wrong, meant = HELD[name]
    at, raw = harbour().at, raw_mail(f"{name.replace(' ', '.')}@{OWN}", to, content)
    engine = replace(house.engine, policy=WARY)
    decision = engine.decide(mime.read(raw), envelope(ANN, to), CLIENT, at)
    number = to.index(wrong)
    answer = house.submit(raw, ANN, to, at=at, client=OURS, through=house.pipeline_with(engine))
    (hold,) = (one for one in house.holds() if one.id in answer.hold_ids)

    asked = questions.find_question(house.reader, hold.question)
    letters = Letters(house.settings, house.reader, house.spool, house.keys.links)
    (letter,) = letters.asking(asked, Step.NOTICE, int(at.timestamp() * 1000))
    notice = flat(email.message_from_bytes(letter.content, policy=policy.default).get_body(("plain",)).get_content())
    path = re.search(r"/d/\S+", notice)
    assert path is not None
    for pages in serve(desk_of(house), WebSettings(house.keys.links), at.timestamp):
        status, page, _ = pages.ask("GET", path[0])
    shown = flat(html.unescape(re.sub(r"<[^>]+>", "", page)))
    lines = flat("\n".join(decision_lines(decision.envelope, decision.origin, decision.verdict, explain=True)))
    told = decision_json(decision.envelope, decision.origin, decision.verdict, explain=True)["recipients"][number]

    (finding,) = (f for f in decision.verdict.about(number) if f.check == "misdirected")
    facts = [e for e in (*finding.candidates[0].evidence, *finding.evidence) if e.code != "base-rate"]
    said = reasons(decision.verdict, number)
    assert (status, answer.held) == (200, (number,))
    assert len(facts) > 6
    assert set(said) - {sentence(e) for e in facts} == {"Another address was probably meant."}
    assert len(said) > 3
    assert [one for one in said if flat(one) not in notice] == []
    assert [one for one in said if flat(one) not in shown] == []
    assert [one for one in reasons(decision.verdict, number, Reader.OTHER) if flat(one) not in lines] == []
    assert {sentence(e, Reader.OTHER) for e in facts} <= {
        one["text"] for one in (*told["factors"][0]["evidence"], *told["factors"][0]["candidates"][0]["evidence"])
    }
    assert all(meant in text for text in (notice, page, lines))
    assert told["intended"] == meant
    assert [e.weight for e in facts if e.weight and f"[{e.weight:+.1f}]" not in lines] == []
