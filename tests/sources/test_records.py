"""What one mail is evidence for."""

from datetime import UTC, datetime

import pytest

from nixie.core.address import NULL, parse_address
from nixie.core.events import EventKind, event_key
from nixie.core.message import Message
from nixie.core.organisation import Organisation
from nixie.sources.columns import Columns
from nixie.sources.maildir import is_maildir, unique_name
from nixie.sources.records import Record, RecordKind, answers_of, events_of, record_of_message

OURS = Organisation(own_domains=("navy.example",), internal_domains=("base.example",))
AT = datetime(2026, 3, 3, tzinfo=UTC)


def record(sender, *recipients, **options):
    people = tuple(parse_address(r) for r in recipients)
    return Record("m1", AT, parse_address(sender) if sender else NULL, people, **options)


def shown(found):
    return [(e.kind.name, e.ours.key, e.other.key) for e in events_of(found, OURS)]


ANN_KIM = [("SENT", "ann@navy.example", "kim@army.example")]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (record("ann@navy.example", "kim@army.example", "kim+x@army.example", "ben@navy.example"), ANN_KIM),
        (record("kim@army.example", "ann@navy.example"), [("WROTE_TO_US", "ann@navy.example", "kim@army.example")]),
        (record("ann@navy.example", "kim@army.example", kind=RecordKind.BOUNCE), [("BOUNCED", *ANN_KIM[0][1:])]),
        (record("ann@navy.example", "kim@army.example", automatic=True), []),
        (record("", "kim@army.example"), []),
        (record("news+kim=army.example@navy.example", "kim@army.example"), []),
        (record("ann@navy.example", "ben@navy.example", "joe@base.example"), []),
        (record("joe@base.example", "ann@navy.example"), []),
        (record("kim@army.example", "lee@army.example"), []),
        (record("SRS0=ab=cd=army.example=kim@gate.example", "ann@navy.example"), [("WROTE_TO_US", "ann@navy.example", "kim@army.example")]),
    ],
)  # fmt: skip
def test_a_mail_shows(found, expected):
    assert shown(found) == expected


def test_mail_to_two_of_us_counts_for_both_in_any_order():
    one = list(events_of(record("kim@army.example", "ann@navy.example", "ben@navy.example"), OURS))
    two = list(events_of(record("kim@army.example", "ben@navy.example", "ann@navy.example"), OURS))

    assert {e.key for e in one} == {e.key for e in two}
    assert len({e.key for e in one}) == 2


def test_a_reply_names_the_copies_that_it_may_answer():
    (answer,) = answers_of(record("kim@army.example", "ann@navy.example", references=("a", "b", "a")), OURS)

    assert answer.event.kind is EventKind.REPLIED
    assert answer.to == tuple(event_key(EventKind.SENT, mid, "kim@army.example") for mid in ("a", "b"))
    assert list(answers_of(record("ann@navy.example", "kim@army.example", references=("a",)), OURS)) == []


def test_a_mail_without_message_id_is_known_by_its_body():
    message = Message(body_digest=b"\x01\x02", auto_submitted="auto-replied")
    found = record_of_message(message, parse_address("ann@navy.example"), (), AT)

    assert found.message_id == "0102"
    assert found.automatic


def test_columns_begin_anew_when_too_many_addresses_have_gathered(monkeypatch):
    monkeypatch.setattr("nixie.sources.columns.MAX_KEYS", 2)
    columns = Columns()
    for n in range(2):
        for event in events_of(record("ann@navy.example", f"kim{n}@army.example"), OURS):
            columns.add(event)
    before = columns.keys
    columns.empty()

    assert before == ["", "ann@navy.example", "kim0@army.example", "kim1@army.example"]
    assert (columns.generation, columns.keys, len(columns)) == (1, [""], 0)


def test_a_maildir_is_known_by_its_folders_and_its_files_by_what_stays():
    assert is_maildir(["cur", "new", "tmp", "x"])
    assert not is_maildir(["cur", "new"])
    assert unique_name("17.M1P2.host:2,S") == unique_name("17.M1P2.host")
