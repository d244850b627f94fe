"""A message is bounded in every direction, and whatever comes in whatever pieces, the session follows or ends in order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.wire.milter import (
    FilterSession,
    Limits,
    MessageReceived,
    ProtocolError,
    State,
    Trouble,
    pack_event,
    pack_reply,
)
from nixie.wire.milter import events as ev
from nixie.wire.milter import replies as rp
from nixie.wire.milter.constants import ALL_ACTIONS, ALL_STEPS, Step
from nixie.wire.milter.draft import ENVELOPE_BYTES
from support.milter_talk import ANNA, BOB, CARL, CLIENT, CONTENT, OFFER, Sink, Talk, wire


@pytest.mark.parametrize("extra, trouble", [(-1, None), (0, None), (1, Trouble.TOO_LARGE)])
def test_a_message_up_to_the_limit_is_taken(extra: int, trouble: Trouble | None) -> None:
    head = len(b"Subject: tea\r\n\r\n")
    talk = Talk(OFFER, *CLIENT, limits=Limits(message_bytes=1000))
    message = talk.message(ANNA, BOB, *CONTENT[:2], ev.Body(b"x" * (1000 - head + extra)), ev.EndOfMessage())

    assert message.trouble is trouble
    assert (message.sink is None) is (trouble is not None)
    assert talk.sinks[0].closed is (trouble is not None)


@pytest.mark.parametrize("count, trouble", [(2, None), (3, None), (4, Trouble.TOO_MANY_RECIPIENTS)])
def test_recipients_up_to_the_limit_are_taken(count: int, trouble: Trouble | None) -> None:
    message = Talk(OFFER, *CLIENT, limits=Limits(recipients=3)).message(ANNA, *[BOB] * count, *CONTENT)

    assert message.trouble is trouble


@pytest.mark.parametrize("extra, trouble", [(0, None), (1, Trouble.TOO_MANY_RECIPIENTS)])
def test_recipients_are_bounded_in_bytes_too(extra: int, trouble: Trouble | None) -> None:
    large = ev.Rcpt(b"<" + b"b" * (ENVELOPE_BYTES // 8 - 2) + b">")
    message = Talk(OFFER, *CLIENT).message(ANNA, *[large] * 8, *[ev.Rcpt(b"x")] * extra, *CONTENT)

    assert message.trouble is trouble


def test_an_endless_header_is_bounded_too() -> None:
    talk = Talk(OFFER, *CLIENT, ANNA, BOB, limits=Limits(message_bytes=200_000))
    message = talk.message(*[ev.Header(b"X", b" " + b"y" * 50_000)] * 50, ev.EndOfHeaders(), ev.EndOfMessage())

    assert message.trouble is Trouble.TOO_LARGE
    assert max(map(len, talk.sinks)) <= 200_000


def test_trouble_of_one_message_is_not_carried_to_the_next() -> None:
    talk = Talk(OFFER, *CLIENT, limits=Limits(message_bytes=100))
    assert talk.message(ANNA, BOB, *CONTENT[:2], ev.Body(b"x" * 200), ev.EndOfMessage()).trouble
    assert talk.message(ANNA, BOB, *CONTENT).trouble is None


def test_a_full_disk_is_a_trouble_and_no_error() -> None:
    class Full(Sink):
        def append(self, data: bytes | bytearray | memoryview) -> None:  # type: ignore[override]
            raise OSError(28, "No space left on device")

    session = FilterSession(Full)
    session.feed(wire(OFFER, *CLIENT, ANNA, BOB, *CONTENT))
    message = session.step()

    assert isinstance(message, MessageReceived)
    assert message.trouble is Trouble.NO_ROOM


def test_the_rest_of_a_message_that_is_too_large_is_skipped_where_replies_are_given() -> None:
    steps = int(ALL_STEPS & ~Step.NR_BODY)
    talk = Talk(ev.Offer(6, int(ALL_ACTIONS), steps), *CLIENT, limits=Limits(message_bytes=100))
    before = talk.sent
    talk.say(ANNA, BOB, *CONTENT[:2], ev.Body(b"x" * 50), ev.Body(b"x" * 200))

    assert talk.sent == before + pack_reply(rp.Continue()) + pack_reply(rp.Skip())


@settings(max_examples=60)
@given(st.integers(1, 60), st.integers(0, 40))
def test_any_way_of_cutting_bytes_and_body_gives_the_same_message(piece: int, cut: int) -> None:
    body = b"--=b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--=b--\r\n"
    talk = Talk(OFFER, *CLIENT)
    said = (
        ANNA,
        BOB,
        CARL,
        ev.Data(),
        *CONTENT[:2],
        ev.Body(body[: cut + 1]),
        ev.Body(body[cut + 1 :]),
        ev.EndOfMessage(),
    )
    message = talk.message(*said, piece=piece)

    assert bytes(talk.sinks[0]) == b"Subject: tea\r\n\r\n" + body
    assert message.recipients == (BOB, CARL)


_any_event = st.sampled_from(
    [
        OFFER,
        *CLIENT,
        ANNA,
        BOB,
        ev.Data(),
        *CONTENT,
        ev.Abort(),
        ev.QuitNewConnection(),
        ev.Unknown(b"X"),
        ev.Macros(ord("M"), ()),
    ]
)


@given(st.lists(_any_event, max_size=20))
def test_any_order_of_commands_is_followed_or_a_protocol_error(said: list[ev.Event]) -> None:
    talk = Talk()
    try:
        happened = talk.say(OFFER, *said)
    except ProtocolError:
        happened = []
        assert talk.session.state is State.CLOSED
    talk.session.close()

    handed_out = [h.sink for h in happened if isinstance(h, MessageReceived)]
    assert all(sink.closed for sink in talk.sinks if happened and not any(sink is out for out in handed_out))


@given(st.binary(max_size=300))
def test_any_bytes_are_followed_or_a_protocol_error(data: bytes) -> None:
    session = FilterSession(Sink)
    session.feed(pack_event(OFFER) + data)
    try:
        while session.step() is not None:
            continue
    except ProtocolError:
        assert session.state is State.CLOSED
