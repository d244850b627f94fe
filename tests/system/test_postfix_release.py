"""What becomes of a held copy when a person has decided: what arrives in the world, byte for byte."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from support.behind_postfix import Chain
from support.mail import Signer, message
from support.world_sink import Arrived, eventually

pytestmark = pytest.mark.system

RESENT = re.compile(rb"\A(?:Resent-(?:From|To|Date|Message-ID): [^\r\n]+\r\n){4}")


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with Chain() as chain:
        yield chain


def wrong(message_id: str) -> str:
    """Return an address of its own for each test: a release teaches that the address is right."""
    return f"{message_id[1:].partition('@')[0]}@army.ml"


def right(message_id: str) -> str:
    return wrong(message_id).replace(".ml", ".mil")


def hold(chain: Chain, message_id: str, sent: bytes, **more: object) -> str:
    """Send a message to its wrong address alone and return the id of its hold."""
    chain.send(sent, [wrong(message_id)], **more)
    (row,) = [row for row in chain.guard.story(message_id) if row["kind"] == "held"]
    return str(row["hold"])


def one_copy(chain: Chain, message_id: str, to: str) -> Arrived:
    eventually(lambda: chain.world.mails_to(to, message_id), f"the copy of {message_id} to {to}")
    (arrived,) = chain.world.arrived(message_id)
    return arrived


def test_a_released_copy_is_the_message_as_it_was_sent_with_its_dsn_wishes(chain: Chain) -> None:
    sent = message("<release@army.mil>", [wrong("<release@army.mil>")], body="8 bit: \xe4\r\n.\r\n..\r\n")
    options = {
        "mail_options": ["RET=HDRS", "ENVID=QQ314159"],
        "rcpt_options": ["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;Release@army.ml"],
    }
    held = hold(chain, "<release@army.mil>", sent, **options)
    chain.guard.run("holds", "release", held, "--reason", "the address is right", "--as", "major")

    arrived = one_copy(chain, "<release@army.mil>", wrong("<release@army.mil>"))
    assert arrived.below_trace == sent
    assert {"RET=HDRS", "ENVID=QQ314159"} <= set(arrived.mail_params)
    assert set(arrived.rcpt_params[0]) == {"NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;Release@army.ml"}
    eventually(lambda: chain.guard.state_of(held) == "released", "the outcome")


def test_a_corrected_copy_is_a_resent_block_on_top_of_the_same_bytes(chain: Chain) -> None:
    signer = Signer("army.mil")
    unsigned = message("<correct@army.mil>", [wrong("<correct@army.mil>")])
    sent = signer.signature(unsigned) + unsigned
    held = hold(chain, "<correct@army.mil>", sent, rcpt_options=["NOTIFY=NEVER", "ORCPT=rfc822;correct@army.ml"])
    chain.guard.run("holds", "correct", held, "--to", right("<correct@army.mil>"), "--as", "major")

    arrived = one_copy(chain, "<correct@army.mil>", right("<correct@army.mil>"))
    block = RESENT.match(arrived.below_trace)
    assert block is not None
    assert arrived.below_trace[block.end() :] == sent
    assert arrived.field("Resent-To") == f"<{right('<correct@army.mil>')}>"
    assert signer.verifies(arrived.content)
    assert "NOTIFY=NEVER" in arrived.rcpt_params[0]
    assert not any(wrong("<correct@army.mil>") in param for param in arrived.rcpt_params[0])
    eventually(lambda: chain.guard.state_of(held) == "corrected", "the outcome")


def test_a_cancelled_copy_goes_nowhere_and_leaves_the_disk(chain: Chain) -> None:
    spool = chain.guard.home / "var" / "spool"
    before = set(spool.iterdir())
    held = hold(chain, "<cancel@army.mil>", message("<cancel@army.mil>", [wrong("<cancel@army.mil>")]))
    assert set(spool.iterdir()) > before
    chain.guard.run("holds", "cancel", held, "--as", "major")

    assert chain.guard.state_of(held) == "cancelled"
    eventually(lambda: set(spool.iterdir()) == before, "the file to go")
    assert chain.world.arrived("<cancel@army.mil>") == []


def test_a_returned_copy_comes_back_to_its_author_with_the_message(chain: Chain) -> None:
    held = hold(chain, "<return@army.mil>", message("<return@army.mil>", [wrong("<return@army.mil>")]))
    chain.guard.run("holds", "return", held, "--as", "major")

    eventually(lambda: chain.guard.state_of(held) == "returned", "the outcome")
    (back,) = eventually(
        lambda: [a for a in chain.world.arrived() if b"\r\nMessage-ID: <return@army.mil>" in a.content], "the return"
    )
    assert (back.sender, back.recipients) == ("", ("ann@army.mil",))
    assert b"The figures are attached." in back.content
    assert chain.world.mails_to(wrong("<return@army.mil>"), "<return@army.mil>") == []


def test_one_click_on_the_page_sends_the_copy_to_the_address_that_was_meant(chain: Chain) -> None:
    sent = message("<click@army.mil>", [wrong("<click@army.mil>")])
    held = hold(chain, "<click@army.mil>", sent)
    question = chain.guard.json("holds", "show", held)["question"]
    (notice,) = eventually(
        lambda: [n for n in chain.world.notices() if question in n.field("Message-ID")], "the notice"
    )
    link = re.search(r"http://127\.0\.0\.1:\d+/d/\S+", notice.text)
    assert link is not None
    with urllib.request.urlopen(link[0], timeout=30) as answer:
        page = answer.read().decode()
    assert chain.guard.state_of(held) == "waiting"  # looking changes nothing

    generation = re.search(r'name="generation" value="(\d+)"', page)
    assert generation is not None
    assert f'value="correct:{right("<click@army.mil>")}"' in page
    form = urlencode(
        {"hold": held, "generation": generation[1], "choice": f"correct:{right('<click@army.mil>')}"}
    ).encode()
    with urllib.request.urlopen(link[0], form, timeout=30) as answer:
        assert answer.status == 200

    assert one_copy(chain, "<click@army.mil>", right("<click@army.mil>")).below_trace.endswith(sent)
