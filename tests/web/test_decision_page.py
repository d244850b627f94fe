"""The decision page: who may open it, what it shows, what a form does, and that GET never does anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest

from nixie.core.verdict import Choice
from nixie.service.desk import CopyView, QuestionView, Suggestion
from nixie.service.links import Link, sign
from nixie.web.app import WebSettings
from support.webserver import Pages, TableDesk, serve

KEY = b"k" * 32
LATER = 4_000_000_000
COPY = CopyView(
    hold="HAAAA",
    recipient="ops@army.ml",
    state="waiting",
    open=True,
    reasons=("One letter is missing: army.mil, army.ml.", ".ml is Mali."),
    suggestions=(Suggestion("ops@army.mil", 0.99),),
    choices=(Choice.CORRECT, Choice.SEND, Choice.CANCEL),
)
QUESTION = QuestionView(
    id="Q1",
    generation=2,
    author="ann@tidewatch.example",
    subject='Roster <script>alert("x")</script>',
    at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    copies=(COPY,),
    passed_on=3,
)


def token(question: str = "Q1", expires: int = LATER, key: bytes = KEY) -> str:
    return sign(key, Link(question, expires))


@pytest.fixture
def desk():
    return TableDesk({"Q1": QUESTION})


@pytest.fixture
def pages(desk):
    yield from serve(desk, WebSettings(KEY))


def test_the_page_names_the_copy_the_reasons_and_the_choices_and_nothing_acts(pages: Pages, desk: TableDesk) -> None:
    status, text, headers = pages.ask("GET", f"/d/{token()}")

    assert status == 200
    for words in ("ops@army.ml", "ops@army.mil", ".ml is Mali.", "3 other", "Do not send this copy"):
        assert words in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert desk.decided == []


def test_a_subject_cannot_become_markup(pages: Pages) -> None:
    _, text, _ = pages.ask("GET", f"/d/{token()}")

    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_a_prefetched_link_changes_nothing_however_often(pages: Pages, desk: TableDesk) -> None:
    for method in ("GET", "HEAD", "GET", "HEAD"):
        assert pages.ask(method, f"/d/{token()}")[0] == 200

    assert desk.decided == []
    assert desk.questions["Q1"] == QUESTION


def test_sending_to_the_suggested_address_is_one_post(pages: Pages, desk: TableDesk) -> None:
    status, text, _ = pages.ask("POST", f"/d/{token()}", {"hold": "HAAAA", "choice": "correct:ops@army.mil"})

    assert status == 200
    assert "The copy is on its way." in text
    [(question, decided, login)] = desk.decided
    assert (question, decided.choice, decided.to) == ("Q1", Choice.CORRECT, "ops@army.mil")
    assert login == ""


def test_a_replayed_post_is_refused_and_says_what_happened(pages: Pages, desk: TableDesk) -> None:
    form = {"hold": "HAAAA", "choice": "cancel"}
    assert pages.ask("POST", f"/d/{token()}", form)[0] == 200

    status, text, _ = pages.ask("POST", f"/d/{token()}", form)

    assert status == 409
    assert "decided already" in text
    assert len(desk.decided) == 1


@pytest.mark.parametrize(
    ("case", "made", "status"),
    [
        ("forged signature", token(key=b"x" * 32), 404),
        ("a byte changed", "B" + token()[1:], 404),
        ("no token at all", "hello", 404),
        ("far too long", "A" * 5000, 404),
        ("expired", token(expires=1_000_000_000), 410),
        ("a question that is not there", token(question="Q9"), 404),
    ],
)
def test_a_link_that_is_not_good_is_refused(case: str, made: str, status: int, pages: Pages, desk: TableDesk) -> None:
    for method, fields in (("GET", None), ("POST", {"hold": "HAAAA", "choice": "cancel"})):
        got, text, _ = pages.ask(method, f"/d/{made}", fields)
        assert got == status, case
        assert "ops@army.ml" not in text

    assert desk.decided == []


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"hold": "HAAAA", "choice": "send"}, 422, "in a few words"),
        ({"hold": "HAAAA", "choice": "correct", "to": "no address"}, 422, "address that you meant"),
        ({"hold": "HAAAA", "choice": "burn"}, 422, "choose one"),
        ({"hold": "HBBBB", "choice": "cancel"}, 409, "does not belong"),
        ({"hold": "HAAAA", "choice": "send", "reason": "x" * 20_000}, 413, "more than the form"),
    ],
)
def test_a_form_with_a_mistake_says_how_to_mend_it(fields, status, words, pages: Pages, desk: TableDesk) -> None:
    got, text, _ = pages.ask("POST", f"/d/{token()}", fields)

    assert (got, words in text) == (status, True)
    assert desk.decided == []


@pytest.mark.parametrize("headers", [{"Sec_Fetch_Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_form_posted_by_another_site_is_refused(headers, pages: Pages, desk: TableDesk) -> None:
    status, _, _ = pages.ask("POST", f"/d/{token()}", {"hold": "HAAAA", "choice": "cancel"}, **headers)

    assert status == 403
    assert desk.decided == []


def test_a_demanded_login_counts_from_a_listed_proxy_only(desk: TableDesk) -> None:
    form = {"hold": "HAAAA", "choice": "cancel"}
    outsider = WebSettings(KEY, (ip_network("192.0.2.0/24"),), demand_user=True)
    for pages in serve(desk, outsider):
        assert pages.ask("POST", f"/d/{token()}", form, Remote_User="ann")[0] == 403
    listed = WebSettings(KEY, (ip_network("127.0.0.0/8"),), demand_user=True)
    for pages in serve(desk, listed):
        assert pages.ask("POST", f"/d/{token()}", form)[0] == 403
        assert pages.ask("POST", f"/d/{token()}", form, Remote_User="bob")[0] == 403
        assert desk.decided == []
        assert pages.ask("POST", f"/d/{token()}", form, Remote_User="ann")[0] == 200
    assert desk.decided[0][2] == "ann"


def test_only_choices_that_the_verdict_allows_are_offered(desk: TableDesk, pages: Pages) -> None:
    desk.questions["Q1"] = replace(QUESTION, copies=(replace(COPY, choices=(Choice.CANCEL,)),))

    _, text, _ = pages.ask("GET", f"/d/{token()}")

    assert 'value="cancel"' in text
    assert 'value="send"' not in text
    assert 'value="correct' not in text


def test_health_says_whether_decisions_can_be_taken(pages: Pages, desk: TableDesk) -> None:
    assert pages.ask("GET", "/health")[0] == 200
    desk.good = False
    assert pages.ask("GET", "/health")[0] == 503
