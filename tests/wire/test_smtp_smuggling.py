"""Smuggling: two servers must never disagree about where a message ends.

The attack (SEC Consult, 2023) hides an end of data that one server takes and the other does not, so that text becomes
commands. Here CR LF "." CR LF is the end and nothing else is; a text or command with a bare CR or LF is never taken.
"""

from __future__ import annotations

import itertools

import pytest

from nixie.wire.smtp import Data, Defect, Event, Hello, Mail, Rcpt, Reply, ServerSession, StartTls, Text, TextEnd

OK = Reply(250)
FALSE_ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\n\n.\r\n",
    b"\r\r\n.\n",
    b"\r\n\x00.\n",
    b"\r\n.\r\r\n",
    b"\n.\r\r\n",
    b"\r\n.\x00\r\n\n",
]
SMUGGLED = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<victim@y.example>\r\nDATA\r\nboo\r\n.\r\n"


def in_data() -> ServerSession:
    session = ServerSession()
    for wire, replies in (
        (b"EHLO c\r\n", [250]),
        (b"MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n", [250, 250]),
        (b"DATA\r\n", [354]),
    ):
        session.receive(wire)
        while session.next_event() is not None:
            pass
        for code in replies:
            session.reply(Reply(code))
    session.data_to_send()
    return session


def events_of(session: ServerSession) -> list[Event]:
    found = []
    while (event := session.next_event()) is not None:
        found.append(event)
    return found


@pytest.mark.parametrize("end", FALSE_ENDS)
@pytest.mark.parametrize("step", [1, 2, 3, 10_000])
def test_a_false_end_of_data_ends_nothing_and_the_text_is_refused(end: bytes, step: int) -> None:
    session = in_data()
    wire = b"hello" + end + SMUGGLED
    events = []
    for begin in range(0, len(wire), step):
        session.receive(wire[begin : begin + step])
        events += events_of(session)

    assert [event for event in events if not isinstance(event, Text)] == [TextEnd(Defect.BARE)]


def test_every_short_mix_of_dots_and_line_ends_is_either_the_true_end_or_refused() -> None:
    for parts in itertools.product([b"\r", b"\n", b"."], repeat=6):
        middle = b"".join(parts)
        session = in_data()
        session.receive(b"a" + middle + b"b\r\n.\r\n")
        events = events_of(session)
        text = b"".join(event.data for event in events if isinstance(event, Text))
        ends = [event for event in events if isinstance(event, TextEnd)]
        before = (b"a" + middle + b"b\r\n.\r\n").partition(b"\r\n.\r\n")[0]
        bare = b"\r" in before.replace(b"\r\n", b"") or b"\n" in before.replace(b"\r\n", b"")

        assert ends == [TextEnd(Defect.BARE if bare else None)], middle
        assert bare or text == (before + b"\r\n").replace(b"\r\n.", b"\r\n"), middle


def test_after_a_refused_text_the_session_ends_and_commands_behind_it_are_not_read() -> None:
    session = in_data()
    session.receive(b"a\nb\r\n.\r\n" + SMUGGLED)
    events_of(session)
    session.reply(Reply(550))

    assert session.closed
    assert session.next_event() is None
    assert session.data_to_send() == b"550 \r\n"


@pytest.mark.parametrize(
    "wire", [b"NOOP\n", b"NOOP\r", b"NO\rOP\r\n", b"EHLO a\nMAIL FROM:<a@b>\r\n", b"\n", b"NOOP\r\r\n"]
)
def test_bare_line_ends_in_commands_end_the_session(wire: bytes) -> None:
    session = ServerSession()
    session.receive(wire + b"\r\nNOOP\r\n")
    events_of(session)

    assert session.closed
    assert session.data_to_send().startswith(b"500 5.5.2 ")


def test_text_that_comes_before_354_never_becomes_commands() -> None:
    session = ServerSession()
    session.receive(b"EHLO c\r\n")
    events_of(session)
    session.reply(OK)
    session.receive(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n" + SMUGGLED)
    events_of(session)
    session.reply(OK)
    session.reply(Reply(250))
    session.data_to_send()

    assert session.next_event() is None
    assert session.closed
    assert session.data_to_send().startswith(b"503 5.5.0 ")


def test_bdat_ends_the_session_because_its_body_would_be_read_as_commands() -> None:
    session = ServerSession()
    session.receive(b"EHLO c\r\n")
    events_of(session)
    session.reply(OK)
    session.receive(b"BDAT 70 LAST\r\n" + SMUGGLED)

    assert events_of(session) == []
    assert session.closed


def test_commands_injected_before_tls_are_forgotten() -> None:
    session = ServerSession(tls=True)
    session.receive(b"EHLO c\r\n")
    events_of(session)
    session.reply(OK)
    session.receive(b"STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@x>\r\n")
    assert events_of(session) == [StartTls()]
    session.reply(Reply(220))
    session.receive(b"RSET\r\n")
    session.secured()

    assert events_of(session) == []
    session.receive(b"EHLO c\r\n")
    assert events_of(session) == [Hello(b"c", extended=True)]


def test_a_path_cannot_carry_a_line_end_to_the_next_hop() -> None:
    session = ServerSession()
    session.receive(b'EHLO c\r\nMAIL FROM:<"a\r\nRCPT TO:<x@y>\r\n"@b>\r\n')
    assert events_of(session) == [Hello(b"c", extended=True)]
    session.reply(OK)

    assert not any(isinstance(event, (Mail, Rcpt, Data)) for event in events_of(session))
