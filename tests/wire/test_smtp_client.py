"""The client's side: replies meet their commands, groups end where they must, keywords are read and offered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.wire.smtp import (
    Answered,
    ClientSession,
    LocalError,
    ProtocolError,
    RemoteError,
    Reply,
    offered,
    read_keywords,
)


def greeted(keywords: bytes = b"250-mx.example\r\n250 PIPELINING\r\n") -> ClientSession:
    session = ClientSession()
    session.receive(b"220 mx.example ESMTP\r\n")
    assert session.next_answer() == Answered(b"", Reply(220, (b"mx.example ESMTP",)))
    session.send(b"EHLO c.example")
    session.receive(keywords)
    assert session.next_answer() is not None
    return session


def test_pipelined_replies_meet_their_commands() -> None:
    session = greeted()
    sent = b"".join(session.send(line) for line in (b"RSET", b"MAIL FROM:<>", b"RCPT TO:<a@b.example>"))
    session.receive(b"250 a\r\n250 b\r\n550 c\r\n")

    assert sent == b"RSET\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n"
    assert [session.next_answer() for _ in range(4)] == [
        Answered(b"RSET", Reply(250, (b"a",))),
        Answered(b"MAIL", Reply(250, (b"b",))),
        Answered(b"RCPT", Reply(550, (b"c",))),
        None,
    ]


def test_without_pipelining_one_command_waits_for_the_other() -> None:
    session = greeted(b"250 mx.example\r\n")
    session.send(b"RSET")

    with pytest.raises(LocalError):
        session.send(b"MAIL FROM:<>")


def test_nothing_follows_data_before_its_reply() -> None:
    session = greeted()
    session.send(b"DATA")

    with pytest.raises(LocalError):
        session.send(b"RSET")


def test_a_command_never_holds_a_line_end() -> None:
    with pytest.raises(LocalError):
        greeted().send(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>")


def test_a_goodbye_may_come_unasked_and_nothing_else() -> None:
    session = greeted()
    session.receive(b"421 4.4.2 idle\r\n")
    assert session.spoken_to
    assert session.next_answer() == Answered(None, Reply(421, (b"4.4.2 idle",)))
    session.receive(b"250 hello\r\n")

    with pytest.raises(RemoteError):
        session.next_answer()


def test_replies_in_clear_behind_starttls_are_an_attack() -> None:
    session = greeted()
    session.send(b"STARTTLS")
    session.receive(b"220 go\r\n250 injected\r\n")

    with pytest.raises(RemoteError):
        session.next_answer()


def test_keywords_are_forgotten_with_starttls() -> None:
    session = greeted()
    session.send(b"STARTTLS")
    session.receive(b"220 go\r\n")
    session.next_answer()

    assert session.keywords == {}


def test_what_is_offered_is_the_allow_list_met_with_the_next_hops() -> None:
    upstream = read_keywords(
        Reply(
            250,
            (
                b"mx",
                b"size 1000",
                b"8BITMIME",
                b"CHUNKING",
                b"AUTH PLAIN",
                b"DSN",
                b"STARTTLS",
                b"XCLIENT NAME",
                b"VRFY",
            ),
        )
    )

    assert offered(upstream, max_size=2000, tls=False, xforward=False) == (
        b"PIPELINING",
        b"ENHANCEDSTATUSCODES",
        b"SIZE 1000",
        b"8BITMIME",
        b"DSN",
    )
    assert b"STARTTLS" in offered({}, max_size=0, tls=True, xforward=False)
    assert offered({}, max_size=10, tls=False, xforward=False) == (b"PIPELINING", b"ENHANCEDSTATUSCODES")


@pytest.mark.parametrize(
    "ours, theirs, expected", [(0, b"0", 0), (5, b"0", 5), (0, b"7", 7), (5, b"7", 5), (9, b"7", 7), (5, b"x", 5)]
)
def test_the_smaller_size_is_offered(ours: int, theirs: bytes, expected: int) -> None:
    assert b"SIZE %d" % expected in offered({b"SIZE": theirs}, max_size=ours, tls=False, xforward=False)


@given(st.binary(max_size=200), st.data())
def test_any_bytes_are_answers_or_a_protocol_error_however_they_are_cut(wire: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(wire)))

    def outcome(*pieces: bytes) -> object:
        session = ClientSession()
        answers = []
        try:
            for piece in pieces:
                session.receive(piece)
                while (answer := session.next_answer()) is not None:
                    answers.append(answer)
        except ProtocolError as error:
            return answers, str(error)
        return answers

    assert outcome(wire) == outcome(wire[:cut], wire[cut:])
