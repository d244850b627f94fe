"""Lists of mailboxes: what people, programs and attackers write into From, To and Cc."""

from __future__ import annotations

import gc
import time
from email.utils import formataddr, getaddresses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.address import Mailbox, parse_mailboxes

if TYPE_CHECKING:
    from collections.abc import Callable

BIDI = "\u202e"


def pairs(value: str | bytes) -> list[tuple[str, str]]:
    return [(box.name, str(box.address or "")) for box in parse_mailboxes(value)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ann <a@b.example>", [("Ann", "a@b.example")]),
        ('"Smith, Ann" <a@b.example>, c@d.example', [("Smith, Ann", "a@b.example"), ("", "c@d.example")]),
        ('"A \\"B\\" C" <a@b.example>', [('A "B" C', "a@b.example")]),
        ("A.B. Cee <a@b.example>", [("A.B. Cee", "a@b.example")]),
        ("a@b.example (Ann Smith)", [("Ann Smith", "a@b.example")]),
        ("(x(y)\\)) Ann (z) <a@b.example>", [("Ann", "a@b.example")]),
        ("=?utf-8?q?J=C3=B6rg?= =?utf-8?b?w4k=?= <a@b.example>", [("JörgÉ", "a@b.example")]),
        (
            "Team: a@b.example, C <c@d.example>;, e@f.example",
            [("", "a@b.example"), ("C", "c@d.example"), ("", "e@f.example")],
        ),
        ("undisclosed-recipients:;", []),
        ("a . b @ c . example", [("", "a.b@c.example")]),
        ("<@x.example,@y.example:a@b.example>", [("", "a@b.example")]),
        ('"very odd"@b.example', [("", '"very odd"@b.example')]),
        ("José <josé@straße.example>", [("José", "josé@xn--strae-oqa.example")]),
        ("a@[192.0.2.1], b@[IPv6:2001:db8::1]", [("", "a@[192.0.2.1]"), ("", "b@[ipv6:2001:db8::1]")]),
        ("a@b.example;c@d.example; E <e@f.example>", [("", "a@b.example"), ("", "c@d.example"), ("E", "e@f.example")]),
        (" ,, a@b.example, ,c@d.example,", [("", "a@b.example"), ("", "c@d.example")]),
        ("Ann\r\n Smith <a@b.example>,\r\n\tc@d.example", [("Ann Smith", "a@b.example"), ("", "c@d.example")]),
        ("", []),
    ],
)
def test_a_list_is_read(value: str, expected: list[tuple[str, str]]) -> None:
    assert pairs(value) == expected
    assert pairs(value.encode()) == expected


@pytest.mark.parametrize(
    ("value", "expected", "defect"),
    [
        ("a@x..test", ["a@x..test"], "domain-empty-label"),
        ("a@b.example..", ["a@b.example"], "domain-empty-label"),
        ("a@☃.example", ["a@☃.example"], "domain-idna"),
        ("a@b!c", ["a@b!c"], "domain-characters"),
        ("a@b.example c@d.example", ["a@b.example", "c@d.example"], "missing-comma"),
        ("A <a@b.example> C <c@d.example>", ["a@b.example", "c@d.example"], "missing-comma"),
        ("A <a@b.example, C <c@d.example>", ["a@b.example", "c@d.example"], "angle-open"),
        ("<a@b.example c@d.example>", ["a@b.example", "c@d.example"], "missing-comma"),
        ("Ann a@b.example", ["a@b.example"], "angle-missing"),
        ("a@b.example>", ["a@b.example"], "stray-angle"),
        ('"Ann <a@b.example>', ["a@b.example"], "quote-open"),
        ("(Ann <a@b.example>", ["a@b.example"], "comment-open"),
        ("a@b.example:c@d.example", ["a@b.example", "c@d.example"], "colon"),
        ('"a@b.example"', ["a@b.example"], "quoted-address"),
        ("=?utf-8?q?a=40b.example?=", ["a@b.example"], "quoted-address"),
        ("a@b.example <c@d.example>", ["c@d.example"], "at-in-name"),
        ("Smith, Ann <a@b.example>", ["", "a@b.example"], "no-address"),
        ("a..c@b.example", ["a..c@b.example"], "local-dots"),
        ("x" * 65 + "@b.example", ["x" * 65 + "@b.example"], "local-too-long"),
        ("a@" + "b" * 256, ["a@" + "b" * 256], "domain-too-long"),
        ("@b.example", [""], "no-local-part"),
        ("a@", [""], "no-domain"),
        ("<>", [""], "no-address"),
        ('"a\\\n"@b.example', [""], "control-character"),
        (f"{BIDI}Ann <a@b.example>", ["a@b.example"], "bidi-control"),
        ("=?utf-8?q?=E2=80=AE?= <a@b.example>", ["a@b.example"], "bidi-control"),
        ("(" * 60 + ")" * 60 + "a@b.example", ["a@b.example"], "comment-deep"),
    ],
)
def test_what_is_wrong_gets_a_defect_and_stays(value: str, expected: list[str], defect: str) -> None:
    boxes = parse_mailboxes(value)

    assert [str(box.address or "").replace('"', "") for box in boxes] == expected
    assert defect in {code for box in boxes for code in box.defects}


def test_bytes_that_are_not_utf8_stay_in_the_address_and_become_letters_in_the_name() -> None:
    (box,) = parse_mailboxes(b"J\xf6rg <j\xf6rg@b.example>")

    assert box.name == "Jörg"
    assert box.address is not None
    assert box.address.local.encode("utf-8", "surrogateescape") == b"j\xf6rg"
    assert "not-utf8" in box.defects


def test_the_members_of_a_group_know_its_name() -> None:
    boxes = parse_mailboxes('"The Team": a@b.example, C <c@d.example>; e@f.example')

    assert [box.group for box in boxes] == ["The Team", "The Team", ""]


def test_after_the_limit_the_rest_stays_together() -> None:
    value = ", ".join(f"u{i}@b.example" for i in range(10))

    boxes = parse_mailboxes(value, limit=4)

    assert len(boxes) == 5
    assert boxes[-1].defects == ("too-many",)
    assert boxes[-1].raw == value[boxes[-1].start :]


def test_the_repr_of_a_mailbox_shows_no_person() -> None:
    (box,) = parse_mailboxes("Secret <secret@b.example>")

    assert "ecret" not in repr(box)


HOSTILE = st.text(alphabet='ab@.,;:<>()[]"\\ \r\n=?é\udcff\u202e', max_size=60)
PIECES = st.lists(
    st.sampled_from(
        [
            "a@b.example",
            "Ann",
            "<",
            ">",
            ",",
            ";",
            ":",
            "(",
            ")",
            '"',
            "\\",
            " ",
            "@",
            "[",
            "]",
            "\r\n ",
            "=?utf-8?q?=40?=",
            "é",
            ".",
        ]
    ),
    max_size=25,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.one_of(HOSTILE, PIECES))
def test_no_text_with_an_at_sign_is_lost_and_spans_show_it(value: str) -> None:
    boxes = parse_mailboxes(value)

    assert all(value[box.start : box.end] == box.raw for box in boxes)
    assert sum(box.raw.count("@") for box in boxes) == value.count("@")
    assert [box.start for box in boxes] == sorted(box.start for box in boxes)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=60), PIECES.map(str.encode)))
def test_spans_of_bytes_count_bytes(value: bytes) -> None:
    boxes = parse_mailboxes(value)

    assert all(value[box.start : box.end] == box.raw.encode("utf-8", "surrogateescape") for box in boxes)


NAMES = st.text(alphabet="abcXYZ ,.'-()\"", max_size=15).map(lambda n: " ".join(n.split()))
ADDRESSES = st.from_regex(r"[a-z0-9_+-]{1,8}(\.[a-z0-9]{1,5})?@[a-z0-9]{1,6}(\.[a-z]{2,4}){1,2}", fullmatch=True)


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, ADDRESSES), max_size=6))
def test_clean_lists_are_read_as_the_standard_library_reads_them(people: list[tuple[str, str]]) -> None:
    value = ", ".join(formataddr(person) for person in people)

    assert pairs(value) == [(" ".join(n.split()), a) for n, a in getaddresses([value])]


def seconds(value: str) -> float:
    gc.collect()
    best = 1e9
    for _ in range(3):
        start = time.perf_counter()
        parse_mailboxes(value)
        best = min(best, time.perf_counter() - start)
    return best


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "(" * n,
        lambda n: "(" * n + ")" * n,
        lambda n: "(\\" * n,
        lambda n: "," * 30 * n,
        lambda n: '"' * n,
        lambda n: '"\\' * n,
        lambda n: '"\\",' * n,
        lambda n: "<" * n,
        lambda n: "a@" * n,
        lambda n: "a@b " * n,
        lambda n: "[\\" * n,
        lambda n: "=?a?q?x" * n,
        lambda n: "<@a," * n,
        lambda n: "a:" * n,
        lambda n: "a@" + "b." * n,
        lambda n: "<a@b>x" * n,
        lambda n: "é@é.é " * n,
    ],
)
def test_hostile_lists_take_linear_time(make: Callable[[int], str]) -> None:
    # Twice the input may take three times as long on a busy machine; a quadratic reader takes four times, eight times over.
    small, large = seconds(make(1000)), seconds(make(8000))

    assert large < 30 * small + 0.02


@pytest.mark.parametrize("form", ["Name Surname <user{}@host{}.b.example>", "user{}@host{}.b.example"])
def test_five_thousand_recipients_take_milliseconds(form: str) -> None:
    value = ", ".join(form.format(i, i % 50) for i in range(5000))

    boxes: tuple[Mailbox, ...] = parse_mailboxes(value)

    assert len(boxes) == 5000
    assert seconds(value) < 0.2
