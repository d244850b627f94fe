"""The server's side: events in order, one reply each, flights of MAIL and RCPT, limits, order of commands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.wire.smtp import (
    Data,
    Event,
    Hello,
    Limits,
    LocalError,
    Mail,
    Phase,
    ProtocolError,
    Quit,
    Rcpt,
    Reply,
    Reset,
    ServerSession,
    StartTls,
    Text,
    TextEnd,
)
from nixie.wire.smtp.server import MAX_ERRORS

OK = Reply(250, (b"2.0.0 Ok",))
GO_ON = Reply(354, (b"go on",))
YES: dict[type, Reply] = {Data: GO_ON, StartTls: Reply(220), Quit: Reply(221)}


def session(wire: bytes = b"", **options: object) -> ServerSession:
    made = ServerSession(**options)  # type: ignore[arg-type]
    made.receive(wire)
    return made


def talk(pieces: list[bytes], **options: object) -> tuple[list[Event], bytes]:
    """Feed pieces to a session that says yes to everything; return events (texts joined) and replies."""
    made = session(**options)
    events: list[Event] = []
    waiting: list[Event] = []
    for piece in pieces:
        made.receive(piece)
        while (event := made.next_event()) is not None or waiting:
            if event is None:
                for one in waiting:
                    made.reply(YES.get(type(one), OK))
                waiting = []
                continue
            if isinstance(event, Text) and events and isinstance(events[-1], Text):
                events[-1] = Text(events[-1].data + event.data)
            else:
                events.append(event)
            if not isinstance(event, Text):
                waiting.append(event)
    return events, made.data_to_send()


def codes(replies: bytes) -> list[int]:
    return [int(line[:3]) for line in replies.split(b"\r\n") if line[3:4] == b" "]


ENVELOPE = b"EHLO c.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\n"


def test_a_dialogue_gives_its_events() -> None:
    events, replies = talk([ENVELOPE + b"DATA\r\n", b"hi\r\n.\r\nRSET\r\nQUIT\r\n"])

    assert events == [
        Hello(b"c.example", extended=True),
        Mail(b"<a@x.example>"),
        Rcpt(b"<b@y.example>"),
        Data(),
        Text(b"hi\r\n"),
        TextEnd(None),
        Reset(),
        Quit(),
    ]
    assert codes(replies) == [250, 250, 250, 354, 250, 250, 221]


def test_pipelined_mail_and_rcpt_come_as_one_flight() -> None:
    made = session(ENVELOPE + b"RCPT TO:<c@y.example>\r\nDATA\r\n")
    assert isinstance(made.next_event(), Hello)
    assert made.next_event() is None
    made.reply(OK)
    flight = [made.next_event() for _ in range(4)]

    assert [type(event) for event in flight] == [Mail, Rcpt, Rcpt, type(None)]
    for _ in range(3):
        made.reply(OK)
    assert made.next_event() == Data()


def test_replies_of_a_flight_are_one_write_in_the_order_of_the_commands() -> None:
    made = session(ENVELOPE + b"RCPT TO:<c@y.example>\r\nDATA\r\n")
    made.next_event()
    made.reply(OK)
    while made.next_event() is not None:
        pass
    made.data_to_send()
    for code in (250, 550, 250):
        made.reply(Reply(code))
    made.next_event()
    made.reply(GO_ON)

    assert codes(made.data_to_send()) == [250, 550, 250, 354]


def test_a_refused_command_inside_a_flight_keeps_its_place() -> None:
    _, replies = talk([b"EHLO x\r\nMAIL FROM:<a@x>\r\nBOGUS\r\nRCPT TO:<b@y>\r\nRCPT FROM:<b@y>\r\nNOOP\r\n"])

    assert codes(replies) == [250, 250, 500, 250, 501, 250]


@pytest.mark.parametrize(
    "wire, expected",
    [
        (b"MAIL FROM:<a@x>\r\n", [503]),
        (b"RCPT TO:<a@x>\r\n", [503]),
        (b"DATA\r\n", [503]),
        (b"EHLO x\r\nRCPT TO:<a@x>\r\n", [250, 503]),
        (b"EHLO x\r\nDATA\r\n", [250, 503]),
        (b"EHLO x\r\nMAIL FROM:<a@x>\r\nDATA\r\n", [250, 250, 554]),
        (b"EHLO x\r\nMAIL FROM:<a@x>\r\nMAIL FROM:<b@x>\r\n", [250, 250, 503]),
        (b"EHLO x\r\nMAIL FROM:<a@x>\r\nRSET\r\nMAIL FROM:<b@x>\r\n", [250, 250, 250, 250]),
        (b"EHLO x\r\nMAIL FROM:<a@x>\r\nEHLO y\r\nRCPT TO:<b@x>\r\n", [250, 250, 250, 503]),
        (b"EHLO x\r\nSTARTTLS\r\n", [250, 502]),
        (b"EHLO x\r\nXFORWARD NAME=a\r\n", [250, 502]),
        (b"VRFY a\r\nHELP\r\nNOOP\r\nEXPN a\r\nAUTH PLAIN x\r\n", [252, 214, 250, 502, 502]),
        (b"EHLO x\r\nMAIL FROM:<a@x> SIZE=101\r\nMAIL FROM:<a@x> SIZE=100\r\n", [250, 552, 250]),
        (b"EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<>\r\n", [250, 250, 501]),
        (b"EHLO x\r\nNOOP " + b"x" * 5000 + b"\r\nNOOP\r\n", [250, 500, 250]),
    ],
)
def test_the_order_of_commands_is_kept(wire: bytes, expected: list[int]) -> None:
    _, replies = talk([wire], limits=Limits(size=100))

    assert codes(replies) == expected


def test_refused_recipients_do_not_open_the_way_to_data() -> None:
    made = session(ENVELOPE + b"DATA\r\n")
    made.next_event()
    made.reply(OK)
    while made.next_event() is not None:
        pass
    made.reply(OK)
    made.reply(Reply(550))

    assert made.next_event() is None
    assert codes(made.data_to_send())[-1] == 554


def test_recipients_beyond_the_limit_are_deferred() -> None:
    rcpts = b"".join(b"RCPT TO:<r%d@x.example>\r\n" % n for n in range(5))
    _, replies = talk([b"EHLO x\r\nMAIL FROM:<a@x>\r\n", rcpts], limits=Limits(recipients=4))

    assert codes(replies) == [250, 250, 250, 250, 250, 250, 452]


def test_too_many_errors_end_the_session() -> None:
    _, replies = talk([b"BOGUS\r\n" * (MAX_ERRORS + 5)])

    assert codes(replies) == [500] * (MAX_ERRORS + 1) + [421]


def test_a_path_that_cannot_be_read_is_answered_here() -> None:
    _, replies = talk([ENVELOPE], readable=lambda path: b"y.example" not in path)

    assert codes(replies) == [250, 250, 501]


def test_tls_may_be_demanded_before_mail() -> None:
    made = session(b"EHLO x\r\nMAIL FROM:<a@x>\r\n", tls=True, need_tls=True)
    made.next_event()
    made.reply(OK)
    assert made.next_event() is None
    assert codes(made.data_to_send()) == [250, 530]
    made.receive(b"STARTTLS\r\n")
    assert made.next_event() == StartTls()
    made.reply(Reply(220))
    made.secured()
    made.receive(b"MAIL FROM:<a@x>\r\nEHLO x\r\n")
    made.next_event()

    assert made.phase is Phase.NEW  # what was said before TLS is forgotten
    assert codes(made.data_to_send()) == [220, 503]


def test_forwarded_names_last_for_one_transaction() -> None:
    made = session(b"EHLO x\r\nXFORWARD IDENT=4ABC\r\n", xforward=True)
    made.next_event()
    made.reply(OK)
    made.next_event()
    assert made.forwarded == {"IDENT": "4ABC"}
    for wire, replies in ((ENVELOPE[16:], 2), (b"DATA\r\n", 1), (b".\r\n", 1)):
        made.receive(wire)
        while made.next_event() is not None:
            pass
        for _ in range(replies):
            made.reply(GO_ON if wire == b"DATA\r\n" else OK)

    assert made.forwarded == {}


def test_a_goodbye_of_the_next_hop_ends_the_session() -> None:
    made = session(b"EHLO x\r\nNOOP\r\n")
    made.next_event()
    made.reply(Reply(421))

    assert made.closed
    assert made.next_event() is None


def test_a_reply_without_a_command_is_our_own_mistake() -> None:
    with pytest.raises(LocalError):
        session().reply(OK)


DIALOGUE = [
    ENVELOPE + b"RCPT TO:<c@z.example> NOTIFY=NEVER\r\nDATA\r\n",
    b"Subject: x\r\n\r\n..dot\r\n.\r\nNOOP\r\nQUIT\r\n",
]


@given(st.data())
def test_any_way_of_cutting_gives_the_same_events(data: st.DataObject) -> None:
    pieces = []
    for part in DIALOGUE:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(part)), max_size=10)))
        pieces += [part[a:b] for a, b in zip([0, *cuts], [*cuts, len(part)], strict=True)]

    assert talk(pieces) == talk(DIALOGUE)


def test_one_byte_at_a_time_gives_the_same_events() -> None:
    assert talk([bytes((c,)) for part in DIALOGUE for c in part]) == talk(DIALOGUE)


WORDS = st.sampled_from(
    [
        *(b"EHLO x", b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>", b"DATA", b"RSET", b"QUIT", b"STARTTLS", b"BDAT 5", b"NOOP"),
        *(b"\r\n", b"\n", b"\r", b".", b"\r\n.\r\n", b"\x00", b"XFORWARD NAME=x", b" "),
    ]
)


@given(st.lists(st.binary(max_size=40) | st.lists(WORDS, max_size=8).map(b"".join), max_size=8))
def test_no_bytes_raise_anything_but_a_protocol_error(pieces: list[bytes]) -> None:
    try:
        talk(pieces, tls=True, xforward=True, limits=Limits(50, 3))
    except ProtocolError:
        pytest.fail("a client's bytes are answered, not raised")
