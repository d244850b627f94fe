"""Addresses come into their near index out of the database, whoever put them there, and leave it when a person is erased."""

from __future__ import annotations

import os
import time

import pytest

from nixie.core.address import from_key
from nixie.service import address_feed
from nixie.service.address_feed import AddressFeed, StoppedError
from nixie.service.installation import LateNear
from nixie.service.near_index import IndexForLearning
from nixie.service.places import Places
from nixie.service.recorder_client import ask_once
from nixie.store.addresses import intern_keys
from nixie.store.db import open_writer, writing
from nixie.store.knowledge import erase_address
from nixie.store.near_addresses import NearAddresses
from nixie.store.near_base import NearError
from support.guard import Guard
from support.recording import OPS, plain


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path)


@pytest.fixture
def db(places):
    db = open_writer(places.database)
    yield db
    db.close()


def met(db, *keys):
    with writing(db):
        intern_keys(db, keys)


def test_before_there_is_a_database_nothing_is_taken(places):
    with AddressFeed(places) as feed:
        assert feed.take() == 0


def test_what_is_new_is_taken_once(places, db):
    met(db, "anna@x.example", "hanna@x.example")
    near = NearAddresses(places.near_addresses, fresh_for=0)
    with AddressFeed(places) as feed:
        assert feed.take() == 2
        assert feed.take() == 0
        met(db, "anne@x.example", "back\\slash\x01@x.example")
        assert near.beside("anna@x.example", 9) == ("hanna@x.example",)
        assert feed.take() == 2

    assert near.beside("anna@x.example", 9) == ("hanna@x.example", "anne@x.example")
    assert near.beside("backslash\x01@x.example", 9) == ("back\\slash\x01@x.example",)


def test_a_feed_goes_on_where_the_last_one_stopped(places, db):
    met(db, "anna@x.example")
    with AddressFeed(places) as feed:
        feed.take()
        met(db, "hanna@x.example")
        feed.take()
    met(db, "anne@x.example")
    with AddressFeed(places) as feed:
        assert feed.take() == 1

    assert len(NearAddresses(places.near_addresses)) == 3


def test_many_at_once_are_taken_in_steps_and_merged(places, db, monkeypatch):
    monkeypatch.setattr(address_feed, "AT_ONCE", 100)
    met(db, "anna@x.example")
    with AddressFeed(places) as feed:
        feed.take()
        met(db, *(f"person{n}@x.example" for n in range(4500)))
        assert feed.take() == 4500

    near = NearAddresses(places.near_addresses)
    assert len(near._base) == len(near) == 4501
    assert near.beside("person17@y.example", 9) == ()
    assert "person4217@x.example" in near.beside("person427@x.example", 99)


def test_very_many_at_once_make_the_index_anew(places, db, monkeypatch):
    monkeypatch.setattr(address_feed, "REBUILD_FROM", 3)
    met(db, "anna@x.example")
    with AddressFeed(places) as feed:
        feed.take()
        met(db, *(f"person{n}@x.example" for n in range(5)))
        assert feed.take() == 6


def test_an_older_database_in_place_of_the_newer_makes_the_index_anew(places, db):
    met(db, "anna@x.example", "hanna@x.example")
    with AddressFeed(places) as feed:
        feed.take()
        db.execute("DELETE FROM address WHERE id = 2")
        assert feed.take() == 1


def test_an_erased_person_is_gone_from_the_files_after_the_night(places, db):
    met(db, "anna@x.example", "hanna@x.example")
    with AddressFeed(places) as feed:
        feed.take()
        feed.tidy()
        with writing(db):
            erase_address(db, from_key("hanna@x.example"))
        feed.tidy()

    assert NearAddresses(places.near_addresses).beside("anna@x.example", 9) == ()
    assert not any(b"hanna" in path.read_bytes() for path in places.near_addresses.iterdir())


def test_a_closed_feed_gives_up_and_leaves_the_index_free(places, db):
    met(db, "anna@x.example")
    feed = AddressFeed(places)
    with pytest.raises(NearError, match="another process writes"):
        AddressFeed(places)
    feed.close()
    with pytest.raises(StoppedError):
        feed.take()

    AddressFeed(places).close()


def test_learning_without_a_guard_takes_the_addresses_up(places, db):
    late = LateNear(places)
    assert late.beside("anna@x.example", 9) == ()
    with IndexForLearning(places, db):
        met(db, "anna@x.example", "hanna@x.example")

    assert late.beside("anna@x.example", 9) == ("hanna@x.example",)


def test_learning_beside_a_guard_leaves_them_to_the_recorder(places, db):
    with IndexForLearning(places, db), AddressFeed(places), IndexForLearning(places, db):
        met(db, "anna@x.example")


def test_a_running_guard_finds_an_address_within_a_second_of_its_first_mail(tmp_path):
    with Guard(tmp_path, milter="tcp") as guard:
        places = Places(guard.home / "var")
        ask_once(places.recorder, plain("m1@x"), b"{}")
        recorded = time.monotonic()
        near = NearAddresses(places.near_addresses)
        while not near.beside(OPS.key.replace("o", "oo", 1), 9) and time.monotonic() < recorded + 20:
            time.sleep(0.01)
        took = time.monotonic() - recorded

    assert near.beside(OPS.key.replace("o", "oo", 1), 9) == (OPS.key,)
    assert took < (1 if os.getloadavg()[0] < 2 else 20)
    assert "not in the near index" not in guard.log
