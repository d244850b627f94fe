"""vCards of three versions and of phones that mix them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.sources.lines import Defect, lines_of
from nixie.sources.people_csv import Person
from nixie.sources.vcard import read_people


def people(text: str | bytes):
    raw = text.encode() if isinstance(text, str) else text
    return [
        (str(p.address), p.name, p.unit) if isinstance(p, Person) else (p.line, p.reason) if p else None
        for p in read_people(lines_of([raw]))
    ]


def card(*lines: str, version: str = "4.0") -> str:
    return "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""))


MAIL = "EMAIL:ann@navy.example"

CASES = {
    "formatted name, address, unit": (card("FN:Ann Lee", MAIL, "ORG:Navy;Harbour;Dock 2"),
        [("ann@navy.example", "Ann Lee", "Harbour Dock 2")]),
    "the house where there is no unit": (card("FN:Ann", MAIL, "ORG:Navy"), [("ann@navy.example", "Ann", "Navy")]),
    "a structured name": (card("N:Lee;Ann;Q.;Dr.;", MAIL), [("ann@navy.example", "Ann Q. Lee", "")]),
    "a structured name with a semicolon in it": (card(r"N:Le\;e;Ann", MAIL), [("ann@navy.example", "Ann Le;e", "")]),
    "the formatted name goes before": (card("N:Lee;Ann", MAIL, "FN:Annie"), [("ann@navy.example", "Annie", "")]),
    "escapes": (card(r"FN:Lee\, Ann\nx", MAIL), [("ann@navy.example", "Lee, Ann x", "")]),
    "a group of properties and quoted parameters": (card("FN:A", 'item1.EMAIL;TYPE="work,a:b;c";PREF=1:ann@navy.example'),
        [("ann@navy.example", "A", "")]),
    "mailto": (card("FN:A", "EMAIL;VALUE=uri:mailto:ann@navy.example"), [("ann@navy.example", "A", "")]),
    "a person per address": (card("FN:A", MAIL, "EMAIL:b@x.example", MAIL),
        [("ann@navy.example", "A", ""), ("b@x.example", "A", "")]),
    "a fold of 3.0 eats its space": (card("FN:Ann L", " ee", MAIL, version="3.0"), [("ann@navy.example", "Ann Lee", "")]),
    "a fold of 2.1 keeps it": (card("FN:Ann", " Lee", MAIL, version="2.1"), [("ann@navy.example", "Ann Lee", "")]),
    "quoted-printable with a soft line end": (
        card("N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FC=", "ller;J=F6rg", MAIL, version="2.1"),
        [("ann@navy.example", "Jörg Müller", "")]),
    "a parameter without a name": (card("FN;QUOTED-PRINTABLE;CHARSET=UTF-8:J=C3=B6rg", MAIL, version="2.1"),
        [("ann@navy.example", "Jörg", "")]),
    "base64": (card("FN;ENCODING=b:QW5u", MAIL, version="3.0"), [("ann@navy.example", "Ann", "")]),
    "a charset that is none": (card("FN;CHARSET=punycode:Ann", MAIL, version="2.1"), [("ann@navy.example", "Ann", "")]),
    "a picture": (card("FN:A", "PHOTO;ENCODING=b:" + "A" * 60, *[" " + "A" * 60] * 2000, MAIL), [("ann@navy.example", "A", "")]),
    "lower case": (card("fn:A", MAIL).lower(), [("ann@navy.example", "a", "")]),
    "no address": (card("FN:A"), [None]),
    "no address but a name": (card("FN:A", "EMAIL:ann"), [None]),
    "a group": (card("KIND:group", "FN:G", "EMAIL:g@x.example"), [(1, "card of a group")]),
    "an agent within": (card("FN:A", "AGENT:", "BEGIN:VCARD", "FN:B", "EMAIL:b@x.example", "END:VCARD", MAIL, version="2.1"),
        [("ann@navy.example", "A", "")]),
    "a card without an end": ("BEGIN:VCARD\nFN:A\n" + MAIL, [(1, "card without an end")]),
    "nonsense": ("BEGIN:VCARD\nnonsense\n" + MAIL + "\nEND:VCARD\n",
        [(2, "line that is no property with a value"), ("ann@navy.example", "", "")]),
    "a property before a card": ("FN:A\n" + card("FN:B", MAIL), [(1, "property outside a card"), ("ann@navy.example", "B", "")]),
    "a name that is too long": (card("FN:" + "x" * 40_000, MAIL), [(3, "value that is too long"), ("ann@navy.example", "", "")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_people_are_read(name) -> None:
    text, expected = CASES[name]

    assert people(text) == expected


def test_bytes_without_a_charset_are_utf_8_or_what_old_phones_meant() -> None:
    for raw in (b"J\xc3\xb6rg", b"J\xf6rg"):
        assert people(card("FN:Jxrg", MAIL).encode().replace(b"Jxrg", raw)) == [("ann@navy.example", "Jörg", "")]


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12)


def _folded(line: str) -> str:
    return "\r\n ".join(line[i : i + 11] for i in range(0, len(line), 11))


@given(
    st.lists(st.tuples(NAMES, st.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.example", fullmatch=True)), max_size=5),
    st.integers(1, 50),
)
def test_what_was_written_is_read_however_it_is_cut(cards, size) -> None:
    def escaped(text: str) -> str:
        return "".join(f"\\{c}" if c in "\\,;" else c for c in text)

    raw = "".join(card(_folded(f"FN:{escaped(n)}"), _folded(f"EMAIL:{a}")) for n, a in cards).encode()
    blocks = [raw[i : i + size] for i in range(0, len(raw), size)]

    found = [one for one in read_people(lines_of(blocks)) if isinstance(one, Person)]

    assert [(p.name, str(p.address)) for p in found] == cards


@given(
    st.lists(
        st.sampled_from(
            [
                b"BEGIN:VCARD",
                b"END:VCARD",
                b"VERSION:2.1",
                b"N;QUOTED-PRINTABLE:=",
                b"=",
                b" x",
                b"EMAIL:a@b.example",
                b"ORG:;",
                b"N:",
                b";",
                b'A;"',
                b"\xff",
            ]
        )
    )
)
def test_no_order_of_lines_breaks_it_and_defects_name_lines_that_exist(lines) -> None:
    for one in read_people(lines):
        if isinstance(one, Defect):
            assert 1 <= one.line <= len(lines)
