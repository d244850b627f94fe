"""`nixie keys`: keys are made once, and what is held can be opened with them, or it is said what cannot."""

import shutil

import pytest

from support.cli_world import make_home, nixie


@pytest.fixture
def copied(guard, hold_one, tmp_path):
    """A copy of an installation that holds a message."""
    hold_one()
    home = tmp_path / "copy"
    shutil.copytree(guard.home, home, ignore=shutil.ignore_patterns("*.sock", "outbox", "near", "*.lock"))
    return home


def test_a_good_installation_opens_everything_it_holds(copied) -> None:
    ended = nixie("keys", "verify", "--home", copied)
    told = nixie("keys", "verify", "--home", copied, "--json").json

    assert ended.code == 0
    assert "all keys are good" in ended.out
    assert (told["ok"], told["troubles"]) == (True, [])
    assert told["held_messages_opened"] > 0


@pytest.mark.parametrize(
    ("case", "damage"),
    [
        ("a byte changed", lambda data: data[:-20] + bytes([data[-20] ^ 1]) + data[-19:]),
        ("cut short", lambda data: data[:-1]),
        ("empty", lambda _: b""),
    ],
)
def test_a_damaged_held_message_is_named(copied, case, damage) -> None:
    victim = next(p for p in (copied / "var" / "spool").rglob("*") if p.is_file())
    victim.write_bytes(damage(victim.read_bytes()))

    ended = nixie("keys", "verify", "--home", copied)

    assert ended.code == 1, case
    assert victim.name in ended.err
    assert nixie("keys", "verify", "--home", copied, "--json").json["ok"] is False


def test_a_held_message_that_is_gone_is_named(copied) -> None:
    victim = next(p for p in (copied / "var" / "spool").rglob("*") if p.is_file())
    victim.unlink()

    ended = nixie("keys", "verify", "--home", copied)

    assert ended.code == 1
    assert victim.stem in ended.err


@pytest.mark.parametrize("key", ["spool.key", "links.key"])
def test_a_missing_key_is_named(copied, key) -> None:
    (copied / "keys" / key).unlink()

    ended = nixie("keys", "verify", "--home", copied)

    assert ended.code == 1
    assert key in ended.err


def test_keys_of_another_installation_do_not_open_what_is_held(copied, tmp_path) -> None:
    other = make_home(tmp_path)
    shutil.copytree(other / "keys", copied / "keys", dirs_exist_ok=True)

    assert nixie("keys", "verify", "--home", copied).code == 1


def test_keys_are_made_where_there_are_none_and_never_replaced(tmp_path) -> None:
    home = make_home(tmp_path)
    before = {p: p.read_bytes() for p in (home / "keys").iterdir()}

    again = nixie("keys", "create", "--home", home)
    kept = {p: p.read_bytes() for p in (home / "keys").iterdir()}
    shutil.rmtree(home / "keys")
    made = nixie("keys", "create", "--home", home, "--json")

    assert again.code == 2
    assert kept == before
    assert made.json == {"keys": str(home / "keys")}
    assert nixie("keys", "verify", "--home", home).code == 0
