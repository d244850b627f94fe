"""Alias tables of Postfix: addresses are taken, everything else is counted with its line and never opened or run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.sources import aliases
from nixie.sources.aliases import Alias, looks_like_aliases, read_aliases, read_included
from nixie.sources.detect import ListFormat, SourceError, detect_list
from nixie.sources.lines import Defect, lines_of
from nixie.sources.people_csv import read_memberships


def told(text: str):
    """Return (line, name, targets[, includes]) of aliases and (line, reason) of defects."""
    return [
        (a.line, a.reason)
        if isinstance(a, Defect)
        else (a.line, a.name, a.targets, *([a.includes] if a.includes else ()))
        for a in read_aliases(lines_of([text.encode()]))
    ]


CASES = {
    "aliases": ("postmaster: root\nroot:ann, bob@army.example\n",
        [(1, "postmaster", ("root",)), (2, "root", ("ann", "bob@army.example"))]),
    "virtual": ("team@navy.example ann, bob@army.example\nsales\tcarl@x.example\n",
        [(1, "team@navy.example", ("ann", "bob@army.example")), (2, "sales", ("carl@x.example",))]),
    "lines go on, comments and empty lines between": ("team: ann,\n# not bob\n\n  carl,\n\tdora\n",
        [(1, "team", ("ann", "carl", "dora"))]),
    "quotes": ('"the team": "ann lee"@x.example, "dora"\n', [(1, "the team", ('"ann lee"@x.example', "dora"))]),
    "a target that is not expanded again": ("ann: \\ann, ann@x.example\n", [(1, "ann", ("ann", "ann@x.example"))]),
    "a command with a comma": ('vacation: ann, "|/usr/bin/vacation -a x,y ann"\n', [(1, "command"), (1, "vacation", ("ann",))]),
    "a command alone": ("majordomo: |/usr/lib/majordomo\n", [(1, "command")]),
    "a file": ("archive: /var/mail/archive, ann\n", [(1, "file that mail is written to"), (1, "archive", ("ann",))]),
    "a file to include": ("team: ann, :include:/etc/mail/team\n", [(1, "team", ("ann",), ("/etc/mail/team",))]),
    "a quoted file to include": ('team: ":include:/etc/mail/a team"\n', [(1, "team", (), ("/etc/mail/a team",))]),
    "a whole domain": ("@old.example ann@new.example\nold.example anything\nx@old.example y@new.example\n",
        [(1, "whole domain"), (2, "whole domain"), (3, "x@old.example", ("y@new.example",))]),
    "a local name with a dot is no domain": ("ann.lee: ann@navy.example\n", [(1, "ann.lee", ("ann@navy.example",))]),
    "a name that begins like a word of patterns": ("if-team: ann\n", [(1, "if-team", ("ann",))]),
    "a pattern": ("/^(.*)@old[.]example$/ $1@new.example\n", [(1, "pattern")]),
    "the same twice": ("team: ann, ann\n", [(1, "team", ("ann",))]),
    "nothing behind the name": ("team:\n\nother: ann\n", [(1, "line without a name and its addresses"), (3, "other", ("ann",))]),
    "what is no address": ("team: ann, a b c\n", [(1, "target that is no address"), (1, "team", ("ann",))]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_tables_are_read(name) -> None:
    text, expected = CASES[name]

    assert told(text) == expected


def test_an_included_file_has_a_target_a_line_and_includes_nothing() -> None:
    text = b"# team\nann\nbob@army.example, carl\n|/bin/rm\n:include:/etc/other\n"

    assert list(read_included(lines_of([text]))) == [
        "ann",
        "bob@army.example",
        "carl",
        Defect(4, "command"),
        Defect(5, "file included by an included one"),
    ]


def test_what_a_name_may_have_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(aliases, "MAX_TARGETS", 2)
    monkeypatch.setattr(aliases, "MAX_TEXT", 40)

    assert told("team: a, b, c\n") == [
        (1, "address beyond the most that one name may have"),
        (1, "team", ("a", "b")),
    ]
    assert told("team: ann,\n" + "  bob@army.example,\n" * 9) == [(1, "line without a name and its addresses")]


LOCAL = st.from_regex(r"[a-z][a-z0-9._+-]{0,9}", fullmatch=True)
ADDRESS = st.one_of(LOCAL, st.builds("{}@{}.example".format, LOCAL, st.from_regex(r"[a-z]{1,5}", fullmatch=True)))


@given(
    st.lists(st.tuples(LOCAL, st.lists(ADDRESS, min_size=1, max_size=5, unique=True)), max_size=4),
    st.integers(1, 40),
    st.sampled_from([", ", ",", ",\n  ", ",\n# c\n\t"]),
)
def test_what_was_written_is_read_however_it_is_cut(table, size, comma) -> None:
    raw = "".join(f"{name}: {comma.join(targets)}\n" for name, targets in table).encode()
    blocks = [raw[i : i + size] for i in range(0, len(raw), size)]

    found = [a for a in read_aliases(lines_of(blocks)) if isinstance(a, Alias)]

    assert [(a.name, list(a.targets)) for a in found] == table


@given(
    st.lists(
        st.sampled_from(["team:", " ", '"', "\\", ",", "@", "|", "/", ":include:", "ann", "\n", "#", "\udc80", "\t"]),
        max_size=40,
    )
)
def test_no_text_breaks_it(pieces) -> None:
    raw = "".join(pieces).encode("utf-8", "surrogateescape")

    for one in read_aliases(lines_of([raw])):
        assert 1 <= one.line <= raw.count(b"\n") + 1


@pytest.mark.parametrize("text", ["a: " + '"' * 60_000, "a: " + '"\\' * 30_000, "a: " + "," * 60_000, '"' * 60_000, "a" * 60_000, ":" * 60_000, "a: " + "a," * 30_000])  # fmt: skip
def test_reading_takes_linear_time(text) -> None:
    import time

    began = time.process_time()
    list(read_aliases([text.encode()]))

    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"list,member\nstaff@navy.example,ann@navy.example\n", ListFormat.TABLE),
        (b"\xef\xbb\xbfGroup Email;Email;Role\nx;y;z\n", ListFormat.TABLE),
        (b"version: 1\n\ndn: cn=x\n", ListFormat.LDIF),
        (b"# extended LDIF\n#\n# LDAPv3\n\ndn:: Y249eA==\n", ListFormat.LDIF),
        (b"# Aliases\npostmaster:    root\nroot: ann\n", ListFormat.ALIASES),
        (b"team@navy.example ann@navy.example, bob@navy.example\n", ListFormat.ALIASES),
        (b"from: ann\n", ListFormat.ALIASES),
        (b"\n", ListFormat.EMPTY),
    ],
)
def test_the_format_of_a_list_is_told_from_its_first_lines(head, expected) -> None:
    assert detect_list(head, "x") is expected


@pytest.mark.parametrize(
    ("head", "remedy"),
    [
        (b"From: a@b.example\nTo: c@d.example\nSubject: x\n\nx\n", "without --lists"),
        (b"From a@b Mon Mar  2 10:00:00 2026\nFrom: a@b\n\nx\n", "without --lists"),
        (b"Mar  3 10:45:29 mx1 postfix/smtp[1]: to=<a@b>\n", "without --lists"),
        (b'{"id":"a"}\n', "without --lists"),
        (b"BEGIN:VCARD\nFN:A\nEND:VCARD\n", "without --lists"),
        (b"\x00\x06\x15\x61", "postalias"),
        (b"Dear Ann, I write to you.\n", "columns list and member"),
        (b"name,email\nAnn,ann@navy.example\n", "columns list and member"),
    ],
)
def test_what_is_no_list_is_refused_with_a_remedy(head, remedy) -> None:
    with pytest.raises(SourceError, match=f"box/thing: .*{remedy}"):
        detect_list(head, "box/thing")


def test_a_table_names_list_and_member_and_several_members_may_share_a_cell() -> None:
    rows = [
        "Group;Members\n",
        "staff@navy.example;ann@navy.example, Bob <bob@x.example>\n",
        "x;y@z.example\n",
        "a@b.example;\n",
    ]

    found = list(read_memberships(rows))

    assert [one and tuple(map(str, one)) for one in found] == [
        ("staff@navy.example", "ann@navy.example"),
        ("staff@navy.example", "bob@x.example"),
        None,
        None,
    ]
    assert looks_like_aliases(b"team: ann\n")
