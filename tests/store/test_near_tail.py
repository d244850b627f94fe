"""The tail of the near index: what a crash, a full disk or a busy writer leaves behind, and what readers make of it."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.store import near_tail, near_write
from nixie.store.near import NearDomains, NearError, NearWriter, build
from nixie.store.near_tail import ADD, FORGET, decode, encode, segment_path, segments

KNOWN = [("army.mil", 40), ("navy.mil", 30), ("mail.army.mil", 5), ("example.org", 90), ("cba.com.au", 3)]


@pytest.fixture
def folder(tmp_path):
    build(tmp_path / "near", KNOWN)
    return tmp_path / "near"


def test_only_one_process_writes(folder):
    with NearWriter(folder), pytest.raises(NearError, match="another process writes"):
        NearWriter(folder)

    NearWriter(folder).close()


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_record_that_a_crash_cut_off_is_passed_over_and_cut_away(folder, cut):
    with NearWriter(folder) as writer:
        writer.append(["army.mi", "armyy.mil"])
    path = segment_path(folder, segments(folder)[-1])
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - cut)
    near = NearDomains(folder)
    assert "army.mi" in near.near("army.ml", 8)
    assert "armyy.mil" not in near.near("armyy.ml", 8)

    with NearWriter(folder) as writer:
        writer.append(["armyz.mil"])

    near.refresh()
    assert "armyz.mil" in near.near("armyz.ml", 8)


def test_a_damaged_record_ends_the_segment():
    data = bytearray(encode(ADD, "army.mil") + encode(FORGET, "navy.mil"))
    whole, used = decode(bytes(data))
    data[20] ^= 1

    assert [(r.kind, r.domain) for r in whole] == [(ADD, "army.mil"), (FORGET, "navy.mil")]
    assert used == len(data)
    assert decode(bytes(data)) == ([], 0)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_as_records_or_not_at_all(data):
    assert decode(encode(ADD, "army.mil") + data)[1] >= len(encode(ADD, "army.mil"))


def test_a_long_tail_is_taken_in_pieces(folder, monkeypatch):
    monkeypatch.setattr(near_tail, "READ_AT_ONCE", 4096)
    with NearWriter(folder) as writer:
        writer.append(f"x{i}.example.net" for i in range(200))
    near = NearDomains(folder)
    while near.refresh():
        pass

    assert len(near) == len(KNOWN) + 200


def test_a_merge_is_due_when_the_tail_has_grown(folder, monkeypatch):
    monkeypatch.setattr(near_write, "MERGE_AT_LEAST", 3)
    with NearWriter(folder) as writer:
        writer.append(["a.mil", "b.mil"])
        assert not writer.should_merge()
        writer.append(["c.mil"])
        assert writer.should_merge()
    with NearWriter(folder) as writer:
        assert writer.should_merge()


def test_a_full_disk_leaves_the_tail_whole(folder, monkeypatch):
    with NearWriter(folder) as writer:
        with monkeypatch.context() as patch:
            patch.setattr(near_write.os, "fdatasync", _no_space)
            with pytest.raises(OSError, match="No space"):
                writer.append(["army.mi"])
        writer.append(["armyy.mil"])

    assert NearDomains(folder).near("armyy.ml", 8)[-1] == "armyy.mil"
    assert "army.mi" not in NearDomains(folder).near("army.ml", 8)


def _no_space(number: int) -> None:
    raise OSError(28, "No space left on device")


def test_readers_find_everything_while_a_writer_appends_and_merges(tmp_path):
    domains = [f"{a}{b}word.example" for a in "abcdefghij" for b in "klmnopqrstuvwxyz"]
    failures: list[str] = []
    done = threading.Event()

    def read() -> None:
        near = NearDomains(tmp_path)
        while not done.is_set():
            near.refresh()
            if near.near("stays.miil", 4)[:1] != ("stays.mil",):
                failures.append("lost")

    with NearWriter(tmp_path) as writer:
        writer.append(["stays.mil"])
        reader = threading.Thread(target=read)
        reader.start()
        for start in range(0, len(domains), 30):
            writer.append(domains[start : start + 30])
            writer.merge()
        done.set()
        reader.join()

    assert failures == []
    assert len(NearDomains(tmp_path)) == len(domains) + 1
