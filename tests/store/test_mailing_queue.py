"""What waits in the queue teaches what it would have taught at once, once, and what is no mailing stands in nobody's way."""

from datetime import UTC, datetime, timedelta

import pytest

from nixie.core.address import from_key
from nixie.core.mailing import Mailing
from nixie.core.mailing_line import line_of
from nixie.store import mailing_queue
from nixie.store.db import open_writer, writing
from nixie.store.knowledge import erase_address
from nixie.store.mailings import learn_mailings

ANN = from_key("ann@navy.example")
TABLES = ("mailing", "mailing_to", "mailing_topic", "contact", "author", "name", "token")


def mail(number):
    to = tuple(from_key(f"kim.{n}@town{n % 3}.example") for n in range(number % 4 + 1))
    return Mailing(
        key=number,
        at=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=number),
        sender=ANN,
        recipients=to,
        references=(number - 1,) if number else (),
        names=((to[0], "Kim Doe"),),
        words=(7, 8, number),
    )


@pytest.fixture
def db(tmp_path):
    with open_writer(tmp_path / "nixie.db") as db:
        db.execute("PRAGMA synchronous = OFF")  # no test here ends a process
        yield db
    db.close()


def put(db, *lines):
    with writing(db):
        mailing_queue.put(db, lines)


def fold(db, most=100):
    with writing(db):
        return mailing_queue.fold(db, most)


def everything(db):
    return {table: db.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in TABLES}


def test_in_portions_it_is_learned_as_at_once(db, tmp_path):
    mails = [mail(n) for n in range(9)]
    put(db, *map(line_of, mails))
    portions = [fold(db, 4).rows for _ in range(4)]
    other = open_writer(tmp_path / "other.db")
    with writing(other):
        learn_mailings(other, mails)

    assert portions == [4, 4, 1, 0]
    assert mailing_queue.waiting(db) == 0
    assert everything(db) == everything(other)
    other.close()


def test_new_domains_are_told_once(db):
    put(db, line_of(mail(2)))
    told = fold(db).new_domains
    put(db, line_of(mail(2)))

    assert sorted(told) == ["navy.example", "town0.example", "town1.example", "town2.example"]
    assert fold(db).new_domains == ()


def test_nothing_is_lost_where_learning_ends_in_the_middle(db):
    put(db, *(line_of(mail(n)) for n in range(3)))
    before = everything(db)
    db.execute("BEGIN IMMEDIATE")
    mailing_queue.fold(db, 2)
    db.execute("ROLLBACK")

    assert (everything(db), mailing_queue.waiting(db)) == (before, 3)
    assert fold(db).rows == 3


def test_a_line_that_is_no_mailing_is_counted_and_gone(db):
    put(db, "[]", line_of(mail(1)), "{", "")

    assert fold(db) == (4, 3, ("navy.example", "town0.example", "town1.example"))
    assert [key for (key,) in db.execute("SELECT key FROM mailing")] == [1]
    assert mailing_queue.waiting(db) == 0


def test_an_erased_person_waits_nowhere(db):
    put(db, line_of(mail(1)))
    with writing(db):
        assert erase_address(db, from_key("kim.1@town1.example"))

    assert mailing_queue.waiting(db) == 0
    assert db.execute("SELECT COUNT(*) FROM address WHERE key LIKE 'kim.1@%'").fetchone() == (0,)
