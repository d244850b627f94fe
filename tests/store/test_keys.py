"""Keys: made once, readable by one user, and every way in which they can be wrong has a text with a remedy."""

import stat

import pytest

from nixie.store.keys import (
    SECRETS,
    KeyExistsError,
    KeyExposedError,
    KeyMissingError,
    KeyWrongSizeError,
    create_keys,
    load_keys,
    verify_keys,
)


@pytest.fixture
def folder(tmp_path):
    create_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_keys_are_made_for_one_user_and_load_again(tmp_path):
    made = create_keys(tmp_path / "keys")
    read = load_keys(tmp_path / "keys")

    assert (read.spool, read.links, read.heads_id) == (made.spool, made.links, made.heads_id)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert all(stat.S_IMODE(f.stat().st_mode) == 0o600 for f in (tmp_path / "keys").iterdir())


def test_good_keys_have_nothing_wrong(folder):
    assert verify_keys(folder) == ()


def test_keys_are_never_overwritten(folder):
    before = load_keys(folder)
    with pytest.raises(KeyExistsError, match=r"spool\.key"):
        create_keys(folder)

    assert load_keys(folder).spool == before.spool


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_key_names_its_file_and_the_backup(folder, name):
    (folder / name).unlink()

    with pytest.raises(KeyMissingError, match=f"{name}.*backup"):
        load_keys(folder)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_the_wrong_size_is_refused(folder, length):
    (folder / "links.key").write_bytes(bytes(length))

    with pytest.raises(KeyWrongSizeError, match=r"links\.key"):
        load_keys(folder)


def test_a_key_that_others_may_read_is_refused_with_the_command_that_cures_it(folder):
    (folder / "spool.key").chmod(0o640)

    with pytest.raises(KeyExposedError, match=r"chmod 600 .*spool\.key"):
        load_keys(folder)


def test_a_systemd_credential_goes_before_the_file_and_may_show_its_group_bit(folder, tmp_path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "spool.key").write_bytes(b"c" * 32)
    (credentials / "spool.key").chmod(0o440)

    assert load_keys(folder, credentials).spool == b"c" * 32
    assert load_keys(folder, credentials).links == load_keys(folder).links


def test_everything_wrong_is_told_at_once(folder):
    (folder / "spool.key").unlink()
    (folder / "links.key").write_bytes(b"short")

    assert [type(e) for e in verify_keys(folder)] == [KeyMissingError, KeyWrongSizeError]


def test_a_public_half_of_another_key_is_noticed(folder, tmp_path):
    create_keys(tmp_path / "other")
    (folder / "heads.pub").write_bytes((tmp_path / "other" / "heads.pub").read_bytes())

    (error,) = verify_keys(folder)

    assert "another heads.key" in str(error)


def test_no_secret_shows_in_a_repr(folder):
    keys = load_keys(folder)

    assert keys.spool.hex() not in repr(keys)
    assert repr(keys.spool)[2:10] not in repr(keys)
