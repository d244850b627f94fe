"""Signed links: what is signed comes back, and nothing else is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.service.links import Link, LinkError, LinkExpiredError, LinkForgedError, sign, verify

KEY = b"k" * 32
LINK = Link("Q7", 2_000_000_000)


@given(st.text("ABCDEFGHIJKLMNOP234567", min_size=1, max_size=40), st.integers(1, 2**32 - 1))
def test_a_signed_link_comes_back_as_it_was(question: str, expires: int) -> None:
    link = Link(question, expires)

    assert verify(KEY, sign(KEY, link), expires - 1) == link


@given(st.binary(max_size=80))
def test_arbitrary_tokens_are_forged_and_never_crash(raw: bytes) -> None:
    with pytest.raises(LinkError):
        verify(KEY, raw.decode("latin-1"), 0)


@given(st.data())
def test_changing_any_character_breaks_the_signature(data: st.DataObject) -> None:
    token = sign(KEY, LINK)
    at = data.draw(st.integers(0, len(token) - 2))  # the last character has bits that base64 does not use
    other = data.draw(st.sampled_from("ABCabc019_-").filter(lambda c: c != token[at]))

    with pytest.raises(LinkForgedError):
        verify(KEY, token[:at] + other + token[at + 1 :], 0)


def test_a_link_ends_at_its_time() -> None:
    token = sign(KEY, LINK)

    assert verify(KEY, token, LINK.expires - 1) == LINK
    with pytest.raises(LinkExpiredError):
        verify(KEY, token, LINK.expires)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(LinkForgedError):
        verify(b"x" * 32, sign(KEY, LINK), 0)
