"""Forms that no page of ours makes are refused with a page, never with a crash; and a button means the address it shows."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nixie.core.verdict import Choice
from nixie.service.desk import CopyView, QuestionView, Suggestion
from nixie.service.links import Link, sign
from nixie.web.app import WebSettings
from support.webserver import TableDesk, serve

KEY = b"k" * 32
MEANT = (Suggestion("john smith@army.mil", 0.9), Suggestion('a"b@army.mil', 0.1))
COPY = CopyView("HAAAA", "ops@army.ml", "waiting", open=True, suggestions=MEANT, choices=tuple(Choice))
QUESTION = QuestionView("Q1", 3, "ann@army.mil", "Plans", datetime(2026, 11, 23, tzinfo=UTC), (COPY,), 0)
PATH = f"/d/{sign(KEY, Link('Q1', int(time.time()) + 1000))}"


@pytest.fixture
def desk():
    return TableDesk({"Q1": replace(QUESTION)})


@pytest.fixture
def pages(desk):
    yield from serve(desk, WebSettings(KEY))


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 30, "-1", "٣", "1e9", "", "0x3"])
def test_a_generation_that_is_no_number_of_ours_counts_as_none(pages, desk, number) -> None:
    status, _, _ = pages.ask("POST", PATH, {"hold": "HAAAA", "choice": "cancel", "generation": number})
    assert status == 200
    assert [decided.generation for _, decided, _ in desk.decided] == [0]


def test_more_fields_than_a_form_has_are_refused_with_a_page(pages, desk) -> None:
    status, text, _ = pages.ask("POST", PATH, {f"f{n}": "x" for n in range(30)})
    assert (status, desk.decided) == (413, [])
    assert "more than the form can take" in text


@pytest.mark.parametrize(
    ("button", "address"),
    [("john smith@army.mil", '"john smith"@army.mil'), ('a"b@army.mil', '"a\\"b"@army.mil')],
)
def test_a_suggestion_whose_local_part_needs_quotes_is_the_address_that_is_sent_to(
    pages, desk, button, address
) -> None:
    fields = {"hold": "HAAAA", "choice": f"correct:{button}", "generation": "3"}
    assert pages.ask("POST", PATH, fields)[0] == 200
    assert [decided.to for _, decided, _ in desk.decided] == [address]
