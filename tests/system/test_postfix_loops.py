"""Machines that answer machines: notices, automatic replies and releases that come back make no loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.behind_postfix import Chain
from support.mail import message
from support.world_sink import Arrived, eventually

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with Chain() as chain:
        yield chain


@pytest.fixture(scope="module")
def notice(chain: Chain) -> Arrived:
    chain.send(message("<first@army.mil>", ["first@army.ml"]), ["first@army.ml"])
    (notice,) = eventually(lambda: chain.world.notices("first@army.ml"), "the notice")
    return notice


def held(chain: Chain) -> int:
    return len(chain.guard.holds())


def sent_back(chain: Chain, content: bytes, to: list[str], sender: str) -> None:
    """Send something that must arrive, and make nothing else arrive."""
    before, asked = held(chain), len(chain.world.notices())
    message_id = content.partition(b"Message-ID: ")[2].partition(b"\r\n")[0].decode()
    already = len(chain.world.copies(message_id))
    chain.send(content, to, sender=sender)
    eventually(lambda: len(chain.world.copies(message_id)) > already, f"{message_id} to arrive")
    assert held(chain) == before
    came_back = sum(content.endswith(n.below_trace) for n in chain.world.notices())
    assert len(chain.world.notices()) <= asked + bool(came_back)


def test_a_notice_tells_machines_not_to_answer(notice: Arrived) -> None:
    assert notice.sender == ""
    assert notice.field("Auto-Submitted") == "auto-generated"
    assert notice.recipients == ("ann@army.mil",)


def test_an_automatic_reply_to_a_notice_passes_and_asks_nothing(chain: Chain, notice: Arrived) -> None:
    guard = notice.field("From").rpartition("<")[2].rstrip(">")
    more = f"Auto-Submitted: auto-replied\r\nIn-Reply-To: {notice.field('Message-ID')}\r\n"
    sent_back(chain, message("<away1@army.mil>", [guard], more=more), [guard], "")
    sent_back(chain, message("<away2@army.mil>", [guard]), [guard], "ann@army.mil")  # a responder without manners


def test_an_automatic_reply_to_the_outside_passes_whatever_its_address_looks_like(chain: Chain) -> None:
    away = message("<away3@army.mil>", ["colonel@army.ml"], more="Auto-Submitted: auto-replied\r\n")
    sent_back(chain, away, ["colonel@army.ml"], "")


def test_a_notice_that_passes_the_guarded_port_goes_on(chain: Chain, notice: Arrived) -> None:
    sent_back(chain, notice.below_trace, ["ann@army.mil"], "")


def test_a_release_that_comes_back_by_way_of_another_server_goes_on(chain: Chain, notice: Arrived) -> None:
    (hold,) = chain.guard.holds_to("first@army.ml")
    chain.guard.run("holds", "release", hold["id"], "--reason", "it is right", "--as", "major")
    (released,) = eventually(lambda: chain.world.mails_to("first@army.ml"), "the release")
    sent_back(chain, released.content, ["first@army.ml"], "ann@army.mil")


def test_a_release_hop_that_is_guarded_by_mistake_delivers_all_the_same(chain: Chain) -> None:
    chain.guard.stop()
    chain.guard.configure({"release": {"hop": f"127.0.0.1:{chain.postfix.port}"}})
    chain.guard.start()
    chain.send(message("<round@army.mil>", ["round@army.ml"]), ["round@army.ml"])
    eventually(lambda: chain.world.notices("round@army.ml"), "the notice")
    (hold,) = chain.guard.holds_to("round@army.ml")
    chain.guard.run("holds", "release", hold["id"], "--reason", "it is right", "--as", "major")

    assert chain.wait_copies("<round@army.mil>", 1) == ["round@army.ml"]
    eventually(lambda: chain.guard.state_of(hold["id"]) == "released", "the outcome")
    assert len(chain.world.notices("round@army.ml")) == 1
    assert len(chain.guard.holds_to("round@army.ml")) == 1
