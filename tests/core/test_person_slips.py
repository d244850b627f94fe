"""The slip kinds between people: the wrong entry of a completion list, the namesake, the private twin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.address import Address
from nixie.core.slips import LOCAL_SLIPS, PERSON_SLIPS, SLIPS, Person, explain_offered, explain_person, offer_of
from nixie.core.slips.person_kind import DAY, known, weight

FIRES = [(kind.KIND, kind, *pair) for kind in PERSON_SLIPS for pair in kind.FIRES]
QUIET = [(kind.KIND, kind, *pair) for kind in PERSON_SLIPS for pair in kind.QUIET]
AT = 1_000 * DAY
ROE = known("John Roe", "john.roe", "b.example", 30)
SMITH = known("John Smith", "john.smith", "a.example", 30)


@pytest.mark.parametrize("name, kind, meant, wrote", FIRES)
def test_a_kind_explains_its_own_examples(name, kind, meant, wrote):
    assert 0.0 < kind.likelihood(meant, offer_of(wrote, (meant, wrote), AT)) <= 1.0


@pytest.mark.parametrize("name, kind, meant, wrote", QUIET)
def test_a_kind_is_silent_about_the_others(name, kind, meant, wrote):
    assert kind.likelihood(meant, offer_of(wrote, (meant, wrote), AT)) == 0.0


def test_shares_of_all_parts_leave_room_for_groups_and_threads():
    kinds = (*SLIPS, *LOCAL_SLIPS, *PERSON_SLIPS)

    assert 0.5 < sum(kind.SHARE for kind in kinds) < 0.9
    assert all(kind.PART == "person" and kind.SOURCE and kind.WHAT and kind.QUIET for kind in PERSON_SLIPS)


def autocomplete(meant, wrote, *others):
    slip = explain_person(meant, wrote, (meant, wrote, *others), AT)
    assert slip is not None
    assert slip.kind == "autocomplete"
    return slip.probability


def test_the_frequent_and_recent_entry_is_the_likelier_pick():
    seldom = Person(SMITH.address, SMITH.names, 1, AT - DAY)
    often = Person(SMITH.address, SMITH.names, 50, AT - DAY)
    long_ago = Person(SMITH.address, SMITH.names, 50, AT - 900 * DAY)
    never = Person(SMITH.address, SMITH.names)
    third = Person(Address("john.doe", "c.example"), ("John Doe",), 5, AT - DAY)

    assert autocomplete(ROE, often, third) > autocomplete(ROE, long_ago, third)
    assert autocomplete(ROE, often, third) > autocomplete(ROE, seldom, third) > autocomplete(ROE, never, third)


def test_the_more_a_list_offers_the_less_likely_is_each_entry():
    crowd = [known("John Poe", f"john.poe{n}", "c.example", 5) for n in range(20)]

    assert autocomplete(ROE, SMITH) > 2 * autocomplete(ROE, SMITH, *crowd)


def test_a_longer_common_beginning_is_likelier():
    near = known("", "infodesk", "b.example")
    far = known("", "infra", "b.example")
    wrote = known("", "infodata", "a.example")

    assert autocomplete(near, wrote) > autocomplete(far, wrote)


def test_all_picks_of_one_list_together_are_at_most_sure():
    book = [known("John Poe", f"john.p{n}", f"{n}.example", n) for n in range(9)]
    kind = next(kind for kind in PERSON_SLIPS if kind.KIND == "autocomplete")

    assert sum(kind.likelihood(book[4], offer_of(wrote, book, AT)) for wrote in book if wrote != book[4]) <= 1.0


def test_what_a_mail_weighs_halves_with_its_age():
    def after(days):
        return weight(Person(SMITH.address, (), 40, AT - days * DAY), AT)

    assert after(0) == pytest.approx(2 * after(90), rel=0.01)
    assert after(0) > after(30) > after(9_000) > 0.0


@pytest.mark.parametrize(
    "meant, wrote, kind",
    [
        (SMITH, known("John Smith", "jsmith", "c.example"), "namesake"),
        (SMITH, known("Smith, John", "john.smith81", "gmail.com"), "private_twin"),
        (known("", "jsmith", "gmx.de"), known("", "jsmith", "a.example"), "private_twin"),
        (SMITH, known("John Smith", "mary.roe", "a.example"), "namesake"),
        (SMITH, ROE, "autocomplete"),
    ],
)
def test_a_slip_is_named_by_the_kind_that_tells_most(meant, wrote, kind):
    slip = explain_person(meant, wrote, (), AT)

    assert slip is not None
    assert (slip.kind, slip.part) == (kind, "person")


@pytest.mark.parametrize("other", [SMITH, known("Anna Meier", "anna.meier", "a.example")])
def test_nobody_is_taken_for_oneself_or_for_somebody_unlike(other):
    assert explain_person(other, SMITH, (ROE,), AT) is None


TEXT = st.text(max_size=12) | st.sampled_from(["john.smith", "jsmith", "john", "Smith, John", "John Smith"])
PEOPLE = st.builds(
    Person,
    st.builds(Address, TEXT, st.sampled_from(["a.example", "b.example", "gmail.com", ""])),
    st.lists(TEXT, max_size=2).map(tuple),
    st.integers(0, 300),
    st.integers(0, 2 * AT),
)


@given(st.lists(PEOPLE, min_size=1, max_size=6), PEOPLE)
def test_every_likelihood_is_a_probability(book, wrote):
    offer = offer_of(wrote, book, AT)
    for meant in book:
        assert all(0.0 <= kind.likelihood(meant, offer) <= 1.0 for kind in PERSON_SLIPS)
        slip = explain_offered(meant, offer)
        assert slip is None or 0.0 < slip.probability < 1.0
