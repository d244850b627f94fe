"""Whom a mail speaks to and who signs it, and what is no name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.greeting import MOST_NAMES, greeted, greeted_names, greeting_tokens, signed, speaks_to
from nixie.core.person import NO_NAME, Name


@pytest.mark.parametrize(
    "opening, words",
    [
        ("Dear John,", ("john",)),
        ("hi john,", ("john",)),
        ("Hi John thanks for your mail", ("john",)),
        ("Hi Anna and Tom,", ("anna", "tom")),
        ("Hello Anna, Tom,", ("anna", "tom")),
        ("Dear Anna, dear Tom,", ("anna", "tom")),
        ("Hi John, thanks for your mail.", ("john",)),
        ("John,", ("john",)),
        ("Nora:", ("nora",)),
        ("Nora ---", ("nora",)),
        ("Ben & Oscar,", ("ben", "oscar")),
        ("Ida/Oscar,", ("ida", "oscar")),
        ("Sir John -", ("john",)),
        ("Dear STEVE ROE,", ("steve", "roe")),
        ("Dear Mr. Smith:", ("smith",)),
        ("Hallo Frau Meier", ("meier",)),
        ("Sehr geehrter Herr Dr. Müller,", ("muller",)),
        ("Dear Dr. van der Berg,", ("berg",)),
        ("Bonjour Madame Dupont,", ("dupont",)),
        ("Hi Will,", ("will",)),
        ("*Hi John*,", ("john",)),
    ],
)
def test_who_is_spoken_to_is_named(opening, words):
    assert greeted(f"\n{opening}\n\nThe propeller is ready.\n") == words


@pytest.mark.parametrize(
    "opening",
    [
        "Dear all,", "Hi team", "Dear Sirs,", "Dear Sir or Madam", "Dear colleagues,", "Hello everyone!", "Hello there",
        "Sehr geehrte Damen und Herren,", "Bonjour à tous,", "Hi, I was wondering", "Hello, Thanks for the mail", "Hi",
        "Hello fellow users,", "Dear customer,", "Hello Ladies-", "Yes, I do", "Thanks,", "Summary:", "OK, thanks Tom,",
        "Attached is the list:", "The gearbox is ready.", "Hi Anna and all,", "AM,", "",
    ],
)  # fmt: skip
def test_everybody_is_nobody_and_a_sentence_is_no_name(opening):
    assert greeted(f"{opening}\n\nThe propeller is ready.\n") == ()


def test_only_the_first_own_lines_speak_to_somebody():
    assert greeted("> Dear John,\n\nThe propeller.") == ()
    assert greeted("The propeller.\nThe gearbox.\nThe mast.\nDear John,") == ()
    assert greeted("EXTERNAL MAIL\n\nDear John,") == ("john",)


def test_one_of_many_is_not_the_one_who_is_meant():
    crowd = ", ".join(f"N{letter}mo" for letter in "abcdefgh")

    assert greeted(f"Hi {crowd},\nThe propeller.") == ()


@pytest.mark.parametrize(
    "ending, words",
    [
        ("Thanks, Nora.", ("nora",)),
        ("Best regards,\nJohn Smith\nExample Corp", ("john", "smith")),
        ("Mit freundlichen Grüßen\n\nAnna Meier", ("anna", "meier")),
        ("-John", ("john",)),
        ("Oscar", ("oscar",)),
        ("See you.\n-- \nJohn Smith\nExample", ("john", "smith")),
        ("See you tomorrow.", ()),
        ("Thanks", ()),
        ("Thanks for the mail", ()),
    ],
)
def test_who_signs_is_named(ending, words):
    assert signed(f"The propeller is ready.\n\n{ending}\n") == words


@pytest.mark.parametrize(
    "spoken, person, fits",
    [
        (Name("john", ""), Name("john", "smith"), True),
        (Name("jack", ""), Name("john", "smith"), True),
        (Name("john", ""), Name("j", "smith"), True),
        (Name("", "smith"), Name("john", "smith"), True),
        (Name("smith", ""), Name("john", "smith"), True),
        (Name("john", "smith"), Name("john", "smith"), True),
        (Name("john", "roe"), Name("john", "smith"), False),
        (Name("mary", ""), Name("john", "smith"), False),
        (Name("", "roe"), Name("john", "smith"), False),
        (Name("john", ""), NO_NAME, False),
        (NO_NAME, NO_NAME, False),
    ],
)
def test_a_greeting_fits_the_people_who_are_called_so(spoken, person, fits):
    assert speaks_to(spoken, person) is fits


def test_a_greeted_word_may_be_either_name():
    assert greeting_tokens(("john", "meier")) == ("g:joh", "s:joh", "g:mei", "s:mei")
    assert greeting_tokens(()) == ()


@given(st.text(max_size=300) | st.text(alphabet="Hi DearJohn,&/-\n>.", max_size=200))
def test_no_text_breaks_the_reader(text):
    assert len(greeted_names(text)) <= MOST_NAMES
    assert len(greeting_tokens(greeted(text))) <= 8
    assert len(signed(text)) <= 2


@pytest.mark.parametrize("piece", ["Dear ", "Hi John, ", "and ", "\n", "- ", "Best ", "A. ", "'a"])
def test_a_hostile_text_is_read_in_part(piece):
    assert len(greeted("Hi " + piece * 200_000)) <= 2 * MOST_NAMES
    assert len(signed(piece * 200_000)) <= 2
