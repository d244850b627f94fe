"""Lists as the store keeps them: replaced whole, asked from the member's side, two levels up."""

import sqlite3

import pytest

from nixie.core.facts import Expansion
from nixie.store import addresses, mail_lists
from nixie.store.db import migrate
from nixie.store.knowledge_facts import StoreFacts
from nixie.store.mail_lists import count_lists, expansions, save_list
from support.knowing import address


@pytest.fixture
def db():
    found = sqlite3.connect(":memory:", isolation_level=None)
    migrate(found, "memory")
    yield found
    found.close()


def learn(db, name, *members):
    return save_list(db, address(name), [address(m) for m in members], 1)


def above(db, text):
    found = expansions(db, [address(text)]).get(address(text).key, Expansion())
    return sorted(found.lists), sorted(found.aliases)


def test_a_member_knows_its_lists_and_the_lists_above_them(db) -> None:
    learn(db, "all@x.example", "staff@x.example", "carl@x.example")
    learn(db, "staff@x.example", "ann@x.example", "bob@army.example")
    learn(db, "world@x.example", "all@x.example", "dora@x.example")

    assert above(db, "bob@army.example") == (["all@x.example", "staff@x.example"], [])
    assert above(db, "staff@x.example") == (["all@x.example", "world@x.example"], [])
    assert above(db, "dora@x.example") == (["world@x.example"], [])
    assert above(db, "nobody@x.example") == ([], [])


def test_a_list_of_one_is_an_alias_as_long_as_nobody_else_is_on_the_way(db) -> None:
    learn(db, "info@x.example", "desk@x.example")
    learn(db, "desk@x.example", "ann@army.example")
    learn(db, "staff@x.example", "bob@army.example", "carl@army.example")
    learn(db, "everybody@x.example", "staff@x.example")

    assert above(db, "ann@army.example") == ([], ["desk@x.example", "info@x.example"])
    assert above(db, "bob@army.example") == (["everybody@x.example", "staff@x.example"], [])


def test_lists_in_a_circle_end(db) -> None:
    learn(db, "a@x.example", "b@x.example", "ann@x.example")
    learn(db, "b@x.example", "a@x.example", "bob@x.example")

    assert above(db, "ann@x.example") == (["a@x.example", "b@x.example"], [])
    assert above(db, "a@x.example") == (["a@x.example", "b@x.example"], [])


def test_a_list_is_replaced_whole_and_forgotten_when_nobody_is_on_it(db) -> None:
    learn(db, "a@x.example", "ann@x.example", "bob@x.example")
    learn(db, "a@x.example", "bob@x.example", "carl@x.example", "a@x.example")

    assert count_lists(db) == (1, 2)
    assert above(db, "ann@x.example") == ([], [])
    assert above(db, "carl@x.example") == (["a@x.example"], [])
    learn(db, "a@x.example")
    assert (count_lists(db), above(db, "bob@x.example")) == ((0, 0), ([], []))


def test_tags_make_no_other_member(db) -> None:
    learn(db, "a@x.example", "ann+lists@x.example", "Bob@X.example")

    assert above(db, "ann+else@x.example") == (["a@x.example"], [])
    assert above(db, "bob@x.example") == (["a@x.example"], [])


def test_new_domains_are_told_once(db) -> None:
    assert set(learn(db, "a@x.example", "ann@y.example")) == {"x.example", "y.example"}
    assert learn(db, "a@x.example", "bob@y.example") == ()


def test_an_erased_list_leads_nowhere(db) -> None:
    learn(db, "a@x.example", "ann@x.example", "bob@x.example")
    addresses.erase(db, "a@x.example")

    assert above(db, "ann@x.example") == ([], [])


def test_a_question_is_bounded_whatever_an_address_is_on(db, monkeypatch) -> None:
    for number in range(30):
        learn(db, f"l{number}@x.example", "ann@x.example", "bob@x.example")
    monkeypatch.setattr(mail_lists, "_ON", mail_lists._ON.replace(str(mail_lists.MOST_ROWS), "10"))

    assert len(above(db, "ann@x.example")[0]) == 10


def test_a_list_of_many_costs_its_member_a_few_steps(db) -> None:
    learn(db, "all@x.example", *(f"m{n}@y.example" for n in range(3000)))
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    db.set_progress_handler(count, 10)
    found = StoreFacts(db).expansions((address("m7@y.example"), address("stranger@y.example")))

    assert found == {"m7@y.example": Expansion(lists=frozenset(("all@x.example",)))}
    assert steps < 100
