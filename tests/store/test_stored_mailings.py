"""A mail is one mail however often, in whatever order and by whatever way it is seen."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.address import Address
from nixie.core.mailing import LARGEST_GROUP, MOST_WORDS, Mailing
from nixie.store.addresses import find
from nixie.store.db import writing
from nixie.store.knowledge import erase_address, forget_before, micros
from nixie.store.knowledge_batch import Numbers
from nixie.store.knowledge_people import add_people
from nixie.store.mailing_names import MOST_NAMES
from nixie.store.mailings import learn_mailings
from nixie.store.mailings_batch import MailRows, learn_mail_rows

ANN, BEN = Address("ann", "navy.example"), Address("ben", "navy.example")
OTHERS = [Address(n, d) for n in ("kim.smith", "lee", "max") for d in ("partner.example", "mail.example")]
MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


def memory():
    import sqlite3

    from nixie.store.db import migrate

    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, ":memory:")
    return db


def mail(key=1, to=(OTHERS[0],), at=MARCH, sender=ANN, **more):
    return Mailing(key, at, sender, tuple(to), **more)


def learned(db, *mailings):
    with writing(db):
        return learn_mailings(db, mailings)


def snapshot(db):
    """Return what the tables say, with keys in place of numbers."""
    keys = {0: "-"} | dict(db.execute("SELECT id, COALESCE(key, '?') FROM address"))

    def people(blob):
        return None if blob is None else sorted(keys[n] for n in memoryview(blob).cast("I"))

    def rows(sql):
        return db.execute(sql).fetchall()

    return {
        "mailing": sorted(
            (k, at, keys[s], o, people(m), w, r, people(got), topic)
            for k, at, s, o, m, w, r, got, topic in rows("SELECT * FROM mailing")
        ),
        "to": sorted(
            ("-" * (s < 0) + keys[abs(s)], keys[a], at, m, str(people(c)), w or b"")
            for s, a, at, m, c, w in rows("SELECT scope, address, at, mailing, members, words FROM mailing_to")
        ),
        "topic": sorted((t, keys[p], at, m) for t, p, at, m in rows("SELECT * FROM mailing_topic")),
        "contact": sorted(
            (keys[s], keys[a], n, at) for s, a, n, at in rows("SELECT scope, address, mails, last_at FROM contact")
        ),
        "author": sorted((keys[a], *more) for a, *more in rows("SELECT * FROM author")),
        "name": sorted((keys[a], n, at) for a, n, at in rows("SELECT * FROM name")),
        "token": sorted((keys[s], h, keys[a], at) for s, h, a, at in rows("SELECT * FROM token")),
    }


def counted(db):
    """Return the contacts and authors that the rows of all mails add up to."""
    contact = "SELECT scope, address, COUNT(*), MAX(at) FROM mailing_to WHERE scope > 0 AND address GROUP BY 1, 2"
    author = (
        "SELECT sender, COUNT(*), (SELECT COUNT(*) FROM contact WHERE scope = m.sender), MAX(at)"
        " FROM mailing m WHERE ours GROUP BY 1"
    )
    return [set(db.execute(sql).fetchall()) for sql in (contact, author)]


def kept(db):
    sums = "SELECT scope, address, mails, last_at FROM contact", "SELECT id, mails, contacts, last_at FROM author"
    return [set(db.execute(sql).fetchall()) for sql in sums]


sightings = st.lists(
    st.builds(
        lambda key, ours, to, hours, names, words, refs, readers, topic: mail(
            key,
            to,
            MARCH + timedelta(hours=hours),
            ANN if ours else BEN,
            names=tuple(names),
            words=tuple(words),
            references=tuple(refs),
            readers=tuple(r for r in readers if r in to),
            topic=topic,
        ),
        st.integers(1, 4),
        st.booleans(),
        st.lists(st.sampled_from(OTHERS), min_size=1, max_size=3, unique=True),
        st.integers(0, 3),
        st.lists(st.tuples(st.sampled_from(OTHERS), st.sampled_from(["Kim Smith", "Lee", "Max Lee"])), max_size=2),
        st.lists(st.integers(0, 9), max_size=3),
        st.lists(st.integers(90, 92), max_size=2, unique=True),
        st.sets(st.sampled_from(OTHERS)),
        st.integers(0, 2),
    ),
    max_size=8,
)


@settings(max_examples=50, deadline=None)
@given(sightings, st.randoms(use_true_random=False))
def test_order_and_portions_make_no_difference(seen, rng):
    one, two = memory(), memory()
    new = learned(one, *seen)
    again = rng.sample(seen, len(seen)) + seen[:2]
    cut = rng.randint(0, len(again))
    portions = [again[:cut], *([s] for s in again[cut:])]

    assert sum(learned(two, *portion) for portion in portions) == new == len({s.key for s in seen})
    assert snapshot(two) == snapshot(one)
    assert kept(two) == counted(two)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 20)), max_size=30), st.randoms(use_true_random=False))
def test_of_many_names_of_one_address_those_first_seen_stay(shown, rng):
    seen = [
        mail(i, at=MARCH + timedelta(hours=h), names=((OTHERS[0], f"Kim{chr(97 + n)} Smith"),))
        for i, (n, h) in enumerate(shown)
    ]
    first: dict[str, int] = {}
    for m in seen:
        name, at = m.names[0][1], micros(m.at)
        first[name] = min(at, first.get(name, at))
    one, two = memory(), memory()
    learned(one, *seen)
    for m in rng.sample(seen, len(seen)):
        learned(two, m)

    names = {(at, name) for _, name, at in snapshot(one)["name"]}
    assert names == set(sorted((at, name) for name, at in first.items())[:MOST_NAMES])
    assert snapshot(two) == snapshot(one)


def test_sightings_of_one_mail_are_put_together():
    db = memory()
    assert learned(db, mail(to=OTHERS[:1], words=(3, 1))) == 1
    assert learned(db, mail(to=OTHERS[1:3], at=MARCH - timedelta(hours=1), words=(2, 3), references=(7,))) == 0

    ((_, at, sender, ours, members, words, refs, *_),) = snapshot(db)["mailing"]
    assert (at, sender, ours) == (micros(MARCH) - 3_600_000_000, ANN.key, 1)
    assert members == sorted(a.key for a in OTHERS[:3])
    assert list(memoryview(words).cast("I")) == [1, 2, 3]
    assert list(memoryview(refs).cast("q")) == [7]


def test_words_beyond_the_most_are_cut_the_same_way_in_any_order():
    one, two = memory(), memory()
    parts = [mail(words=tuple(range(start, 90, 3))) for start in range(3)]
    learned(one, *parts)
    learned(two, *reversed(parts))

    assert snapshot(one) == snapshot(two)
    assert len(snapshot(one)["mailing"][0][5]) == 4 * MOST_WORDS


def test_a_mail_to_more_than_a_circle_says_nothing_of_who_belongs_together():
    many = [Address(f"p{n}", "partner.example") for n in range(LARGEST_GROUP + 1)]
    one, two = memory(), memory()
    learned(one, mail(to=many[:30]), mail(to=many[25:]))
    learned(two, mail(to=()))

    for db in (one, two):
        assert snapshot(db)["mailing"][0][4] is None
        assert [row[1] for row in snapshot(db)["to"]] == ["-"]
        assert snapshot(db)["contact"] == []
        assert snapshot(db)["author"] == [(ANN.key, 1, 0, micros(MARCH))]


def test_mail_from_outside_teaches_names_and_the_thread_but_no_contact():
    db = memory()
    learned(db, mail(to=(ANN, OTHERS[1]), sender=OTHERS[0], names=((OTHERS[0], "Kim Smith"),), ours=False))

    found = snapshot(db)
    assert found["mailing"][0][4] == sorted([ANN.key, OTHERS[1].key])
    assert found["name"] == [(OTHERS[0].key, "Kim Smith", micros(MARCH))]
    assert {row[0] for row in found["token"]} == {"-"}
    assert not any(found[table] for table in ("to", "contact", "author"))


def test_what_our_readers_got_stands_with_everybody_in_it():
    db = memory()
    learned(db, mail(to=(ANN, BEN, OTHERS[1]), sender=OTHERS[0], ours=False, readers=(ANN, BEN), topic=5))
    pairs = [row[:2] for row in snapshot(db)["to"]]
    readers = {ANN: BEN, BEN: ANN}

    assert pairs == sorted((f"-{r.key}", other.key) for r in readers for other in (*OTHERS[:2], readers[r]))
    assert [row[:2] for row in snapshot(db)["topic"]] == [(5, ANN.key), (5, BEN.key)]


@pytest.mark.parametrize("name", ["Kim\udcff Smith", "Kim \x00 Smith", " Kim\n\tSmith ", "金 史密斯"])
def test_any_display_name_can_be_kept(name):
    db = memory()
    learned(db, mail(names=((OTHERS[0], name),)))

    assert len(snapshot(db)["name"]) == 1


def test_numbers_that_are_known_need_not_be_asked_for():
    db = memory()
    learned(db, mail())
    known = find(db, [ANN.key, OTHERS[0].key])
    with writing(db):
        assert learn_mailings(db, [mail(2)], known) == 1

    assert snapshot(db)["contact"] == [(ANN.key, OTHERS[0].key, 2, micros(MARCH))]


def rows_of(seen):
    """Return mails as a log shows them, a recipient a row."""
    keys, columns = [""], [[] for _ in range(5)]
    for m in seen:
        for to in m.recipients:
            for address in (m.sender, to):
                if address.key not in keys:
                    keys.append(address.key)
            row = m.key, micros(m.at), keys.index(m.sender.key), keys.index(to.key), m.ours + 2 * (to in m.readers)
            for column, value in zip(columns, row, strict=True):
                column.append(value)
    return MailRows(keys, *(np.array(column, dtype=np.int64) for column in columns))


WIDE = [Address(f"p{n}", "navy.example") for n in range(60)]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda key, hours, to, ours, readers: mail(
                key, to, MARCH + timedelta(hours=hours), ANN if ours else BEN, ours=ours, readers=tuple(to[:readers])
            ),
            st.integers(1, 5),
            st.integers(0, 2),
            st.one_of(
                st.lists(st.sampled_from(OTHERS), min_size=1, max_size=4, unique=True),
                st.integers(5, 60).map(lambda n: WIDE[:n]),
            ),
            st.booleans(),
            st.sampled_from([0, 0, 1, 2, 9, 60]),
        ),
        max_size=6,
        unique_by=lambda m: m.key,
    ),
    st.integers(0, 6),
)
def test_a_log_in_columns_teaches_what_its_mails_teach_one_by_one(seen, cut):
    one, two = memory(), memory()
    learned(one, *seen)
    for part in (seen[:cut], seen[cut:], seen[:2]):
        with writing(two):
            learn_mail_rows(two, rows_of(part), Numbers(), {})

    assert snapshot(two) == snapshot(one)
    assert kept(two) == kept(one)


@settings(max_examples=20, deadline=None)
@given(sightings, st.integers(0, 3))
def test_retention_leaves_the_later_mails_and_their_sums(seen, days):
    moved = [
        mail(
            s.key, s.recipients, MARCH + 24 * (s.at - MARCH), s.sender, words=s.words, readers=s.readers, topic=s.topic
        )
        for s in seen
    ]
    united = {m.key: min(n.at for n in moved if n.key == m.key) for m in moved}
    cut = (MARCH + timedelta(days=days)).date()
    whole, rest = memory(), memory()
    learned(whole, *moved)
    gone = forget_before(whole, cut)
    learned(rest, *(m for m in moved if united[m.key].date() >= cut))

    assert gone == sum(at.date() < cut for at in united.values())
    for table in ("mailing", "to", "topic", "contact", "author"):
        assert snapshot(whole)[table] == snapshot(rest)[table]


def test_retention_forgets_names_that_no_mail_stands_behind():
    db = memory()
    old = MARCH - timedelta(days=100)
    learned(
        db, mail(1, OTHERS[:2], old, names=((OTHERS[0], "Kim Smith"), (OTHERS[1], "Kim Jones"))), mail(2, OTHERS[1:2])
    )
    with writing(db):
        add_people(db, [(OTHERS[3], "Lee Max", "law")])
    forget_before(db, MARCH.date())

    assert [row[:2] for row in snapshot(db)["name"]] == [(OTHERS[1].key, "Kim Jones"), (OTHERS[3].key, "Lee Max")]
    assert {row[2] for row in snapshot(db)["token"]} == {OTHERS[1].key, OTHERS[3].key}


def test_an_erased_person_has_no_name_and_is_found_by_nothing():
    db = memory()
    learned(db, mail(to=OTHERS[:2], names=((OTHERS[0], "Kim Smith"),)))
    with writing(db):
        assert erase_address(db, OTHERS[0])

    assert db.execute("SELECT COUNT(*) FROM name").fetchone() == (0,)
    assert {row[2] for row in snapshot(db)["token"]} == {OTHERS[1].key}
    assert db.execute("SELECT mails, contacts FROM author").fetchall() == [(1, 2)]
