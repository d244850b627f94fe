"""The same mail teaches the same, whether it passed the guard, stands in a log, or lies in a mailbox."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nixie.core.envelope import Client
from nixie.core.organisation import Organisation
from nixie.service.learning import learn
from nixie.store.db import open_writer
from nixie.store.knowledge import fold
from nixie.store.knowledge_answers import settle_answers
from support.installed import Installation
from support.traffic import PEOPLE, START, invent, mbox, postfix_log, split

NOW = datetime(2026, 5, 1, tzinfo=UTC)
OUTSIDE = Client(ip="198.51.100.7")
REPLIED = 3


def counts(db):
    """Return every count by scope, target, kind and day, and the running totals, with names for numbers."""
    address = dict(db.execute("SELECT id, key FROM address")) | {0: ""}
    domain = dict(db.execute("SELECT id, name FROM domain")) | {0: ""}
    found = {("total", *row[:2]): row[2] for row in db.execute("SELECT what, day, upto FROM total_day")}
    for table, names in (("address", address), ("domain", domain)):
        rows = db.execute(f"SELECT scope, {table}, kind, day, n FROM {table}_day")
        found |= {(table, address[scope], names[target], kind, day): n for scope, target, kind, day, n in rows}
    return found


def mailings(db):
    """Return every table of who belongs together, with addresses for their numbers."""
    address = dict(db.execute("SELECT id, key FROM address")) | {0: ""}

    def people(blob):
        return blob if blob is None else tuple(sorted(address[n] for n in memoryview(blob).cast("I")))

    found = {
        ("mail", k, at, address[s], ours, people(m), people(readers), w, r, topic)
        for k, at, s, ours, m, w, r, readers, topic in db.execute("SELECT * FROM mailing")
    }
    for scope, to, at, mail, members, words in db.execute(
        "SELECT scope, address, at, mailing, members, words FROM mailing_to"
    ):
        found.add(("to", scope < 0, address[abs(scope)], address[to], at, mail, people(members), words))
    for topic, person, at, mail in db.execute("SELECT * FROM mailing_topic"):
        found.add(("topic", topic, address[person], at, mail))
    for scope, to, mails, last in db.execute("SELECT scope, address, mails, last_at FROM contact"):
        found.add(("contact", address[scope], address[to], mails, last))
    found |= {("author", address[a], *row) for a, *row in db.execute("SELECT * FROM author")}
    found |= {("name", address[a], name, at) for a, name, at in db.execute("SELECT * FROM name")}
    found |= {("token", address[s], h, address[a], at) for s, h, a, at in db.execute("SELECT * FROM token")}
    return found


def envelopes(found):
    """Return what a log knows of mailings: no words, no thread, no names."""
    short = {"mail": 7, "to": 7, "contact": 5, "author": 5}
    return {row[: short[row[0]]] for row in found if row[0] in short}


def without_replies(found):
    return {key: n for key, n in found.items() if key[0] == "total" or key[3] != REPLIED}


def live(folder, transactions, *, every_night=True):
    """Pass transactions through the pipeline at their moments; nights fold as they do at the recorder."""
    with Installation(folder, own=("navy.example",), mode="observe") as house:
        day = START.date()
        for one in transactions:
            if every_night and one.at.date() != day:
                day = one.at.date()
                fold(house.writer, one.at)
            client = Client(login=one.sender) if one.outgoing else OUTSIDE
            answer = house.submit(one.raw, one.sender, one.recipients, at=one.at, client=client)
            assert (answer.later, answer.held, answer.refused) == (False, (), ())
        settle_answers(house.writer)
        fold(house.writer, NOW)
        return counts(house.writer), mailings(house.writer)


def from_files(folder, name, **files):
    db = open_writer(folder / f"{name}.db")
    db.execute("PRAGMA synchronous = OFF")
    for file, content in files.items():
        (folder / f"{name}.{file}").write_bytes(content)
    paths = [folder / f"{name}.{file}" for file in files]
    learn(paths, Organisation(("navy.example",)), db, now=NOW, zone=UTC)
    return counts(db), mailings(db)


def without_tokens(found):
    """Leave out by what people are found: where a log showed them without a name they are found by their address too."""
    return found[0], {row for row in found[1] if row[0] != "token"}


def same_as_log(learned, told):
    return (learned[0], envelopes(learned[1])) == (without_replies(told[0]), envelopes(told[1]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("equal")


@pytest.fixture(scope="module")
def mails():
    """Return mail to the outside and to us; every fifth one of ours has a colleague in it, two go to a colleague alone."""
    found = []
    for mail in invent(150):
        to = mail.recipients
        colleague = PEOPLE[(PEOPLE.index(mail.sender) + 1) % len(PEOPLE)] if mail.outgoing else ""
        if colleague and mail.number % 5 == 0:
            to = (colleague,) if mail.number in (20, 95) else (*to, colleague)
        found.append(replace(mail, recipients=to))
    return found


@pytest.fixture(scope="module")
def at_the_door(folder, mails):
    return live(folder / "whole", mails)


@pytest.fixture(scope="module")
def in_a_mailbox(folder, mails):
    return from_files(folder, "mailbox", box=mbox(mails))


def test_the_traffic_shows_something_of_every_kind(at_the_door):
    counted, grouped = at_the_door
    kinds = {key[3]: n for key, n in counted.items() if key[0] == "address"}

    assert set(kinds) == {1, 2, 3}
    assert len({key[2] for key in counted if key[0] == "domain"}) == 6
    assert {row[0] for row in grouped} == {"mail", "to", "contact", "author", "name", "token", "topic"}
    assert {row[1] for row in grouped if row[0] == "to"} == {False, True}
    assert {len(row[5]) for row in grouped if row[0] == "mail"} == {1, 2, 3, 4}


def test_a_mailbox_teaches_what_the_door_taught(at_the_door, in_a_mailbox):
    assert in_a_mailbox == at_the_door


def test_a_log_teaches_what_the_door_taught_except_what_answered_what(folder, mails, at_the_door):
    learned = from_files(folder, "log", log=postfix_log(mails).encode())

    assert same_as_log(learned, at_the_door)


def test_one_transaction_for_each_recipient_teaches_no_more_than_one_for_all(folder, mails, at_the_door):
    pieces = [piece for mail in mails for piece in split(mail)]
    learned = from_files(folder, "pieces", log=postfix_log(pieces).encode())

    assert live(folder / "pieces", pieces) == at_the_door
    assert same_as_log(learned, at_the_door)


def test_log_and_mailbox_and_door_together_teach_no_more_than_one_of_them(folder, mails, at_the_door):
    both = from_files(folder, "both", log=postfix_log(mails).encode(), box=mbox(mails))
    with Installation(folder / "three", own=("navy.example",), mode="observe") as house:
        for mail in mails[:60]:
            client = Client(login=mail.sender) if mail.outgoing else OUTSIDE
            house.submit(mail.raw, mail.sender, mail.recipients, at=mail.at + timedelta(seconds=2), client=client)
        learn([folder / "both.log", folder / "both.box"], house.organisation, house.writer, now=NOW, zone=UTC)
        all_three = counts(house.writer), mailings(house.writer)

    assert without_tokens(both) == without_tokens(at_the_door)
    assert all_three == both
    assert both[1] >= at_the_door[1]
