"""Values to packets and back: worked bytes, round trips, every malformed layout, and the fuzz invariant.

The invariant: whatever arrives, it is read or ProtocolError is raised, never any other error.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.wire.milter import EventDecoder, ProtocolError, ReplyDecoder, pack_event, pack_reply
from nixie.wire.milter import events as ev
from nixie.wire.milter import replies as rp
from nixie.wire.milter.errors import LocalError
from nixie.wire.milter.framing import frame

OFFER = bytes.fromhex("0000000d 4f 00000006 000001ff 001fffff")
ANSWER = bytes.fromhex("0000000d 4f 00000006 00000039 00000000")

text = st.binary(max_size=20).map(lambda b: b.replace(b"\0", b""))
texts = st.lists(text, max_size=3).map(tuple)
names = st.from_regex(rb"[a-z]([a-z_]{1,8})?", fullmatch=True)
word = st.integers(0, 2**32 - 1)

events = st.one_of(
    st.builds(ev.Offer, word, word, word),
    st.builds(ev.Macros, st.sampled_from(b"CHMRTLNBEU"), st.lists(st.tuples(names, text), max_size=4).map(tuple)),
    st.builds(ev.Connect, text, st.sampled_from([b"4", b"6", b"L"]), st.integers(0, 65535), text),
    st.builds(ev.Connect, text, st.just(b"U")),
    st.builds(ev.Helo, text),
    st.builds(ev.Mail, text, texts),
    st.builds(ev.Rcpt, text, texts),
    st.builds(ev.Header, text, text),
    st.builds(ev.Body, st.binary(max_size=60)),
    st.builds(ev.EndOfMessage, st.binary(max_size=9)),
    st.builds(ev.Unknown, text),
    st.sampled_from([ev.Data(), ev.EndOfHeaders(), ev.Abort(), ev.Quit(), ev.QuitNewConnection()]),
)

simple = [rp.Continue(), rp.Accept(), rp.Reject(), rp.TempFail(), rp.Discard(), rp.ConnFail(), rp.Shutdown(), rp.Skip()]
replies = st.one_of(
    st.sampled_from([*simple, rp.Progress()]),
    st.builds(rp.Quarantine, text),
    st.builds(rp.AddRecipient, text),
    st.builds(rp.AddRecipientWithParams, text, text.filter(bool)),
    st.builds(rp.DeleteRecipient, text),
    st.builds(rp.ChangeSender, text, text.filter(bool)),
    st.builds(rp.AddHeader, text, text),
    st.builds(rp.InsertHeader, word, text, text),
    st.builds(rp.ChangeHeader, word, text, text),
    st.builds(rp.ReplaceBody, st.binary(max_size=60)),
    st.builds(
        rp.Agreed, word, word, word, st.lists(st.tuples(word, st.lists(names, max_size=3).map(tuple))).map(tuple)
    ),
)


def read(decoder: EventDecoder | ReplyDecoder, wire: bytes, piece: int = 0) -> list[object]:
    found: list[object] = []
    for at in range(0, len(wire), piece or len(wire) or 1):
        decoder.feed(wire[at : at + (piece or len(wire))])
        while (value := decoder.next()) is not None:
            found.append(value)
    return found


def test_the_opening_packet_of_postfix_is_read() -> None:
    assert read(EventDecoder(), OFFER) == [ev.Offer(6, 0x1FF, 0x1FFFFF)]
    assert pack_event(ev.Offer(6, 0x1FF, 0x1FFFFF)) == OFFER


def test_the_smallest_answer_is_written() -> None:
    assert pack_reply(rp.Agreed(6, 0x39, 0)) == ANSWER
    assert read(ReplyDecoder(), ANSWER) == [rp.Agreed(6, 0x39, 0)]


@given(st.lists(events, max_size=6), st.integers(0, 9))
def test_events_survive_the_wire_in_any_pieces(said: list[ev.Event], piece: int) -> None:
    assert read(EventDecoder(), b"".join(map(pack_event, said)), piece) == said


@given(st.lists(replies, max_size=6), st.integers(0, 9))
def test_replies_survive_the_wire_in_any_pieces(said: list[rp.Reply], piece: int) -> None:
    assert read(ReplyDecoder(), b"".join(map(pack_reply, said)), piece) == said


@given(st.sampled_from(b"ODCHMRTLNBEAQKU?\x00"), st.binary(max_size=50))
def test_any_command_is_read_or_a_protocol_error(letter: int, data: bytes) -> None:
    try:
        found = read(EventDecoder(), frame(letter, data))
    except ProtocolError:
        return
    assert len(found) == 1


@given(st.sampled_from(b"Ocardfys4pq+2-ehimb?"), st.binary(max_size=50))
def test_any_reply_is_read_or_a_protocol_error(letter: int, data: bytes) -> None:
    try:
        found = read(ReplyDecoder(), frame(letter, data))
    except ProtocolError:
        return
    assert len(found) == 1


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_a_protocol_error(data: bytes) -> None:
    for decoder in (EventDecoder(), ReplyDecoder()):
        try:
            read(decoder, data)
        except ProtocolError:
            continue


@pytest.mark.parametrize(
    "letter, data",
    [
        ("O", b"\0" * 11),
        ("D", b""),
        ("D", b"M{i}\0"),
        ("D", b"M{i}\0value"),
        ("C", b"name"),
        ("C", b"name\0"),
        ("C", b"name\0X"),
        ("C", b"name\x004\0"),
        ("C", b"name\x004\0\x19192.0.2.1"),
        ("C", b"name\x004\0\x19192.0.2.1\0more\0"),
        ("H", b"name"),
        ("H", b"name\0more\0"),
        ("M", b""),
        ("M", b"<a@example.org>"),
        ("R", b""),
        ("T", b"x"),
        ("L", b"Subject\0"),
        ("L", b"Subject\0value"),
        ("L", b"Subject\0value\0more\0"),
        ("N", b"x"),
        ("A", b"x"),
        ("Q", b"x"),
        ("K", b"x"),
        ("U", b""),
        ("Z", b""),
    ],
)
def test_a_malformed_command_is_a_protocol_error(letter: str, data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(EventDecoder(), frame(ord(letter), data))


def test_bytes_that_are_not_utf8_pass_everywhere() -> None:
    said: list[ev.Event] = [
        ev.Mail(b"<jos\xe9@example.org>"),
        ev.Header(b"Subject", b" \xff\xfe"),
        ev.Macros(ord("M"), ((b"auth_authen", b"\xe9"),)),
    ]

    assert read(EventDecoder(), b"".join(pack_event(event) for event in said)) == said


def test_no_repr_shows_what_a_message_carries() -> None:
    secret = b"geheim"
    shown = repr(
        [
            ev.Mail(secret, (secret,)),
            ev.Rcpt(secret),
            ev.Header(secret, secret),
            ev.Body(secret),
            rp.DeleteRecipient(secret),
        ]
    )

    assert "geheim" not in shown


@pytest.mark.parametrize(
    "reply, wire",
    [
        (rp.ReplyCode(550, "5.7.1", ("no",)), b"550 5.7.1 no\0"),
        (rp.ReplyCode(451, "", ("100% sure %s",)), b"451 100%% sure %%s\0"),
        (rp.ReplyCode(550, "5.7.1", ("one", "two")), b"550-5.7.1 one\r\n550 5.7.1 two\0"),
        (rp.ReplyCode(550, "5.7.1", ("für",), utf8=True), "550 5.7.1 für\0".encode()),
    ],
)
def test_reply_text_travels_with_doubled_percent_and_one_code_a_line(reply: rp.ReplyCode, wire: bytes) -> None:
    assert pack_reply(reply) == frame(ord("y"), wire)
    assert read(ReplyDecoder(), frame(ord("y"), wire)) == [reply]


@pytest.mark.parametrize(
    "code, enhanced, lines",
    [
        (399, "", ("x",)),
        (600, "", ("x",)),
        (550, "4.7.1", ("x",)),
        (550, "5.7", ("x",)),
        (550, "5.7.1000", ("x",)),
        (250, "2.0.0", ("x",)),
        (550, "", ()),
        (550, "", ("x",) * 33),
        (550, "", ("a\r\nb",)),
        (550, "", ("a\0b",)),
        (550, "", ("für",)),
        (550, "", ("x" * 981,)),
    ],
)
def test_a_reply_that_smtp_forbids_is_refused(code: int, enhanced: str, lines: tuple[str, ...]) -> None:
    with pytest.raises(LocalError):
        rp.ReplyCode(code, enhanced, lines)


def test_a_reply_at_its_bounds_is_taken() -> None:
    assert pack_reply(rp.ReplyCode(599, "5.999.999", ("x" * 980,) * 32))


@pytest.mark.parametrize(
    "said, code, enhanced, lines",
    [
        ("550 5.7.1 no", 550, "5.7.1", ("no",)),
        ("451 later", 451, "", ("later",)),
        ("550 5.7.1", 550, "5.7.1", ("",)),
        ("550 4.7.1 mixed", 550, "", ("mixed",)),
        ("550-5.7.1 one\r\n550 5.7.1 two", 550, "5.7.1", ("one", "two")),
        ("550 5.7.1 one\nplain second", 550, "5.7.1", ("one", "plain second")),
        ("550 5.7.1 für\ttab", 550, "5.7.1", ("f?r?tab",)),
        ("550 5.7.1 " + "x" * 2000, 550, "5.7.1", ("x" * 980,)),
    ],
)
def test_a_reply_is_made_of_text(said: str, code: int, enhanced: str, lines: tuple[str, ...]) -> None:
    assert rp.ReplyCode.from_text(said) == rp.ReplyCode(code, enhanced, lines)


@pytest.mark.parametrize("said", ["", "no code", "250 fine", "55 x", "5500 x"])
def test_text_without_a_code_makes_no_reply(said: str) -> None:
    with pytest.raises(LocalError):
        rp.ReplyCode.from_text(said)


@given(st.text(max_size=60), st.booleans())
def test_any_text_after_a_code_makes_a_reply(tail: str, utf8: bool) -> None:
    assert pack_reply(rp.ReplyCode.from_text(f"550 5.7.1 {tail}", utf8=utf8))


@pytest.mark.parametrize(
    "reply", [rp.DeleteRecipient(b"a\0b"), rp.AddHeader(b"X", b"a\0b"), rp.ReplaceBody(b"x" * 65536)]
)
def test_what_a_peer_could_not_read_is_not_sent(reply: rp.Reply) -> None:
    with pytest.raises(LocalError):
        pack_reply(reply)
