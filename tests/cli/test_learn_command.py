"""`nixie learn` and `nixie knowledge`: what is read is counted once, told, doubted and confirmed."""

import pytest

from support.cli_world import make_home, nixie
from support.guard import Guard, write_mbox


@pytest.fixture
def taught(tmp_path):
    home = make_home(tmp_path)
    box = write_mbox(tmp_path / "sent.mbox", "ann@army.mil", ["lab@saltmarsh.edu"], 40)
    slips = write_mbox(tmp_path / "slips.mbox", "bob@army.mil", ["lab@saltmarhs.edu"], 2)
    return home, [box, slips]


def test_a_mailbox_is_read_and_told_in_numbers(taught) -> None:
    home, boxes = taught

    ended = nixie("learn", boxes[0], "--home", home)

    assert ended.code == 0
    assert "found 40 mails: 40 copies counted now" in ended.out
    assert "in 1 file\n" in ended.out
    assert "learned 2 new domains\n" in ended.out


def test_a_second_run_finds_nothing_changed_and_counts_nothing_twice(taught) -> None:
    home, boxes = taught
    assert nixie("learn", *boxes, "--home", home).code == 0

    again = nixie("learn", *boxes, "--home", home, "--json").json

    assert (again["read"], again["unchanged"], again["counted"]) == (0, 2, 0)
    assert nixie("knowledge", "about", "lab@saltmarsh.edu", "--home", home, "--json").json["address"]["sent"] == 40


def test_the_report_as_json(taught) -> None:
    home, boxes = taught

    told = nixie("learn", *boxes, "--home", home, "--json").json

    assert (told["read"], told["joined"], told["counted"], told["new_domains"]) == (42, 42, 42, 3)
    assert told["unknown"] == {}


@pytest.mark.parametrize(("words", "said"), [((), "name a log, a mailbox"), (("nowhere.log",), "nowhere.log")])
def test_nothing_to_read_is_a_mistake_of_usage(words, said, tmp_path) -> None:
    ended = nixie("learn", *words, "--home", make_home(tmp_path))

    assert ended.code == 2
    assert said in ended.err


def test_about_tells_counts_of_address_and_domain(taught) -> None:
    home, boxes = taught
    nixie("learn", *boxes, "--home", home)

    words = nixie("knowledge", "about", "lab@saltmarsh.edu", "--home", home).out
    stranger = nixie("knowledge", "about", "eve@elsewhere.example", "--home", home)

    assert "lab@saltmarsh.edu:" in words
    assert "saltmarsh.edu:" in words
    assert " 40" in words
    assert stranger.code == 0
    assert "nothing is known" in stranger.out


@pytest.mark.parametrize("asked", ["lab@saltmarhs.edu", "saltmarhs.edu"])
def test_near_lists_what_may_have_been_meant(taught, asked) -> None:
    home, boxes = taught
    nixie("learn", *boxes, "--home", home)

    told = nixie("knowledge", "near", asked, "--home", home, "--json").json

    assert told["near"] == "saltmarhs.edu"
    assert [(f["domain"], f["slip"], f["sent"]) for f in told["found"]] == [("saltmarsh.edu", "swap", 40)]
    assert "saltmarsh.edu" in nixie("knowledge", "near", asked, "--home", home).out


def test_near_knows_the_own_domain_from_the_first_day(taught) -> None:
    home, boxes = taught
    nixie("learn", *boxes, "--home", home)

    assert nixie("knowledge", "near", "army.ml", "--home", home, "--json").json["found"][0]["domain"] == "army.mil"
    assert "nothing known" in nixie("knowledge", "near", "zebra.example", "--home", home).out


def test_a_learned_slip_is_doubted(taught) -> None:
    home, boxes = taught
    nixie("learn", *boxes, "--home", home)

    told = nixie("knowledge", "doubt", "--home", home, "--json").json
    words = nixie("knowledge", "doubt", "--home", home).out

    assert [(d["address"], d["sent"], d["instead"]) for d in told["doubted"]] == [
        ("lab@saltmarhs.edu", 2, "saltmarsh.edu")
    ]
    assert "1 learned address is doubted" in words


def test_confirming_needs_the_running_guard_and_says_so(taught) -> None:
    home, boxes = taught
    nixie("learn", *boxes, "--home", home)

    ended = nixie("knowledge", "confirm", "lab@saltmarhs.edu", "--home", home)

    assert ended.code == 69
    assert "nixie serve" in ended.err


def test_a_confirmed_address_is_doubted_no_more(tmp_path) -> None:
    boxes = [
        write_mbox(tmp_path / "sent.mbox", "ann@army.mil", ["lab@saltmarsh.edu"], 40),
        write_mbox(tmp_path / "slips.mbox", "bob@army.mil", ["lab@saltmarhs.edu"], 2),
    ]
    guard = Guard(tmp_path)
    guard.learn(*boxes)
    with guard:
        told = guard.json("knowledge", "confirm", "lab@saltmarhs.edu", "--as", "carla")

        assert told == {"confirmed": ["lab@saltmarhs.edu"], "by": "carla"}
        assert guard.json("knowledge", "doubt") == {"doubted": [], "of": 0}
        assert "no learned address looks like a slip" in guard.run("knowledge", "doubt")


def test_knowledge_of_an_empty_home_says_where_it_begins(tmp_path) -> None:
    ended = nixie("knowledge", "about", "a@b.example", "--home", make_home(tmp_path))

    assert ended.code == 1
    assert "nixie learn" in ended.err


@pytest.mark.parametrize("command", ["about", "confirm"])
def test_what_is_no_address_is_named(command, tmp_path) -> None:
    ended = nixie("knowledge", command, "nobody", "--home", make_home(tmp_path))

    assert ended.code == 2
    assert "nobody: not an address" in ended.err
