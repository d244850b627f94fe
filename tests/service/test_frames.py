"""Frames: the same however the bytes are cut, and never any other error than ours."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.service.frames import LENGTH, MAX_FRAME, Decoder, FrameError, encode

FRAMES = st.lists(st.tuples(st.dictionaries(st.text(max_size=5), st.integers() | st.text()), st.binary(max_size=40)))


@given(frames=FRAMES, cuts=st.lists(st.integers(1, 30), min_size=1))
@settings(max_examples=60, deadline=None)
def test_any_way_of_cutting_the_bytes_gives_the_same_frames(frames, cuts):
    data = b"".join(encode(head, body) for head, body in frames)
    decoder, got, at, turn = Decoder(), [], 0, 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        got += decoder.feed(data[at : at + size])
        at, turn = at + size, turn + 1

    assert got == frames


@given(data=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_whatever_arrives_is_frames_or_a_frame_error(data):
    try:
        frames = Decoder().feed(data)
    except FrameError:
        return

    assert all(isinstance(head, dict) for head, _ in frames)


def test_bytes_that_no_encoding_explains_survive():
    assert Decoder().feed(encode({"a": "caf\udce9@x"}, b"\xff\n\n"))[0] == ({"a": "caf\udce9@x"}, b"\xff\n\n")


def test_a_frame_that_announces_too_much_ends_at_once():
    assert Decoder().feed((MAX_FRAME).to_bytes(LENGTH, "big")) == []
    with pytest.raises(FrameError, match="longer"):
        Decoder().feed((MAX_FRAME + 1).to_bytes(LENGTH, "big"))


def test_a_request_that_nobody_could_read_is_not_made():
    with pytest.raises(FrameError, match="longer"):
        encode({}, bytes(MAX_FRAME))


@pytest.mark.parametrize("told", [b"[]", b"7", b"{", b"\xff", b"[" * 100_000])
def test_a_head_must_be_an_object(told):
    with pytest.raises(FrameError):
        Decoder().feed(len(told).to_bytes(LENGTH, "big") + told)
