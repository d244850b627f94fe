"""The text after DATA: byte-equal through dot-stuffing, the same however it is cut, quick on large texts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.wire.smtp.data import Defect, TextReader, stuffed

TRICKY = st.lists(st.sampled_from([b".", b"..", b"\r\n", b"\r\n.", b"a", b"\x00", b"\xff", b"bc d"]), max_size=40)
TEXTS = TRICKY.map(lambda parts: b"".join(parts) + b"\r\n" if parts else b"")


def read(pieces: list[bytes], limit: int = 0) -> tuple[bytes, TextReader]:
    reader = TextReader(limit)
    text = b""
    for number, piece in enumerate(pieces):
        text += reader.receive(piece)
        if reader.ended:
            reader.rest += b"".join(pieces[number + 1 :])
            break
    return text, reader


@given(TEXTS, st.integers(1, 9))
def test_any_text_comes_back_byte_equal(text: bytes, piece: int) -> None:
    got, reader = read([b"".join(stuffed(text, piece))])

    assert (got, reader.defect, reader.ended, reader.rest) == (text, None, True, b"")


@given(
    st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"\r\n.\r\n", b"\r\n.", b"a", b"\x00"]), max_size=30).map(
        b"".join
    ),
    st.data(),
)
def test_any_way_of_cutting_gives_the_same_text(wire: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    whole, once = read([wire])
    for pieces in (
        [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)],
        [bytes((c,)) for c in wire],
    ):
        text, reader = read(pieces)

        assert (reader.defect, reader.ended, reader.rest) == (once.defect, once.ended, once.rest)
        if once.ended and once.defect is None:
            assert text == whole


@given(TEXTS)
def test_a_stuffed_text_holds_its_end_marker_once_and_last(text: bytes) -> None:
    wire = b"\r\n" + b"".join(stuffed(text))

    assert wire.find(b"\r\n.\r\n") == len(wire) - 5


def test_an_empty_text_is_a_dot_alone() -> None:
    assert b"".join(stuffed(b"")) == b".\r\n"
    assert read([b".\r\nQUIT\r\n"])[0] == b""


def test_bytes_behind_the_end_are_kept() -> None:
    assert read([b"hello\r\n.\r\nQUIT\r\n"])[1].rest == b"QUIT\r\n"


def test_a_text_without_a_last_line_end_gets_one() -> None:
    assert b"".join(stuffed(b"no end")) == b"no end\r\n.\r\n"


def test_the_limit_of_the_size_is_exact() -> None:
    wire = b"x" * 10 + b"\r\n.\r\n"

    assert read([wire], 12)[1].defect is None
    assert read([wire], 11)[1].defect is Defect.TOO_LARGE


def test_a_text_that_is_too_large_is_not_kept_but_its_end_is_found() -> None:
    reader = TextReader(100)
    assert b"".join(reader.receive(b"x" * 60) for _ in range(1000)) == b"x" * 60
    reader.receive(b"\r\n.\r\nNOOP\r\n")

    assert (reader.ended, reader.rest, reader.defect) == (True, b"NOOP\r\n", Defect.TOO_LARGE)


def test_nul_and_lines_of_any_length_pass() -> None:
    text = b"\x00" + b"y" * 3_000_000 + b"\r\n"

    assert read([b"".join(stuffed(text))])[0] == text


@pytest.mark.parametrize("line", [b"short\r\n", b"x" * 76 + b"\r\n", b".\r\n", b"..dots\r\n"])
def test_ten_megabytes_cost_milliseconds(line: bytes) -> None:
    wire = b"".join(stuffed(line * (10_000_000 // len(line))))
    pieces = [wire[i : i + 65536] for i in range(0, len(wire), 65536)]
    reader = TextReader()
    begun = time.process_time()
    for piece in pieces:
        reader.receive(piece)

    assert reader.ended
    # A loop over lines would take seconds for the shortest; the bound leaves room for a busy machine.
    assert time.process_time() - begun < 1.0
