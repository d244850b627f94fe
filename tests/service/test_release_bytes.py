"""A copy leaves in its own bytes, or it does not leave: nothing is converted, and nothing is sent that the hop did not offer."""

import asyncio

import pytest

from nixie.config.kinds import Hop
from nixie.service.release import Fate, Handed, Parcel, hand_over
from support.strict_hop import StrictHop

PLAIN = b"Subject: x\r\n\r\nhello\r\n"
EIGHT = "Subject: x\r\n\r\ngrüße\r\n".encode()


def hand(hop, content=PLAIN, sender=b"<ann@army.mil>", recipient=b"<ops@army.ml>", params=()):
    parcel = Parcel(sender, recipient, content, params)
    return asyncio.run(hand_over(Hop("127.0.0.1", hop.port), parcel, tls="off"))


@pytest.mark.parametrize(
    "text", [b"a\rb\r\n", b"\r\r\n", b".\r\n..\r\n.dot\r\n", b"a\r\n" * 200_000 + b".\r\n", b"x" * 5000 + b"\r\n"]
)
def test_a_lone_cr_and_dots_at_line_starts_reach_the_hop_as_they_are(text) -> None:
    with StrictHop() as hop:
        assert hand(hop, PLAIN + text).fate is Fate.TAKEN
    assert hop.bodies == [PLAIN + text]


def test_a_lone_lf_becomes_a_line_end_so_that_no_server_sees_a_second_message() -> None:
    with StrictHop() as hop:
        hand(hop, b"Subject: x\r\n\r\na\n.\nMAIL FROM:<eve@evil.example>\r\n")
    assert hop.bodies == [b"Subject: x\r\n\r\na\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n"]
    assert len(hop.said("MAIL")) == 1


def test_a_text_beyond_ascii_does_not_go_to_a_hop_of_seven_bits() -> None:
    with StrictHop(keywords=("SIZE 1000000",)) as hop:
        assert hand(hop, EIGHT, params=(b"BODY=8BITMIME",)) == Handed(Fate.NEVER, "5.6.3")
        assert hand(hop, PLAIN, params=(b"BODY=8BITMIME",)).fate is Fate.TAKEN
    assert hop.bodies == [PLAIN]


@pytest.mark.parametrize("params", [(), (b"BODY=7BIT",), (b"body=8bitmime",), (b"BODY=8BITMIME", b"RET=HDRS")])
def test_a_text_beyond_ascii_is_declared_as_such_whatever_was_declared_before(params) -> None:
    with StrictHop() as hop:
        assert hand(hop, EIGHT, params=params).fate is Fate.TAKEN
    assert hop.said("MAIL") == [b"MAIL FROM:<ann@army.mil> BODY=8BITMIME"]


@pytest.mark.parametrize("end", ["sender", "recipient"])
def test_an_address_beyond_ascii_asks_for_smtputf8_and_is_never_sent_bare(end) -> None:
    path = {end: "<jörg@army.mil>".encode()}
    with StrictHop() as hop:
        assert hand(hop, **path).fate is Fate.TAKEN
    assert hop.said("MAIL")[0].endswith(b" SMTPUTF8")
    with StrictHop(keywords=("8BITMIME",)) as hop:
        assert hand(hop, **path) == Handed(Fate.NEVER, "5.6.7")
    assert hop.said("MAIL") == hop.said("RCPT") == []


@pytest.mark.parametrize(
    ("header", "params", "keywords", "fate", "asked"),
    [
        ("grüße", (b"SMTPUTF8",), ("8BITMIME", "SMTPUTF8"), Fate.TAKEN, True),
        ("grüße", (b"SMTPUTF8",), ("8BITMIME",), Fate.NEVER, False),
        ("plain", (b"SMTPUTF8",), ("8BITMIME",), Fate.TAKEN, False),
        ("grüße", (), ("8BITMIME", "SMTPUTF8"), Fate.TAKEN, False),
    ],
    ids=["declared", "declared and not offered", "declared for nothing", "old usage without a declaration"],
)
def test_a_header_beyond_ascii_goes_on_as_it_was_declared(header, params, keywords, fate, asked) -> None:
    with StrictHop(keywords=keywords) as hop:
        handed = hand(hop, f"Subject: {header}\r\n\r\nhello\r\n".encode(), params=params)
    assert handed.fate is fate
    assert any(b"SMTPUTF8" in line for line in hop.said("MAIL")) is asked


@pytest.mark.parametrize("moment", ["greeting", "EHLO"])
def test_a_server_that_takes_nobodys_mail_has_said_nothing_about_the_copy(moment) -> None:
    with StrictHop(replies={moment: "554 5.3.2 maintenance of ann@army.mil"}) as hop:
        handed = hand(hop)
    assert handed.fate is Fate.NOT_NOW
    assert "ann" not in handed.codes


@pytest.mark.parametrize(
    ("moment", "reply", "expected"),
    [
        ("DATA", "250 2.0.0 what text?", Handed(Fate.NOT_NOW, "250 2.0.0")),
        ("DATA", "554 5.5.1 no", Handed(Fate.NEVER, "554 5.5.1")),
        ("DATA", "451 4.3.0 later", Handed(Fate.NOT_NOW, "451 4.3.0")),
        ("end", "552 5.3.4 too big", Handed(Fate.NEVER, "552 5.3.4")),
        ("end", "999 nonsense", Handed(Fate.NOT_NOW, "")),
        ("end", "nonsense", Handed(Fate.NOT_NOW, "")),
        ("end", "250 2.0.0 taken", Handed(Fate.TAKEN, "250 2.0.0")),
    ],
)
def test_only_a_yes_after_the_text_means_that_it_was_taken(moment, reply, expected) -> None:
    with StrictHop(replies={moment: reply}) as hop:
        assert hand(hop) == expected
