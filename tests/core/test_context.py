"""Context: what the surroundings of a message say about one address, monotone and bounded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.context import DAY, Context, Standing
from nixie.core.context_weights import WEIGHTS
from nixie.core.facts import Surroundings
from nixie.core.mailing import PastMail

NOW = 1_000 * DAY
ANNA, BEN, CARL, DORA = 11, 12, 13, 14


def mail(key: int, *members: int, days: float = 10, sender: int = 1, words: tuple[int, ...] = ()) -> PastMail:
    return PastMail(key, int(NOW - days * DAY), sender, tuple(sorted(members)), words)


def mails_to(number: int, *others: int, times: int = 10, start: int = 0) -> tuple[PastMail, ...]:
    return tuple(mail(start + n, number, *others, days=n + 1) for n in range(times))


def context(around: Surroundings, *circle: tuple[str, int], words: tuple[int, ...] = ()) -> Context:
    return Context(around, {key: (number, key.partition("@")[2]) for key, number in circle}, words, NOW)


TOGETHER = Surroundings(
    numbers={"anna@a.example": ANNA, "ben@b.example": BEN},
    mails={"anna@a.example": mails_to(ANNA, BEN), "ben@b.example": mails_to(BEN, ANNA)},
    author_mails=100,
    author_contacts=20,
)


def about(around: Surroundings, standing: Standing, *circle: tuple[str, int], words: tuple[int, ...] = ()):
    return context(around, *circle, words=words).about(standing, "x@x.example")


def test_who_is_usually_with_the_others_fits_better_than_who_never_is():
    circle = (("anna@a.example", ANNA), ("x@x.example", 99))
    usual = about(TOGETHER, Standing(BEN, "b.example", 10, NOW - DAY), *circle)
    never = about(TOGETHER, Standing(CARL, "c.example", 10, NOW - DAY), *circle)

    assert usual["together"] > 1.0
    assert never["together"] < 0.0
    assert usual["usual"] > 0.0 > never["usual"]


def test_of_somebody_seldom_written_to_nothing_is_expected_and_nothing_concluded():
    circle = (("anna@a.example", ANNA), ("x@x.example", 99))
    seldom = about(TOGETHER, Standing(CARL, "c.example", 0, 0), *circle)
    often = about(TOGETHER, Standing(DORA, "d.example", 60, NOW - DAY), *circle)

    assert often["usual"] < 2 * seldom["usual"] < 0.0


def test_an_address_nobody_knows_has_no_features_that_speak_for_it():
    found = about(TOGETHER, Standing(0, "z.example"), ("anna@a.example", ANNA), ("x@x.example", 99))

    assert all(WEIGHTS[name] * value <= 0.0 for name, value in found.items())


def test_a_reply_knows_who_wrote_who_was_there_and_who_was_not():
    around = replace(TOGETHER, thread=(mail(1, BEN, sender=ANNA), mail(2, ANNA, CARL, sender=BEN)))
    seen = {n: about(around, Standing(n, "a.example"), ("x@x.example", 99)) for n in (ANNA, BEN, CARL, DORA)}

    assert [seen[n]["answered"] for n in (ANNA, BEN, CARL, DORA)] == [0.0, 1.0, 0.0, 0.0]
    assert [seen[n]["in_thread"] for n in (ANNA, BEN, CARL, DORA)] == [1.0, 1.0, 1.0, 0.0]
    assert [seen[n]["outsider"] for n in (ANNA, BEN, CARL, DORA)] == [0.0, 0.0, 0.0, 1.0]


def test_words_belong_to_whom_they_were_written_to():
    about_ships = tuple(mail(n, ANNA, words=(1, 2, 3)) for n in range(5))
    about_taxes = tuple(mail(10 + n, BEN, words=(7, 8, 9)) for n in range(5))
    around = Surroundings(mails={"a@a.example": about_ships, "b@b.example": about_taxes}, author_mails=50)
    whole = Context(around, {"x@x.example": (99, "x.example")}, (7, 8), NOW)
    ships = whole.about(Standing(ANNA, "a.example", 5, NOW, about_ships), "x@x.example")
    taxes = whole.about(Standing(BEN, "b.example", 5, NOW, about_taxes), "x@x.example")

    assert taxes["words"] > 0.0 > ships["words"]
    assert taxes["topic"] > ships["topic"] == 0.0


@given(st.integers(0, 40), st.integers(0, 40))
def test_more_mails_together_never_make_an_address_less_fitting(fewer, more):
    def lift(times: int) -> float:
        mails = (*mails_to(ANNA, BEN, times=times), *mails_to(ANNA, times=48 - times, start=100))
        around = Surroundings(mails={"anna@a.example": mails}, author_mails=100)
        standing = Standing(BEN, "b.example", 40, NOW - DAY)
        return about(around, standing, ("anna@a.example", ANNA), ("x@x.example", 99))["together"]

    low, high = sorted((fewer, more))
    assert lift(low) <= lift(high)


@pytest.mark.parametrize("name", WEIGHTS)
def test_each_feature_has_its_counts_for_a_person_to_check(name):
    standing = Standing(BEN, "b.example", 10, NOW - DAY, mails_to(BEN, ANNA), fits_greeting=True)
    circle = (("anna@a.example", ANNA), ("x@x.example", 99))

    assert name in context(TOGETHER, *circle, words=(1,)).counts(standing, "x@x.example")
