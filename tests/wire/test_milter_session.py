"""Dialogues with the filter's side: what a mail server says goes in, what the guard makes of it comes out."""

from __future__ import annotations

import pytest

from nixie.wire.milter import (
    FilterSession,
    MessageReceived,
    ProtocolError,
    SessionEnded,
    State,
    pack_reply,
)
from nixie.wire.milter import events as ev
from nixie.wire.milter import replies as rp
from nixie.wire.milter.constants import ALL_STEPS
from nixie.wire.milter.errors import LocalError
from support.milter_talk import ANNA, BOB, CARL, CLIENT, CONTENT, OFFER, OLD_OFFER, Sink, Talk, wire


def test_a_message_is_put_together_byte_for_byte() -> None:
    talk = Talk(OFFER, *CLIENT)
    message = talk.message(
        ANNA,
        BOB,
        ev.Data(),
        ev.Header(b"Received", b" from here\n\tby there"),
        ev.Header(b"Subject", b"  two spaces "),
        ev.Header(b"X-Empty", b""),
        ev.EndOfHeaders(),
        ev.Body(b"one\r"),
        ev.Body(b"\ntwo"),
        ev.EndOfMessage(b"\r\nthree\r\n"),
    )

    assert talk.sinks[0] == (
        b"Received: from here\r\n\tby there\r\nSubject:  two spaces \r\nX-Empty:\r\n\r\none\r\ntwo\r\nthree\r\n"
    )
    assert message.size == len(talk.sinks[0])
    assert not talk.sinks[0].closed


def test_macros_said_again_word_for_word_hold_for_each_message() -> None:
    login = ev.Macros(ord("M"), ((b"auth_authen", b"kim"),))
    queue = ev.Macros(ord("L"), ((b"i", b"4F1"),))
    fields = (queue, ev.Header(b"A", b" 1"), queue, queue, ev.Header(b"B", b" 2"), ev.EndOfHeaders())
    talk = Talk(OFFER, *CLIENT)
    messages = [talk.message(login, login, ANNA, BOB, *fields, ev.EndOfMessage()) for _ in range(2)]

    assert [m.macros.get(b"auth_authen") for m in messages] == [b"kim", b"kim"]
    assert talk.sinks == [b"A: 1\r\nB: 2\r\n\r\n"] * 2


def test_without_leadspc_one_space_is_put_back() -> None:
    talk = Talk(OLD_OFFER, *CLIENT)
    talk.message(ANNA, BOB, ev.Header(b"Subject", b"tea"), ev.EndOfHeaders(), ev.EndOfMessage())

    assert talk.sinks[0] == b"Subject: tea\r\n\r\n"


def test_a_field_folded_with_crlf_is_not_given_a_second_cr() -> None:
    talk = Talk(OFFER, *CLIENT)
    talk.message(ANNA, BOB, ev.Header(b"To", b" a,\r\n b,\n c"), ev.EndOfHeaders(), ev.EndOfMessage())

    assert talk.sinks[0] == b"To: a,\r\n b,\r\n c\r\n\r\n"


def test_only_the_verdict_is_sent_when_silence_was_agreed() -> None:
    talk = Talk(OFFER)
    opening = talk.sent
    talk.say(*CLIENT, ANNA, BOB, ev.Data(), *CONTENT)

    assert talk.sent == opening + pack_reply(rp.Continue())


def test_a_version_2_peer_gets_one_continue_a_command() -> None:
    talk = Talk(OLD_OFFER)
    opening = talk.sent
    said = (*CLIENT, ANNA, BOB, *CONTENT)
    talk.say(*said)

    assert talk.sent == opening + pack_reply(rp.Continue()) * len(said)


def test_an_unknown_command_is_answered_and_changes_nothing() -> None:
    talk = Talk(OLD_OFFER, *CLIENT)
    before = talk.sent
    talk.say(ev.Unknown(b"FOO bar"))
    message = talk.message(ANNA, ev.Unknown(b"FOO"), BOB, *CONTENT)

    assert talk.sent.startswith(before + pack_reply(rp.Continue()))
    assert message.recipients == (BOB,)


def test_two_messages_on_one_connection_share_nothing_but_the_client() -> None:
    talk = Talk(OFFER, *CLIENT)
    login = ev.Macros(ord("M"), ((b"auth_authen", b"anna"), (b"i", b"Q1")))
    first = talk.message(login, ev.Mail(ANNA.path, (b"SMTPUTF8",)), BOB, ev.Data(), *CONTENT)
    second = talk.message(ev.Abort(), ev.Mail(b"<>"), CARL, ev.Data(), ev.EndOfHeaders(), ev.EndOfMessage())

    assert (first.sender.params, first.recipients, first.queue_id) == ((b"SMTPUTF8",), (BOB,), b"Q1")
    assert (second.sender, second.recipients, second.queue_id) == (ev.Mail(b"<>"), (CARL,), b"")
    assert b"auth_authen" in first.macros
    assert b"auth_authen" not in second.macros
    assert first.connect == second.connect == CLIENT[0]
    assert (first.helo, second.helo) == (b"mail.example.org", b"mail.example.org")
    assert talk.sinks[1] == b"\r\n"


def test_a_login_announced_for_a_mail_that_never_came_is_forgotten() -> None:
    talk = Talk(OFFER, *CLIENT)
    talk.say(ev.Macros(ord("M"), ((b"auth_authen", b"anna"),)), ev.Abort())
    message = talk.message(ANNA, BOB, *CONTENT)

    assert dict(message.macros) == {}


def test_mail_in_the_middle_of_a_message_begins_a_new_one() -> None:
    talk = Talk(OFFER, *CLIENT)
    message = talk.message(ANNA, BOB, ev.Data(), CONTENT[0], ev.EndOfHeaders(), ev.Body(b"x"), ANNA, CARL, *CONTENT)

    assert message.recipients == (CARL,)
    assert talk.sinks[0].closed
    assert talk.sinks[1] == b"Subject: tea\r\n\r\nat four\r\n"


def test_abort_in_the_middle_of_the_body_and_quit_leave_nothing() -> None:
    talk = Talk(OFFER, *CLIENT)
    happened = talk.say(ANNA, BOB, ev.Data(), *CONTENT[:3], ev.Abort(), ev.Abort(), ev.Quit())

    assert happened == [SessionEnded()]
    assert talk.sinks[0].closed
    assert talk.session.state is State.CLOSED


def test_quit_nc_brings_another_client_without_negotiation() -> None:
    talk = Talk(OFFER, ev.Macros(ord("C"), ((b"client_name", b"one"),)), *CLIENT)
    other = ev.Connect(b"[192.0.2.9]", b"4", 1, b"192.0.2.9")
    message = talk.message(ev.QuitNewConnection(), other, ANNA, BOB, *CONTENT)

    assert (message.connect, message.helo, dict(message.macros)) == (other, b"", {})


def test_a_second_helo_keeps_the_client_and_replaces_the_name() -> None:
    talk = Talk(OFFER, *CLIENT)
    message = talk.message(ev.Macros(ord("H"), ((b"tls_version", b"TLSv1.3"),)), ev.Helo(b"again"), ANNA, BOB, *CONTENT)

    assert (message.connect, message.helo, message.macros[b"tls_version"]) == (CLIENT[0], b"again", b"TLSv1.3")


def test_the_latest_macro_of_a_message_counts() -> None:
    talk = Talk(OFFER, *CLIENT)
    message = talk.message(
        ev.Macros(ord("M"), ((b"i", b"early"), (b"auth_authen", b"anna"))),
        ANNA,
        ev.Macros(ord("R"), ((b"rcpt_addr", b"bob"),)),
        BOB,
        ev.Macros(ord("T"), ((b"i", b"late"),)),
        ev.Data(),
        *CONTENT,
    )

    assert dict(message.macros) == {b"i": b"late", b"auth_authen": b"anna"}


def test_an_international_sender_and_repeated_recipients_arrive_as_they_came() -> None:
    sender = ev.Mail("<josé@exämple.org>".encode(), (b"SMTPUTF8",))
    odd = ev.Rcpt(b"<caf\xe9@example.org>", (b"NOTIFY=NEVER",))
    message = Talk(OFFER, *CLIENT).message(sender, odd, BOB, odd, *CONTENT)

    assert message.sender == sender
    assert message.recipients == (odd, BOB, odd)


def test_what_comes_behind_a_message_waits_for_its_verdict() -> None:
    session = FilterSession(Sink)
    session.feed(wire(OFFER, *CLIENT, ANNA, BOB, *CONTENT, ev.Abort(), ANNA, CARL, *CONTENT))
    first = session.step()
    assert session.step() is None
    assert session.waiting()
    session.answer((rp.Continue(),))
    second = session.step()

    assert isinstance(first, MessageReceived)
    assert isinstance(second, MessageReceived)
    assert second.recipients == (CARL,)


def judged(offer: ev.Offer = OFFER) -> FilterSession:
    session = FilterSession(Sink)
    session.feed(wire(offer, *CLIENT, ANNA, BOB, *CONTENT))
    assert isinstance(session.step(), MessageReceived)
    return session


@pytest.mark.parametrize("path", [b'<"a b"@example.org>', b"<Bob.SMITH@Example.Org>", b"<caf\xe9@example.org>"])
def test_a_recipient_is_deleted_byte_for_byte(path: bytes) -> None:
    packets = judged().answer((rp.DeleteRecipient(path), rp.Continue()))

    assert packets == (len(path) + 2).to_bytes(4, "big") + b"-" + path + b"\0" + pack_reply(rp.Continue())


@pytest.mark.parametrize(
    "said",
    [
        (),
        (rp.DeleteRecipient(b"<a@b>"),),
        (rp.Continue(), rp.DeleteRecipient(b"<a@b>")),
        (rp.Continue(), rp.Continue()),
        (rp.AddRecipient(b"<a@b>"), rp.Continue()),
        (rp.ReplaceBody(b"x"), rp.Continue()),
        (rp.DeleteRecipient(b"<a\0b>"), rp.Continue()),
    ],
)
def test_an_answer_that_was_not_negotiated_or_is_no_verdict_is_not_sent(said: tuple[rp.Reply, ...]) -> None:
    session = judged()
    with pytest.raises(LocalError):
        session.answer(said)

    assert session.answer((rp.TempFail(),)) == pack_reply(rp.TempFail())


def test_delrcpt_that_was_not_offered_is_not_used() -> None:
    session = judged(ev.Offer(6, 0x21, int(ALL_STEPS)))
    with pytest.raises(LocalError, match="DeleteRecipient was not negotiated"):
        session.answer((rp.DeleteRecipient(BOB.path), rp.Continue()))


def test_progress_and_verdicts_need_a_waiting_message() -> None:
    session = judged()
    assert session.progress() == pack_reply(rp.Progress())
    session.answer((rp.Accept(),))
    with pytest.raises(LocalError):
        session.progress()
    with pytest.raises(LocalError):
        session.answer((rp.Accept(),))


@pytest.mark.parametrize(
    "said",
    [
        (CLIENT[0],),
        (OFFER, OFFER),
        (OFFER, ANNA),
        (OFFER, CLIENT[1]),
        (OFFER, *CLIENT, BOB),
        (OFFER, *CLIENT, ANNA, ev.Data()),
        (OFFER, *CLIENT, ANNA, *CONTENT),
        (OFFER, *CLIENT, ANNA, BOB, ev.Body(b"x")),
        (OFFER, *CLIENT, ANNA, BOB, ev.EndOfMessage()),
        (OFFER, *CLIENT, ANNA, BOB, ev.EndOfHeaders(), CONTENT[0]),
        (OFFER, *CLIENT, ANNA, BOB, CONTENT[0], CARL),
        (OFFER, *CLIENT, ANNA, BOB, CONTENT[0], CLIENT[0]),
        (ev.Offer(1, 0, 0),),
    ],
)
def test_what_the_law_does_not_allow_ends_the_session(said: tuple[ev.Event, ...]) -> None:
    talk = Talk()
    with pytest.raises(ProtocolError):
        talk.say(*said)

    assert talk.session.state is State.CLOSED
    assert all(sink.closed for sink in talk.sinks)
