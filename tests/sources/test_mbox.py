"""Mailboxes give the same mails however their bytes are cut, and never fail."""

import os
import tarfile
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.sources.eml import is_message, message_record
from nixie.sources.headers import body_digest
from nixie.sources.mbox import MboxReader, is_mbox

LATEST = datetime(2026, 6, 1, tzinfo=UTC)
DATA = Path(os.environ.get("NIXIE_DATA", Path(__file__).parents[3] / "shared" / "data"))

MBOX = b"""From ann@navy.example Mon Mar  2 10:00:00 2026
From: Ann <ann@navy.example>
To: "Lee, Kim" <kim@army.example>,
 max@mail.example
Date: Mon, 2 Mar 2026 10:00:00 +0100
Message-ID: <one@navy.example>

From what I hear, 10:30 is fine.
>From the quay.

From nobody in particular

From kim@army.example Mon Mar  2 11:00:00 2026
From: kim@army.example
To: ann@navy.example
Date: Mon, 2 Mar 2026 11:00:00
In-Reply-To: <one@navy.example>
References: <zero@navy.example> <one@navy.example>

Yes.

From lists Mon Mar  2 12:00:00 2026
From: robot@news.example
To: ann@navy.example
Date: Fri, 1 Jan 2038 00:00:00 +0000
List-Id: <news.news.example>
Message-ID: <three@news.example>

News.
"""


def read(data, cuts=(), latest=LATEST, position=0):
    reader = MboxReader(latest, position)
    found = []
    edges = [0, *sorted(c % (len(data) + 1) for c in cuts), len(data)]
    for start, end in pairwise(edges):
        found.extend(reader.feed(data[start:end]))
    found.extend(reader.finish())
    return found


def test_an_mbox_gives_its_mails():
    one, two, three = (record for _, record in read(MBOX))

    assert one.message_id == "one@navy.example"
    assert [a.key for a in one.recipients] == ["kim@army.example", "max@mail.example"]
    assert one.at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert two.message_id == body_digest(b"Yes.\n").hex()
    assert two.references == ("zero@navy.example", "one@navy.example")
    assert two.at == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert three.automatic
    assert three.at == LATEST
    assert three.defects == ("date-in-the-future",)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, len(MBOX)), max_size=8), st.booleans())
def test_any_way_of_cutting_gives_the_same_mails(cuts, crlf):
    data = MBOX.replace(b"\n", b"\r\n") if crlf else MBOX

    assert read(data, cuts) == read(data)
    assert len(read(data)) == 3


def test_byte_by_byte_is_the_same():
    assert read(MBOX, range(len(MBOX))) == read(MBOX)


def test_reading_goes_on_where_it_stopped():
    (first, _), *rest = read(MBOX)

    assert MBOX[first:].startswith(b"From kim")
    assert read(MBOX[first:], position=first) == rest
    assert rest[-1][0] == len(MBOX)


def test_the_body_of_a_quoted_mail_without_message_id_is_the_one_that_was_sent():
    mail = b"From: a@x.example\nTo: b@y.example\nDate: Mon, 2 Mar 2026 10:00:00 +0000\n\n%sFrom here\nend\n"
    ((_, boxed),) = read(b"From a Mon Mar  2 10:00:00 2026\n" + mail % b">" + b"\n")

    assert boxed.message_id == message_record((mail % b"").replace(b"\n", b"\r\n"), LATEST).message_id


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"From ", b"\n", b"\r\n", b"10:00", b"Date: ", b"From: ", b"<", b"@x", b"a" * 50, b"\xff"])
    )
)
def test_no_bytes_make_it_fail(pieces):
    for _, record in read(b"".join(pieces)):
        assert record is None or record.at <= LATEST
    message_record(b"".join(pieces), LATEST)


def test_a_header_that_never_ends_is_bounded():
    endless = b"From a Mon Mar  2 10:00:00 2026\nFrom: a@x.example\nTo: " + b"b@y.example, " * 200_000
    reader = MboxReader(LATEST)
    for start in range(0, len(endless), 65_536):
        list(reader.feed(endless[start : start + 65_536]))

    assert len(reader._header) < 1 << 20


def test_formats_are_told_apart():
    assert is_mbox(MBOX)
    assert not is_mbox(b"From what I hear\n")
    assert is_message(MBOX.partition(b"\n")[2])
    assert not is_message(b"Dear Ann,\nhow are you?\n")
    assert not is_message(b"")


@pytest.mark.parametrize("name", ["raw_eml_spamassassin_ham.tar.zst", "raw_eml_usrp_users.tar.zst"])
def test_real_mail_reads_without_failure(name):
    archive = DATA / name
    if not archive.exists():
        pytest.skip(f"{name} is not here")
    import zstandard

    with archive.open("rb") as file:
        raw = zstandard.ZstdDecompressor().stream_reader(file).read()
    with tarfile.open(fileobj=BytesIO(raw)) as tar:
        mails = [tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()][:3000]
    records = [message_record(m, LATEST) for m in mails]
    dated = [r for r in records if r is not None]
    boxed = b"".join(
        b"From x Mon Mar  2 10:00:00 2026\n" + m.replace(b"\nFrom ", b"\n>From ").removeprefix(b"\n") + b"\n"
        for m in mails
    )

    assert len(dated) > 0.98 * len(mails)
    assert sum(1 for r in dated if r.recipients) > 0.9 * len(mails)
    assert len(read(boxed)) == len(mails)
