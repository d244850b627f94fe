"""Who is beside a written address: keys that miss nobody, a signature that a slip hardly changes, and the growing index."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.near_addresses import (
    MAX_ADDRESS,
    SLIP_BITS,
    GrowingAddresses,
    address_keys,
    asked_keys,
    cuts,
    is_beside,
    signature,
)

LOCALS = st.text("abcé1.\ud800", min_size=1, max_size=14)
CHARS = "abcé1.-"


@st.composite
def slips(draw: st.DrawFn) -> tuple[str, str]:
    """A local part, and what one slip of the hand makes of it."""
    local = draw(LOCALS)
    at = draw(st.integers(0, len(local) - 1))
    head, rest, char = local[:at], local[at:], draw(st.sampled_from(CHARS))
    made = (head + rest[1:], head + char + rest, rest + char, head + char + rest[1:], head + rest[1::-1] + rest[2:])
    return local, draw(st.sampled_from([text for text in made if text]))


@settings(max_examples=600)
@given(slips())
def test_two_addresses_one_slip_apart_share_a_key(pair):
    known, written = (f"{local}@example.org" for local in pair)

    if is_beside(known, written):
        assert set(address_keys(known)) & set(asked_keys(written))


@settings(max_examples=300)
@given(slips())
def test_a_slip_changes_two_bits_of_the_signature_at_most(pair):
    known, written = pair

    assert (signature(known) ^ signature(written)).bit_count() <= SLIP_BITS or not is_beside(
        f"{known}@x.example", f"{written}@x.example"
    )


@pytest.mark.parametrize("length", range(1, 30))
def test_every_swap_of_two_characters_is_found_in_every_length(length):
    known = "abcdefghijklmnopqrstuvwxyz0123"[:length]
    keys = set(address_keys(f"{known}@x.example"))

    for at in range(length - 1):
        swapped = known[:at] + known[at + 1] + known[at] + known[at + 2 :]
        assert keys & set(asked_keys(f"{swapped}@x.example")), at


def test_keys_are_the_same_on_every_machine():
    assert address_keys("anna.lind@navy.example") == (958648528, 449633848, 3369089652, 1722103543)


def test_parts_cover_a_local_part_without_gap_or_overlap():
    for length in range(1, 40):
        places = [place for begin, end, _ in cuts(length) for place in range(begin, end)]
        assert places == list(range(length))


@pytest.mark.parametrize("key", ["", "@x.example", "nobody", "a" * MAX_ADDRESS + "@x.example"])
def test_what_is_no_address_has_no_keys_and_nobody_beside_it(key):
    assert address_keys(key) == ()
    assert asked_keys(key) == []
    assert GrowingAddresses([key, "a@x.example"]).beside(key, 9) == ()


@pytest.mark.parametrize(
    ("known", "written", "beside"),
    [
        ("anna@x.example", "ana@x.example", True),
        ("anna@x.example", "anna@x.example", False),
        ("anna@x.example", "ana@y.example", False),
        ("anna@x.example", "nana@x.example", True),
        ("anna@x.example", "nnaa@x.example", False),
    ],
)
def test_beside_is_one_slip_at_the_same_domain(known, written, beside):
    assert is_beside(known, written) is beside


@given(st.lists(LOCALS, max_size=12), slips())
def test_the_growing_index_finds_exactly_those_beside(locals_, pair):
    keys = [f"{local}@x.example" for local in (*locals_, pair[0])]
    written = f"{pair[1]}@x.example"
    growing = GrowingAddresses(keys)

    assert growing.beside(written, 99) == tuple(key for key in dict.fromkeys(keys) if is_beside(key, written))


def test_the_growing_index_gives_the_first_come_first_and_no_more_than_wanted():
    growing = GrowingAddresses(
        ["anna@x.example", "hanna@x.example", "anne@x.example", "anna@y.example", "anna@x.example"]
    )

    assert len(growing) == 4
    assert growing.beside("ann@x.example", 9) == ("anna@x.example", "anne@x.example")
    assert growing.beside("ann@x.example", 1) == ("anna@x.example",)
    assert growing.beside("ann@x.example", 0) == ()
