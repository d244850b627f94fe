"""What an administrator reads when something of the machine is not as it should be: the file or address, and the remedy."""

import os
import socket

import pytest

from support.cli_world import SLIP, make_home, nixie


@pytest.fixture
def home(tmp_path):
    return make_home(tmp_path, "--smtp", "127.0.0.1:0", "--milter", "unix:var/milter.sock", "--http", "127.0.0.1:0")


@pytest.mark.parametrize("words", [("serve",), ("check", "-"), ("policy", "check")])
def test_a_policy_that_is_missing_is_named(home, words) -> None:
    (home / "policy.toml").unlink()

    ended = nixie(*words, "--home", home, stdin=SLIP.encode())

    assert ended.code == 2
    assert f"{home}/policy.toml: No such file or directory" in ended.err


@pytest.mark.parametrize("words", [("holds", "list"), ("audit", "verify"), ("knowledge", "doubt"), ("check", "-")])
def test_a_database_that_is_none_is_said_to_be_the_trouble(home, words) -> None:
    (home / "var" / "nixie.db").write_bytes(os.urandom(8192))

    ended = nixie(*words, "--home", home, stdin=SLIP.encode())

    assert ended.code == 69
    assert "the database cannot be used: file is not a database" in ended.err
    assert "from the backup" in ended.err


def test_an_address_in_use_is_named_with_the_remedy(home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = (home / "nixie.toml").read_text()
        (home / "nixie.toml").write_text(text.replace('listen = "127.0.0.1:0"', f'listen = "127.0.0.1:{port}"', 1))

        ended = nixie("serve", "--home", home)

    assert ended.code == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in ended.err
    assert "nixie.toml" in ended.err
    assert "Errno" not in ended.err


def test_missing_keys_are_named_before_anything_starts(home) -> None:
    (home / "keys" / "spool.key").unlink()

    ended = nixie("serve", "--home", home)

    assert ended.code == 2
    assert f"{home}/keys/spool.key" in ended.err


def test_every_mistake_of_the_configuration_is_told_at_once(home) -> None:
    text = (home / "nixie.toml").read_text()
    (home / "nixie.toml").write_text(
        text.replace("#hostname =", "hostnam =", 1).replace("#retention_days = 730", "retention_days = 3")
    )

    ended = nixie("serve", "--home", home)

    assert ended.code == 2
    assert 'unknown key "hostnam"; did you mean "hostname"?' in ended.err
    assert "retention_days" in ended.err
    assert len(ended.err.splitlines()) == 2


def test_a_home_that_cannot_be_made_is_named(tmp_path) -> None:
    (tmp_path / "file").touch()

    ended = nixie("init", "--home", tmp_path / "file" / "home", "--own-domain", "army.mil")

    assert ended.code == 2
    assert f"{tmp_path}/file" in ended.err
    assert "Errno" not in ended.err
