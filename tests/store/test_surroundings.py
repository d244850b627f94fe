"""Who stands around a circle is told from mail before the moment alone, whatever was learned in which order."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.address import Address
from nixie.core.events import Event, EventKind, event_key
from nixie.core.facts import (
    LATEST,
    LATEST_OF_ALL,
    LATEST_RECEIVED,
    MOST_COUNTED,
    MOST_TOGETHER,
    FactQuery,
    SuggestQuery,
)
from nixie.core.mailing import LARGEST_GROUP, Mailing
from nixie.core.person import tokens
from nixie.store.db import open_reader, open_writer, writing
from nixie.store.knowledge import erase_address, fold, forget_before, micros, teach
from nixie.store.knowledge_facts import StoreFacts
from nixie.store.knowledge_people import add_people
from nixie.store.mailings import learn_mailings

ANN, BEN = Address("ann", "navy.example"), Address("ben", "navy.example")
KIM, TWIN = Address("kim.smith", "partner.example"), Address("kim.smith", "mail.example")
OTHERS = [KIM, TWIN, *(Address(n, "partner.example") for n in ("lee", "max", "kimono"))]
MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def memory():
    import sqlite3

    from nixie.store.db import migrate

    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, ":memory:")
    return db


def mail(key=1, to=(KIM,), hours=-1.0, sender=ANN, **more):
    return Mailing(key, MARCH + hours * HOUR, sender, tuple(to), **more)


def learned(db, *mailings):
    with writing(db):
        learn_mailings(db, mailings)
    return db


def named(*people):
    return {"names": tuple((address, name) for address, name in people)}


def ask(db, circle=(KIM,), at=MARCH, author=ANN, greeted=(), references=(), near=None, names=(), topic=0):
    by_key = {a.key: tokens(a, tuple(n for b, n in names if a == b)) for a in circle}
    query = SuggestQuery(author, tuple(circle), tuple(circle), at, by_key, greeted, references, topic)
    return StoreFacts(db, near_addresses=near).suggest(query)


def plain(db, found):
    """Return an answer without numbers, which differ between stores."""
    keys = dict(db.execute("SELECT id, key FROM address"))

    def mails(some):
        return [(m.key, m.at, keys[m.sender], sorted(keys[n] for n in m.members), m.words) for m in some]

    def people(some):
        return [(a.address, keys[a.number], a.names, a.mails, a.last) for a in some]

    return {
        "numbers": {key: keys[n] for key, n in found.numbers.items()},
        "names": found.names,
        "mails": {key: mails(some) for key, some in found.mails.items()},
        "counts": found.counts,
        "colleagues": {key: mails(some) for key, some in found.colleagues.items()},
        "received": {key: mails(some) for key, some in found.received.items()},
        "thread": mails(found.thread),
        "wrong": found.wrong,
        "alike": {key: people(some) for key, some in found.alike.items()},
        "together": people(found.together),
        "greeted": people(found.greeted),
        "author": (found.author_mails, found.author_contacts),
    }


def keys(people):
    return [a.address.key for a in people]


NAMES = st.sampled_from(["Kim Smith", "Lee Max", "Kim Jones"])
mails = st.lists(
    st.builds(
        lambda key, sender, to, hours, names, refs, readers, topic: mail(
            key,
            (*to, *readers),
            hours,
            sender,
            names=tuple(names),
            references=tuple(refs),
            words=(key,),
            ours=sender != KIM,
            topic=topic,
            readers=tuple(readers),
        ),
        st.integers(1, 20),
        st.sampled_from([ANN, ANN, BEN, KIM]),
        st.lists(st.sampled_from(OTHERS), min_size=1, max_size=3, unique=True),
        st.integers(-9, 9),
        st.lists(st.tuples(st.sampled_from(OTHERS), NAMES), max_size=2),
        st.lists(st.integers(1, 20), max_size=2, unique=True),
        st.sets(st.sampled_from([ANN, BEN])),
        st.integers(0, 2),
    ),
    max_size=14,
    unique_by=lambda m: m.key,
)


@settings(max_examples=60, deadline=None)
@given(mails, st.integers(-9, 10), st.randoms(use_true_random=False))
def test_a_store_that_also_holds_every_later_mail_answers_as_of_then(seen, hours, rng):
    at = MARCH + hours * HOUR
    full, then = memory(), memory()
    learned(full, *rng.sample(seen, len(seen)))
    learned(then, *(m for m in seen if m.at < at))
    # Numbers exist from the first sighting of an address on, which no answer depends on.
    learned(then, mail(99, OTHERS, 99, sender=BEN))
    learned(full, mail(99, OTHERS, 99, sender=BEN))
    more = {"greeted": ("g:kim", "n:kim smith"), "references": (3, 1, 2), "names": [(KIM, "Kim Smith")], "topic": 1}

    one, two = (plain(db, ask(db, (KIM, OTHERS[2]), at, **more)) for db in (full, then))
    assert one.pop("numbers").items() >= two.pop("numbers").items()
    assert one == two


@settings(max_examples=60, deadline=None)
@given(mails)
def test_the_answer_is_what_one_would_count_by_hand(seen):
    db = learned(memory(), *seen)
    found = ask(db, (KIM, TWIN), topic=1)
    mine = [m for m in seen if m.sender == ANN and m.at < MARCH]
    newest = sorted(mine, key=lambda m: (m.at, m.key), reverse=True)

    assert found.author_mails == len(mine)
    assert found.author_contacts == len({r for m in mine for r in m.recipients})
    for person in (KIM, TWIN):
        assert [m.key for m in found.mails.get(person.key, ())] == [m.key for m in newest if person in m.recipients]
        assert found.counts.get(person.key, 0) == sum(person in m.recipients for m in mine)
    got = [m for m in seen if ANN in m.readers and m.sender != ANN and m.at < MARCH]
    got.sort(key=lambda m: (m.at, m.key), reverse=True)
    for person in (KIM, TWIN):
        shown = [m.key for m in got if person in (m.sender, *m.recipients)]
        assert [m.key for m in found.received.get(person.key, ())] == shown
    alike = [m for m in seen if m.topic == 1 and m.at < MARCH and (ANN in m.readers or m.sender == ANN)]
    alike.sort(key=lambda m: (m.at, m.key))
    assert [m.key for m in found.thread] == [m.key for m in alike[-4:]]
    around = {r for m in mine for r in m.recipients if {KIM, TWIN} & set(m.recipients)}
    around |= {r for m in alike[-4:] for r in (m.sender, *m.recipients)}
    around -= {ANN, KIM, TWIN}
    assert set(keys(found.together)) == {a.key for a in around}
    for a in found.together:
        assert a.mails == sum(a.address in m.recipients for m in mine)
        assert a.last == max((micros(m.at) for m in mine if a.address in m.recipients), default=0)


def test_mails_come_newest_first_with_their_circle_and_words():
    db = learned(memory(), mail(1, hours=-3, words=(5,)), mail(2, (KIM, OTHERS[2]), hours=-2, words=(6, 7)))
    found = ask(db)
    numbers = ask(db, (KIM, OTHERS[2])).numbers

    assert [(m.key, m.words) for m in found.mails[KIM.key]] == [(2, (6, 7)), (1, (5,))]
    assert found.mails[KIM.key][0].members == tuple(sorted((numbers[KIM.key], numbers[OTHERS[2].key])))
    assert found.mails[KIM.key][0].sender == numbers[ANN.key]


def test_a_large_circle_is_read_like_a_small_one():
    many = [KIM, *(Address(f"p{n}", "partner.example") for n in range(LARGEST_GROUP - 1))]
    db = learned(memory(), mail(1, many, words=(5,)))
    found = ask(db, many)

    assert all(found.mails[a.key][0].words == (5,) for a in many)
    assert all(len(found.mails[a.key][0].members) == LARGEST_GROUP for a in many)


def test_no_cut_is_made_before_the_moment():
    db = memory()
    learned(db, *(mail(n, (KIM, OTHERS[2]), hours=n) for n in range(-60, 300)))
    found = ask(db)

    assert [m.key for m in found.mails[KIM.key]] == list(range(-1, -1 - LATEST, -1))
    assert found.author_mails == 60
    assert [(a.mails, a.last) for a in found.together] == [(60, micros(MARCH - HOUR))]
    assert ask(db, at=MARCH + 999 * HOUR).together[0].mails == MOST_COUNTED


@pytest.mark.parametrize("size", [1, 8, 40])
def test_what_the_author_got_comes_with_its_sender_and_everybody_who_got_it_too(size):
    db = memory()
    to = [ANN, OTHERS[2], *(Address(f"p{n}", "partner.example") for n in range(size - 1))]
    learned(
        db, mail(1, to, -3, KIM, ours=False, readers=(ANN,)), mail(2, (KIM, BEN), -2), mail(3, (OTHERS[2],), -1, KIM)
    )
    found = ask(db, (KIM, OTHERS[2]))

    assert {key: [m.key for m in some] for key, some in found.received.items()} == {KIM.key: [1], OTHERS[2].key: [1]}
    (got,) = found.received[KIM.key]
    names = dict(db.execute("SELECT id, key FROM address"))
    assert (names[got.sender], got.members[0]) == (KIM.key, got.sender)
    assert {names[n] for n in got.members} == {KIM.key, *(a.key for a in to)}
    assert not ask(db, (KIM,), author=BEN).received


def test_of_a_large_circle_each_reader_knows_the_sender_alone():
    staff = [Address(f"s{n}", "navy.example") for n in range(20)]
    db = learned(memory(), mail(1, (ANN, *staff), sender=BEN, readers=(ANN, *staff)))
    found = ask(db, (BEN, *staff))

    assert set(found.received) == {BEN.key}
    assert len(found.received[BEN.key][0].members) == 22


def test_the_latest_that_were_got_are_bounded():
    db = learned(memory(), *(mail(n, (ANN,), -n, KIM, ours=False, readers=(ANN,)) for n in range(1, 40)))

    assert [m.key for m in ask(db).received[KIM.key]] == list(range(1, 1 + LATEST_RECEIVED))


def test_an_answer_without_references_belongs_to_the_latest_mails_of_its_topic():
    db = memory()
    days = [-61, -50, -5, -4, -3, -2]
    learned(db, *(mail(n, (ANN,), 24 * d, KIM, ours=False, readers=(ANN,), topic=7) for n, d in enumerate(days)))
    learned(db, mail(20, hours=-1, topic=7), mail(21, (BEN,), -1, KIM, ours=False, readers=(BEN,), topic=7))

    assert [m.key for m in ask(db, topic=7).thread] == [3, 4, 5, 20]
    assert [m.key for m in ask(db, topic=7, references=(99, 2)).thread] == [2]
    assert [m.key for m in ask(db, topic=7, at=MARCH - 10 * 24 * HOUR).thread] == [0, 1]
    assert [m.key for m in ask(db, topic=7, author=BEN).thread] == [21]
    assert not ask(db, topic=8).thread


def test_colleagues_mails_stand_in_where_the_author_has_few():
    db = memory()
    learned(db, *(mail(n, hours=-n, sender=BEN) for n in range(1, 30)), mail(99, hours=-0.5))
    found = ask(db)

    assert [m.key for m in found.colleagues[KIM.key]] == [99, *range(1, LATEST_OF_ALL)]
    assert not ask(db, author=BEN).colleagues


def test_the_usual_company_comes_most_often_first_and_is_bounded():
    db = memory()
    people = [Address(f"p{n:02}", "partner.example") for n in range(40)]
    for n in range(12):
        learned(db, mail(n, (KIM, *people[: 40 - n]), hours=-n - 1))
    found = keys(ask(db).together)

    assert found == [p.key for p in people[:MOST_TOGETHER]]


def test_an_autocomplete_neighbour_is_known_to_the_author_and_a_namesake_to_the_organisation():
    db = memory()
    learned(
        db,
        mail(1, (OTHERS[4],)),
        mail(2, (TWIN,), sender=BEN, **named((TWIN, "Kim Smith"))),
        mail(3, (Address("kimberly", "partner.example"),), sender=BEN),
        mail(4, (ANN,), sender=Address("stranger", "army.example"), ours=False,
             **named((Address("stranger", "army.example"), "Kim Smith"))),
    )  # fmt: skip
    found = ask(db, names=[(KIM, "Kim Smith")])

    assert keys(found.alike[KIM.key]) == [OTHERS[4].key, TWIN.key]
    assert [(a.mails, a.names) for a in found.alike[KIM.key]] == [(1, ()), (0, ("Kim Smith",))]


def test_those_alike_are_the_most_written_to():
    db = memory()
    people = [Address(f"kim{n:03}", "partner.example") for n in range(60)]
    learned(db, *(mail(n, people[: n + 1], hours=-n - 1) for n in range(40)))
    found = keys(ask(db).alike[KIM.key])

    assert found == [p.key for p in people[:32]]


def test_a_greeted_name_finds_whom_the_author_knows():
    db = learned(memory(), mail(1, (OTHERS[3],), **named((OTHERS[3], "Robert Jones"))))

    assert keys(ask(db, greeted=("g:rob",)).greeted) == [OTHERS[3].key]
    assert ask(db, author=BEN, greeted=("g:rob",)).greeted == ()


def test_a_thread_is_followed_upwards_and_ends_with_the_mail_that_is_answered():
    db = memory()
    learned(
        db, mail(1, hours=-5), mail(2, (ANN,), -4, KIM, ours=False, references=(1,)), mail(3, hours=-3, references=(2,))
    )

    assert [m.key for m in ask(db, references=(3,)).thread] == [1, 2, 3]
    assert [m.key for m in ask(db, references=(7, 2), at=MARCH - 3.5 * HOUR).thread] == [1, 2]
    assert [m.key for m in ask(db, references=(3,), at=MARCH - 4.5 * HOUR).thread] == []


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize(
    "kind, hours, wrong",
    [
        (EventKind.BOUNCED, 30, True),
        (EventKind.DISOWNED, 30, True),
        (EventKind.CORRECTED_AWAY, 1, True),
        (EventKind.SENT, 30, False),
        (EventKind.BOUNCED, -48, False),
        (EventKind.BOUNCED, 80, False),
    ],
)
def test_an_address_that_was_found_wrong_in_a_thread_is_told(folded, kind, hours, wrong):
    db = learned(memory(), mail(1, (KIM, OTHERS[2]), 0))
    with writing(db):
        teach(db, [Event(kind, BEN, KIM, MARCH + hours * HOUR, event_key(kind, "m1", KIM.key))])
    if folded:
        fold(db, MARCH + 200 * HOUR)

    found = ask(db, (KIM,), MARCH + 72 * HOUR, references=(1,))
    assert found.wrong == ({KIM.key} if wrong else set())


def test_on_the_day_itself_wrong_is_what_was_before_the_moment():
    db = learned(memory(), mail(1, (KIM, OTHERS[2]), -2))
    for person, minutes in ((KIM, -1), (OTHERS[2], 1)):
        at = MARCH + timedelta(minutes=minutes)
        with writing(db):
            teach(db, [Event(EventKind.BOUNCED, ANN, person, at, event_key(EventKind.BOUNCED, "m", person.key))])

    assert ask(db, (KIM, OTHERS[2]), references=(1,)).wrong == {KIM.key}


class Near:
    def beside(self, key, limit):
        return (TWIN.key, OTHERS[2].key, KIM.key, "nobody@partner.example")[:limit]


def test_what_the_near_index_proposes_needs_a_mail_before_the_moment():
    db = learned(memory(), mail(1, (TWIN,), -1, BEN), mail(2, (OTHERS[2],), 1, BEN), mail(3, (KIM,), -1))

    assert keys(ask(db, near=Near()).beside[KIM.key]) == [TWIN.key]
    assert keys(ask(db, near=Near(), at=MARCH + 9 * HOUR).beside[KIM.key]) == [TWIN.key, OTHERS[2].key]


class Crowd:
    """What was met last comes first."""

    def beside(self, key, limit):
        return (*(f"k{n:03}m.smith@partner.example" for n in range(100)), OTHERS[2].key)[:limit]


def test_later_neighbours_displace_nobody():
    db = learned(memory(), mail(1, (OTHERS[2],), -1, BEN))
    learned(db, *(mail(n + 2, (Address(f"k{n:03}m.smith", "partner.example"),), 1, BEN) for n in range(100)))

    assert keys(ask(db, near=Crowd()).beside[KIM.key]) == [OTHERS[2].key]
    assert len(ask(db, near=Crowd(), at=MARCH + 9 * HOUR).beside[KIM.key]) == 32


def test_who_stands_in_the_directory_may_be_meant_from_the_first_day():
    db = memory()
    with writing(db):
        add_people(db, [(TWIN, "Kim Smith", "law")])
    forget_before(db, MARCH.date())
    found = ask(db, names=[(KIM, "Kim Smith")], near=Near())

    assert keys(found.alike[KIM.key]) == keys(found.beside[KIM.key]) == [TWIN.key]
    assert found.alike[KIM.key][0].names == ("Kim Smith",)


def test_mails_of_candidates_come_with_the_facts():
    db = learned(memory(), *(mail(n, hours=-n) for n in range(1, 30)))
    source = StoreFacts(db)

    facts = source.know(FactQuery(ANN, (KIM,), (), MARCH, mails_of=(KIM, TWIN)))
    assert [m.key for m in facts.mails[KIM.key]] == list(range(1, 17))
    assert not source.know(FactQuery(BEN, (KIM,), (), MARCH, mails_of=(KIM,))).mails


def test_an_erased_person_is_proposed_to_nobody(tmp_path):
    db = open_writer(tmp_path / "nixie.db")
    learned(db, mail(1, (KIM, TWIN, OTHERS[4]), **named((TWIN, "Kim Smith"))))
    source = StoreFacts(open_reader(tmp_path / "nixie.db"))
    query = SuggestQuery(ANN, (KIM,), (KIM,), MARCH, {KIM.key: tokens(KIM, ("Kim Smith",))})
    before = source.suggest(query)
    with writing(db):
        erase_address(db, TWIN)
    after = source.suggest(query)

    assert set(keys(before.together)) == set(keys(before.alike[KIM.key])) == {TWIN.key, OTHERS[4].key}
    assert keys(after.together) == keys(after.alike[KIM.key]) == [OTHERS[4].key]


def test_nobody_is_known_to_an_empty_store():
    found = ask(memory())

    assert not found.numbers
    assert (found.mails, found.author_mails, found.together) == ({}, 0, ())


def test_a_crowd_costs_in_proportion_to_its_size():
    db = memory()
    people = [Address(f"p{n}", "partner.example") for n in range(400)]
    learned(db, *(mail(n, two, hours=-n - 1) for n, two in enumerate(pairwise(people))))
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    found = ask(db, people)

    assert len(found.numbers) == 401
    assert set(found.mails) == {p.key for p in people[:LARGEST_GROUP]}
    assert len(statements) < 4 * LARGEST_GROUP
