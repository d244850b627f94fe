"""The near index of addresses: it finds what a comparison with all finds, through tail, merge, generations and damage."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.near_addresses import is_beside, signature, split
from nixie.store import near_addresses, near_merge, near_tail
from nixie.store.near_address_keys import address_columns, one_address
from nixie.store.near_addresses import NearAddresses, build_addresses
from nixie.store.near_base import NearError, base_path, open_base
from nixie.store.near_content import _fences
from nixie.store.near_keys import pack
from nixie.store.near_kinds import ADDRESSES
from nixie.store.near_tail import segment_path, segments
from nixie.store.near_write import NearWriter

KNOWN = [("anna@x.example", 5), ("hanna@x.example", 9), ("anna@y.example", 30), ("anne@x.example", 1)]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789._-"


@pytest.fixture
def folder(tmp_path):
    build_addresses(tmp_path / "near", KNOWN)
    return tmp_path / "near"


def invented(count: int, seed: int = 1) -> list[str]:
    """Addresses that nobody has: few names, and half of them at one provider."""
    dice = random.Random(seed)
    first = ["john", "mary", "anna", "jo", "maximilian"]
    last = ["".join(dice.choices(LETTERS[:26], k=dice.randint(3, 8))) for _ in range(count // 20)]
    domains = ["bigmail.example"] * 9 + [f"firm{n}.example" for n in range(9)]
    forms = ("{0}.{1}", "{0}{1}{2}", "{0}{2}", "{1}", "{0}")
    return sorted(
        {
            dice.choice(forms).format(dice.choice(first), dice.choice(last), dice.randrange(100))
            + "@"
            + dice.choice(domains)
            for _ in range(count)
        }
    )


def slip(key: str, dice: random.Random) -> str:
    """One typed slip in the local part."""
    local, _, domain = key.rpartition("@")
    at = dice.randrange(len(local))
    head, rest, char = local[:at], local[at:], dice.choice(LETTERS)
    made = (head + rest[1:], head + char + rest, head + char + rest[1:], head + rest[1::-1] + rest[2:])
    return f"{dice.choice(made)}@{domain}"


def brute(keys: list[str], written: str) -> list[str]:
    """Whom a comparison with all of them finds."""
    return sorted(key for key in keys if is_beside(key, written))


def test_the_most_written_to_come_first_and_never_the_address_itself(folder):
    near = NearAddresses(folder)

    assert near.beside("anna@x.example", 8) == ("hanna@x.example", "anne@x.example")
    assert near.beside("ana@x.example", 8) == ("anna@x.example",)
    assert near.beside("anna@x.example", 1) == ("hanna@x.example",)
    assert near.beside("anna@x.example", 0) == ()


@pytest.mark.parametrize("key", ["", "@x.example", "anna", "a" * 600 + "@x.example", "\ud800@x.example"])
def test_what_is_beside_nobody_gives_nothing(folder, key):
    assert NearAddresses(folder).beside(key, 8) == ()


def test_a_folder_without_an_index_is_empty(tmp_path):
    near = NearAddresses(tmp_path / "none")

    assert len(near) == 0
    assert near.beside("anna@x.example", 8) == ()


@pytest.mark.parametrize("crowd", [1, 4, 10_000])
def test_everybody_beside_is_found_whether_or_not_signatures_are_compared(tmp_path, monkeypatch, crowd):
    monkeypatch.setattr(near_addresses, "CROWD", crowd)
    keys = invented(3000)
    build_addresses(tmp_path, ((key, 1) for key in keys))
    near = NearAddresses(tmp_path)
    dice = random.Random(2)

    for key in keys[::9]:
        written = slip(key, dice)
        assert sorted(near.beside(written, 9999)) == brute(keys, written), written


LOCALS = st.text("abé1.", min_size=1, max_size=7) | st.sampled_from(["\ud800", "a@b", "a\nb", "x" * 70])


@settings(deadline=None, max_examples=60)
@given(st.lists(LOCALS, min_size=1, max_size=20), st.lists(LOCALS, max_size=8), LOCALS)
def test_base_and_tail_find_what_a_comparison_with_all_finds(tmp_path_factory, old, new, written):
    folder = tmp_path_factory.mktemp("same")
    old, new = ([f"{local}@x.example" for local in some] for some in (old, new))
    build_addresses(folder, ((key, 1) for key in dict.fromkeys(old)))
    with NearWriter(folder, ADDRESSES) as writer:
        writer.append(new)
        asked = f"{written}@x.example"
        expected = brute(list({*old, *new}), asked)
        assert sorted(NearAddresses(folder).beside(asked, 99)) == expected
        writer.merge()
        assert sorted(NearAddresses(folder).beside(asked, 99)) == expected


@settings(deadline=None)
@given(st.lists(LOCALS | st.just(""), max_size=9), st.sampled_from(["x.example", "ü.example", ""]))
def test_columns_of_many_addresses_are_those_of_each(locals_, domain):
    keys = [f"{local}@{domain}" for local in locals_] + ["", "none"]
    entries, signatures = address_columns(keys)
    each = [pack(one_address(key), np.array(rank, np.uint64)) for rank, key in enumerate(keys)]

    assert entries.tolist() == sorted(np.concatenate(each).tolist())
    assert signatures.tolist() == [signature(split(key)[0]) for key in keys]


@pytest.mark.parametrize("count", [0, 1, 7, 8, 100, 5000])
def test_fences_part_the_entries_by_their_high_bits(count):
    entries = np.sort(np.random.default_rng(1).integers(0, 1 << 64, count, np.uint64))
    fences = _fences(entries).tolist()
    bits = (len(fences) - 1).bit_length() - 1

    for cell, (begin, end) in enumerate(pairwise(fences)):
        assert {int(entry) >> (64 - bits) for entry in entries[begin:end]} <= {cell}
    assert (fences[0], fences[-1]) == (0, count)


def test_an_appended_address_is_found_by_the_next_lookup_and_comes_last(folder):
    near = NearAddresses(folder, fresh_for=0)
    with NearWriter(folder, ADDRESSES) as writer:
        assert writer.append(["ana@x.example", "", "nobody"]) == 1

        assert near.beside("anna@x.example", 8) == ("hanna@x.example", "anne@x.example", "ana@x.example")
        assert near.beside("anna@x.example", 2) == ("hanna@x.example", "anne@x.example")


def test_an_address_in_base_and_tail_is_given_once(folder):
    with NearWriter(folder, ADDRESSES) as writer:
        writer.append(["hanna@x.example"])

    assert NearAddresses(folder).beside("anna@x.example", 8) == ("hanna@x.example", "anne@x.example")


def test_readers_switch_to_the_next_generation_and_find_the_same(folder):
    near = NearAddresses(folder, fresh_for=0)
    with NearWriter(folder, ADDRESSES) as writer:
        writer.append(["ana@x.example", "ananas@x.example"])
        before = near.beside("anna@x.example", 8)
        generation = near.generation
        assert writer.merge() == len(KNOWN) + 2

    assert near.beside("anna@x.example", 8) == before
    assert near.generation > generation
    assert len(segments(folder)) == 1


def test_what_is_appended_during_a_merge_stays(folder):
    near = NearAddresses(folder, fresh_for=0)
    with NearWriter(folder, ADDRESSES) as writer:
        writer.append(["ana@x.example"])
        upto = writer.begin_merge()
        writer.append(["nana@x.example"])
        near_merge.merge(folder, upto, ADDRESSES)
        writer.append(["banna@x.example"])
        writer.end_merge()

    assert set(near.beside("anna@x.example", 9)) == {
        "hanna@x.example", "anne@x.example", "ana@x.example", "nana@x.example", "banna@x.example",
    }  # fmt: skip


def test_many_merges_keep_everybody_with_their_signatures(tmp_path, monkeypatch):
    monkeypatch.setattr(near_addresses, "CROWD", 1)
    keys = invented(1200, 3)
    with NearWriter(tmp_path, ADDRESSES) as writer:
        for start in range(0, len(keys), 250):
            writer.append(keys[start : start + 250])
            writer.merge()
    near = NearAddresses(tmp_path)
    base = open_base(tmp_path, near.generation, ADDRESSES)

    assert sorted(base.name(rank) for rank in range(len(base))) == keys
    assert [base.rank_of(base.name(rank)) for rank in range(0, len(base), 50)] == list(range(0, len(base), 50))
    for key in keys[::40]:
        assert sorted(near.beside(key, 9999)) == brute(keys, key)


def test_a_forgotten_address_is_hidden_at_once_and_gone_from_the_files_after_the_merge(folder):
    near = NearAddresses(folder, fresh_for=0)
    with NearWriter(folder, ADDRESSES) as writer:
        writer.append(["ana@x.example"])
        writer.forget("hanna@x.example")
        writer.forget("ana@x.example")
        assert near.beside("anna@x.example", 8) == ("anne@x.example",)
        writer.merge()

    assert near.beside("anna@x.example", 8) == ("anne@x.example",)
    assert not any(b"hanna" in path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize("cut", range(1, 62, 6))
def test_a_torn_record_is_passed_over_and_its_position_with_it(folder, cut):
    with NearWriter(folder, ADDRESSES) as writer:
        writer.append(["ana@x.example"], position=7)
        writer.append(["nana@x.example"], position=8)
    path = segment_path(folder, segments(folder)[-1])
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - cut)

    assert "ana@x.example" in NearAddresses(folder).beside("anna@x.example", 9)
    with NearWriter(folder, ADDRESSES) as writer:
        assert writer.position == 7
        writer.append(["nana@x.example"], position=8)
    assert "nana@x.example" in NearAddresses(folder).beside("anna@x.example", 9)


def test_the_position_outlives_merges_and_restarts(folder):
    with NearWriter(folder, ADDRESSES) as writer:
        assert writer.position == 0
        writer.append(["ana@x.example"], position=300)
        writer.merge()
        writer.append([], position=301)
    with NearWriter(folder, ADDRESSES) as writer:
        assert writer.position == 301
        writer.rebuild([("anna@x.example", 1)], position=12)
    with NearWriter(folder, ADDRESSES) as writer:
        assert writer.position == 12


def test_an_address_longer_than_255_bytes_survives_the_tail(folder):
    long = "ü" * 200 + "@x.example"
    with NearWriter(folder, ADDRESSES) as writer:
        writer.append([long])

    assert NearAddresses(folder).beside("ü" * 199 + "@x.example", 9) == (long,)


def test_a_tail_that_is_folded_again_and_again_finds_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(near_tail, "FOLD", 8)
    keys = invented(400, 5)
    near = NearAddresses(tmp_path, fresh_for=0)
    with NearWriter(tmp_path, ADDRESSES) as writer:
        for start in range(0, len(keys), 7):
            writer.append(keys[start : start + 7])
            near.refresh()

    for key in keys[::20]:
        assert sorted(near.beside(key, 999)) == brute(keys, key)


def test_an_index_of_domains_is_no_index_of_addresses(folder):
    with pytest.raises(NearError, match="build the index again"):
        NearWriter(folder)


@pytest.mark.parametrize("at", [0, 8, 30, 44, 50])
def test_a_damaged_header_names_the_file_and_the_remedy(folder, at):
    (path,) = folder.glob("base-*.near")
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)

    with pytest.raises(NearError, match=r"base-0.*build the index again"):
        NearAddresses(folder)


def test_a_reader_keeps_its_map_when_the_file_is_gone(folder):
    near = NearAddresses(folder)
    base_path(folder, near.generation).unlink()

    assert near.beside("ana@x.example", 8) == ("anna@x.example",)


def test_keys_and_signatures_take_less_than_64_bytes_an_address(tmp_path):
    keys = invented(20_000, 9)
    build_addresses(tmp_path, ((key, 1) for key in keys))
    size = sum(path.stat().st_size for path in tmp_path.glob("base-*"))

    assert (size - sum(map(len, keys))) / len(keys) <= 64
