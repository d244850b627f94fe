"""Every address has one number, whatever bytes it is made of."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.address import Address
from nixie.store.addresses import erase, find, intern, intern_keys
from nixie.store.db import migrate, writing


def memory():
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, ":memory:")
    return db


def test_an_address_has_one_number_whatever_its_case():
    db = memory()
    with writing(db):
        first = intern(db, [Address("Kim.Lee", "army.example")])
        second = intern(db, [Address("kim.lee", "army.example"), Address("ann", "army.example")])

    assert first["kim.lee@army.example"] == second["kim.lee@army.example"]
    assert len(set(second.values())) == 2


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(st.characters(), min_size=1), min_size=1, max_size=8))
def test_any_text_can_be_kept_and_found(locals_):
    keys = list(dict.fromkeys(Address(t, "x.example").key for t in locals_))
    db = memory()
    with writing(db):
        numbers, _ = intern_keys(db, keys)

    assert find(db, keys) == numbers
    assert len({n for n, _ in numbers.values()}) == len(keys)


def test_an_escape_never_makes_two_addresses_one():
    db = memory()
    keys = ["a\u200b@x.example", "a\\u00200b@x.example", "a\\u200b@x.example", "a\\\\u200b@x.example"]
    with writing(db):
        numbers, _ = intern_keys(db, keys)

    assert len(set(numbers.values())) == 4


@pytest.mark.parametrize("count", [1, 2, 3, 20_000])
def test_many_are_found_at_once(count):
    db = memory()
    keys = [f"p{i}@d{i % 7}.example" for i in range(count)]
    with writing(db):
        numbers, new = intern_keys(db, keys)

    assert len(numbers) == count
    assert len(new) == min(count, 7)
    assert find(db, [*keys, "nobody@d1.example"]) == numbers


def test_an_erased_address_is_new_when_it_comes_again():
    db = memory()
    with writing(db):
        old = intern(db, [Address("kim", "x.example")])
        assert erase(db, "kim@x.example")
        assert not erase(db, "kim@x.example")
        new = intern(db, [Address("kim", "x.example")])

    assert old != new
