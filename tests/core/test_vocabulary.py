"""The telling words of a mail: which are taken, that they are bounded and the same everywhere."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.mailing import MOST_WORDS
from nixie.core.vocabulary import words_of


def numbers(*words):
    return {crc32(word.encode()) for word in words}


def test_telling_words_are_taken_and_common_ones_are_not():
    found = words_of("Turbine in Rotterdam", "Dear Anna, please find attached the drawing of the gearbox. Thanks, Tom")

    assert set(found) == numbers("turbine", "rotterdam", "anna", "drawing", "gearbox")


@pytest.mark.parametrize("subject", ["Turbine", "Re: Turbine", "AW: FW: turbine", "RE[2]: Fwd:TURBINE", "re : turbine"])
def test_an_answer_has_the_words_of_its_subject(subject):
    assert words_of(subject, "") == words_of("Turbine", "") == tuple(numbers("turbine"))


@pytest.mark.parametrize(
    "quoted",
    [
        "> gearbox drawing\n> turbine",
        "On Mon, 3 Jan 2022, Tom Roe wrote:\n> gearbox",
        "On Mon, 3 Jan 2022 at 10:00 Tom Roe <tom@a.example>\nwrote:\n> gearbox",
        "Am 3. Januar schrieb Tom Roe:\n> gearbox",
        "-----Original Message-----\nFrom: Tom\nthe gearbox",
        "From: Tom Roe\nSent: Monday\nTo: Anna\nthe gearbox",
        "-- \nTom Roe\nGearbox Limited",
        "________________________________\nGearbox Limited",
    ],
)
def test_what_is_quoted_or_signed_is_left_out(quoted):
    assert set(words_of("", f"The propeller.\n\n{quoted}\n")) == numbers("propeller")
    assert set(words_of("", f"The propeller.\r\n\r\n{quoted}\r\n".replace("\n", "\r\n"))) == numbers("propeller")


def test_an_answer_below_a_quotation_counts():
    assert set(words_of("", "On Monday, Tom Roe wrote:\n> gearbox?\n\nThe propeller.")) == numbers("propeller")


def test_the_subject_comes_first_and_longer_words_before_shorter_ones():
    found = words_of("ship", "keel propeller mast")

    assert found == tuple(crc32(word.encode()) for word in ("ship", "propeller", "keel", "mast"))


def test_accents_and_capitals_make_no_difference():
    assert words_of("Genève", "MÜNCHEN") == words_of("GENEVE", "munchen") == words_of("geneve", "München “”")


@given(st.text(max_size=300), st.text(max_size=600))
def test_any_mail_gives_few_numbers_and_always_the_same(subject, text):
    found = words_of(subject, text)

    assert len(found) <= MOST_WORDS
    assert len(set(found)) == len(found)
    assert all(0 <= number < 2**32 for number in found)
    assert found == words_of(subject, text)


@pytest.mark.parametrize(
    "piece", ["a", "abcd ", "\n", "\n>", "\nOn abcdefgh wrot", "\nFrom: x", "re:", "é", "\n       ", "\r"]
)
def test_a_hostile_text_is_read_in_part(piece):
    assert len(words_of(piece * 100_000, piece * 500_000)) <= MOST_WORDS
