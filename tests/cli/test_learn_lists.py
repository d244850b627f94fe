"""`nixie learn --lists` and directories: what is learned, what is said of the rest, and what a decision makes of it."""

import gzip
import json

import pytest

from nixie.store.db import open_reader
from nixie.store.knowledge_people import people
from nixie.store.mail_lists import expansions
from support.cli_world import make_home, nixie, write
from support.knowing import address

ALIASES = """\
# army.mil
postmaster: root
root: carla
team: ann, lab@saltmarsh.edu, :include:include/more
vacation: |/usr/bin/vacation
"""
LDIF = """\
version: 1

dn: cn=Staff,dc=army,dc=mil
objectClass: groupOfNames
mail: staff@army.mil
member: cn=Bob Marsh,ou=people,dc=army,dc=mil
member: cn=Nobody,dc=army,dc=mil

dn: cn=Bob Marsh,ou=People,dc=army,dc=mil
objectClass: inetOrgPerson
displayName: Bob Marsh
mail: bob@army.mil
ou: Harbour
"""
CARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Lena Salt\nEMAIL:lab@saltmarsh.edu\nORG:Saltmarsh;Laboratory\nEND:VCARD\n"
TO_LIST = """\
From: Ann <ann@army.mil>
To: observers@army.mil
Subject: Roster
Message-ID: <list@army.mil>
Date: Mon, 02 Nov 2026 09:00:00 +0000

hello
"""


def lists_of(home, member: str):
    db = open_reader(home / "var" / "nixie.db")
    try:
        found = expansions(db, [address(member)]).get(address(member).key)
    finally:
        db.close()
    return (set(found.lists), set(found.aliases)) if found else (set(), set())


@pytest.fixture
def home(tmp_path):
    return make_home(tmp_path)


def test_alias_tables_are_learned_with_what_they_include(home, tmp_path) -> None:
    (tmp_path / "include").mkdir()
    write(tmp_path / "include" / "more", "bob\n")

    ended = nixie("learn", "--lists", write(tmp_path / "aliases", ALIASES), "--home", home)

    assert ended.code == 0, ended.err
    assert ended.out.splitlines() == [
        "learned 1 list and 2 aliases with 5 members from 1 file",
        "not used: 1 command",
        f"skipped: {tmp_path}/aliases:5: command",
    ]
    assert lists_of(home, "lab@saltmarsh.edu") == ({"team@army.mil"}, set())
    assert lists_of(home, "bob@army.mil") == ({"team@army.mil"}, set())
    assert lists_of(home, "carla@army.mil") == (set(), {"root@army.mil", "postmaster@army.mil"})


def test_an_included_file_that_is_missing_is_named_with_its_line(home, tmp_path) -> None:
    ended = nixie("learn", "--lists", write(tmp_path / "aliases", ALIASES), "--home", home)

    assert ended.code == 0
    assert f"skipped: {tmp_path}/aliases:4: included file that is not there" in ended.out


def test_a_directory_names_members_by_entries_of_any_file(home, tmp_path) -> None:
    groups, _, persons = LDIF.partition("\n\ndn: cn=Bob")
    files = [write(tmp_path / "groups.ldif", groups + "\n"), write(tmp_path / "people.ldif", f"dn: cn=Bob{persons}")]

    told = nixie("learn", "--lists", *files, "--home", home, "--json").json

    assert (told["files"], told["lists"], told["aliases"], told["members"]) == (2, 0, 1, 1)
    assert told["unknown"] == {"member whose entry is not in the files": 1}
    assert lists_of(home, "bob@army.mil") == (set(), {"staff@army.mil"})


def test_a_second_run_replaces_the_lists_that_it_names_and_keeps_the_others(home, tmp_path) -> None:
    one = write(
        tmp_path / "one.csv", "list,member\na@army.mil,x@army.mil\na@army.mil,y@army.mil\nb@army.mil,x@army.mil\n"
    )
    two = write(tmp_path / "two.csv", "list,member\na@army.mil,y@army.mil\na@army.mil,z@army.mil\n")

    for file in (one, two):
        assert nixie("learn", "--lists", file, "--home", home).code == 0

    assert lists_of(home, "x@army.mil") == (set(), {"b@army.mil"})
    assert lists_of(home, "z@army.mil") == ({"a@army.mil"}, set())


def test_a_folder_is_read_file_by_file_and_a_packed_one_too(home, tmp_path) -> None:
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "v.gz").write_bytes(gzip.compress(b"team@army.mil ann@army.mil, bob@army.mil\n"))
    write(folder / "x.eml", TO_LIST)

    told = nixie("learn", "--lists", folder, "--home", home, "--json").json

    assert (told["files"], told["lists"]) == (1, 1)
    assert told["skipped"] == [f"{folder}/x.eml: this says nothing about lists; learn it without --lists"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--lists"], "name a log"),
        (["--lists", "--follow", "mail.log"], "either --lists or --follow"),
        (["--lists", "mail.eml"], "mail.eml: this says nothing about lists"),
    ],
)
def test_mistakes_are_named_before_anything_is_learned(words, said, home, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "mail.eml", TO_LIST)

    ended = nixie("learn", *words, "--home", home)

    assert ended.code == 2
    assert said in ended.err


def test_people_come_from_ldif_and_vcards_as_from_tables(home, tmp_path) -> None:
    files = [write(tmp_path / "people.ldif", LDIF), write(tmp_path / "people.vcf", CARD)]

    told = nixie("learn", *files, "--home", home, "--json").json
    again = nixie("learn", *files, "--home", home, "--json").json

    assert (told["people"], told["read"], again["unchanged"]) == (2, 3, 2)
    assert told["skipped"] == [f"{tmp_path}/people.ldif:3: group (its members: nixie learn --lists)"]
    db = open_reader(home / "var" / "nixie.db")
    assert list(people(db)) == [
        ("bob@army.mil", "Bob Marsh", "Harbour"),
        ("lab@saltmarsh.edu", "Lena Salt", "Laboratory"),
    ]
    db.close()


def test_about_tells_the_lists_of_an_address(home, tmp_path) -> None:
    table = write(tmp_path / "virtual", "all@army.mil staff@army.mil, x@army.mil\nstaff@army.mil ann@army.mil\n")
    assert nixie("learn", "--lists", table, "--home", home).code == 0

    words = nixie("knowledge", "about", "ann@army.mil", "--home", home).out
    told = nixie("knowledge", "about", "ann@army.mil", "--home", home, "--json").json

    assert words.endswith("on the list all@army.mil\nbehind the alias staff@army.mil\n")
    assert (told["lists"], told["aliases"]) == (["all@army.mil"], ["staff@army.mil"])


def test_a_local_name_stands_at_each_own_domain_and_its_targets_at_home(tmp_path) -> None:
    home = make_home(tmp_path, "--own-domain", "navy.mil", own="army.mil")
    table = write(tmp_path / "aliases", "team: ann, bob\nteam@partner.example: carl, dora\n")

    told = nixie("learn", "--lists", table, "--home", home, "--json").json

    assert (told["lists"], told["members"]) == (3, 6)
    assert lists_of(home, "bob@navy.mil") == ({"team@navy.mil"}, set())
    assert lists_of(home, "carl@army.mil") == ({"team@partner.example"}, set())


def check(home, file, *to: str):
    words = [word for one in to for word in ("--to", one)]
    (told,) = nixie("check", file, *words, "--home", home, "--json").json
    return {r["address"]: (r["reached"], r["disposition"]) for r in told["recipients"]}


def test_an_expanded_member_is_not_asked_about(home, tmp_path) -> None:
    """The observers of a list sit at army.ml, which looks like a slip of army.mil and is none: nobody typed it."""
    mail = write(tmp_path / "mail.eml", TO_LIST)
    table = write(
        tmp_path / "lists.csv", "list,member\nobservers@army.mil,visa@army.ml\nobservers@army.mil,bob@army.mil\n"
    )
    before = check(home, mail, "visa@army.ml", "ops@army.ml")
    assert nixie("learn", "--lists", table, "--home", home).code == 0

    after = check(home, mail, "visa@army.ml", "ops@army.ml")

    assert before == {"visa@army.ml": ("blind", "hold-sender"), "ops@army.ml": ("blind", "hold-sender")}
    assert after == {"visa@army.ml": ("expanded", "deliver"), "ops@army.ml": ("blind", "hold-sender")}


def test_a_member_that_somebody_typed_is_asked_about_all_the_same(home, tmp_path) -> None:
    mail = write(
        tmp_path / "mail.eml", TO_LIST.replace("To: observers@army.mil", "To: observers@army.mil, visa@army.ml")
    )
    table = write(
        tmp_path / "lists.csv", "list,member\nobservers@army.mil,visa@army.ml\nobservers@army.mil,bob@army.mil\n"
    )
    assert nixie("learn", "--lists", table, "--home", home).code == 0

    assert check(home, mail, "visa@army.ml") == {"visa@army.ml": ("typed", "hold-sender")}


def test_the_target_of_an_alias_is_not_asked_about(home, tmp_path) -> None:
    mail = write(tmp_path / "mail.eml", TO_LIST)
    table = write(tmp_path / "virtual", "observers@army.mil visa@army.ml\n")
    assert nixie("learn", "--lists", table, "--home", home).code == 0

    assert check(home, mail, "visa@army.ml") == {"visa@army.ml": ("rewritten", "deliver")}


def test_words_say_how_a_copy_got_there_where_nobody_wrote_it(home, tmp_path) -> None:
    mail = write(tmp_path / "mail.eml", TO_LIST)
    table = write(
        tmp_path / "lists.csv", "list,member\nobservers@army.mil,lab@saltmarsh.edu\nobservers@army.mil,bob@army.mil\n"
    )
    assert nixie("learn", "--lists", table, "--home", home).code == 0

    told = nixie(
        "check",
        mail,
        "--to",
        "lab@saltmarsh.edu",
        "--to",
        "x@saltmarsh.edu",
        "--to",
        "observers@army.mil",
        "--home",
        home,
    )

    assert "deliver        lab@saltmarsh.edu (by a list in To or Cc)" in told.out
    assert "deliver        x@saltmarsh.edu (in blind copy)" in told.out
    assert "deliver        observers@army.mil\n" in told.out


def test_a_rule_may_ask_how_a_copy_was_reached(home, tmp_path) -> None:
    policy = write(
        tmp_path / "blind.toml",
        'title = "x"\n[[crowd.rule]]\nname = "blind"\nmode = "enforce"\n'
        'when = { "recipient.reached" = "blind", "recipient.inside" = false }\nthen = "hold-reviewer"\nmessage = "x"\n',
    )
    mail = write(tmp_path / "mail.eml", TO_LIST.replace("observers@army.mil", "lab@saltmarsh.edu"))

    ended = nixie(
        "check",
        mail,
        "--to",
        "lab@saltmarsh.edu",
        "--to",
        "x@saltmarsh.edu",
        "--policy",
        policy,
        "--home",
        home,
        "--json",
    )

    assert [r["disposition"] for r in json.loads(ended.out)[0]["recipients"]] == ["deliver", "hold-reviewer"]
