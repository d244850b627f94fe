"""How a message becomes a submission, and how an answer is said."""

from __future__ import annotations

import pytest

from nixie.service.carried import Carried
from nixie.service.milter_speech import LATER, Unspeakable, client_of, replies_for, submission_of
from nixie.service.ports import Answer
from nixie.wire.milter import MessageReceived
from nixie.wire.milter import events as ev
from nixie.wire.milter.replies import Continue, DeleteRecipient, Discard, Reply, ReplyCode

A, B, C = b"<anna@example.org>", b'<"a b"@Example.ORG>', b"<Bob.SMITH@example.com>"
REFUSED = ReplyCode(550, "5.7.1", ("Refused by the mail guard",))


def received(
    *paths: bytes,
    connect: ev.Connect = ev.Connect(b"client.example", b"4", 25, b"192.0.2.1"),  # noqa: B008 - frozen
    macros: dict[bytes, bytes] | None = None,
    params: tuple[bytes, ...] = (),
) -> MessageReceived:
    recipients = tuple(ev.Rcpt(path, (b"NOTIFY=NEVER",)) for path in paths)
    return MessageReceived(connect, b"helo.example", macros or {}, ev.Mail(A, params), recipients, Carried(), 0)


@pytest.mark.parametrize(
    "answer, said",
    [
        (Answer(), (Continue(),)),
        (Answer(held=(1,)), (DeleteRecipient(B), Continue())),
        (Answer(held=(2, 1)), (DeleteRecipient(C), DeleteRecipient(B), Continue())),
        (Answer(refused=(0,)), (DeleteRecipient(A), Continue())),
        (Answer(held=(2,), refused=(0,)), (DeleteRecipient(C), DeleteRecipient(A), Continue())),
        (Answer(held=(0, 1, 2)), (Discard(),)),
        (Answer(held=(0, 1), refused=(2,), reply="550 5.7.1 x"), (Discard(),)),
        (Answer(refused=(0, 1, 2), reply="554 5.7.1 100% no"), (ReplyCode(554, "5.7.1", ("100% no",)),)),
        (Answer(refused=(0, 1, 2)), (REFUSED,)),
        (Answer(reply="550 5.7.1 no"), (ReplyCode(550, "5.7.1", ("no",)),)),
        (Answer(reply="not a reply"), (REFUSED,)),
        (Answer(later=True, reply="451 4.3.2 soon"), (ReplyCode(451, "4.3.2", ("soon",)),)),
        (Answer(later=True), (LATER,)),
        (Answer(later=True, reply="550 5.7.1 no"), (LATER,)),
        (Answer(later=True, held=(0, 1, 2)), (LATER,)),
    ],
)
def test_an_answer_is_said(answer: Answer, said: tuple[Reply, ...]) -> None:
    assert replies_for(answer, received(A, B, C), may_delete=True) == said


@pytest.mark.parametrize(
    "paths, held, said",
    [
        ((A, C, A), (0, 2), (DeleteRecipient(A), Continue())),
        ((A, C, A), (0,), (DeleteRecipient(A), Continue())),
        ((A, A), (0,), (Discard(),)),
        ((C, C.lower()), (0,), (DeleteRecipient(C), Continue())),
    ],
)
def test_a_path_that_stands_twice_is_deleted_once(
    paths: tuple[bytes, ...], held: tuple[int, ...], said: tuple[Reply, ...]
) -> None:
    assert replies_for(Answer(held=held), received(*paths), may_delete=True) == said


def test_a_held_copy_that_cannot_be_taken_out_stops_everything() -> None:
    with pytest.raises(Unspeakable, match="delrcpt-not-offered") as caught:
        replies_for(Answer(held=(1,)), received(A, B), may_delete=False)

    assert (caught.value.reply.code, caught.value.reply.enhanced) == (451, "4.7.1")
    assert "milter_protocol" in caught.value.remedy


@pytest.mark.parametrize("answer", [Answer(held=(0, 1)), Answer(refused=(0, 1)), Answer(), Answer(later=True)])
def test_what_needs_no_deletion_is_said_without_it(answer: Answer) -> None:
    assert replies_for(answer, received(A, B), may_delete=False)


def test_reply_text_beyond_ascii_is_sent_to_smtputf8_clients_only() -> None:
    answer = Answer(reply="550 5.7.1 für")

    (plain,) = replies_for(answer, received(A), may_delete=True)
    (international,) = replies_for(answer, received(A, params=(b"SmtpUtf8",)), may_delete=True)
    assert plain == ReplyCode(550, "5.7.1", ("f?r",))
    assert international == ReplyCode(550, "5.7.1", ("für",), utf8=True)


def test_a_submission_keeps_raw_paths_and_parameters() -> None:
    message = received(B, params=(b"SIZE=10", b"RET=HDRS"), macros={b"i": b"4Zx1"})
    submission = submission_of(message, Carried())

    assert (submission.door, submission.queue_id) == ("milter", "4Zx1")
    assert (submission.envelope.sender_raw, submission.envelope.params) == (A, (b"SIZE=10", b"RET=HDRS"))
    (recipient,) = submission.envelope.recipients
    assert (recipient.raw, recipient.params) == (B, (b"NOTIFY=NEVER",))
    assert (recipient.address.local, recipient.address.domain) == ("a b", "example.org")


@pytest.mark.parametrize(
    "connect, macros, ip",
    [
        (ev.Connect(b"c", b"4", 1, b"192.0.2.1"), {}, "192.0.2.1"),
        (ev.Connect(b"c", b"6", 1, b"2001:db8::1"), {}, "2001:db8::1"),
        (ev.Connect(b"c", b"6", 1, b"IPv6:2001:db8::1"), {}, "2001:db8::1"),
        (ev.Connect(b"c", b"L", 0, b"/run/x"), {}, ""),
        (ev.Connect(b"c", b"U"), {b"client_addr": b"192.0.2.7"}, "192.0.2.7"),
        # Only a client at a socket of this machine has no address; one that cannot be named is trusted by nobody.
        (ev.Connect(b"c", b"L", 0, b"/run/x"), {b"client_addr": b"unknown"}, ""),
        (ev.Connect(b"unknown", b"U"), {b"client_addr": b"unknown"}, "unknown"),
        (ev.Connect(b"unknown", b"U"), {}, "unknown"),
        (ev.Connect(b"c", b"4", 1, b""), {}, "unknown"),
    ],
)
def test_the_clients_address_is_read(connect: ev.Connect, macros: dict[bytes, bytes], ip: str) -> None:
    assert client_of(received(A, connect=connect, macros=macros)).ip == ip


def test_the_login_comes_from_the_server_and_not_from_the_sender() -> None:
    client = client_of(
        received(A, macros={b"auth_authen": b"jos\xe9", b"client_name": b"pc.example", b"tls_version": b"TLSv1.3"})
    )

    assert (client.login, client.name, client.helo, client.tls) == (
        "jos\udce9",
        "pc.example",
        "helo.example",
        "TLSv1.3",
    )
    assert client_of(received(A)).login == ""


def test_an_address_that_cannot_be_read_is_refused_for_good() -> None:
    with pytest.raises(Unspeakable) as caught:
        submission_of(received(b"<anna@example.org"), Carried())

    assert (caught.value.reply.code, caught.value.reply.enhanced) == (553, "5.1.3")
    assert "anna" not in str(caught.value)
