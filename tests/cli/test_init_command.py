"""`nixie init`: a folder that serves at once, never written over what is there."""

import stat
import tomllib

import pytest

from support.cli_world import make_home, nixie

KEYS = ("--milter", "unix:var/milter.sock", "--smtp", "127.0.0.1:2626", "--http", "127.0.0.1:8026",
        "--next-hop", "mail.example.org:25", "--public-url", "https://nixie.example.org", "--notice-from", "mail-guard@army.mil",
        "--postmaster", "hostmaster@army.mil")  # fmt: skip


def test_a_new_home_has_all_its_files_and_says_what_to_do_next(tmp_path) -> None:
    ended = nixie("init", "--home", tmp_path / "h", "--own-domain", "army.mil")

    assert ended.code == 0
    assert {"nixie.toml", "policy.toml", "partners.toml", "keys", "var"} <= {p.name for p in (tmp_path / "h").iterdir()}
    assert f"nixie serve --home {tmp_path / 'h'}" in ended.out


def test_keys_and_state_are_closed_to_others(tmp_path) -> None:
    home = make_home(tmp_path)

    secret = [home / "keys", home / "var", *(home / "keys").iterdir()]
    assert [p.name for p in secret if stat.S_IMODE(p.stat().st_mode) & 0o007] == []


def test_every_option_lands_in_the_configuration(tmp_path) -> None:
    home = make_home(tmp_path, *KEYS, "--own-domain", "*.navy.mil")

    told = tomllib.loads((home / "nixie.toml").read_text())
    assert told["organisation"]["own_domains"] == ["army.mil", "*.navy.mil"]
    assert (told["smtp"]["listen"], told["http"]["listen"]) == ("127.0.0.1:2626", "127.0.0.1:8026")
    assert told["next_hop"]["address"] == "mail.example.org:25"
    assert told["http"]["public_url"] == "https://nixie.example.org"
    assert told["notice"]["from"] == "mail-guard@army.mil"
    assert told["organisation"]["postmaster"] == "hostmaster@army.mil"


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_the_policy_is_the_one_that_was_asked_for(mode, tmp_path) -> None:
    home = make_home(tmp_path, "--mode", mode)

    rules = nixie("policy", "check", "--home", home, "--json").json["rules"]
    assert (mode == "observe") == all(r["mode"] == "observe" for r in rules)


def test_what_exists_is_never_written_over(tmp_path) -> None:
    home = make_home(tmp_path)
    (home / "policy.toml").write_text("# mine\n")
    before = {p: p.read_bytes() for p in home.rglob("*") if p.is_file()}

    ended = nixie("init", "--home", home, "--own-domain", "navy.mil")

    assert ended.code == 2
    assert str(home) in ended.err
    assert {p: p.read_bytes() for p in home.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--own-domain example.org"),
        (("--own-domain", "army.mil", "--smtp", "nowhere"), "smtp"),
        (("--own-domain", "army.mil", "--public-url", "ftp://x"), "public_url"),
        (("--own-domain", "a b"), "own_domains"),
        (("--own-domain", "army.mil", "--mode", "strict"), "observe"),
    ],
)
def test_a_mistake_is_named_and_leaves_nothing_behind(words, said, tmp_path) -> None:
    ended = nixie("init", "--home", tmp_path / "h", *words)

    assert ended.code == 2
    assert said in ended.err
    assert list(tmp_path.rglob("*.toml")) == []


def test_the_answer_as_json(tmp_path) -> None:
    told = nixie("init", "--home", tmp_path / "h", "--own-domain", "army.mil", "--json").json

    assert told == {"home": str(tmp_path / "h"), "mode": "enforce", "own_domains": ["army.mil"]}


def test_other_commands_say_where_they_looked_for_an_installation(tmp_path) -> None:
    ended = nixie("holds", "list", "--home", tmp_path)

    assert ended.code == 2
    assert f"{tmp_path}: no nixie.toml there" in ended.err
