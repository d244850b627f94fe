"""What becomes of a held copy when a person has decided: what arrives in the world, byte for byte."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from support.behind_postfix import Chain
from support.mail import Signer, message
from support.world_sink import Arrived, eventually

pytestmark = pytest.mark.system

RESENT = re.compile(rb"\A(?:Resent-(?:From|To|Date|Message-ID): [^\r\n]+\r\n){4}")


@dataclass
class Case:
    """One message to one wrong address, of its own for each test: a release teaches that the address is right."""

    chain: Chain
    name: str
    hold: str = ""

    def __post_init__(self) -> None:
        self.id = f"<{self.name}@army.mil>"
        self.wrong, self.right = f"{self.name}@army.ml", f"{self.name}@army.mil"

    def message(self, **more: str) -> bytes:
        return message(self.id, [self.wrong], **more)

    def send(self, sent: bytes, **more: object) -> bytes:
        self.chain.send(sent, [self.wrong], **more)
        (row,) = [row for row in self.chain.guard.story(self.id) if row["kind"] == "held"]
        self.hold = row["hold"]
        return sent

    def decide(self, verb: str, *more: str) -> None:
        self.chain.guard.run("holds", verb, self.hold, "--as", "major", *more)

    def only_copy(self, to: str) -> Arrived:
        eventually(lambda: self.chain.world.mails_to(to, self.id), f"the copy to {to}")
        (arrived,) = self.chain.world.arrived(self.id)
        return arrived

    def becomes(self, state: str) -> None:
        eventually(lambda: self.chain.guard.state_of(self.hold) == state, state)


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with Chain() as chain:
        yield chain


@pytest.fixture
def case(chain: Chain, request: pytest.FixtureRequest) -> Case:
    return Case(chain, request.node.name.split("_")[2])


def test_a_released_copy_is_the_message_as_it_was_sent_with_its_dsn_wishes(case: Case) -> None:
    sent = case.send(
        case.message(body="8 bit: \xe4\r\n.\r\n..\r\n"),
        mail_options=["RET=HDRS", "ENVID=QQ314159"],
        rcpt_options=["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;Released@army.ml"],
    )
    case.decide("release", "--reason", "the address is right")

    arrived = case.only_copy(case.wrong)
    assert arrived.below_trace == sent
    assert arrived.content.count(b"Received: ") == 1  # the release hop's; the guarded port's own is not seen by milters
    assert {"RET=HDRS", "ENVID=QQ314159"} <= set(arrived.mail_params)
    assert set(arrived.rcpt_params[0]) == {"NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;Released@army.ml"}
    case.becomes("released")


def test_a_corrected_copy_is_a_resent_block_on_top_of_the_same_bytes(case: Case) -> None:
    signer = Signer("army.mil")
    sent = signer.signature(case.message()) + case.message()
    case.send(sent, rcpt_options=["NOTIFY=NEVER", f"ORCPT=rfc822;{case.wrong}"])
    case.decide("correct", "--to", case.right)

    arrived = case.only_copy(case.right)
    block = RESENT.match(arrived.below_trace)
    assert block is not None
    assert arrived.below_trace[block.end() :] == sent
    assert arrived.field("Resent-To") == f"<{case.right}>"
    assert signer.verifies(arrived.content)
    assert "NOTIFY=NEVER" in arrived.rcpt_params[0]
    assert not any(case.wrong in param for param in arrived.rcpt_params[0])
    case.becomes("corrected")


def test_a_cancelled_copy_goes_nowhere_and_leaves_the_disk(case: Case) -> None:
    spool = case.chain.guard.home / "var" / "spool"
    before = set(spool.iterdir())
    case.send(case.message())
    assert set(spool.iterdir()) > before
    case.decide("cancel")

    case.becomes("cancelled")
    eventually(lambda: set(spool.iterdir()) <= before, "the file to go")
    assert case.chain.world.arrived(case.id) == []


def test_a_returned_copy_comes_back_to_its_author_with_the_message(case: Case) -> None:
    case.send(case.message())
    case.decide("return")

    case.becomes("returned")
    mine = f"\r\nMessage-ID: {case.id}".encode()
    (back,) = eventually(lambda: [a for a in case.chain.world.arrived() if mine in a.content], "the return")
    assert (back.sender, back.recipients) == ("", ("ann@army.mil",))
    assert b"The figures are attached." in back.content
    assert case.chain.world.mails_to(case.wrong) == []


def test_one_click_on_the_page_sends_the_copy_to_the_address_that_was_meant(case: Case) -> None:
    sent = case.send(case.message())
    question = case.chain.guard.json("holds", "show", case.hold)["question"]
    notices = case.chain.world.notices
    (notice,) = eventually(lambda: [n for n in notices() if question in n.field("Message-ID")], "the notice")
    link = re.search(r"http://127\.0\.0\.1:\d+/d/\S+", notice.text)
    assert link is not None
    with urllib.request.urlopen(link[0], timeout=30) as answer:
        page = answer.read().decode()
    assert case.chain.guard.state_of(case.hold) == "waiting"  # looking changes nothing

    generation = re.search(r'name="generation" value="(\d+)"', page)
    assert generation is not None
    assert f'value="correct:{case.right}"' in page
    form = {"hold": case.hold, "generation": generation[1], "choice": f"correct:{case.right}"}
    with urllib.request.urlopen(link[0], urlencode(form).encode(), timeout=30) as answer:
        assert answer.status == 200

    assert case.only_copy(case.right).below_trace.endswith(sent)
