"""Postfix logs in every dress give the same events."""

import json
import random
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.address import parse_address
from nixie.core.events import EventKind
from nixie.core.organisation import Organisation
from nixie.sources.columns import Columns
from nixie.sources.postfix import PostfixReader
from nixie.sources.records import Record, RecordKind, events_of
from nixie.sources.syslog import Clock, plain

OURS = Organisation(own_domains=("navy.example",), internal_domains=("base.example",))
REFERENCE = datetime(2026, 4, 1, tzinfo=UTC)
AT = datetime(2026, 3, 3, 10, 45, 29, tzinfo=UTC)
TAIL = "relay=mx.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as F1)"


def mail(
    qid="0F5383D", to="<kim@army.example>", sender="ann@navy.example", client="", tail=TAIL, mid="<m1@navy.example>"
):
    return [
        ("smtpd", f"{qid}: client=pc[192.0.2.7]{client}"),
        ("cleanup", f"{qid}: message-id={mid}"),
        ("qmgr", f"{qid}: from=<{sender}>, size=100, nrcpt=1 (queue active)"),
        ("smtp", f"{qid}: to={to}, {tail}"),
        ("qmgr", f"{qid}: removed"),
    ]


def rfc3164(daemon, text, at=AT):
    return f"{at:%b} {at.day:2d} {at:%H:%M:%S} mx1 postfix/{daemon}[25267]: {text}"


DRESSES = {
    "rfc3164": rfc3164,
    "zero-padded": lambda d, t: f"{AT:%b %d %H:%M:%S} mx1 postfix/{d}[25267]: {t}",
    "rfc3339": lambda d, t: f"2026-03-03T10:45:29.294394+00:00 mx1 postfix/{d}[470834]: {t}",
    "rfc3339-offset": lambda d, t: f"2026-03-03T12:45:29.294394+02:00 mx1 postfix-out/{d}[470834]: {t}",
    "rfc3339-seconds": lambda d, t: f"2026-03-03T10:45:29Z mx1 postfix/submission/{d}[470834]: {t}",
    "rfc3339-millis": lambda d, t: f"2026-03-03T10:45:29.294+00:00 mx1 postfix/{d}[470834]: {t}",
    "pri": lambda d, t: f"<22>{rfc3164(d, t)}",
    "pri-3339": lambda d, t: f"<22>2026-03-03T10:45:29.294394+00:00 mx1 postfix/{d}[470834]: {t}",
    "rfc5424": lambda d, t: f"<22>1 2026-03-03T10:45:29.294394Z mx1 postfix/{d} 470834 - - {t}",
    "rfc5424-data": lambda d, t: f'<22>1 2026-03-03T10:45:29Z mx1 postfix/{d} 47 - [a@1 b="]\\"c"] \ufeff{t}',
    "journal": lambda d, t: json.dumps(
        {
            "__REALTIME_TIMESTAMP": "1772534729294394",
            "_HOSTNAME": "mx1",
            "SYSLOG_IDENTIFIER": f"postfix/{d}",
            "_PID": "7",
            "MESSAGE": t,
        }
    ),
}


def read(lines, organisation=OURS, cuts=(), reference=REFERENCE, zone=UTC):
    columns = Columns()
    reader = PostfixReader(columns, organisation, reference, zone)
    data = (
        lines if isinstance(lines, bytes) else "".join(f"{text}\n" for text in lines).encode("utf-8", "surrogateescape")
    )
    edges = [0, *sorted(c % (len(data) + 1) for c in cuts), len(data)]
    for start, end in pairwise(edges):
        reader.feed(data[start:end])
    return reader, rows(columns)


def rows(columns):
    keys = columns.keys
    zipped = zip(columns.key, columns.at, columns.kind, columns.ours, columns.other, strict=True)
    return [(k, at // 10**6, EventKind(kind), keys[a], keys[b]) for k, at, kind, a, b in zipped]


def dressed(dress, lines):
    return [DRESSES[dress](d, t) for d, t in lines]


@pytest.mark.parametrize("dress", DRESSES)
def test_every_dress_of_a_line_gives_the_event_that_live_mail_gives(dress):
    reader, found = read(dressed(dress, mail()))
    sent = Record("m1@navy.example", AT, parse_address("ann@navy.example"), (parse_address("kim@army.example"),))
    (event,) = events_of(sent, OURS)

    assert found == [(event.key, int(AT.timestamp()), EventKind.SENT, "ann@navy.example", "kim@army.example")]
    assert (reader.lines, reader.joined, dict(reader.unknown)) == (5, 1, {})


def test_incoming_mail_and_bounces_give_the_events_that_records_give():
    tail = TAIL.replace("dsn=2.0.0, status=sent", "dsn=5.1.1, status=bounced")
    _, found = read(dressed("rfc3339", [*mail(tail=tail), *mail("1A", "<ann@navy.example>", "kim@army.example")]))
    ann, kim = parse_address("ann@navy.example"), parse_address("kim@army.example")
    expected = [
        *events_of(Record("m1@navy.example", AT, ann, (kim,)), OURS),
        *events_of(Record("m1@navy.example", AT, ann, (kim,), RecordKind.BOUNCE), OURS),
        *events_of(Record("m1@navy.example", AT, kim, (ann,)), OURS),
    ]

    assert [(row[0], row[2]) for row in found] == [(e.key, e.kind) for e in expected]


@pytest.mark.parametrize(
    ("to", "sender", "client", "expected"),
    [
        ("kim@army.example", "ann@navy.example", "", ("ann@navy.example", "kim@army.example")),
        ("<x@list.example>, orig_to=<kim@army.example>", "ann@navy.example", "", ("ann@navy.example", "kim@army.example")),
        ("<kim@army.example>, orig_to=<sales@navy.example>", "ann@navy.example", "", None),
        ("<kim@army.example>, orig_to=<root>", "ann@navy.example", "", ("ann@navy.example", "kim@army.example")),
        ("<Kim+tag@Army.Example>", "ann+x@navy.example", "", ("ann@navy.example", "kim@army.example")),
        ("<kim@army.example>", "SRS0=ab=cd=navy.example=ann@gate.example", "", ("ann@navy.example", "kim@army.example")),
        ("<kim@army.example>", "prvs=1234567890=ann@navy.example", "", ("ann@navy.example", "kim@army.example")),
        ("<kim@army.example>", "news+kim=army.example@navy.example", "", None),
        ("<kim@army.example>", "", "", None),
        ("<kim@army.example>", "", ", sasl_method=PLAIN, sasl_username=ben", None),
        ("<ben@navy.example>", "ann@navy.example", "", None),
        ("<ben@base.example>", "ann@navy.example", "", None),
        ("<kim@army.example>", "lee@mail.example", "", None),
        ("<kim@army.example>", "me@home.example", ", sasl_method=PLAIN, sasl_username=ben", ("ben@navy.example", "kim@army.example")),
        ("<kim@army.example>", "me@home.example", ", sasl_method=PLAIN, sasl_username=Ben@Navy.Example, sasl_sender=x",
         ("ben@navy.example", "kim@army.example")),
        ("<kim@army.example>", "ann@navy.example", ", sasl_method=PLAIN, sasl_username=ben", ("ann@navy.example", "kim@army.example")),
        ('<"a>b,c"@army.example>', "ann@navy.example", "", ("ann@navy.example", "a>b,c@army.example")),
        ("<jörg@bücher.example>", "ann@navy.example", "", ("ann@navy.example", "jörg@xn--bcher-kva.example")),
    ],
)  # fmt: skip
def test_who_wrote_to_whom(to, sender, client, expected):
    _, found = read(dressed("rfc3339", mail(to=to, sender=sender, client=client)))

    assert [(row[3], row[4]) for row in found] == ([expected] if expected else [])


def test_a_short_queue_id_is_used_again():
    second = mail(to="<lee@army.example>", mid="<m2@navy.example>", sender="ben@navy.example")
    without_removed = mail()[:-1]
    _, found = read(dressed("rfc3339", without_removed + second))

    assert [(row[3], row[4]) for row in found] == [
        ("ann@navy.example", "kim@army.example"),
        ("ben@navy.example", "lee@army.example"),
    ]


def test_a_mail_is_dated_by_its_arrival_and_not_by_its_deliveries():
    later = AT + timedelta(days=2)
    lines = dressed("rfc3164", mail()[:3]) + [rfc3164(*line, at=later) for line in mail()[3:]]
    _, found = read(lines)

    assert found[0][1] == int(AT.timestamp())


@pytest.mark.parametrize("status", ["deliverable", "undeliverable"])
def test_an_address_that_is_only_probed_is_no_mail(status):
    _, found = read(dressed("rfc3339", mail(tail=TAIL.replace("status=sent", f"status={status}"))))

    assert found == []


def test_the_year_follows_from_the_file_and_rolls_over():
    times = [
        datetime(2025, 12, 30, 23, tzinfo=UTC),
        datetime(2025, 12, 31, 23, 59, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 1, tzinfo=UTC),
        datetime(2026, 2, 2, tzinfo=UTC),
    ]
    lines = [rfc3164(*line, at=at) for n, at in enumerate(times) for line in mail(f"A{n}", mid=f"<{n}@x>")]
    _, found = read(lines, reference=datetime(2026, 2, 3, tzinfo=UTC))

    assert [row[1] for row in found] == [int(t.timestamp()) for t in times]


def test_a_line_of_december_written_late_in_january_stays_in_december():
    clock = Clock(datetime(2026, 1, 2, tzinfo=UTC))
    stamps = [b"Jan  1 00:00:01 mx", b"Dec 31 23:59:59 mx", b"Jan  1 00:00:02 mx"]

    seconds = [clock.seconds(s) for s in stamps]

    assert [seconds[0] - seconds[1], seconds[2] - seconds[0]] == [2, 1]


@pytest.mark.parametrize(
    ("zone", "expected"), [(ZoneInfo("Europe/Berlin"), 7200), (timezone(timedelta(hours=-5)), -18000), (UTC, 0)]
)
def test_a_stamp_without_a_zone_is_read_in_the_log_hosts(zone, expected):
    seconds = Clock(REFERENCE, zone).seconds(b"Jul  1 10:00:00 mx1 ")

    assert seconds == int(datetime(2025, 7, 1, 10, tzinfo=UTC).timestamp()) - expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10_000), max_size=6), st.sampled_from(sorted(DRESSES)))
def test_any_way_of_cutting_gives_the_same_events(cuts, dress):
    lines = dressed(dress, [*mail(), *mail("1B", mid="<m2@x>"), *mail("1C", "<ann@navy.example>", "kim@army.example")])

    assert read(lines, cuts=cuts)[1] == read(lines)[1]


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_bytes_make_it_fail(rng: random.Random):
    text = bytearray("\n".join(dressed(rng.choice(sorted(DRESSES)), mail() + mail("1B"))).encode())
    for _ in range(rng.randint(1, 30)):
        at = rng.randrange(len(text))
        if rng.random() < 0.5:
            text[at] = rng.randrange(256)
        else:
            del text[at : at + rng.randint(1, 30)]

    reader, found = read(bytes(text) + b"\n")
    reader.finish()
    PostfixReader(Columns(), OURS, REFERENCE, UTC, reader.state())
    assert len(found) <= 4


def test_reading_goes_on_from_a_state():
    lines = "".join(f"{text}\n" for text in dressed("rfc3164", mail())).encode()
    first, columns = PostfixReader(Columns(), OURS, REFERENCE), Columns()
    first.feed(lines[:200])
    second = PostfixReader(columns, OURS, REFERENCE, UTC, first.state())
    second.feed(lines[first.position :])

    assert rows(columns) == read(lines)[1]


def test_what_teaches_nothing_is_counted_by_reason():
    lines = [
        ("smtpd", "connect from pc[192.0.2.7]"),
        ("smtpd", "NOQUEUE: reject: RCPT from x[192.0.2.8]: 550 5.1.1 <a@b.example>: no; from=<> to=<a@b.example>"),
        ("smtp", f"9F: to=<kim@army.example>, {TAIL}"),
        ("smtp", "9F: brand new words"),
    ]
    reader, found = read([*dressed("rfc3339", lines), "2026-03-03T10:45:29Z mx1 kernel: hello", "message repeated"])

    assert found == []
    assert reader.refused == 1
    assert reader.lines == 6
    assert reader.unknown == {"delivery without its beginning": 1, "no syslog line": 2, "postfix/smtp": 1}


def test_other_programs_are_counted_by_their_name():
    reader, _ = read(["Mar  3 10:45:29 mx1 dovecot[12]: imap(x): private words", *dressed("rfc3164", mail())])

    assert reader.unknown == {"dovecot": 1}


def test_mail_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr("nixie.sources.postfix.MAX_OPEN", 10)
    lines = [line for n in range(30) for line in mail(f"A{n}", mid=f"<{n}@x>")[:3]]
    reader, _ = read(dressed("rfc3339", lines))

    assert reader.unknown["mail that never ended"] == 20


def test_a_filter_behind_the_queue_makes_no_second_mail():
    _, found = read(
        dressed("rfc3339", mail() + mail("2C", client=", orig_queue_id=0F5383D, orig_client=pc[192.0.2.7]"))
    )

    assert len({row[0] for row in found}) == 1


def test_plain_leaves_ordinary_lines_alone():
    assert plain(b"Mar  3 10:45:29 mx1 x[1]: y") == b"Mar  3 10:45:29 mx1 x[1]: y"
    assert plain(b"{broken") == b""
