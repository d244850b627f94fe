"""People of a directory are known by name from the first day, whether or not anybody ever wrote to them."""

import sqlite3
from datetime import UTC, datetime

import pytest

from nixie.core.facts import SuggestQuery
from nixie.core.person import tokens
from nixie.store.db import migrate, writing
from nixie.store.knowledge import erase_address
from nixie.store.knowledge_facts import StoreFacts
from nixie.store.knowledge_people import add_people, people
from nixie.store.mailings import forget_mailings
from support.knowing import address

EARLY = datetime(1971, 1, 1, tzinfo=UTC)
ANN, TWIN = address("ann.lee@ministry.example"), address("lee77@mailbox.example")


@pytest.fixture
def db():
    found = sqlite3.connect(":memory:", isolation_level=None)
    migrate(found, "memory")
    with writing(found):
        add_people(found, [(ANN, "Ann Lee", "Harbour"), (address("desk@ministry.example"), "", "")])
    yield found
    found.close()


def asked(db, *circle, name="Ann Lee"):
    query = SuggestQuery(
        address("bob@ministry.example"), circle, circle, EARLY, {a.key: tokens(a, [name]) for a in circle}
    )
    return StoreFacts(db).suggest(query)


def test_a_name_of_the_directory_is_a_name_of_the_address(db) -> None:
    assert asked(db, ANN).names == {ANN.key: ("Ann Lee",)}


def test_whoever_bears_the_name_of_a_recipient_is_proposed_without_any_mail(db) -> None:
    found = asked(db, TWIN).alike[TWIN.key]

    assert [(a.address, a.names, a.mails) for a in found] == [(ANN, ("Ann Lee",), 0)]


def test_another_name_proposes_nobody(db) -> None:
    assert asked(db, TWIN, name="Ann Marsh").alike == {}


def test_a_name_that_was_replaced_stays_known_and_a_directory_may_be_learned_again(db) -> None:
    for _ in range(2):
        with writing(db):
            assert add_people(db, [(ANN, "Ann Marsh", "Harbour")]) == ()

    assert asked(db, ANN).names == {ANN.key: ("Ann Lee", "Ann Marsh")}
    assert next(people(db)) == (ANN.key, "Ann Marsh", "Harbour")


def test_forgetting_old_mail_forgets_no_directory(db) -> None:
    forget_mailings(db, 1 << 60)

    assert asked(db, ANN).names == {ANN.key: ("Ann Lee",)}
    assert TWIN.key in asked(db, TWIN).alike


def test_an_erased_person_is_found_by_no_name(db) -> None:
    with writing(db):
        erase_address(db, ANN)

    assert asked(db, TWIN).alike == {}
    assert asked(db, ANN).names == {}
