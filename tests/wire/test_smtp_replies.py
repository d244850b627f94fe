"""Replies: read within bounds, written so that nothing in their text can break a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.wire.smtp import RemoteError, Reply, ReplyReader
from nixie.wire.smtp.replies import MAX_REPLY_LINE, MAX_REPLY_LINES


def replies_of(*pieces: bytes) -> list[Reply]:
    reader = ReplyReader()
    found = []
    for piece in pieces:
        reader.receive(piece)
        while (reply := reader.next_reply()) is not None:
            found.append(reply)
    return found


def test_several_lines_are_one_reply() -> None:
    assert replies_of(b"250-mx.example\r\n250-SIZE 10\r\n250 DSN\r\n") == [
        Reply(250, (b"mx.example", b"SIZE 10", b"DSN"))
    ]


def test_a_code_alone_is_a_reply() -> None:
    assert replies_of(b"250\r\n354 \r\n") == [Reply(250, (b"",)), Reply(354, (b"",))]


def test_what_was_read_is_written_as_it_came() -> None:
    wire = b"550-5.1.1 No such user\r\n550 5.1.1 here\r\n"

    assert replies_of(wire)[0].encode() == wire


@pytest.mark.parametrize("wire", [b"hello\r\n", b"25\r\n", b"650 x\r\n", b"250-a\r\n251 b\r\n", b"\r\n", b"2500 x\r\n"])
def test_what_is_no_reply_is_an_error(wire: bytes) -> None:
    with pytest.raises(RemoteError):
        replies_of(wire)


def test_lines_and_their_number_are_bounded() -> None:
    with pytest.raises(RemoteError):
        replies_of(b"250 " + b"x" * MAX_REPLY_LINE)
    with pytest.raises(RemoteError):
        replies_of(b"250-x\r\n" * MAX_REPLY_LINES)
    assert replies_of(b"250-x\r\n" * (MAX_REPLY_LINES - 1) + b"250 x\r\n")


@given(st.text(max_size=80))
def test_no_text_of_a_policy_breaks_a_line(text: str) -> None:
    wire = Reply.of(text).encode()

    assert replies_of(wire)
    assert len(replies_of(wire)) == 1
    assert all(0x20 <= c < 0x7F for line in wire.split(b"\r\n") for c in line)


def test_a_text_may_say_its_code_on_every_line() -> None:
    assert Reply.of("550-5.7.1 Refused\n550 5.7.1 Ask Ann") == Reply(550, (b"5.7.1 Refused", b"5.7.1 Ask Ann"))
    assert Reply.of("no code", 550).code == 550


def test_a_repr_shows_the_code_alone() -> None:
    assert repr(Reply(550, (b"5.1.1 <someone@example.org> unknown",))) == "Reply(code=550)"


@given(st.binary(max_size=300), st.data())
def test_any_bytes_are_replies_or_a_remote_error_however_they_are_cut(wire: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(wire)))

    def outcome(*pieces: bytes) -> object:
        try:
            return replies_of(*pieces)
        except RemoteError as error:
            return str(error)

    assert outcome(wire) == outcome(wire[:cut], wire[cut:])
