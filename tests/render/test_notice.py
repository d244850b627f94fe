import email
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.verdict import Choice
from nixie.render.letters import Asked, Heading, HeldCopy, Returned, Why
from nixie.render.notice import notice, reminder, returned, review

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEADING = Heading("nixie@example.org", "ann@example.org", NOW, "n1@example.org", "the Ministry of Examples")
COPY = HeldCopy(
    "H1",
    "ops@army.ml",
    ("One letter is missing.",),
    ("ops@army.mil",),
    (Choice.CORRECT, Choice.SEND, Choice.CANCEL),
)
ASKED = Asked(
    question="Q1",
    copies=(COPY,),
    passed_on=9,
    sent_at=NOW,
    author="ann@example.org",
    subject="Travel plan of the general, room numbers and everything else that is long",
    link="https://nixie.example.org/d/token",
    link_until=NOW + timedelta(days=3),
    return_at=NOW + timedelta(days=3),
)
HELD = b"From: ann@example.org\r\nSubject: Travel\r\n\r\nSecret body \xff\x00\r\n.\r\nlone \n feed"


def parsed(raw: bytes) -> EmailMessage:
    return cast("EmailMessage", email.message_from_bytes(raw, policy=default))


def body(raw: bytes, kind: str = "plain") -> str:
    part = parsed(raw).get_body((kind,))
    assert part is not None
    return " ".join(part.get_content().split())


def test_a_notice_says_what_is_held_why_and_what_went_on():
    text = body(notice(HEADING, ASKED))

    assert "Nixie, the mail guard of the Ministry of Examples, held 1 copy of your message." in text
    assert "The other 9 copies went on at once." in text
    assert "Held: the copy to ops@army.ml" in text
    assert "One letter is missing." in text
    assert "Perhaps you meant ops@army.mil." in text
    assert "The other readers still see ops@army.ml in the header of your message" in text
    assert "https://nixie.example.org/d/token" in text
    assert "It works until Thursday 26 November 2026, 12:00 UTC." in text
    assert "Without an answer it is never sent, and it is never lost." in text


def test_one_other_copy_is_said_in_the_singular():
    text = body(notice(HEADING, Asked("Q1", (COPY,), 1, NOW)))

    assert "The other copy went on at once." in text


def test_a_notice_is_marked_as_a_machine_s_and_names_its_question():
    mail = parsed(notice(HEADING, ASKED))

    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Nixie-Notice"] == "Q1"
    assert mail["Message-ID"] == "<n1@example.org>"
    assert mail["Date"].datetime == NOW
    assert mail["From"] == "Nixie <nixie@example.org>"
    assert mail.get_content_type() == "multipart/alternative"


def test_the_subject_names_the_recipient_and_nothing_of_the_message():
    assert parsed(notice(HEADING, ASKED))["Subject"] == "Held: your message to ops@army.ml"
    assert "Travel" not in notice(HEADING, ASKED).split(b"\r\n\r\n")[0].decode()


def test_html_and_text_both_carry_the_link_and_the_reason():
    html = body(notice(HEADING, ASKED), "html")

    assert '<a href="https://nixie.example.org/d/token">Decide here</a>' in html
    assert "One letter is missing." in html


def test_the_message_s_subject_is_shortened_and_cleaned():
    asked = Asked("Q1", (COPY,), 0, NOW, subject="evil\r\nBcc: x@example.com\x1b[2J" + "y" * 500)
    raw = notice(HEADING, asked)

    assert parsed(raw)["Bcc"] is None
    assert "y" * 100 not in body(raw)
    assert "\x1b" not in raw.decode("utf-8", "replace")


def test_only_what_the_verdict_allows_is_offered():
    only = HeldCopy("H1", "ops@army.ml", choices=(Choice.CANCEL,), by_reviewer=True)
    text = body(notice(HEADING, Asked("Q1", (only,), 0, NOW)))

    assert "A reviewer decides whether this copy is sent. You may cancel the copy yourself." in text
    assert "as it is" not in text
    assert "went on" not in text
    assert "other readers" not in text


def test_a_blind_recipient_is_named_in_the_author_s_body_only():
    blind = HeldCopy("H1", "secret@army.ml", blind=True)
    asked = Asked("Q1", (blind, COPY), 3, NOW, author="ann@example.org")

    assert parsed(notice(HEADING, asked))["Subject"] == "Held: your message to ops@army.ml and 1 more"
    assert "secret@army.ml, a blind copy" in body(notice(HEADING, asked))
    assert b"secret" not in review(HEADING, asked)
    assert "a blind recipient at army.ml" in body(review(HEADING, asked))


def test_a_reviewer_s_mail_has_no_subject_of_the_message_and_says_how_to_decide():
    text = body(review(HEADING, ASKED))

    assert "Travel" not in text
    assert "https://nixie.example.org/d/token" not in text
    assert "nixie holds show H1" in text
    assert "Author: ann@example.org" in text


def test_a_reminder_asks_again_with_the_same_question():
    mail = parsed(reminder(HEADING, ASKED))

    assert mail["Subject"] == "Still held: your message to ops@army.ml"
    assert mail["X-Nixie-Notice"] == "Q1"


def test_the_same_letter_has_the_same_bytes():
    assert notice(HEADING, ASKED) == notice(HEADING, ASKED)


def test_an_international_address_is_written_as_it_is():
    heading = Heading("nixie@example.org", "josé@münster.example", NOW, "n1@example.org")

    assert "To: josé@xn--mnster-3ya.example" in notice(heading, ASKED).decode("utf-8")


def test_a_letter_to_nobody_is_refused():
    with pytest.raises(ValueError, match="needs an address"):
        notice(Heading("nixie@example.org", "", NOW, "n1@example.org"), ASKED)


BACK = Returned("H1", "ops@army.ml", Why.SILENCE, NOW, subject="Travel")


def test_a_returned_copy_carries_the_held_bytes_unchanged():
    raw = returned(HEADING, BACK, HELD)
    mail = parsed(raw)

    assert mail.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["multipart/alternative", "message/rfc822"]
    assert HELD in raw
    assert (
        "The copy of your message to ops@army.ml was not sent. Nobody answered the question about it in time."
        in body(raw)
    )
    assert mail["X-Nixie-Notice"] == "H1"


def test_a_returned_copy_may_carry_its_header_alone():
    raw = returned(HEADING, BACK, HELD, whole=False)
    parts = list(parsed(raw).iter_parts())

    assert parts[1].get_content_type() == "text/rfc822-headers"
    assert b"Secret" not in raw
    assert b"Subject: Travel" in raw


@given(st.binary(max_size=300))
def test_any_held_bytes_come_back_as_they_are(content: bytes):
    raw = returned(HEADING, BACK, content)
    boundary = b"--" + (parsed(raw).get_boundary() or "").encode()
    attached = raw.split(boundary)[2].partition(b"\r\n\r\n")[2]

    assert attached == content + b"\r\n"


def test_a_message_that_knows_the_boundary_cannot_break_out():
    boundary = (parsed(returned(HEADING, BACK, b"")).get_boundary() or "").encode()
    raw = returned(HEADING, BACK, b"x\r\n--" + boundary + b"--\r\nfaked")

    assert len(list(parsed(raw).iter_parts())) == 2
    assert parsed(raw).get_boundary() != boundary.decode()


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
def test_no_text_breaks_a_notice_or_adds_a_field(recipient: str, subject: str, reason: str):
    copy = HeldCopy("H1", recipient, (reason,), (recipient,), (Choice.SEND,))
    mail = parsed(notice(HEADING, Asked("Q1", (copy,), 1, NOW, subject=subject)))

    assert set(mail.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress",
        "X-Nixie-Notice", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert mail.get_body(("plain",)) is not None
