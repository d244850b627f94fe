"""Names: how display names and local parts become words, names and tokens, and which names are one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.address import NULL, Address
from nixie.core.person import (
    MOST_TOKENS,
    NO_NAME,
    Name,
    local_fits,
    local_name,
    local_tokens,
    local_words,
    name_likeness,
    name_words,
    person_name,
    person_names,
    same_person_name,
    tokens,
)

JOHN_SMITH = Name("john", "smith")
NAMES = st.text(max_size=60) | st.text(alphabet="abJS ,.'-()<>@/\"1\udcff", max_size=60)


@pytest.mark.parametrize(
    "shown",
    [
        "John Smith",
        "Smith, John",
        "Smith, John (External)",
        "SMITH John",
        "John SMITH",
        "SMITH.John",
        "'John Smith'",
        '"Smith, John"',
        "Dr. John Smith",
        "Sir John Smith",
        "Smith, John, Dr",
        "John Smith, PhD",
        "John Smith Jr.",
        "John Smith, Example Corp",
        "John Smith - Example Corp",
        "John Smith | Example",
        "John Smith/NORTH/EXAMPLE@EXAMPLE",
        "CN=John Smith/OU=NORTH/O=EXAMPLE",
        "John Smith john.smith@a.example@EXAMPLE",
        "John Smith on behalf of Mary Roe",
        "john.smith@a.example",
        "'john.smith@a.example'",
        "John Smith <john.smith@a.example>",
        "(John Smith)",
        "Capt John Smith",
        "Smith, John MAJ USARMY 82 UNIT (USA)",
        "Jöhn Smïth",
    ],
)
def test_one_name_is_read_from_all_its_spellings(shown):
    assert name_words(shown) == ("john", "smith")


@pytest.mark.parametrize(
    "shown, words",
    [
        ("Smith, John A.", ("john", "a", "smith")),
        ("O'Brien, Pat", ("pat", "obrien")),
        ("Pat O’Brien", ("pat", "obrien")),
        ("Jean-Luc Roe", ("jean-luc", "roe")),
        ("Müller, Jürgen", ("jurgen", "muller")),
        ("van der Berg, Jan", ("jan", "van", "der", "berg")),
        ("Иван Петров", ("иван", "петров")),
        ("Kim Major", ("kim", "major")),
        ("Jack Ma", ("jack", "ma")),
        ("Madonna", ("madonna",)),
        ("", ()),
        ("12345", ()),
        ("John Smith via Some-List", ()),
        (" , ", ()),
    ],
)
def test_the_words_of_a_name_stand_given_name_first(shown, words):
    assert name_words(shown) == words


@pytest.mark.parametrize(
    "local, words",
    [
        ("john.smith", ("john", "smith")),
        ("J_Smith1", ("j", "smith")),
        ("ann-lee.roe+news", ("ann", "lee", "roe")),
        ("jsmith", ("jsmith",)),
        ("285270", ()),
        ("", ()),
    ],
)
def test_a_local_part_is_parted_at_its_signs_and_digits(local, words):
    assert local_words(local) == words


@pytest.mark.parametrize(
    "local, name",
    [
        ("john.a.smith", JOHN_SMITH),
        ("smith.j", Name("j", "smith")),
        ("john_smith2", JOHN_SMITH),
        ("jsmith", NO_NAME),
        ("sales.team", NO_NAME),
        ("a.b.c.d.e.f", NO_NAME),
    ],
)
def test_a_local_part_of_two_words_shows_a_name(local, name):
    assert local_name(local) == name


@pytest.mark.parametrize(
    "local, shown, name",
    [
        ("john.smith", (), JOHN_SMITH),
        ("john.smith", ("Smith John",), JOHN_SMITH),
        ("jsmith", ("Smith John",), JOHN_SMITH),
        ("smithj", ("John Smith",), JOHN_SMITH),
        ("johnsmith", ("John",), JOHN_SMITH),
        ("john.smith", ("Smith John Wayne",), JOHN_SMITH),
        ("mike.van.roe", ("Van Roe Michael",), Name("michael", "roe")),
        ("anna.meier", ("Anna Maria Meier Roe",), Name("anna", "meier")),
        ("x71", ("John", "Smith, John"), JOHN_SMITH),
        ("x71", ("van der Berg, Jan",), Name("jan", "berg")),
        ("x71", ("John",), Name("john", "")),
        ("x71", (), NO_NAME),
        ("sales", ("Sales Team",), NO_NAME),
    ],
)
def test_the_local_part_tells_which_word_is_the_surname(local, shown, name):
    assert person_name(Address(local, "a.example"), shown) == name


@pytest.mark.parametrize(
    "one, other, same",
    [
        (JOHN_SMITH, JOHN_SMITH, True),
        (JOHN_SMITH, Name("j", "smith"), True),
        (JOHN_SMITH, Name("jack", "smith"), True),
        (Name("william", "roe"), Name("bill", "roe"), True),
        (Name("bradley", "roe"), Name("brad", "roe"), True),
        (Name("jean-luc", "roe"), Name("jean", "roe"), True),
        (Name("anna", "meier-roe"), Name("anna", "meier"), True),
        (Name("jan", "mueller"), Name("jan", "muller"), True),
        (JOHN_SMITH, Name("jane", "smith"), False),
        (JOHN_SMITH, Name("m", "smith"), False),
        (Name("jo", "roe"), Name("john", "roe"), False),
        (JOHN_SMITH, Name("john", "roe"), False),
        (JOHN_SMITH, Name("john", ""), False),
        (NO_NAME, NO_NAME, False),
    ],
)
def test_two_names_are_one_with_a_common_surname_and_given_names_that_agree(one, other, same):
    assert same_person_name(one, other) is same
    assert name_likeness(one, other) == name_likeness(other, one)


def test_an_equal_name_is_surer_than_a_short_form_and_that_than_an_initial():
    likeness = [name_likeness(JOHN_SMITH, Name(given, "smith")) for given in ("john", "jack", "j", "mary")]

    assert likeness == sorted(likeness, reverse=True)
    assert likeness[0] == 1.0
    assert likeness[-1] == 0.0


def test_local_parts_are_made_of_names_in_known_ways():
    fits = [
        local_fits(x, JOHN_SMITH) for x in ("john.smith82", "john.j.smith", "jsmith", "smithj", "smith", "mroe", "")
    ]

    assert fits == sorted(fits, reverse=True)
    assert fits[1] == 1.0
    assert fits[-2:] == [0.0, 0.0]


@pytest.mark.parametrize(
    "local, shown, expected",
    [
        ("jsm81", ("Smith, John",), {"a:jsm", "n:john smith", "g:joh", "s:smi"}),
        ("john.smith", (), {"a:joh", "n:john smith", "g:joh", "s:smi"}),
        ("jo", ("J. Smith",), {"a:jo", "n:j smith", "s:smi"}),
        ("sales", ("Sales Team",), {"a:sal"}),
    ],
)
def test_tokens_are_the_beginnings_of_address_and_names_and_the_whole_name(local, shown, expected):
    assert set(tokens(Address(local, "a.example"), shown)) == expected


def test_the_null_sender_has_no_tokens():
    assert tokens(NULL, ("John Smith",)) == ()


def test_two_people_whom_a_completion_list_confuses_share_a_token():
    one = tokens(Address("jroe", "a.example"), ("John Roe",))
    other = tokens(Address("smith77", "b.example"), ("Johanna Smith",))

    assert set(one) & set(other) == {"g:joh"}


@given(NAMES, st.lists(NAMES, max_size=6))
def test_no_name_breaks_the_reader_or_makes_many_tokens(local, shown):
    address = Address(local, "a.example")
    found = tokens(address, shown)

    assert len(found) <= MOST_TOKENS
    assert all(len(token) <= 70 for token in found)
    assert len(person_names(address, shown)) <= 5
    assert all(word and word == word.lower() for name in shown for word in name_words(name) if name.isascii())


@pytest.mark.parametrize("piece", ["a, ", "(", "cn=", "o'", "-", " via ", "A ", "\udcff", "<@>", "ß"])
def test_a_hostile_name_costs_no_more_than_a_long_one(piece):
    words = name_words(piece * 100_000)

    assert len(words) <= 8
    assert all(len(word) <= 32 for word in words)


@given(st.text(max_size=80))
def test_without_a_name_the_local_part_alone_gives_the_same_tokens(local):
    assert local_tokens(local) == tokens(Address(local, "a.example"), ())
