"""People: whom the author's book offers instead of a written address, and when nothing is odd about one."""

from __future__ import annotations

from dataclasses import replace

from nixie.core.address import Address
from nixie.core.facts import Acquaintance, Surroundings
from nixie.core.mailing import PastMail
from nixie.core.people import (
    ENOUGH_MAILS,
    LARGEST_GROUP,
    MAILS_ASKED,
    MOST_OF_ONE,
    mails_to_ask,
    suspects,
    without_mail,
)
from nixie.core.reading import Reading

DAY = 86_400_000_000
NOW = 1_000 * DAY
JOHN, JOHANNA, BEN, DORA = (
    Address(local, "firm.example") for local in ("john.smith", "johanna.smythe", "ben.ray", "dora.kent")
)
NUMBERS = {"john.smith@firm.example": 1, "johanna.smythe@firm.example": 2, "ben.ray@firm.example": 3}


def mail(key: int, *members: int, sender: int = 9) -> PastMail:
    return PastMail(key, NOW - key * DAY, sender, members)


def knowing(address: Address, number: int, mails: int = 10) -> Acquaintance:
    return Acquaintance(address, number, (), mails, NOW - DAY)


AROUND = Surroundings(
    numbers=NUMBERS,
    mails={"john.smith@firm.example": tuple(mail(n, 1) for n in range(1, 6))},
    alike={"john.smith@firm.example": (knowing(JOHANNA, 2),)},
    together=(knowing(BEN, 3),),
    author_mails=200,
    author_contacts=30,
)


def asked(around: Surroundings, *circle: Address, reading: Reading | None = None):
    return suspects(circle, around, reading or Reading(), {a.key: None for a in circle}, NOW)


def test_whoever_shares_first_letters_or_is_usually_there_may_have_been_meant_and_so_may_nobody():
    found = asked(AROUND, JOHN)

    assert {(s.meant.address.local if s.meant else "", s.slip.kind) for s in found} == {
        ("johanna.smythe", "autocomplete"), ("ben.ray", "member_replaced"), ("", "member_added"),
    }  # fmt: skip


def test_who_is_in_the_circle_already_was_not_left_out():
    assert {s.meant.address.local for s in asked(AROUND, JOHN, BEN) if s.meant} == {"johanna.smythe"}


def test_an_author_of_whom_little_is_known_is_not_weighed():
    assert asked(replace(AROUND, author_mails=ENOUGH_MAILS - 1), JOHN) == ()


def test_in_a_crowd_nobody_is_odd():
    crowd = tuple(Address(f"u{n}", "firm.example") for n in range(LARGEST_GROUP))

    assert asked(AROUND, JOHN, *crowd) == ()


def test_for_a_circle_that_was_there_before_nobody_else_is_looked_for():
    together = tuple(mail(n, 1, 3) for n in range(1, 6))
    around = replace(AROUND, mails={"john.smith@firm.example": together, "ben.ray@firm.example": together})

    assert [s.meant for s in asked(around, JOHN, BEN)] == [None, None]
    assert any(s.meant for s in asked(around, JOHN, BEN, DORA))


def test_what_is_plainly_right_elsewhere_is_odd_in_a_thread_that_never_had_it():
    together = tuple(mail(n, 1, 3) for n in range(1, 6))
    around = replace(
        AROUND,
        mails={"john.smith@firm.example": together, "ben.ray@firm.example": together},
        thread=(mail(7, 3, sender=8),),
    )

    assert {s.written for s in asked(around, JOHN, BEN) if s.meant} == {JOHN}
    assert "thread_outsider" in {s.slip.kind for s in asked(around, JOHN, BEN)}


def test_an_address_found_wrong_in_this_thread_is_said_to_be_so():
    around = replace(AROUND, thread=(mail(7, 1, sender=8),), wrong=frozenset({"john.smith@firm.example"}))

    assert "wrong_before" in {s.slip.kind for s in asked(around, JOHN)}


def test_a_message_that_was_split_is_not_its_own_history():
    before = replace(AROUND, counts={"john.smith@firm.example": 5})
    own = mail(77, 1)
    after = replace(
        before,
        mails={
            "john.smith@firm.example": (own, *before.mails["john.smith@firm.example"]),
            "ben.ray@firm.example": (own,),
        },
        counts={"john.smith@firm.example": 6, "ben.ray@firm.example": 1},
        thread=(own,),
    )

    assert without_mail(after, 77) == before
    assert without_mail(before, 77) is before


def test_suspects_and_questions_are_bounded():
    many = tuple(knowing(Address(f"johan{n}", "firm.example"), 100 + n) for n in range(60))
    found = asked(replace(AROUND, alike={"john.smith@firm.example": many}), JOHN)

    assert len(found) == MOST_OF_ONE + 1
    assert len(mails_to_ask(found)) <= MAILS_ASKED
