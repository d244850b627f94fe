"""A client that tries again: another filter said "later", or a reply was lost. Nothing is held, asked or released twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support.behind_postfix import Chain
from support.mail import message
from support.second_milter import LATER, REFUSED, SecondMilter
from support.world_sink import eventually

pytestmark = pytest.mark.system

COLLEAGUES = [f"officer{n}@army.mil" for n in range(9)]


@dataclass
class House:
    """The chain with another filter behind the guard."""

    chain: Chain
    other: SecondMilter

    def send(self, message_id: str, wrong: str) -> tuple[int, str]:
        to = [*COLLEAGUES, wrong]
        return self.chain.submit(message(message_id, to), to)

    def kinds(self, message_id: str) -> list[str]:
        return [row["kind"] for row in self.chain.guard.story(message_id)]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with SecondMilter() as other, Chain(milters=lambda guard: f"{guard}, {other.address}") as chain:
        yield House(chain, other)


def test_a_later_filter_that_tempfails_makes_no_second_hold_notice_or_delivery(house: House) -> None:
    house.other.judge.answers.append(LATER)
    code, text = house.send("<later@army.mil>", "later@army.ml")
    assert (code, text) == (451, "4.7.1 greylisted by another filter")
    assert len(house.chain.guard.holds_to("later@army.ml")) == 1
    assert house.send("<later@army.mil>", "later@army.ml")[0] == 250

    assert house.chain.wait_copies("<later@army.mil>", 9) == sorted(COLLEAGUES)
    assert len(house.chain.guard.holds_to("later@army.ml")) == 1
    eventually(lambda: "notice" in house.kinds("<later@army.mil>"), "the notice")
    assert house.send("<later@army.mil>", "later@army.ml")[0] == 250  # once more, long after the notice
    assert house.kinds("<later@army.mil>").count("held") == 1
    assert len(house.chain.world.notices("later@army.ml")) == 1


def test_a_retry_after_the_release_does_not_send_the_released_copy_again(house: House) -> None:
    assert house.send("<released@army.mil>", "released@army.ml")[0] == 250
    (hold,) = house.chain.guard.holds_to("released@army.ml")
    house.chain.guard.run("holds", "release", hold["id"], "--reason", "it is right", "--as", "major")
    eventually(lambda: house.chain.world.mails_to("released@army.ml", "<released@army.mil>"), "the released copy")
    eventually(lambda: house.chain.guard.state_of(hold["id"]) == "released", "the outcome")

    assert house.send("<released@army.mil>", "released@army.ml")[0] == 250
    copies = house.chain.wait_copies("<released@army.mil>", 19)
    assert copies.count("released@army.ml") == 1
    assert len(house.chain.guard.holds_to("released@army.ml")) == 1


def test_a_retry_after_the_correction_does_not_send_the_wrong_copy(house: House) -> None:
    assert house.send("<mended@army.mil>", "mended@army.ml")[0] == 250
    (hold,) = house.chain.guard.holds_to("mended@army.ml")
    house.chain.guard.run("holds", "correct", hold["id"], "--to", "mended@army.mil", "--as", "major")
    eventually(lambda: house.chain.world.mails_to("mended@army.mil", "<mended@army.mil>"), "the corrected copy")

    assert house.send("<mended@army.mil>", "mended@army.ml")[0] == 250
    copies = house.chain.wait_copies("<mended@army.mil>", 19)
    assert copies.count("mended@army.ml") == 0
    assert copies.count("mended@army.mil") == 1


def test_a_filter_that_refuses_for_good_leaves_the_hold_to_a_person(house: House) -> None:
    """A milter never learns what became of its verdict; the copy waits, and its author is asked."""
    house.other.judge.answers.append(REFUSED)
    assert house.send("<virus@army.mil>", "virus@army.ml")[0] == 550
    (hold,) = house.chain.guard.holds_to("virus@army.ml")
    assert hold["state"] == "waiting"
    assert house.chain.world.arrived("<virus@army.mil>") == []


def test_a_filter_behind_the_guard_never_sees_what_is_held_whole(house: House) -> None:
    before = len(house.other.judge.submissions)
    house.chain.send(message("<unseen@army.mil>", ["unseen@army.ml"]), ["unseen@army.ml"])
    assert len(house.chain.guard.holds_to("unseen@army.ml")) == 1
    assert len(house.other.judge.submissions) == before
    house.chain.send(message("<seen@army.mil>", ["seen@army.mil"]), ["seen@army.mil"])
    assert len(house.other.judge.submissions) == before + 1


def test_a_retry_of_a_copy_that_was_held_alone_does_not_send_it_again_either(house: House) -> None:
    sent = message("<alone@army.mil>", ["alone@army.ml"])
    house.chain.send(sent, ["alone@army.ml"])
    (hold,) = house.chain.guard.holds_to("alone@army.ml")
    house.chain.guard.run("holds", "release", hold["id"], "--reason", "it is right", "--as", "major")
    eventually(lambda: house.chain.world.mails_to("alone@army.ml"), "the released copy")
    house.chain.send(sent, ["alone@army.ml"])
    house.chain.send(message("<after@army.mil>", ["after@army.mil"]), ["after@army.mil"])
    house.chain.wait_copies("<after@army.mil>", 1)
    assert house.chain.world.copies("<alone@army.mil>") == ["alone@army.ml"]
