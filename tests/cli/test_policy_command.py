"""`nixie policy check`: a policy is read before it judges, and every mistake is named with its place."""

import pytest

from support.cli_world import make_home, nixie


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make_home(tmp_path_factory.mktemp("policy"))


def test_the_installations_policy_is_good_and_its_rules_are_listed(home) -> None:
    ended = nixie("policy", "check", "--home", home)

    assert ended.code == 0
    assert "can be used" in ended.out
    assert "slip         enforce  likely-slip -> hold-sender" in ended.out


def test_the_answer_as_json(home) -> None:
    told = nixie("policy", "check", "--home", home, "--json").json

    assert told["ok"] is True
    assert {"track": "slip", "name": "likely-slip", "mode": "enforce", "then": "hold-sender"} in told["rules"]
    assert len(told["digest"]) == 64


def edited(home, tmp_path, old: str, new: str):
    text = (home / "policy.toml").read_text()
    assert old in text
    path = tmp_path / "draft.toml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("misdirected.probability", "misdirected.probabilty", 'did you mean "misdirected.probability"'),
        ('mode = "enforce"', 'mode = "enforced"', "enforce"),
        ('then = "hold-sender"', 'then = "hold"', "hold-sender"),
        ('name = "likely-slip"', 'nome = "likely-slip"', 'did you mean "name"'),
        ("[[slip.rule]]", "[[slip.rule]", "draft.toml:"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_the_nearest_word(home, tmp_path, old, new, said) -> None:
    ended = nixie("policy", "check", edited(home, tmp_path, old, new), "--home", home)

    assert ended.code == 2
    assert "draft.toml:" in ended.err
    assert said in ended.err


def test_mistakes_as_json_have_their_place(home, tmp_path) -> None:
    path = edited(home, tmp_path, 'mode = "enforce"', 'mode = "enforced"')

    ended = nixie("policy", "check", path, "--home", home, "--json")

    (problem,) = ended.json["problems"]
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "enforced" in text)
    assert (ended.code, ended.json["ok"]) == (2, False)
    assert (problem["file"], problem["line"]) == ("draft.toml", line)


def test_an_exemption_that_has_ended_is_reported(home, tmp_path) -> None:
    path = tmp_path / "draft.toml"
    path.write_text(
        (home / "policy.toml").read_text()
        + '[[exemption]]\nname = "old-move"\nchecks = ["misdirected"]\nwhen = "always"\n'
        + 'owner = "Registry"\nreason = "The move."\nuntil = 2020-01-31\n'
    )

    assert "exemption old-move of Registry ended on 2020-01-31" in nixie("policy", "check", path, "--home", home).out
    assert nixie("policy", "check", path, "--home", home, "--json").json["ended_exemptions"] == ["old-move"]
