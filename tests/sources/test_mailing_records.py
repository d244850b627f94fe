"""Who belongs together in a mail, and which mails say so."""

from datetime import UTC, datetime

import pytest

from nixie.core import mime
from nixie.core.address import NULL, parse_address
from nixie.core.mailing import LARGEST_GROUP, mailing_key
from nixie.core.organisation import Organisation
from nixie.sources.mailings import mailing_of_message, mailing_of_record, shown_beside
from nixie.sources.records import Record, RecordKind
from nixie.sources.stream import read_item, record_of_item

OURS = Organisation(own_domains=("navy.example",), internal_domains=("base.example",))
AT = datetime(2026, 3, 3, tzinfo=UTC)
ANN, BEN, KIM, LEE = "ann@navy.example", "ben@navy.example", "kim@army.example", "lee@army.example"
RAW = (
    b"From: Ann Bell <ann@navy.example>\r\nTo: Kim <kim+x@army.example>, lee@army.example\r\n"
    b'Cc: "Ben  Cole" <ben@navy.example>\r\nSubject: Harbour figures\r\nMessage-ID: <m1@navy.example>\r\n'
    b"In-Reply-To: <m0@army.example>\r\n\r\nDear Kim, the dredging contract is attached.\r\n"
)


def address(text):
    return parse_address(text) if text else NULL


def record(sender, *recipients, message_id="m1", **options):
    return Record(message_id, AT, address(sender), tuple(map(address, recipients)), **options)


def people(mailing):
    return mailing and (mailing.sender.key, sorted(r.key for r in mailing.recipients), mailing.ours)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (record(ANN, KIM, "kim+x@army.example", BEN), (ANN, [KIM], [BEN])),
        (record(ANN, BEN, "joe@base.example"), (ANN, [BEN], ["joe@base.example"])),
        (record(ANN, KIM, ANN), (ANN, [KIM], [])),
        (record("ann+lists@navy.example", KIM), (ANN, [KIM], [])),
    ],
)
def test_our_mail_is_a_mailing_wherever_it_goes(found, expected):
    sender, *members = expected

    assert people(mailing_of_record(found, OURS)) == (sender, sorted(m for part in members for m in part), True)


def test_mail_to_us_is_a_mailing_of_the_stranger_with_everybody_it_shows():
    found = record(KIM, ANN, shown=(address(LEE),))

    assert people(mailing_of_record(found, OURS)) == (KIM, sorted([ANN, LEE]), False)


@pytest.mark.parametrize(
    "found",
    [
        record(ANN, KIM, automatic=True),
        record(ANN, KIM, kind=RecordKind.BOUNCE),
        record("", KIM),
        record("news+kim=army.example@navy.example", KIM),
        record("joe@base.example", ANN),
        record(KIM, LEE),
        record(ANN),
        record(ANN, ANN),
        record(ANN, KIM, message_id=""),
    ],
    ids=["automatic", "bounce", "null", "verp", "internal", "through", "to nobody", "to himself", "nameless"],
)
def test_other_mail_is_none(found):
    assert mailing_of_record(found, OURS) is None


def test_a_circular_is_a_mailing_without_its_circle():
    many = [f"p{n}@army.example" for n in range(LARGEST_GROUP)]

    assert len(mailing_of_record(record(ANN, *many), OURS).recipients) == LARGEST_GROUP
    assert mailing_of_record(record(ANN, *many, KIM), OURS).recipients == ()


def test_a_whole_message_gives_names_words_and_what_it_answers():
    message = mime.read(RAW)
    found = mailing_of_message(message, address(ANN), (address(KIM),), AT, OURS, shown=(address(BEN),))

    assert (found.key, found.references) == (mailing_key("m1@navy.example"), (mailing_key("m0@army.example"),))
    assert {(a.key, name) for a, name in found.names} == {(ANN, "Ann Bell"), (KIM, "Kim"), (BEN, "Ben Cole")}
    assert len(found.words) >= 4


def test_a_mailing_tells_which_of_its_recipients_are_ours_and_what_it_is_about():
    message, answer = mime.read(RAW), mime.read(RAW.replace(b"Harbour", b"Re: [ext] harbour"))
    to = (address(KIM), address("joe@base.example"))
    found = mailing_of_message(message, address(ANN), to, AT, OURS, shown=(address(BEN),))
    got = mailing_of_message(answer, address(KIM), (address(ANN), address(BEN)), AT, OURS)

    assert [a.key for a in found.readers] == [BEN]
    assert [a.key for a in got.readers] == [ANN, BEN]
    assert found.topic == got.topic != 0


def test_the_name_of_somebody_whose_copy_was_stopped_is_not_learned():
    found = mailing_of_message(mime.read(RAW), address(ANN), (), AT, OURS, shown=(address(BEN),))

    assert people(found) == (ANN, [BEN], True)
    assert {name for _, name in found.names} == {"Ann Bell", "Ben Cole"}


def test_a_stranger_names_nobody_but_himself():
    raw = RAW.replace(b"ann@navy", b"x@strange").replace(b"m1@navy", b"m2@navy")
    found = mailing_of_message(mime.read(raw), address("x@strange.example"), (address(BEN),), AT, OURS)

    assert [(a.key, name) for a, name in found.names] == [("x@strange.example", "Ann Bell")]


def test_beside_our_envelope_only_people_of_ours_are_taken_from_the_header():
    message = mime.read(RAW)

    assert [a.key for a in shown_beside(message, {LEE}, OURS, ours=True)] == [BEN]
    assert [a.key for a in shown_beside(message, {BEN}, OURS, ours=False)] == ["kim+x@army.example", LEE]


def test_a_line_of_a_stream_is_the_same_mailing_as_the_message():
    line = (
        '{"id": "m1@navy.example", "date": "2026-03-03", "sender": {"addr": "ann@navy.example", "name": "Ann Bell"},'
        ' "to": [{"addr": "kim+x@army.example", "name": "Kim"}, "lee@army.example"], "cc": "Ben Cole <ben@navy.example>",'
        ' "subject": "Harbour figures", "body": "Dear Kim, the dredging contract is attached.\\r\\n",'
        ' "in_reply_to": "<m0@army.example>"}'
    )
    message = mime.read(RAW)
    live = mailing_of_message(message, address(ANN), (address(KIM), address(LEE)), AT, OURS, shown=(address(BEN),))

    assert mailing_of_record(record_of_item(read_item(line)), OURS) == live
