"""LDIF: people and groups out of directories of all makes; what cannot be read is named by its line."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.sources import ldif
from nixie.sources.ldif import MAX_VALUE, Entry, read_entries, read_people
from nixie.sources.ldif_groups import Group, Named, one_spelling, read_groups
from nixie.sources.lines import Defect, lines_of
from nixie.sources.people_csv import Person


def people(text: str | bytes) -> list[tuple[str, str, str] | tuple[int, str] | None]:
    """Return what is read: (address, name, unit), (line, defect), None."""
    raw = text.encode() if isinstance(text, str) else text
    return [_told(one) for one in read_people(lines_of([raw]))]


def _told(one):
    if isinstance(one, Person):
        return str(one.address), one.name, one.unit
    return (one.line, one.reason) if isinstance(one, Defect) else None


ANN = "dn: cn=Ann Lee,dc=navy,dc=example\nobjectClass: inetOrgPerson\n"

CASES = {
    "a display name goes before cn": (ANN + "cn: Lee Ann\ndisplayName: Ann Lee\nmail: ann@navy.example\nou: Harbour\n",
        [("ann@navy.example", "Ann Lee", "Harbour")]),
    "given name and surname where there is no other": (ANN + "givenName: Ann\nsn: Lee\nmail: ann@navy.example\n",
        [("ann@navy.example", "Ann Lee", "")]),
    "a value goes on behind one space": (ANN + "cn: Ann\n  Lee\nmail: ann@na\n vy.example\n",
        [("ann@navy.example", "Ann Lee", "")]),
    "base64": (ANN + "cn:: SsO2cmcgTcO8bGxlcg==\nmail: jm@navy.example\n", [("jm@navy.example", "Jörg Müller", "")]),
    "base64 over two lines": (ANN + "cn:: SsO2cmcg\n TcO8bGxlcg==\nmail: jm@navy.example\n",
        [("jm@navy.example", "Jörg Müller", "")]),
    "a range, as large groups have": (ANN + "mail;range=0-*: ann@navy.example\n", [("ann@navy.example", "", "")]),
    "an option of an attribute": (ANN + "cn;lang-de: Änne\nmail;x-work: ann@navy.example\n",
        [("ann@navy.example", "Änne", "")]),
    "a person per address, each once": (ANN + "cn: Ann\nmail: ann@navy.example\nmail: a@x.example\nmail: ANN@navy.example\n",
        [("ann@navy.example", "Ann", ""), ("a@x.example", "Ann", "")]),
    "comments and their continuations": ("# a\n  b\nversion: 1\n\n" + ANN + "# c\n d: e\nmail: ann@navy.example\n",
        [("ann@navy.example", "", "")]),
    "carriage returns": ((ANN + "cn: Ann\nmail: ann@navy.example\n\n" + ANN).replace("\n", "\r\n"),
        [("ann@navy.example", "Ann", ""), None]),
    "what ldifde writes": (ANN + "changetype: add\nmail: ann@navy.example\n", [("ann@navy.example", "", "")]),
    "a change": ("dn: cn=x\nchangetype: modify\nreplace: mail\nmail: a@b.example\n-\n\n" + ANN + "mail: ann@navy.example\n",
        [(1, "change record other than add"), ("ann@navy.example", "", "")]),
    "a value that stands elsewhere": (ANN + "jpegPhoto:< file:///etc/passwd\ncn:< file:///etc/passwd\nmail: ann@navy.example\n",
        [("ann@navy.example", "", "")]),
    "an entry without an address": (ANN + "cn: Ann\n", [None]),
    "an address without a domain": (ANN + "mail: ann\n", [None]),
    "a group": ("dn: cn=g\nobjectClass: groupOfNames\nmail: g@navy.example\n",
        [(1, "group (its members: nixie learn --lists)")]),
    "no base64": (ANN + "cn:: =!=\nmail: ann@navy.example\n",
        [(3, "value that is no base64"), ("ann@navy.example", "", "")]),
    "no attribute": (ANN + "nonsense\nmail: ann@navy.example\n",
        [(3, "line that is no attribute with a value"), ("ann@navy.example", "", "")]),
    "no name": ("cn: Ann\nmail: ann@navy.example\n", [(1, "entry without a dn")]),
    "no empty line": (ANN + "mail: ann@navy.example\ndn: cn=Bob\nmail: bob@navy.example\n",
        [("ann@navy.example", "", ""), ("bob@navy.example", "", "")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_people_are_read(name) -> None:
    text, expected = CASES[name]

    assert people(text) == expected


def test_bytes_that_are_no_utf_8_are_read_as_old_directories_mean_them() -> None:
    assert people(ANN.encode() + b"cn: J\xf6rg\nmail: j@navy.example\n") == [("j@navy.example", "Jörg", "")]


@pytest.mark.parametrize(("over", "found"), [(-10, 1), (0, 0), (MAX_VALUE * 3, 0)])
def test_a_value_is_bounded_whether_folded_or_not(over, found) -> None:
    long = "x" * (MAX_VALUE + over)
    folded = "\n ".join(long[i : i + 70] for i in range(0, len(long), 70))

    for value in (long, folded):
        (entry, *_) = [e for e in read_entries(lines_of([f"{ANN}cn: {value}\nsn: S\n".encode()]), frozenset(("cn", "sn"))) if isinstance(e, Entry)]  # fmt: skip
        assert len(entry.all("cn")) == (found or over == 0)
        assert entry.all("sn") == ("S",)


def test_values_of_one_entry_are_bounded(monkeypatch) -> None:
    monkeypatch.setattr(ldif, "MAX_VALUES", 3)

    read = list(read_entries([b"dn: x", *[b"mail: a@b.example"] * 4], frozenset(("mail",))))

    assert [type(r) for r in read] == [Defect, Entry]
    assert len(read[1].all("mail")) == 3


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12)


def _line(name: str, value: str) -> str:
    """Write one value the way RFC 2849 asks for."""
    safe = value.isascii() and value[0] not in " :<" and value[-1] != " "
    text = f"{name}: {value}" if safe else f"{name}:: {base64.b64encode(value.encode()).decode()}"
    return "\n ".join(text[i : i + 20] for i in range(0, len(text), 20))


@given(
    st.lists(st.tuples(NAMES, st.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.example", fullmatch=True)), max_size=5),
    st.integers(1, 50),
)
def test_what_was_written_is_read_however_it_is_cut(entries, size) -> None:
    text = "version: 1\n\n" + "\n".join(
        f"{_line('dn', f'cn={n}')}\n{_line('displayName', n)}\n{_line('mail', a)}\n" for n, a in entries
    )
    raw = text.encode()
    blocks = [raw[i : i + size] for i in range(0, len(raw), size)]

    found = [one for one in read_people(lines_of(blocks)) if isinstance(one, Person)]

    assert [(p.name, str(p.address)) for p in found] == entries


@given(
    st.lists(
        st.sampled_from(
            [
                b"dn: cn=a",
                b"dn:: !",
                b"mail: a@b.example",
                b" x",
                b"",
                b"-",
                b"changetype: delete",
                b"#",
                b":",
                b"cn;;: y",
                b"\xff",
            ]
        )
    )
)
def test_no_order_of_lines_breaks_it_and_defects_name_lines_that_exist(lines) -> None:
    for one in (*read_people(lines), *read_groups(lines)):
        if isinstance(one, Defect):
            assert 1 <= one.line <= len(lines)


GROUPS = """\
dn: cn=Ann Lee, ou=People,dc=navy,dc=example
mail: ann@navy.example

dn: cn=Staff,dc=navy,dc=example
objectClass: groupOfNames
mail: staff@navy.example
member: CN=ann lee,ou=people,DC=navy,dc=example
member: cn=Lee\\2C Bob,dc=x

dn: cn=old
objectClass: nisMailAlias
cn: oldies
rfc822MailMember: carl
rfc822MailMember: dora@army.example

dn: cn=quiet
objectClass: groupOfNames
member: cn=x
"""


def test_groups_have_members_by_name_and_by_address() -> None:
    read = list(read_groups(lines_of([GROUPS.encode()])))

    assert read == [
        Named("cn=ann lee,ou=people,dc=navy,dc=example", ("ann@navy.example",)),
        Named("cn=staff,dc=navy,dc=example", ("staff@navy.example",)),
        Group(4, ("staff@navy.example",), (), (), ("cn=ann lee,ou=people,dc=navy,dc=example", "cn=lee, bob,dc=x")),
        Group(10, (), ("oldies",), ("carl", "dora@army.example"), ()),
        Defect(16, "group without a mail address"),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=Ann Lee, DC=x", "cn=ann  lee,dc=X"),
        (r"cn=Lee\, Ann,dc=x", r"cn=Lee\2C Ann,dc=x"),
        (r"cn=J\C3\B6rg", "cn=jörg"),
        ("uid=a,dc=x#'01'B", "uid=a,dc=x"),
    ],
)
def test_two_spellings_of_a_name_are_one(one, other) -> None:
    assert one_spelling(one) == one_spelling(other)
