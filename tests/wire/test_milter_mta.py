"""The mail server's side keeps to what was negotiated, and holds the filter to it."""

from __future__ import annotations

import pytest

from nixie.wire.milter import MtaSession, ProtocolError, Step, pack_event, pack_reply, split_message
from nixie.wire.milter import events as ev
from nixie.wire.milter import replies as rp
from nixie.wire.milter.errors import LocalError


def settled(agreed: rp.Agreed) -> MtaSession:
    mta = MtaSession()
    mta.offer()
    mta.feed(pack_reply(agreed))
    assert mta.next() is None
    return mta


def test_the_opening_is_that_of_postfix() -> None:
    assert MtaSession().offer() == bytes.fromhex("0000000d4f00000006000001ff001fffff")


def test_a_declined_command_is_not_sent_and_silence_is_not_waited_for() -> None:
    mta = settled(rp.Agreed(6, 0, int(Step.NOHELO | Step.NR_MAIL)))

    assert mta.send(ev.Helo(b"x")) == b""
    assert mta.send(ev.Mail(b"<a@example.org>"))
    assert not mta.waits
    assert mta.send(ev.Rcpt(b"<b@example.org>"))
    assert mta.waits


def test_nothing_is_sent_before_the_reply_that_is_due() -> None:
    mta = settled(rp.Agreed(6, 0, 0))
    mta.send(ev.Helo(b"x"))
    with pytest.raises(LocalError):
        mta.send(ev.Mail(b"<>"))
    mta.feed(pack_reply(rp.Continue()))

    assert mta.next() == rp.Continue()
    assert mta.send(ev.Mail(b"<>"))


def test_macros_are_cut_to_the_list_that_the_filter_set() -> None:
    mta = settled(rp.Agreed(6, 0x100, 0, ((2, (b"i",)),)))
    said = ev.Macros(ord("M"), ((b"i", b"Q1"), (b"mail_addr", b"a")))

    assert mta.send(said) == pack_event(ev.Macros(ord("M"), ((b"i", b"Q1"),)))
    assert mta.send(ev.Macros(ord("T"), said.pairs)) == pack_event(ev.Macros(ord("T"), said.pairs))


@pytest.mark.parametrize(
    "agreed",
    [rp.Agreed(7, 0, 0), rp.Agreed(6, 0x200, 0), rp.Agreed(6, 0, 1 << 21)],
)
def test_a_filter_that_asks_for_more_than_offered_is_refused(agreed: rp.Agreed) -> None:
    with pytest.raises(ProtocolError):
        settled(agreed)


@pytest.mark.parametrize(
    "event, reply",
    [
        (ev.Abort(), rp.Continue()),
        (ev.Helo(b"x"), rp.DeleteRecipient(b"<a@example.org>")),
        (ev.EndOfMessage(), rp.AddHeader(b"X", b"y")),
    ],
)
def test_a_reply_that_is_not_due_or_not_negotiated_is_refused(event: ev.Event, reply: rp.Reply) -> None:
    mta = settled(rp.Agreed(6, 0x08, 0))
    mta.send(event)
    mta.feed(pack_reply(reply))
    with pytest.raises(ProtocolError):
        mta.next()


def test_a_message_is_split_as_a_server_splits_it() -> None:
    content = b"Subject: a\r\n b\r\nTo:x\r\n\r\n12345"

    assert split_message(content, leading_space=True, chunk=4) == (
        ev.Header(b"Subject", b" a\n b"),
        ev.Header(b"To", b"x"),
        ev.EndOfHeaders(),
        ev.Body(b"1234"),
        ev.Body(b"5"),
        ev.EndOfMessage(),
    )
    assert split_message(content, leading_space=False)[0] == ev.Header(b"Subject", b"a\n b")
