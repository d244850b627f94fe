"""Messages from bytes: the header, the digest, what is not seen."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from nixie.core.message import Message, NotSeen
from nixie.core.mime import Limits, read


def mail(header: str, body: str | bytes = b"Hello\r\n") -> Message:
    raw = body if isinstance(body, bytes) else body.replace("\n", "\r\n").encode()
    return read(header.replace("\n", "\r\n").encode("utf-8", "surrogateescape") + b"\r\n\r\n" + raw)


def addresses(people: object) -> list[str]:
    assert isinstance(people, tuple)
    return [str(box.address or "") for box in people]


def test_the_people_of_a_message_are_read_from_every_field_of_their_kind() -> None:
    message = mail(
        "From: Ann <ann@a.example>\nSender: s@a.example\nReply-To: r@a.example\n"
        "TO: b@b.example,\n c@b.example\nCc: d@b.example\nBcc: e@b.example\nto: f@b.example"
    )

    assert addresses(message.from_) == ["ann@a.example"]
    assert addresses(message.to) == ["b@b.example", "c@b.example", "f@b.example"]
    assert (addresses(message.sender), addresses(message.reply_to)) == (["s@a.example"], ["r@a.example"])
    assert (addresses(message.cc), addresses(message.bcc)) == (["d@b.example"], ["e@b.example"])
    assert message.defects == ("repeated-to",)


def test_the_other_fields_are_values() -> None:
    message = mail(
        "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n from here\nDate: Mon, 23 Nov 2026 12:00:00 +0100\nMessage-ID:\n <1@a.example>\n"
        "In-Reply-To: <2@a.example> (yesterday)\nReferences: <3@a.example>\n\t<2@a.example>\nAuto-Submitted: Auto-Replied; x=y\n"
        "Precedence: Bulk\nList-Id: The List <Talk.a.example>\nReceived: a\nReceived: b\n c\nResent-From: x@a.example\n"
        "X-Nixie-Hold: 17\nContent-Type: Text/Plain; charset=utf-8"
    )

    assert message.subject == "Grüße from here"
    assert message.date == datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert (message.message_id, message.in_reply_to) == ("1@a.example", ("2@a.example",))
    assert message.references == ("3@a.example", "2@a.example")
    assert (message.auto_submitted, message.precedence, message.list_id) == ("auto-replied", "bulk", "talk.a.example")
    assert (message.received, message.resent, message.nixie_fields) == (2, True, (("x-nixie-hold", "17"),))
    assert message.content_type == "text/plain"


def test_a_message_without_anything_is_read() -> None:
    message = read(b"")

    assert (message.from_, message.to, message.subject, message.date, message.message_id) == ((), (), "", None, "")
    assert (message.size, message.body_digest) == (0, hashlib.sha256(b"").digest())


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"A: b\r\n\r\nbody\r\n", b"body\r\n"),
        (b"A: b\n\nbody\n", b"body\n"),
        (b"\r\nbody", b"body"),
        (b"\nbody", b"body"),
        (b"From x Mon Nov 23\nA: b\n\nbody", b"body"),
        (b"A: b\r\nno field here\r\n\r\nbody", b"no field here\r\n\r\nbody"),
        (b"A: b", b""),
        (b"A: b\r\n \r\n\r\nbody", b"body"),
    ],
)
def test_the_digest_is_of_the_raw_bytes_after_the_header(raw: bytes, body: bytes) -> None:
    assert read(raw).body_digest == hashlib.sha256(body).digest()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("23 Nov 2026 12:00 +0000", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("Mon, 23 Nov 26 12:00:00 EST", datetime(2026, 11, 23, 17, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 12:00:00", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 12:00:00 -0000 (none)", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("32 Nov 2026 12:00:00 +0000", None),
        ("31 Dec 9999 23:00:00 -1400", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_is_utc_or_none(value: str, expected: datetime | None) -> None:
    assert mail(f"Date: {value}").date == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("List-Post: <mailto:talk@a.example?x=y>", "talk@a.example"),
        ("List-Unsubscribe: <https://a.example/secret>", "unnamed"),
        ("Subject: x", ""),
    ],
)
def test_a_list_is_known_by_any_of_its_fields(header: str, expected: str) -> None:
    assert mail(header).list_id == expected


def test_many_references_keep_the_root_and_the_nearest() -> None:
    message = mail("References: " + "\n ".join(f"<{i}@a.example>" for i in range(300)))

    assert len(message.references) == 100
    assert (message.references[0], message.references[-1]) == ("0@a.example", "299@a.example")


@pytest.mark.parametrize("value", ["a\rBcc: x@y.example", "=?utf-8?q?a=0D=0ABcc:_x=40y.example?=", "a\x00b"])
def test_no_text_of_a_header_can_start_another(value: str) -> None:
    message = mail(f"From: {value} <a@a.example>\nSubject: {value}\nMessage-ID: {value}\nList-Id: {value}")

    texts = [message.subject, message.message_id, message.list_id]
    texts += [box.name for box in message.from_] if isinstance(message.from_, tuple) else []
    assert not set("\r\n\x00") & set("".join(str(t) for t in texts))


def test_header_bytes_that_are_no_utf8_become_letters() -> None:
    assert mail("Subject: Gr\udcfc\udcdfe").subject == "Grüße"


def test_people_in_a_header_that_was_cut_are_not_absent() -> None:
    raw = b"From: a@a.example\r\n" + b"X: " + b"y" * 500 + b"\r\nTo: b@b.example\r\n\r\nbody"
    message = read(raw, Limits(header_bytes=100))

    assert addresses(message.from_) == ["a@a.example"]
    assert (message.to, message.subject) == (NotSeen("too-large"), NotSeen("too-large"))
    assert message.body_digest == hashlib.sha256(b"body").digest()
    assert "header-too-long" in message.defects


@pytest.mark.parametrize("limit", range(20, 60))
def test_a_header_that_was_cut_anywhere_still_ends_at_its_empty_line(limit: int) -> None:
    raw = b"From: a@a.example\r\nX: y\r\n z\r\nTo: b@b.example\r\n\r\nbody"
    message = read(raw, Limits(header_bytes=limit))

    assert message.body_digest == hashlib.sha256(b"body").digest()
    assert ("header-too-long" in message.defects) is (limit < len(raw) - len("body"))
    assert addresses(message.from_) == ["a@a.example"]


def test_fields_past_their_number_are_not_seen() -> None:
    raw = b"X: y\r\n" * 5 + b"Subject: x\r\n\r\nbody"

    assert read(raw, Limits(header_fields=5)).subject == NotSeen("too-large")
    assert read(raw, Limits(header_fields=6)).subject == "x"
    assert read(raw, Limits(header_fields=6)).defects == ()


def test_recipients_past_the_limit_stay_in_a_last_mailbox() -> None:
    message = read(b"To: a@a.example, b@a.example, c@a.example\r\n\r\n", Limits(mailboxes=2))

    assert isinstance(message.to, tuple)
    assert [box.defects for box in message.to] == [(), (), ("too-many",)]


def test_the_repr_of_a_message_shows_nothing_of_it() -> None:
    message = mail("From: Secret <secret@a.example>\nSubject: secret\nMessage-ID: <secret@a.example>", "secret\n")

    assert "secret" not in repr(message).lower()


def test_a_field_of_people_past_its_bound_is_not_seen_instead_of_costing_seconds() -> None:
    """Nobody writes to so many; the policy hears that the field was not read."""
    junk = b'"' + b'\\"(,;:<@' * 100_000

    message = read(b"From: ann@army.mil\r\nTo: " + junk + b"\r\n\r\nhello")

    assert message.to == NotSeen("too-large")
    assert message.from_ != ()
