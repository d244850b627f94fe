"""Command lines: bounded, ended by CRLF alone, the same however the bytes are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nixie.wire.smtp.lines import Bare, Line, LineReader, TooLong


def lines_of(pieces: list[bytes], limit: int = 20) -> list[object]:
    reader = LineReader(limit)
    found: list[object] = []
    for piece in pieces:
        reader.receive(piece)
        while (line := reader.next_line()) is not None:
            found.append(line)
    return found


def test_lines_come_without_their_ends() -> None:
    assert lines_of([b"NOOP\r\nQUIT\r\n"]) == [Line(b"NOOP"), Line(b"QUIT")]


def test_the_limit_is_exact() -> None:
    assert lines_of([b"x" * 19 + b"\r\n"]) == [Line(b"x" * 19)]
    assert lines_of([b"x" * 20 + b"\r\n"]) == [Line(b"x" * 20)]
    assert lines_of([b"x" * 21 + b"\r\nNOOP\r\n"]) == [TooLong(), Line(b"NOOP")]


def test_a_long_line_costs_no_memory() -> None:
    reader = LineReader(20)
    for _ in range(1000):
        reader.receive(b"x" * 1000)

        assert reader.next_line() is None
        assert len(reader) <= 21


def test_bare_line_feed_and_bare_carriage_return_are_values_of_their_own() -> None:
    assert lines_of([b"NOOP\n"]) == [Bare()]
    assert lines_of([b"\n"]) == [Bare()]
    assert lines_of([b"NO\rOP\r\n"]) == [Bare()]
    assert lines_of([b"NOOP\r\r\n"]) == [Bare()]


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"NOOP", b"x" * 15, b" "]), max_size=30).map(b"".join), st.data()
)
def test_any_way_of_cutting_gives_the_same_lines(text: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    assert lines_of(pieces) == lines_of([text])
    assert lines_of([bytes((c,)) for c in text]) == lines_of([text])
