"""Formats are told by content; what is in doubt is refused with a remedy."""

import bz2
import gzip
import io
import lzma
import random
from datetime import UTC, datetime

import pytest
import zstandard

from nixie.sources.detect import Format, SourceError, detect
from nixie.sources.files import UNREADABLE, compressed, first_second, plain_stream, set_name
from nixie.sources.people_csv import read_partners, read_people
from nixie.sources.syslog import Clock


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"Mar  3 10:45:29 mx1 postfix/smtp[1]: x\nMar  3 10:45:30 mx1 y\n", Format.POSTFIX),
        (b"<22>Mar 03 10:45:29 mx1 postfix/smtp[1]: x\n", Format.POSTFIX),
        (b"2026-03-03T10:45:29.294394+00:00 mx1 postfix/qmgr[4]: x\n", Format.POSTFIX),
        (b"<22>1 2026-03-03T10:45:29Z mx1 postfix/qmgr 4 - - x\n", Format.POSTFIX),
        (b'{"__REALTIME_TIMESTAMP":"1","MESSAGE":"x"}\n', Format.POSTFIX),
        (b'{"id":"a","date":"2026-03-03"}\n{"id":"b"}\n', Format.STREAM),
        (b"From a@b Mon Mar  2 10:00:00 2026\nFrom: a@b\n\nx\n", Format.MBOX),
        (b"Return-Path: <a@b>\nFrom: a@b\nTo: c@d\n\nx\n", Format.EML),
        (b"Name,E-Mail,Unit\nAnn,ann@navy.example,x\n", Format.PEOPLE),
        (b"\xef\xbb\xbfDisplayName;PrimarySmtpAddress\nAnn;ann@navy.example\n", Format.PEOPLE),
        (b"partner\tdomain\nArmy\tarmy.example\n", Format.PARTNERS),
        (b"email\nann@navy.example\n", Format.PEOPLE),
        (b"version: 1\n\ndn: cn=Ann,dc=navy\nmail: ann@navy.example\n", Format.LDIF),
        (b"# extended LDIF\n#\n\ndn:: Y249QW5u\ncn: Ann\n", Format.LDIF),
        (b"\r\nbegin:vcard\r\nversion:2.1\r\nend:vcard\r\n", Format.VCARD),
        (b" \n", Format.EMPTY),
    ],
)
def test_a_format_is_told_from_the_first_lines(head, expected):
    assert detect(head, "x") is expected


@pytest.mark.parametrize("head", [b"hello\n", b"a,b,c\n1,2,3\n", b"Dear Ann,\nFrom: me\n", b"%PDF-1.4\n", b"\x00\x00"])
def test_what_is_unknown_is_refused_by_its_name(head):
    with pytest.raises(SourceError, match=r"box/thing: .*; give|box/thing: .* give"):
        detect(head, "box/thing")


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor().compress, bytes]
)
def test_a_stream_is_unpacked_by_what_it_begins_with(pack):
    text = b"Mar  3 10:45:29 mx1 x[1]: y\n" * 5000
    packed = pack(text)
    stream = plain_stream(io.BytesIO(packed), packed[:8])
    found = b"".join(iter(lambda: stream.read(10_000), b""))

    assert found == text
    assert compressed(packed[:8]) == (pack is not bytes)


@pytest.mark.parametrize("damage", [b"", b"\xff" * 40])
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor().compress])
def test_damage_is_one_of_the_errors_that_are_expected(pack, damage):
    packed = bytearray(pack(random.Random(1).randbytes(50_000)))
    packed[len(packed) // 2 :] = damage
    stream = plain_stream(io.BytesIO(packed), bytes(packed[:8]))

    with pytest.raises(UNREADABLE):
        list(iter(lambda: stream.read(65536), b""))


def test_frames_of_zstandard_follow_one_another():
    pack = zstandard.ZstdCompressor().compress
    packed = pack(b"a" * 100_000) + pack(b"") + pack(b"b")
    stream = plain_stream(io.BytesIO(packed), packed[:8])

    assert b"".join(iter(lambda: stream.read(1000), b"")) == b"a" * 100_000 + b"b"


def test_the_parts_of_a_rotated_set_share_a_name_and_are_ordered_by_their_first_line():
    names = ["mail.log", "mail.log.1", "mail.log.2.gz", "mail.log-20260301", "mail.log-20260301.zst"]
    clock = Clock(datetime(2026, 4, 1, tzinfo=UTC))

    assert {set_name(n) for n in names} == {"mail.log"}
    assert set_name("mail.info") == "mail.info"
    assert first_second(b"garbage\nMar  3 10:45:29 mx1 x\n", clock) == int(
        datetime(2026, 3, 3, 10, 45, 29, tzinfo=UTC).timestamp()
    )
    assert first_second(b"garbage", clock) == 0


def test_people_and_partners_come_from_the_columns_that_exports_use():
    rows = [
        '"Name";"E-mail address";"Email"\n',
        '"Lee; Kim";;kim@army.example\n',
        "x;;\n",
        "\n",
        "y;z;KIM@Army.Example\n",
    ]
    people = list(read_people(rows))
    partners = [
        p and p.domain for p in read_partners(["Company,Domain\n", 'Army,"@army.example; *.x.example"\n', "None,\n"])
    ]

    assert [p and p.address.key for p in people] == ["kim@army.example", None, "kim@army.example"]
    assert people[0].name == "Lee; Kim"
    assert partners == ["army.example", "x.example", None]
