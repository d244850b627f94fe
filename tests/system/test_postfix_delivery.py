"""Behind a real Postfix: one wrong recipient of ten is held, the nine others get the very bytes that were sent."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from support.behind_postfix import Chain
from support.mail import Signer, message, submit
from support.postfix import free_port
from support.world_sink import eventually

pytestmark = pytest.mark.system

COLLEAGUES = [f"officer{n}@army.mil" for n in range(9)]
WRONG = "ops@army.ml"
CHROOTED = free_port()


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    chrooted = f"127.0.0.1:{CHROOTED} inet n - y - - smtpd\n"
    with Chain(known=[*COLLEAGUES, "ops@army.mil"], services=chrooted) as chain:
        yield chain


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer("army.mil")


def test_nine_of_ten_go_on_and_one_is_held_with_one_notice_and_one_story(chain: Chain) -> None:
    to = [*COLLEAGUES, WRONG]
    sent = message("<ten@army.mil>", to)
    chain.send(sent, to)

    assert chain.wait_copies("<ten@army.mil>", 9) == sorted(COLLEAGUES)
    (hold,) = chain.guard.holds_to(WRONG)
    assert (hold["state"], hold["suggestions"][0]["address"]) == ("waiting", "ops@army.mil")
    chain.wait_notice(WRONG)
    (notice,) = chain.world.notices(WRONG)
    assert notice.recipients == ("ann@army.mil",)
    assert {a.below_trace for a in chain.world.arrived("<ten@army.mil>")} == {sent}
    eventually(lambda: len(chain.guard.story("<ten@army.mil>")) >= 3, "the notice in the story")
    assert [row["kind"] for row in chain.guard.story("<ten@army.mil>")] == ["decision", "held", "notice"]


def test_a_port_in_the_chroot_reaches_the_guard_by_the_same_path(chain: Chain) -> None:
    to = [COLLEAGUES[0], "chroot@army.ml"]
    code, text = submit(CHROOTED, message("<chroot@army.mil>", to), to)
    assert (code, text[:5]) == (250, "2.0.0")
    assert chain.wait_copies("<chroot@army.mil>", 1) == [COLLEAGUES[0]]
    assert len(chain.guard.holds_to("chroot@army.ml")) == 1


def test_the_doctor_finds_this_configuration_well(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_CONFIG", str(chain.postfix.folder / "etc"))
    points = chain.guard.json("doctor", "--connect")["points"]
    assert {"milter-listed", "milter-socket", "milter-door", "release-hop-answers"} <= {p["name"] for p in points}
    assert [p for p in points if p["level"] == "mistake"] == []


def test_a_signature_over_every_byte_still_verifies(chain: Chain, signer: Signer) -> None:
    to = [COLLEAGUES[0], COLLEAGUES[1], WRONG]
    sent = message("<signed@army.mil>", to, body="  two  spaces \r\n\r\n.dot\r\ntrailing \r\n\r\n\r\n")
    signature = signer.signature(sent)
    chain.send(signature + sent, to)

    chain.wait_copies("<signed@army.mil>", 2)
    for arrived in chain.world.arrived("<signed@army.mil>"):
        assert arrived.below_trace == signature + sent
        assert signer.verifies(arrived.content)


def test_a_message_split_into_three_transactions_asks_one_question_with_the_same_probability(chain: Chain) -> None:
    """Exchange and Postfix split by domain and by number; the header shows the whole circle each time."""
    to = [*COLLEAGUES, WRONG, "logistics@army.ml"]
    found = {}
    for message_id, parts in {
        "<whole@army.mil>": [to],
        "<split@army.mil>": [to[:4], [*to[4:9], WRONG], to[10:]],
    }.items():
        for part in parts:
            chain.send(message(message_id, to), part)
        assert chain.wait_copies(message_id, 9) == sorted(COLLEAGUES)
        decisions = [row for row in chain.guard.story(message_id) if row["kind"] == "decision"]
        assert len(decisions) == len(parts)
        found[message_id] = {
            row["to"][f["recipient"]]: log_odds(f["values"]["probability"])
            for row in decisions
            for f in row["verdict"].get("findings", ())
        }
        held = [row["hold"] for row in chain.guard.story(message_id) if row["kind"] == "held"]
        (question,) = {h["question"] for h in chain.guard.holds() if h["id"] in held}
        eventually(lambda: [n for n in chain.world.notices() if question in n.field("Message-ID")], "the notice")  # noqa: B023
        assert len(held) == 2

    # The whole message taught a little before the parts came: equal to a few hundredths, where a split circle makes whole units.
    assert found["<whole@army.mil>"].keys() == {WRONG, "logistics@army.ml"}
    assert found["<split@army.mil>"] == pytest.approx(found["<whole@army.mil>"], abs=0.1)


def log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))
