from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.render.plain import address_words, counted, domain_words, moment, safe, shortened, times


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  two\r\n words ", "two words"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("gpj.\u202eexe", "gpj.\ufffdexe"),
        ("jos\udce9", "jos\ufffd"),
        ("zero\u200bwidth", "zero\ufffdwidth"),
    ],
)
def test_what_cannot_be_shown_is_replaced(text: str, shown: str):
    assert safe(text) == shown


@given(st.text())
def test_safe_text_is_one_printable_line_that_can_be_encoded(text: str):
    shown = safe(text)

    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")


def test_a_long_text_is_cut_with_an_ellipsis():
    assert shortened("a" * 60) == "a" * 60
    assert shortened("a" * 61) == "a" * 59 + "…"


def test_an_international_domain_stands_beside_its_a_labels():
    assert domain_words("xn--mnster-3ya.example") == "münster.example (xn--mnster-3ya.example)"
    assert address_words("ann@example.org") == "ann@example.org"


def test_counts_are_words():
    assert [times(n) for n in range(4)] == ["never", "once", "twice", "3 times"]
    assert [counted(n, "copy", "copies") for n in (0, 1, 2)] == ["0 copies", "1 copy", "2 copies"]


def test_a_moment_is_written_out():
    assert moment(datetime(2026, 11, 3, 9, 5, tzinfo=UTC)) == "Tuesday 3 November 2026, 09:05 UTC"
