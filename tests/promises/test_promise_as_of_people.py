"""What a mail's company, names, thread and words say as of March is what they said in March, whatever was learned since.

Two stores get the same invented mail, inside and out, with names, threads and words; one ends at the moment, the other goes on
for weeks and was folded at night. Both judge the same messages as of that moment, with indices that know everything the store
does, and the whole verdicts must agree: findings, candidates, evidence and what was skipped.
"""

import json
import shutil
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nixie.cli.checking_stream import CLIENT, reporting_from
from nixie.core.mailing import keys_of
from nixie.core.organisation import Organisation
from nixie.service.engine import Engine
from nixie.service.installation import parse_shipped
from nixie.sources.mailings import mailing_of_record
from nixie.sources.records import answers_of, events_of
from nixie.sources.stream import read_item, record_of_item
from nixie.store.addresses import intern_keys
from nixie.store.db import migrate, writing
from nixie.store.knowledge import fold, teach
from nixie.store.knowledge_facts import StoreFacts
from nixie.store.mailings import learn_mailings
from nixie.store.near import NearDomains, build
from nixie.store.near_addresses import NearAddresses, build_addresses

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
END = MARCH + timedelta(days=20)
ORGANISATION = Organisation(("ministry.example",))
POLICY = parse_shipped("enforce")
ANN, BEN = "ann.lee@ministry.example", "ben.carter@ministry.example"
INSIDE = (ANN, BEN, "cara.holm@ministry.example")
PEOPLE = (
    "john.smith@vantor.com", "jon.smith@vantor.com", "john.smith@zenor.org", "johnsmith@gmail.com", "ben.carter@gmail.com",
    "mary.jones@vantor.com", "karl.weber@kellwig.de", "karl.weber@kelwig.de", "johanna.roe@deltis.nl",
)  # fmt: skip
NAMES = ("", "John Smith", "Karl Weber", "Ben Carter")
TALK = (
    "",
    "Dear John,\n\ncrane warranty contract penalty",
    "crane warranty harbour",
    "Hi Karl,\n\nferry timetable island",
)


@st.composite
def mails(draw):
    """Draw one run of like mails: sender, recipients, name, words, how many, first instant and distance (minutes), answered."""
    sender = draw(st.sampled_from((ANN, ANN, ANN, BEN, *PEOPLE[:3])))
    everybody = INSIDE if sender in PEOPLE else INSIDE + PEOPLE
    to = draw(st.lists(st.sampled_from(everybody), min_size=1, max_size=4, unique=True))
    if sender in PEOPLE and ANN not in to:
        to.append(ANN)
    name, talk, times = draw(st.sampled_from(NAMES)), draw(st.sampled_from(TALK)), draw(st.integers(1, 20))
    start, step = draw(st.integers(-30 * 24 * 60, 15 * 24 * 60)), draw(st.integers(1, 900))
    fate = draw(st.sampled_from(("", "", "answer", "bounce")))
    return sender, tuple(to), name, talk, times, start, step, fate


def lines_of(drawn):
    """Return the lines of all runs in the order of time."""
    found = []
    for run, (sender, to, name, talk, times, start, step, fate) in enumerate(drawn):
        for n in range(times):
            at = MARCH + timedelta(minutes=start + n * step, seconds=run)
            if at >= END:
                break
            answered = f"<{run}.{n - 1}@x>" if fate == "answer" and n else "<0.0@x>"
            boxes = [{"addr": one, "name": name} for one in to]
            line = {
                "id": f"{run}.{n}@x",
                "sender": sender,
                "to": boxes,
                "subject": "crane",
                "body": talk,
                "in_reply_to": answered,
            }
            found.append((at, line))
            outside = [one for one in to if one in PEOPLE]
            if fate == "bounce" and sender in INSIDE and outside:
                refused = {"id": f"{run}.{n}@x", "kind": "bounce", "sender": sender, "to": outside[:1]}
                found.append((at + timedelta(minutes=1), refused))
    found.sort(key=lambda f: f[0])
    return [(at, {**line, "date": at.isoformat()}) for at, line in found if at < END]


def engine_over(lines, folder, folded):
    """Return an engine over a store of these lines, with real indices of every domain and address in them."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, "memory")
    domains, addresses = Counter(), Counter()
    with writing(db):
        for _, line in lines:
            record = record_of_item(read_item(json.dumps(line)))
            assert record is not None
            mailing, known = mailing_of_record(record, ORGANISATION), {}
            if mailing is not None:
                known, _ = intern_keys(db, keys_of(mailing))
            teach(db, events_of(record, ORGANISATION), answers_of(record, ORGANISATION), known)
            if mailing is not None:
                learn_mailings(db, (mailing,), known)
            for one in record.recipients:
                domains[one.domain] += 1
                addresses[one.key] += 1
    if folded is not None:
        fold(db, folded)
    shutil.rmtree(folder, ignore_errors=True)
    build(folder / "domains", domains.items())
    build_addresses(folder / "addresses", addresses.items())
    facts = StoreFacts(db, NearDomains(folder / "domains"), NearAddresses(folder / "addresses"))
    return reporting_from(Engine(ORGANISATION, POLICY, facts), 0.0)


PROBES = [
    (author, to, name, talk)
    for author in (ANN, BEN)
    for to, name in (
        *(((one,), "") for one in PEOPLE),
        (("john.smith@zenor.org", "mary.jones@vantor.com", "karl.weber@kellwig.de"), "John Smith"),
        (("jon.smith@vantor.com", "karl.weber@kelwig.de", BEN), ""),
        (("ben.carter@gmail.com", "cara.holm@ministry.example"), "Ben Carter"),
        (("new.face@press.example", "mary.jones@vantor.com"), ""),
    )
    for talk in TALK[:2]
]


def verdicts(engine, at):
    """Return the verdicts about every probe: alone and in company, in the first thread and out of it."""
    told = []
    for number, (author, to, name, talk) in enumerate(PROBES):
        boxes = [{"addr": one, "name": name if n == 0 else ""} for n, one in enumerate(to)]
        thread = {"in_reply_to": "<0.0@x>"} if number % 2 else {}
        line = {"id": "probe@x", "sender": author, "to": boxes, "subject": "crane", "body": talk, **thread}
        item = read_item(json.dumps(line))
        told.append(engine.decide(item.message, item.envelope, CLIENT, at).verdict)
    return told


BUSY = [
    (ANN, ("john.smith@vantor.com", "mary.jones@vantor.com", "karl.weber@kellwig.de"), "John Smith", TALK[2], 25, -40_000, 600, ""),
    (ANN, ("john.smith@zenor.org",), "John Smith", TALK[3], 20, -20_000, 1_500, "bounce"),
    (ANN, ("ben.carter@gmail.com", "cara.holm@ministry.example"), "Ben Carter", TALK[1], 9, -3_000, 700, "answer"),
    ("john.smith@vantor.com", (ANN, "cara.holm@ministry.example"), "", TALK[1], 12, -4_000, 900, "answer"),
    (ANN, ("jon.smith@vantor.com", "karl.weber@kelwig.de"), "Karl Weber", TALK[2], 10, 10, 60, "bounce"),
    (BEN, ("johanna.roe@deltis.nl", "johnsmith@gmail.com"), "John Smith", TALK[2], 30, -9_000, 400, ""),
]  # fmt: skip
MOMENTS = {
    "old: midnight of the first of March": (MARCH, END),
    "yesterday": (END - timedelta(hours=9, minutes=17), END),
    "this morning, not folded yet": (END - timedelta(hours=2), None),
}


@pytest.mark.parametrize("name", MOMENTS)
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(mails(), min_size=1, max_size=7))
@example(drawn=BUSY)
def test_a_store_that_knows_every_later_mail_name_and_thread_judges_as_of_march(tmp_path, name, drawn):
    at, folded = MOMENTS[name]
    lines = lines_of(drawn)
    later = engine_over(lines, tmp_path / "later", folded)
    then = engine_over([one for one in lines if one[0] < at], tmp_path / "then", None)

    for probe, one, other in zip(PROBES, verdicts(later, at), verdicts(then, at), strict=True):
        assert one == other, probe


def test_the_property_can_fail_because_later_mail_does_change_verdicts(tmp_path):
    engine = engine_over(lines_of(BUSY), tmp_path, END)
    then, now = verdicts(engine, MARCH), verdicts(engine, END)
    kinds = {dict(f.values)["slip"] for v in then for f in v.findings if f.check == "misdirected"}

    assert sum(one != other for one, other in zip(then, now, strict=True)) > len(PROBES) // 2
    assert {"namesake", "private_twin", "member_replaced"} <= kinds


def test_a_crowd_of_later_neighbours_displaces_no_address_that_was_known_in_march(tmp_path):
    """Addresses met later, each one letter from the written one, are more than the index may propose."""
    crowd = [f"j{letter}n.smith@vantor.com" for letter in "abcdefghijklmnpqrstuvwxyz0123456789"]
    crowd += [f"jo{letter}.smith@vantor.com" for letter in "abcdefghijklmopqrstuvwxyz"]
    past = [
        (ANN, ("karl.weber@kellwig.de",), "", "", 230, -30_000, 100, ""),
        (ANN, ("john.smith@vantor.com",), "", "", 12, -20_000, 900, ""),
    ]
    since = [(BEN, tuple(some), "", "", 20, 60, 60, "") for some in (crowd[:30], crowd[30:])]
    then = engine_over(lines_of(past), tmp_path / "then", END)
    later = engine_over(lines_of([*past, *since]), tmp_path / "later", END)
    item = read_item(json.dumps({"id": "p@x", "sender": ANN, "to": "jon.smith@vantor.com"}))
    judged = [e.decide(item.message, item.envelope, CLIENT, MARCH).verdict for e in (then, later)]

    assert judged[0].findings
    assert judged[0].findings[0].candidates[0].address == "john.smith@vantor.com"
    assert judged[0] == judged[1]
