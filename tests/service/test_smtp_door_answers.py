"""Every row of the table in `docs/smtp-door.md`: what the next hop says the second time, and what becomes of the message."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nixie.service.ports import Answer
from support.scripted_hop import DROP, ScriptedHop, ScriptedJudge
from support.smtp_client import Dialogue
from support.smtp_world import open_door

PAGE = Path(__file__).parents[2] / "docs" / "smtp-door.md"

HELD = Answer(held=(1,), token="t1", hold_ids=("h1",))
ALL_HELD = Answer(held=(0, 1), token="t1", hold_ids=("h1", "h2"))
RCPT_A = "RCPT <a@y.example>"
QUEUED = "250 2.0.0 Ok: queued as 4HOP"
CHANGED = "451 4.4.0"
LOST = "451 4.4.2"
MAIL_LINE = "MAIL FROM:<ann@x.example>"
BOTH = [MAIL_LINE, "RCPT TO:<a@y.example>", "RCPT TO:<b@y.example>"]
ONE = [MAIL_LINE, "RCPT TO:<a@y.example>"]


@dataclass(frozen=True)
class Row:
    """A message to a@ and b@; `after` is what the next hop hears after the first MAIL and RCPTs, QUIT left out."""

    answer: Answer
    reply: str
    after: list[str]
    hop: dict[str, list[str]] = field(default_factory=dict)
    taken: tuple[str, ...] = ()
    confirmed: bool = False
    voided: bool = False
    connections: int = 1
    hangs_up: bool = False
    confirms: bool = True
    fails: bool = False


A, AB = ("a@y.example",), ("a@y.example", "b@y.example")
SEND = ["DATA", "END"]
AGAIN = ["RSET", *ONE]
REFUSED_AGAIN = ["RSET", ONE[1]]  # without RSET the old transaction is open there, and MAIL is out of order
ANEW = ["EHLO", *ONE]

ROWS = {
    "all-go-on": Row(Answer(), QUEUED, SEND, taken=AB),
    "all-data-452": Row(Answer(), "452 4.3.1 full", ["DATA", "RSET"], {"DATA": ["452 4.3.1 full"]}),
    "all-end-451": Row(Answer(), "451 4.7.1 grey", SEND, {"END": ["451 4.7.1 grey"]}),
    "all-end-554": Row(Answer(), "554 5.7.1 spam", SEND, {"END": ["554 5.7.1 spam"]}),
    "all-lost-while-the-client-sends": Row(
        Answer(), QUEUED, ["EHLO", *BOTH, *SEND], taken=AB, hangs_up=True, connections=2
    ),
    "all-lost-and-unreachable": Row(Answer(), LOST, [], {"greeting": ["", DROP]}, hangs_up=True, connections=2),
    "some-held": Row(HELD, QUEUED, [*AGAIN, *SEND], taken=A, confirmed=True),
    "some-refused": Row(Answer(refused=(1,), token="t1"), QUEUED, [*AGAIN, *SEND], taken=A, confirmed=True),
    "none-held": Row(ALL_HELD, "250 2.0.0 Ok: held for confirmation as h1 h2", ["RSET"], confirmed=True),
    "none-held-rset-refused": Row(ALL_HELD, "250 2.0.0 Ok: held", ["RSET"], {"RSET": ["550 no"]}, confirmed=True),
    "none-held-and-refused": Row(
        Answer(held=(0,), refused=(1,), token="t1", reply="550 5.7.1 no"),
        "250 2.0.0 Ok: held",
        ["RSET"],
        confirmed=True,
    ),
    "none-held-unrecorded": Row(ALL_HELD, "451 4.3.0", ["RSET"], confirmed=True, confirms=False, voided=True),
    "none-refused": Row(
        Answer(refused=(0, 1), token="t1", reply="550 5.7.1 Not to there"),
        "550 5.7.1 Not to there",
        ["RSET"],
        confirmed=True,
    ),
    "later": Row(Answer(later=True, reply="451 4.3.0 wait", token="t1"), "451 4.3.0 wait", ["RSET"], voided=True),
    "judge-failed": Row(Answer(), "451 4.3.0", ["RSET"], fails=True),
    "some-rset-refused": Row(
        HELD, QUEUED, [*REFUSED_AGAIN, *ANEW, *SEND], {"RSET": ["500 what"]}, taken=A, confirmed=True, connections=2
    ),
    "some-rset-lost": Row(
        HELD, QUEUED, ["RSET", *ANEW, *SEND], {"RSET": [DROP]}, taken=A, confirmed=True, connections=2
    ),
    "some-rset-refused-and-unreachable": Row(
        HELD, LOST, REFUSED_AGAIN, {"RSET": ["500 what"], "greeting": ["", DROP]}, voided=True, connections=2
    ),
    "some-mail-changed": Row(HELD, CHANGED, [*AGAIN, "RSET"], {"MAIL": ["", "550 5.7.1 no"]}, voided=True),
    "some-rcpt-450": Row(HELD, CHANGED, [*AGAIN, "RSET"], {RCPT_A: ["", "450 4.2.1 grey"]}, voided=True),
    "some-rcpt-550": Row(HELD, CHANGED, [*AGAIN, "RSET"], {RCPT_A: ["", "550 5.1.1 gone"]}, voided=True),
    "some-rcpt-lost": Row(
        HELD, QUEUED, [*AGAIN, *ANEW, *SEND], {RCPT_A: ["", DROP]}, taken=A, confirmed=True, connections=2
    ),
    "some-rcpt-lost-twice": Row(HELD, LOST, [*AGAIN, *ANEW], {RCPT_A: ["", DROP, DROP]}, voided=True, connections=2),
    "some-data-452": Row(HELD, "452 4.3.1 full", [*AGAIN, "DATA", "RSET"], {"DATA": ["452 4.3.1 full"]}, voided=True),
    "some-data-250": Row(HELD, CHANGED, [*AGAIN, "DATA", "RSET"], {"DATA": ["250 what"]}, voided=True),
    "some-data-lost": Row(HELD, LOST, [*AGAIN, "DATA"], {"DATA": [DROP]}, voided=True),
    "some-text-lost": Row(HELD, LOST, [*AGAIN, "DATA"], {"TEXT": [DROP]}, voided=True),
    "some-early-reply": Row(HELD, LOST, [*AGAIN, "DATA"], {"TEXT": ["250 2.0.0 Ok"]}, voided=True),
    "some-end-lost": Row(HELD, LOST, [*AGAIN, *SEND], {"END": [DROP]}, voided=True),
    "some-end-452": Row(HELD, "452 4.3.1 full", [*AGAIN, *SEND], {"END": ["452 4.3.1 full"]}, voided=True),
    "some-end-550": Row(HELD, "550 5.6.0 bad", [*AGAIN, *SEND], {"END": ["550 5.6.0 bad"]}, voided=True),
    "some-end-421": Row(HELD, "421 4.3.2 closing", [*AGAIN, *SEND], {"END": ["421 4.3.2 closing"]}, voided=True),
    "some-unrecorded": Row(HELD, "451 4.3.0", [*AGAIN, *SEND], taken=A, confirmed=True, confirms=False, voided=True),
}


async def play(row: Row) -> tuple[str, ScriptedHop, ScriptedJudge]:
    judge = ScriptedJudge([row.answer], confirms=row.confirms, fails=row.fails)
    async with (
        ScriptedHop({moment: list(texts) for moment, texts in row.hop.items()}) as hop,
        open_door(judge, hop.address) as port,
        Dialogue(port) as client,
    ):
        await client.say("EHLO c.example")
        await client.say(*BOTH)
        await client.say("DATA")
        if row.hangs_up:
            hop.hang_up()
            await asyncio.sleep(0.05)
        client.raw(b"Subject: x\r\n\r\n..hello\r\n.\r\n")
        reply = await client.hear()
    return reply.encode().decode(), hop, judge


@pytest.mark.parametrize("name", ROWS)
def test_row(name: str) -> None:
    row = ROWS[name]
    reply, hop, judge = asyncio.run(play(row))
    said = [line for line in hop.said if line != "QUIT"]

    assert reply.startswith(row.reply)
    assert said == ["EHLO", *BOTH, *row.after]
    assert tuple(path for one in hop.taken for path in paths(one.rcpts)) == row.taken
    assert all(one.text == b"Subject: x\r\n\r\n.hello\r\n" for one in hop.taken)
    assert (judge.confirmed, judge.voided) == (["t1"] * row.confirmed, ["t1"] * row.voided)
    assert hop.connections == row.connections


def paths(rcpts: tuple[bytes, ...]) -> list[str]:
    return [line.decode().partition("<")[2].partition(">")[0] for line in rcpts]


def test_the_page_and_the_cases_name_the_same_rows() -> None:
    rows = re.findall(r"^\|.*\| `([a-z0-9-]+)` \|$", PAGE.read_text(), re.MULTILINE)

    assert sorted(rows) == sorted(ROWS)
