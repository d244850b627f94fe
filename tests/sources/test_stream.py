"""A line of JSON is one item, whatever stands in it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.events import EventKind
from nixie.core.message import NotSeen
from nixie.core.organisation import Organisation
from nixie.sources.stream import events_of_item, read_item, record_of_item

OURS = Organisation(own_domains=("navy.example",))
LINE = {
    "id": "<a1@navy.example>",
    "date": "2026-03-01T10:00:00+01:00",
    "sender": "Ann A. <ann@navy.example>",
    "to": ["Kim <kim@army.example>, lee@army.example", {"addr": "max@mail.example", "name": "Max"}],
    "cc": "kim@army.example",
    "subject": "x",
    "body": "hello",
    "in_reply_to": "<z1@army.example>",
    "references": ["<z0@army.example>", "<z1@army.example>"],
    "attachments": ["a.pdf", {"filename": "b.docx", "content_type": "application/x", "size": 7}],
}


def item(**changes):
    return read_item(json.dumps({k: v for k, v in {**LINE, **changes}.items() if v is not None}))


def test_a_full_line_is_read():
    found = item()

    assert found.id == "a1@navy.example"
    assert found.date == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert [r.address.key for r in found.envelope.recipients] == [
        "kim@army.example",
        "lee@army.example",
        "max@mail.example",
    ]
    assert found.message.references == ("z0@army.example", "z1@army.example")
    assert [(p.filename, p.size) for p in found.message.parts] == [("", 5), ("a.pdf", 0), ("b.docx", 7)]
    assert (found.learn, found.judge, found.defects) == (True, True, ())


def test_a_missing_key_is_not_seen_and_an_empty_one_is_empty():
    assert item(to=None).message.to == NotSeen("not-given")
    assert item(to=[]).message.to == ()
    assert item(body=None, attachments=None).message.parts == NotSeen("not-given")
    assert isinstance(item(subject=None).message.subject, NotSeen)
    assert item(subject="").message.subject == ""


def test_an_address_that_is_not_smtp_is_kept_and_counted():
    found = item(to=[{"addr": "/O=NAVY/CN=KIM", "name": "Kim"}, "Kim Lee", "lee@army.example"], cc=None)

    assert [r.address.local for r in found.envelope.recipients] == ["/O=NAVY/CN=KIM", "Kim Lee", "lee"]
    assert found.defects == ("opaque-address", "opaque-address")
    assert [e.other.key for e in events_of_item(found, OURS)][:1] == ["lee@army.example"]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2026-03-01T10:00:00", 10),
        ("2026-03-01", 0),
        ("Sun, 1 Mar 2026 10:00:00 +0200", 8),
        (1772359200, 10),
    ],
)
def test_dates_of_many_kinds(date, expected):
    assert item(date=date).date == datetime(2026, 3, 1, expected, tzinfo=UTC)


@pytest.mark.parametrize("date", ["soon", None, True, [], 1e300])
def test_an_item_without_a_date_is_no_record(date):
    found = item(date=date)

    assert found.date is None
    assert "no-date" in found.defects
    assert record_of_item(found) is None


def test_outcomes_and_bounces_are_events_of_their_own():
    outcome = item(kind="outcome", outcome="corrected_away", cc=None, to="kim@army.example")
    bounce = item(kind="bounce", cc=None, to="kim@army.example")

    assert [e.kind for e in events_of_item(outcome, OURS)] == [EventKind.CORRECTED_AWAY]
    assert [e.kind for e in events_of_item(bounce, OURS)] == [EventKind.BOUNCED]
    assert not outcome.judge


def test_learning_and_judging_can_be_switched_off():
    assert not item(learn=False).learn
    assert not item(judge=False).judge


@pytest.mark.parametrize("line", ["", "nonsense", "[1]", '{"a":', "[" * 100_000, b"\xff\xfe"])
def test_a_line_that_is_no_object_is_unreadable(line):
    assert read_item(line).kind == "unreadable"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["a@b.example", "x <"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["addr", "name", "size"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*LINE, "kind", "learn", "judge", "outcome", "bcc"]), values))
def test_no_values_make_it_fail(row):
    found = read_item(json.dumps(row))

    list(events_of_item(found, OURS))
