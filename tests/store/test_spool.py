"""The spool: what goes in comes out, and nothing else ever comes out."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.store.spool import (
    CHUNK,
    HEADER,
    TAG,
    Spool,
    SpoolError,
    SpoolMissingError,
    SpoolTamperedError,
    SpoolTruncatedError,
    SpoolWrongKeyError,
)

KEY = bytes(range(32))


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool", KEY)


def file_of(spool, spool_id):
    return spool.folder / f"{spool_id}.nx"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 7])
def test_a_message_of_any_size_comes_back(spool, size):
    data = os.urandom(size)

    assert spool.read(spool.write(data)) == data


def test_a_message_is_given_out_in_small_pieces(spool):
    spool_id = spool.write(memoryview(bytes(10 * CHUNK)))

    assert max(map(len, spool.stream(spool_id))) == CHUNK


def test_the_file_is_private_and_shows_nothing_of_the_message(spool):
    path = file_of(spool, spool.write(b"Subject: quarterly figures\r\n" * 50))

    assert path.stat().st_mode & 0o077 == 0
    assert b"quarterly" not in path.read_bytes()


def test_another_key_is_told_from_tampering(spool):
    spool_id = spool.write(b"x")

    with pytest.raises(SpoolWrongKeyError, match=r"spool\.key"):
        Spool(spool.folder, bytes(32)).read(spool_id)


def test_a_file_under_another_name_does_not_open(spool):
    first, second = spool.write(b"one"), spool.write(b"two")
    file_of(spool, first).rename(file_of(spool, second))

    with pytest.raises(SpoolTamperedError):
        spool.read(second)


@pytest.mark.parametrize("keep", [0, HEADER - 1, HEADER, HEADER + 5, HEADER + CHUNK + TAG, HEADER + CHUNK + TAG + 3])
def test_a_cut_file_is_told_as_cut(spool, keep):
    path = file_of(spool, spool_id := spool.write(os.urandom(2 * CHUNK + 100)))
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(SpoolTruncatedError):
        spool.read(spool_id)


def test_swapped_chunks_are_refused(spool):
    path = file_of(spool, spool_id := spool.write(os.urandom(3 * CHUNK)))
    raw = path.read_bytes()
    one, two = HEADER, HEADER + CHUNK + TAG
    path.write_bytes(raw[:one] + raw[two : two + CHUNK + TAG] + raw[one:two] + raw[two + CHUNK + TAG :])

    with pytest.raises(SpoolTamperedError):
        spool.read(spool_id)


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=80, deadline=None)
def test_any_flipped_bit_is_refused(tmp_path_factory, place, bit):
    spool = Spool(tmp_path_factory.mktemp("spool"), KEY)
    path = file_of(spool, spool_id := spool.write(b"body" * 100))
    raw = bytearray(path.read_bytes())
    raw[place % len(raw)] ^= 1 << bit
    path.write_bytes(raw)

    with pytest.raises(SpoolError):
        spool.read(spool_id)


def test_added_bytes_are_refused(spool):
    path = file_of(spool, spool_id := spool.write(b"body"))
    path.write_bytes(path.read_bytes() + b"x")

    with pytest.raises(SpoolTamperedError):
        spool.read(spool_id)


@pytest.mark.parametrize("name", ["a" * 20, "../../etc/passwd", "", "A" * 20])
def test_what_is_not_there_is_missing_and_no_path_leads_out(spool, name):
    with pytest.raises(SpoolMissingError):
        spool.read(name)


def test_a_full_disk_leaves_no_file(spool, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        spool.write(b"body")

    assert list(spool.folder.iterdir()) == []


def test_the_sweep_takes_old_orphans_and_leaves_what_is_needed_or_young(spool):
    needed, orphan, young = spool.write(b"1"), spool.write(b"2"), spool.write(b"3")
    unfinished = spool.folder / ("b" * 20 + ".tmp")
    unfinished.write_bytes(b"half")
    foreign = spool.folder / "README"
    foreign.write_text("not ours")
    for path in (file_of(spool, needed), file_of(spool, orphan), unfinished, foreign):
        os.utime(path, (1000, 1000))

    assert spool.sweep({needed}, older_than=2000) == 2
    assert set(spool.ids()) == {needed, young}
    assert foreign.exists()


def test_check_tells_every_file_that_does_not_open(spool):
    good, bad = spool.write(b"1"), spool.write(b"2")
    file_of(spool, bad).write_bytes(b"NIXS")

    assert [type(e) for e in spool.check([good, bad])] == [SpoolTruncatedError]
