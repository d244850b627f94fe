"""What is learned, in any order, live or in bulk, gives the same counts; and a question sees its moment only."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.address import NULL, Address
from nixie.core.events import Answer, Event, EventKind, event_key
from nixie.core.facts import FactQuery
from nixie.store.db import open_reader, open_writer, writing
from nixie.store.knowledge import confirm, erase_address, fold, forget_before, micros, teach
from nixie.store.knowledge_answers import settle_answers
from nixie.store.knowledge_batch import Batch, learn_batch
from nixie.store.knowledge_facts import StoreFacts, counts_of
from nixie.store.knowledge_lists import addresses_with_counts, domains_with_counts

SENT, WROTE = EventKind.SENT, EventKind.WROTE_TO_US
ANN, BEN = Address("ann", "navy.example"), Address("ben", "navy.example")
OTHERS = [Address(n, d) for n in ("kim", "lee", "max") for d in ("partner.example", "army.example", "mail.example")]
MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(ours=ANN, other=OTHERS[0], at=MARCH, kind=SENT, mid="m1"):
    return Event(kind, ours, other, at, event_key(kind, mid, other.key))


def open_db(path):
    return open_writer(path / "nixie.db")


def memory():
    import sqlite3

    from nixie.store.db import migrate

    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, ":memory:")
    return db


def taught(db, events):
    with writing(db):
        return teach(db, events)


def as_batch(events):
    keys = [""]
    places = {"": 0}
    for e in events:
        for a in (e.ours, e.other):
            if a.key not in places:
                places[a.key] = len(keys)
                keys.append(a.key)
    columns = [
        [e.key for e in events],
        [micros(e.at) for e in events],
        [int(e.kind) for e in events],
        [places[e.ours.key] for e in events],
        [places[e.other.key] for e in events],
    ]
    return Batch(keys, *(np.array(c, dtype=np.int64) for c in columns))


def learned(db, events):
    with writing(db):
        return learn_batch(db, as_batch(events))


def ask(db, at, author=ANN, others=OTHERS):
    domains = tuple(dict.fromkeys(a.domain for a in others))
    return StoreFacts(db).know(FactQuery(author, tuple(others), domains, at))


def plain(facts):
    return facts.totals, dict(facts.addresses), dict(facts.domains)


events = st.builds(
    lambda o, a, h, k, m: event(o, a, MARCH + timedelta(hours=h), k, f"m{m}-{h}"),
    st.sampled_from([ANN, BEN, NULL]),
    st.sampled_from(OTHERS),
    st.integers(-24 * 120, 40),
    st.sampled_from([SENT, SENT, WROTE, EventKind.BOUNCED]),
    st.integers(0, 3),
)
traffic = st.lists(events, max_size=40, unique_by=lambda e: e.key)


def brute(seen, at, author=ANN):
    """Count by hand what a question as of `at` must answer."""
    past = [e for e in seen if e.at < at]
    sent = [e for e in past if e.kind is SENT]
    return {
        "author_sent": sum(e.ours == author for e in sent),
        "organisation_sent": len(sent),
        "new_addresses": len({e.other.key for e in sent}),
        "new_domains": len({e.other.domain for e in sent}),
        "address": Counter((e.other.key, e.kind) for e in past),
        "author": Counter((e.other.key, e.kind) for e in past if e.ours == author),
        "domain": Counter((e.other.domain, e.kind) for e in past),
    }


def check_against_brute(facts, expected):
    assert facts.totals.author_sent == expected["author_sent"]
    assert facts.totals.organisation_sent == expected["organisation_sent"]
    assert facts.totals.new_addresses == expected["new_addresses"]
    assert facts.totals.new_domains == expected["new_domains"]
    for other in OTHERS:
        history = facts.address(other)
        assert history.organisation.sent == expected["address"][other.key, SENT]
        assert history.organisation.wrote_to_us == expected["address"][other.key, WROTE]
        assert history.author.sent == expected["author"][other.key, SENT]
        assert facts.domain(other.domain).organisation.sent == expected["domain"][other.domain, SENT]


@settings(max_examples=40, deadline=None)
@given(traffic, st.integers(-100, 45))
def test_a_question_counts_exactly_what_happened_before_its_moment(seen, hours):
    at = MARCH + timedelta(hours=hours, minutes=-1)
    db = memory()
    taught(db, seen)

    check_against_brute(ask(db, at), brute(seen, at))


@settings(max_examples=40, deadline=None)
@given(traffic, st.randoms(use_true_random=False), st.booleans())
def test_order_and_way_of_learning_make_no_difference(seen, rng, folded):
    one, two = memory(), memory()
    if folded:
        fold(one, MARCH)
        fold(two, MARCH)
    for e in seen:
        taught(one, [e])
    shuffled = rng.sample(seen, len(seen))
    cut = rng.randint(0, len(seen))
    learned(two, shuffled[:cut])
    learned(two, shuffled[cut // 2 :])

    for at in (MARCH - timedelta(days=30), MARCH, MARCH + timedelta(hours=3), MARCH + timedelta(days=60)):
        assert plain(ask(one, at)) == plain(ask(two, at))


@settings(max_examples=40, deadline=None)
@given(traffic, st.integers(-50, 20), st.booleans())
def test_a_store_that_also_holds_every_later_event_answers_as_of_march(seen, hours, folded):
    at = MARCH + timedelta(hours=hours, seconds=1)
    full, then = memory(), memory()
    if folded:
        fold(full, MARCH)
        fold(then, MARCH)
    taught(full, seen)
    floor = MARCH.replace(hour=0) - timedelta(days=1)
    # Once folded, a day has no hours any more: everything before that day counts, and nothing of it.
    edge = at if not folded or at >= floor else at.replace(hour=0, minute=0, second=0)
    taught(then, [e for e in seen if e.at < edge])

    assert plain(ask(full, at)) == plain(ask(then, at))


@settings(max_examples=30, deadline=None)
@given(traffic)
def test_folding_changes_no_count_and_no_key_counts_again(seen):
    db = memory()
    taught(db, seen)
    later = MARCH + timedelta(days=90)
    before = plain(ask(db, later))
    fold(db, MARCH + timedelta(days=60))

    assert plain(ask(db, later)) == before
    assert taught(db, seen).counted == 0
    assert learned(db, seen).counted == 0
    assert plain(ask(db, later)) == before


def test_an_event_counts_once_when_a_log_dates_it_a_day_later(tmp_path):
    db = open_db(tmp_path)
    fold(db, MARCH + timedelta(days=9))

    assert learned(db, [event()]).counted == 1
    assert learned(db, [event(at=MARCH + timedelta(days=1))]) == learned(db, [event()])
    assert taught(db, [event(at=MARCH - timedelta(days=1))]).duplicates == 1
    assert ask(db, MARCH + timedelta(days=30)).totals.organisation_sent == 1


def test_a_rolled_back_batch_leaves_nothing(tmp_path):
    db = open_db(tmp_path)

    def dies():
        with writing(db):
            learn_batch(db, as_batch([event()]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        dies()

    assert learned(db, [event()]).counted == 1
    assert ask(db, MARCH + timedelta(days=1)).totals.organisation_sent == 1


def test_new_domains_are_told_once(tmp_path):
    db = open_db(tmp_path)

    assert set(taught(db, [event()]).new_domains) == {"partner.example", "navy.example"}
    assert taught(db, [event(mid="m2")]).new_domains == ()
    assert learned(db, [event(other=OTHERS[1])]).new_domains == ("army.example",)


def test_a_question_meets_the_canonical_address_under_the_written_one(tmp_path):
    db = open_db(tmp_path)
    taught(db, [event()])
    tagged = Address("kim+news", "partner.example")

    facts = ask(db, MARCH + timedelta(hours=1), others=[tagged])

    assert facts.address(tagged).author.sent == 1


def test_the_reader_of_a_file_sees_what_the_writer_committed(tmp_path):
    db = open_db(tmp_path)
    taught(db, [event()])
    reader = open_reader(tmp_path / "nixie.db")
    source = StoreFacts(reader)
    query = FactQuery(ANN, (OTHERS[0],), ("partner.example",), MARCH + timedelta(days=1))

    assert source.know(query).totals.author_sent == 1
    taught(db, [event(mid="m2", at=MARCH - timedelta(days=400))])
    history = source.know(query).address(OTHERS[0])
    assert (history.author.sent, history.author.sent_90d) == (2, 1)
    assert history.organisation.first_day == date(2025, 1, 25)


def test_remembered_sums_of_a_popular_target_follow_what_is_learned_later(tmp_path):
    db = open_db(tmp_path)
    fold(db, MARCH)
    many = [event(at=MARCH - timedelta(days=d), mid=f"m{d}") for d in range(2, 600)]
    learned(db, many)
    source = StoreFacts(db)
    query = FactQuery(ANN, (OTHERS[0],), ("partner.example",), MARCH)
    first = source.know(query)

    assert source.know(query) == first
    assert first.address(OTHERS[0]).author.sent == 598
    assert first.address(OTHERS[0]).author.sent_90d == 89
    learned(db, [event(at=MARCH - timedelta(days=500), mid="late")])
    taught(db, [event(at=MARCH - timedelta(hours=1), mid="live")])
    again = source.know(query)
    assert again.address(OTHERS[0]).author.sent == 600
    assert again.domain("partner.example").organisation.sent == 600
    old = source.know(FactQuery(ANN, (OTHERS[0],), (), MARCH - timedelta(days=590)))
    assert old.address(OTHERS[0]).author.sent == 9


@pytest.mark.parametrize("reply_first", [True, False])
@pytest.mark.parametrize("folded", [True, False])
def test_a_reply_is_found_whichever_side_is_learned_first(reply_first, folded):
    db = memory()
    if folded:
        fold(db, MARCH + timedelta(days=10))
    sent = event()
    reply = event(at=MARCH + timedelta(days=3), kind=EventKind.REPLIED, mid="r1")
    answer = Answer(reply, (event_key(SENT, "m1", OTHERS[0].key),))

    def hear():
        with writing(db):
            teach(db, [], [answer])

    steps = [hear, lambda: taught(db, [sent])]
    for step in steps if reply_first else reversed(steps):
        step()
    settle_answers(db)
    fold(db, MARCH + timedelta(days=30))
    hear()
    settle_answers(db)

    assert counts_of(db, OTHERS[0]).replied == 1


def test_a_reply_to_nothing_of_ours_is_none():
    db = memory()
    reply = event(kind=EventKind.REPLIED, mid="r1")
    with writing(db):
        teach(db, [], [Answer(reply, (event_key(SENT, "other", OTHERS[0].key),))])

    assert settle_answers(db) == 0
    assert counts_of(db, OTHERS[0]).replied == 0


def test_retention_leaves_what_would_have_been_learned_from_the_rest(tmp_path):
    rng = random.Random(5)
    seen = [
        event(rng.choice([ANN, BEN]), rng.choice(OTHERS), MARCH - timedelta(days=rng.randint(2, 300)), mid=f"m{i}")
        for i in range(300)
    ]
    cut = MARCH - timedelta(days=100)
    whole, rest = open_db(tmp_path), memory()
    taught(whole, seen)
    fold(whole, MARCH)
    fold(rest, MARCH)
    learned(rest, [e for e in seen if e.at.date() >= cut.date()])
    forget_before(whole, cut.date())

    for days in (0, 50, 99, 200):
        at = MARCH - timedelta(days=days)
        assert plain(ask(whole, at)) == plain(ask(rest, at))


def test_an_erased_address_is_unknown_and_its_counts_stay_nameless(tmp_path):
    db = open_db(tmp_path)
    taught(db, [event()])
    with writing(db):
        assert erase_address(db, OTHERS[0])

    facts = ask(db, MARCH + timedelta(days=1))
    assert not facts.addresses
    assert facts.domain("partner.example").organisation.sent == 1
    assert [k.name for k in addresses_with_counts(db)] == []


def test_a_confirmation_is_an_event_of_its_own(tmp_path):
    db = open_db(tmp_path)
    with writing(db):
        confirm(db, OTHERS[0], ANN, MARCH)
        confirm(db, OTHERS[0], ANN, MARCH)

    assert counts_of(db, OTHERS[0]).confirmed == 1


def test_lists_carry_what_the_near_index_sorts_by(tmp_path):
    db = open_db(tmp_path)
    taught(db, [event(), event(mid="m2"), event(other=OTHERS[1], kind=WROTE)])

    found = {k.name: (k.sent, k.wrote_to_us) for k in domains_with_counts(db)}

    assert found == {"partner.example": (2, 0), "army.example": (0, 1)}
