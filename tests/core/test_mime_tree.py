"""The MIME tree: paths, boundaries, texts, file names, limits."""

from __future__ import annotations

import base64
import mmap
import tempfile
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.message import Message, NotSeen
from nixie.core.mime import Limits, read

if TYPE_CHECKING:
    from collections.abc import Callable


def mail(header: str, body: str | bytes = b"Hello\r\n") -> Message:
    raw = body if isinstance(body, bytes) else body.replace("\n", "\r\n").encode()
    return read(header.replace("\n", "\r\n").encode("utf-8", "surrogateescape") + b"\r\n\r\n" + raw)


def addresses(people: object) -> list[str]:
    assert isinstance(people, tuple)
    return [str(box.address or "") for box in people]


TREE = """\
--o
Content-Type: multipart/alternative; boundary=i

--i
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

caf=E9
--i
Content-Type: text/html

<p>caf
--i--
--o
Content-Type: application/pdf; name="plan.pdf"
Content-Disposition: attachment; filename*=UTF-8''%E2%82%AC%20plan.pdf
Content-Transfer-Encoding: base64

aGVsbG8gd29ybGQ=
--o
Content-Type: message/rfc822

Subject: inner
From: inner@a.example
Content-Type: multipart/mixed; boundary=x

--x

deep
--x--
--o--
epilogue
"""


def test_the_tree_becomes_leaves_with_paths_and_texts() -> None:
    message = mail("From: outer@a.example\nContent-Type: multipart/mixed; boundary=o", TREE)

    assert isinstance(message.parts, tuple)
    assert [(p.path, p.content_type, p.text) for p in message.parts] == [
        ((1, 1), "text/plain", "café"),
        ((1, 2), "text/html", "<p>caf"),
        ((2,), "application/pdf", NotSeen("not-text")),
        ((3, 1), "text/plain", "deep"),
    ]
    assert (message.parts[2].filename, message.parts[2].disposition) == ("€ plan.pdf", "attachment")
    assert message.parts[2].size == 11
    assert addresses(message.from_) == ["outer@a.example"]
    assert message.defects == ()


def test_an_attached_message_of_one_part_has_that_as_its_first() -> None:
    message = mail("Content-Type: message/rfc822", "Subject: x\n\ninner\n")

    assert isinstance(message.parts, tuple)
    assert [(p.path, p.text) for p in message.parts] == [((1, 1), "inner\n")]


def test_an_attached_message_may_come_in_base64() -> None:
    body = base64.encodebytes(b"Subject: x\r\n\r\ninner").decode()
    message = mail("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64", body)

    assert isinstance(message.parts, tuple)
    assert [p.text for p in message.parts] == ["inner"]


def test_a_view_of_a_mapped_file_reads_like_bytes() -> None:
    raw = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n" + TREE.replace("\n", "\r\n").encode()
    with tempfile.TemporaryFile() as file:
        file.write(raw)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        view = memoryview(mapped)
        from_map = read(view)
        view.release()
        mapped.close()

    assert from_map == read(raw) == read(bytearray(raw)) == read(memoryview(b"!" + raw)[1:])


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ('Content-Disposition: attachment; filename="a b.txt"', "a b.txt"),
        ("Content-Disposition: attachment; filename=a b.txt", "a b.txt"),
        ('Content-Disposition: attachment; filename="a\\"b.txt"', 'a"b.txt'),
        ("Content-Disposition: attachment; filename*0=long; filename*1=er.txt", "longer.txt"),
        ("Content-Disposition: attachment; filename*0*=UTF-8''%C3%A4; filename*1*=%C3%B6; filename*2=.txt", "äö.txt"),
        ("Content-Disposition: attachment; filename=a.txt; filename*=UTF-8''%E2%82%AC.txt", "€.txt"),
        ('Content-Disposition: attachment; filename="=?utf-8?b?w6QudHh0?="', "ä.txt"),
        ('Content-Type: application/pdf; name="ä.pdf"', "ä.pdf"),
        ("Content-Disposition: attachment; filename*=nonsense''%FF.txt", "ÿ.txt"),
        ('Content-Disposition: attachment; filename="open', "open"),
        ("Content-Disposition: attachment", ""),
    ],
)
def test_a_file_name_is_read_as_people_see_it(field: str, name: str) -> None:
    message = mail(field)

    assert isinstance(message.parts, tuple)
    assert message.parts[0].filename == name


@pytest.mark.parametrize(
    ("field", "body", "text", "defect"),
    [
        ("Content-Type: text/plain; charset=utf-8", "é".encode(), "é", ""),
        ("Content-Type: text/plain", b"caf\xe9", "café", "charset"),
        ("Content-Type: text/plain; charset=utf-8", b"caf\xe9", "caf\ufffd", "charset"),
        ("Content-Type: text/plain; charset=latin1", b"\x93x\x94", "\u201cx\u201d", ""),
        ("Content-Type: text/plain; charset=no-such", b"x", "x", "charset"),
        ("Content-Type: text/plain; charset=punycode", b"x", "x", "charset"),
        ("Content-Type: text/plain; charset=unicode_escape", rb"\ud800", r"\ud800", "charset"),
        ("Content-Type: text/plain; charset=utf-7", b"+2AA-", "\ufffd", ""),
        ("Content-Type: text/plain; charset=utf-16le", "né".encode("utf-16le"), "né", ""),
        ("Content-Type: text/plain\nContent-Transfer-Encoding: BASE64", b"aGk\r\n=!gaGVyZQ", "hi here", ""),
        (
            "Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode",
            b"x",
            NotSeen("unreadable"),
            "transfer-encoding",
        ),
        ("Content-Type: nonsense", b"x", "x", ""),
        ("Content-Type: multipart/mixed", b"x", "x", "boundary-missing"),
        ("Content-Type: multipart/mixed; boundary=b", b"x", "x", "boundary-missing"),
        ("Content-Type: multipart/mixed; boundary=b", b"--b\r\n\r\nx", "x", "boundary-unclosed"),
    ],
)
def test_text_is_decoded_as_well_as_it_can_be(field: str, body: bytes, text: str | NotSeen, defect: str) -> None:
    message = mail(field, body)

    assert isinstance(message.parts, tuple)
    assert [p.text for p in message.parts] == [text]
    assert message.defects == ((defect,) if defect else ())


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("--b\n\none\n--b\n\ntwo\n--b--\n", ["one", "two"]),
        ("preamble\n--b  \n\none\n--b-- \nepilogue --b\n", ["one"]),
        ("--b\n\none\n--bc\n--b--\n", ["one\n--bc"]),
        ("--b\n\n--b\n\ntwo\n--b--", ["", "two"]),
        ("--b\n--b--\n", [""]),
        ("--b--\n", ["--b--\n"]),
    ],
)
def test_a_boundary_is_a_whole_line(body: str, texts: list[str]) -> None:
    message = mail('Content-Type: multipart/mixed; boundary="b"', body)

    assert isinstance(message.parts, tuple)
    assert [p.text for p in message.parts] == texts


def nested(depth: int) -> bytes:
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(depth))
    return (
        b"Subject: x\r\n" + head + b"\r\ninnermost\r\n" + b"".join(b"--b%d--\r\n" % i for i in reversed(range(depth)))
    )


@pytest.mark.parametrize(("depth", "text"), [(50, "innermost"), (51, NotSeen("too-deep")), (3000, NotSeen("too-deep"))])
def test_nesting_ends_at_the_limit(depth: int, text: str | NotSeen) -> None:
    message = read(nested(depth))

    assert isinstance(message.parts, tuple)
    assert [p.text for p in message.parts] == [text]
    assert ("too-deep" in message.defects) is isinstance(text, NotSeen)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: nested(49).replace(b"innermost", b"line of an attachment\r\n" * n),
        lambda n: b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"\n--xy" * 4 * n,
        lambda n: b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"\n--x\n" * 4 * n,
        lambda n: b"Content-Type: message/rfc822\r\n\r\n" * n,
        lambda n: b"Subject: " + b"x" * 20 * n,
        lambda n: b"Subject: " + b"=?utf-8?q?x" * 2 * n,
        lambda n: b"Content-Type: a/b" + b'; a="\\' * 4 * n,
        lambda n: b"\r" * 20 * n,
    ],
)
def test_hostile_messages_take_linear_time(make: Callable[[int], bytes]) -> None:
    raw = make(200_000)

    start = time.perf_counter()
    read(raw)

    # 4 MB; the slowest reads in a tenth of this, and anything quadratic takes minutes.
    assert time.perf_counter() - start < 2


def test_messages_in_messages_end_at_the_limit() -> None:
    message = read(b"Content-Type: message/rfc822\r\n\r\n" * 3000 + b"\r\nx")

    assert isinstance(message.parts, tuple)
    assert [p.text for p in message.parts] == [NotSeen("too-deep")]


@pytest.mark.parametrize(("count", "cut"), [(2, False), (3, False), (4, True), (400, True)])
def test_parts_end_at_the_limit_and_the_rest_is_not_seen(count: int, *, cut: bool) -> None:
    body = b"--b\r\n\r\nx\r\n" * count + b"--b--\r\n"
    message = read(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + body, Limits(parts=4))

    assert isinstance(message.parts, tuple)
    assert ("too-many-parts" in message.defects) is cut
    assert (NotSeen("too-many-parts") in [p.text for p in message.parts]) is cut


def test_text_is_cut_at_a_line() -> None:
    message = read(b"\r\n" + b"12345678\r\n" * 100, Limits(text_bytes=95))

    assert isinstance(message.parts, tuple)
    assert message.parts[0].text == "12345678\n" * 9
    assert (message.parts[0].size, message.defects) == (1000, ("text-cut",))


def test_texts_past_the_total_are_not_seen() -> None:
    body = b"--b\r\n\r\n0123456789\r\n" * 3 + b"--b--\r\n"
    message = read(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + body, Limits(total_text_bytes=20))

    assert isinstance(message.parts, tuple)
    assert [p.text for p in message.parts] == ["0123456789", "0123456789", NotSeen("too-large")]


LINES = st.sampled_from(
    [
        *(
            b"From: a@a.example",
            b"Subject: =?utf-8?q?x",
            b"To: (",
            b"Date: 1 Jan",
            b"References: <a",
            b"Message-ID: >",
            b": x",
        ),
        *(
            b"Content-Type: multipart/mixed; boundary=b",
            b'Content-Type: multipart/mixed; boundary="c',
            b"--b",
            b"--c",
            b"--b--",
        ),
        *(
            b"Content-Type: message/rfc822",
            b"Content-Type: text/plain; charset=utf-16",
            b"Content-Transfer-Encoding: base64",
        ),
        *(
            b"Content-Disposition: x; filename*0*=a'b'%zz; filename*1=c",
            b" folded",
            b"",
            b"",
            b"aGk=",
            b"\xff\x00",
            b"text",
        ),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=20), st.sampled_from([b"\r\n", b"\n", b"\r"]))
def test_lines_in_any_order_are_read(lines: list[bytes], end: bytes) -> None:
    message = read(end.join(lines))

    assert isinstance(message.parts, tuple)
    assert message.parts
    repr(message).encode()


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read(raw: bytes) -> None:
    assert read(raw).size == len(raw)


TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40)


WRITTEN = st.tuples(
    TEXTS,
    TEXTS,
    st.sampled_from(["base64", "quoted-printable", "8bit"]),
    st.none() | TEXTS,
    st.lists(st.tuples(TEXTS, st.binary(max_size=50)), max_size=2),
)


def written(subject: str, text: str, encoding: str, html: str | None, files: list[tuple[str, bytes]]) -> bytes:
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message.set_content(text, cte=encoding)
    if html is not None:
        message.add_alternative(html, subtype="html")
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="x", filename=name or "f")
    return message.as_bytes()


@settings(max_examples=60, deadline=None)
@given(WRITTEN)
def test_what_the_standard_library_wrote_is_read_as_it_reads_it(
    message: tuple[str, str, str, str | None, list[tuple[str, bytes]]],
) -> None:
    raw = written(*message)
    theirs = message_from_bytes(raw, policy=policy.default)
    ours = read(raw)
    leaves = [part for part in theirs.walk() if not part.is_multipart()]

    assert isinstance(ours.parts, tuple)
    assert ours.subject == str(theirs["Subject"] or "").strip()
    assert [p.content_type for p in ours.parts] == [p.get_content_type() for p in leaves]
    assert [p.text for p in ours.parts if isinstance(p.text, str)] == [
        p.get_content() for p in leaves if p.get_content_maintype() == "text"
    ]
    assert [p.size for p in ours.parts if p.disposition] == [len(p.get_content()) for p in leaves if p.get_filename()]
