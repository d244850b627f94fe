"""Bounces that come to us: what they say about addresses, and when it counts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core import mime
from nixie.core.envelope import Client
from nixie.core.message import Message, Part
from nixie.sources.bounces import MOST_FAILED, failed_recipients
from support.installed import NOW, Installation, mail

ANN, NOBODY = "ann@ministry.example", "nobody@partner.example"
STRANGER = Client(ip="198.51.100.9")
HEADER = f"From: {ANN}\r\nMessage-ID:\r\n <m1@ministry.example>\r\nSubject: figures\r\n"
WHOLE, HEADER_ALONE = ("message/rfc822", HEADER + "\r\nHello.\r\n"), ("text/rfc822-headers", HEADER)


def block(recipient: str, status: str = "5.1.1", action: str = "failed", more: str = "") -> str:
    return f"{more}Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status} (no such user)\r\n\r\n"


def bounce(*blocks: str, given_back: tuple[str, str] = WHOLE) -> bytes:
    """Return a notification about mail of ours as a server elsewhere writes it."""
    kind, original = given_back
    status = "Reporting-MTA: dns; mx.partner.example\r\n\r\n" + "".join(blocks)
    return (
        f"From: MAILER-DAEMON@mx.partner.example\r\nTo: {ANN}\r\nMessage-ID: <b1@mx.partner.example>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\n\r\nIt could not be delivered.\r\n"
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\n{status}"
        f"--b\r\nContent-Type: {kind}\r\n\r\n{original}\r\n--b--\r\n"
    ).encode()


def failed(raw: bytes) -> list[str]:
    return [a.key for a in failed_recipients(mime.read(raw))]


def test_the_recipients_at_whose_address_nobody_lives_are_read():
    raw = bounce(
        block("a@x.example"), block("b@x.example", "5.1.2"), block("c@x.example", "5.2.2"), block("d@x.example", "4.1.1"),
        block("e@x.example", action="delayed"), block("f@y.example", more="Original-Recipient: rfc822;g@x.example\r\n"),
    )  # fmt: skip

    assert failed(raw) == ["a@x.example", "b@x.example", "g@x.example"]


@pytest.mark.parametrize("given_back", [WHOLE, HEADER_ALONE], ids=["whole", "header"])
def test_the_mail_that_is_given_back_is_known_by_its_id(given_back):
    assert mime.read(bounce(block(NOBODY), given_back=given_back)).reported == ("m1@ministry.example",)


def test_a_mail_that_is_no_report_gives_nothing_back():
    assert mime.read(mail("m2@ministry.example", ANN, [NOBODY], body=HEADER)).reported == ()


def test_a_report_about_thousands_is_read_as_far_as_it_may():
    assert len(failed(bounce(*(block(f"p{n}@x.example") for n in range(3_000))))) == MOST_FAILED


@given(st.text("actionfledsu: 51.;@x\n-", max_size=200))
def test_whatever_stands_in_a_report_is_read_without_an_error(text):
    part = Part((2,), "message/delivery-status", "", "", len(text), text)

    assert len(failed_recipients(Message(parts=(part,)))) <= MOST_FAILED


def bounced(house) -> dict[str, int]:
    rows = house.writer.execute(
        "SELECT a.key, SUM(n) FROM address_day d JOIN address a ON a.id = d.address WHERE scope = 0 AND kind = 4 GROUP BY 1"
    )
    return dict(rows.fetchall())


@pytest.fixture
def house(tmp_path):
    with Installation(tmp_path) as house:
        house.submit(mail("m1@ministry.example", ANN, [NOBODY]), ANN, [NOBODY])
        yield house


def come_back(house, raw: bytes, to: str = ANN) -> None:
    house.submit(raw, "", [to], client=STRANGER, at=NOW + timedelta(minutes=5))


def test_a_bounce_of_mail_that_one_of_ours_sent_counts_against_the_address_once(house):
    come_back(house, bounce(block(NOBODY)))
    come_back(house, bounce(block(NOBODY), given_back=HEADER_ALONE))

    assert bounced(house) == {NOBODY: 1}


@pytest.mark.parametrize(
    "raw",
    [
        bounce(block("kim@partner.example")),
        bounce(block(NOBODY), given_back=("message/rfc822", HEADER.replace("m1@", "m9@") + "\r\n")),
        bounce(block(NOBODY, "5.7.1")),
        bounce(block("bob@ministry.example")),
    ],
    ids=["never written to", "another mail", "refused for another reason", "one of ours"],
)
def test_a_bounce_that_names_no_mail_of_ours_counts_nothing_then_or_later(house, raw):
    come_back(house, raw)
    house.submit(mail("m9@ministry.example", ANN, ["kim@partner.example"]), ANN, ["kim@partner.example"])

    assert bounced(house) == {}
    assert house.writer.execute("SELECT COUNT(*) FROM answer").fetchone() == (0,)
