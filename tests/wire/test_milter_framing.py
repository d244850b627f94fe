"""Packets come out of bytes however the bytes were cut, and nothing else ever happens than a packet or a ProtocolError."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.wire.milter.constants import MAX_PACKET
from nixie.wire.milter.errors import LocalError, ProtocolError
from nixie.wire.milter.framing import Frames, frame

packets = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=8)


def taken(frames: Frames) -> list[tuple[int, bytes]]:
    found = []
    while (packet := frames.take()) is not None:
        found.append(packet)
    return found


@given(packets, st.data())
def test_any_way_of_cutting_gives_the_same_packets(said: list[tuple[int, bytes]], data: st.DataObject) -> None:
    wire = b"".join(frame(letter, body) for letter, body in said)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    frames = Frames()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        frames.feed(wire[start:end])
        if data.draw(st.booleans()):
            found += taken(frames)
    found += taken(frames)

    assert said == found
    assert frames.waiting() == 0


@pytest.mark.parametrize("length", [1, 2, 99, 100])
def test_a_packet_up_to_the_limit_is_taken(length: int) -> None:
    frames = Frames(limit=100)
    frames.feed(frame(ord("B"), b"x" * (length - 1)))

    assert frames.take() == (ord("B"), b"x" * (length - 1))


@pytest.mark.parametrize("length", [0, 101, 2**32 - 1])
@pytest.mark.parametrize("piece", [1, 2, 4])
def test_a_length_outside_the_bounds_is_refused_before_the_packet_comes(length: int, piece: int) -> None:
    frames = Frames(limit=100)
    wire = length.to_bytes(4, "big")
    for at in range(0, 4 - piece, piece):
        frames.feed(wire[at : at + piece])
        assert frames.take() is None
    frames.feed(wire[4 - piece :])

    with pytest.raises(ProtocolError, match="1 to 100"):
        frames.take()


def test_a_large_packet_in_single_bytes_costs_linear_time() -> None:
    wire = frame(ord("B"), b"x" * 300_000)
    frames = Frames()
    start = time.process_time()
    for byte in wire:
        frames.feed(bytes((byte,)))
        if frames.take() is not None:
            break

    assert time.process_time() - start < 2.0
    assert frames.waiting() == 0


def test_we_never_send_a_packet_longer_than_we_read() -> None:
    assert len(frame(ord("b"), b"x" * (MAX_PACKET - 1))) == MAX_PACKET + 4
    with pytest.raises(LocalError):
        frame(ord("b"), b"x" * MAX_PACKET)
