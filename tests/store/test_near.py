from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.similarity import SmallIndex, _deletion_keys, domain_keys
from nixie.store import near_merge
from nixie.store.near import NearDomains, NearError, NearWriter, build
from nixie.store.near_base import base_path, open_base
from nixie.store.near_keys import MAX_RANK, deletion_keys, entries_of, one, pack
from nixie.store.near_tail import segments

KNOWN = [("army.mil", 40), ("navy.mil", 30), ("mail.army.mil", 5), ("example.org", 90), ("cba.com.au", 3)]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"


@pytest.fixture
def folder(tmp_path):
    build(tmp_path / "near", KNOWN)
    return tmp_path / "near"


def invented(count: int, seed: int = 1) -> list[str]:
    """Domains that nobody has, with popular labels and suffixes."""
    dice = random.Random(seed)
    words = ["mail", "www"] + ["".join(dice.choices(LETTERS[:26], k=dice.randint(4, 12))) for _ in range(count // 3)]
    suffixes = ("com", "org", "gov.uk", "mil", "com.au", "de")
    return sorted(
        {f"{dice.choice(words)}{dice.choice('.-')}{dice.choice(words)}.{dice.choice(suffixes)}" for _ in range(count)}
    )


def slip(domain: str, dice: random.Random) -> str:
    """One of the five typed slips, anywhere."""
    at = dice.randrange(len(domain))
    head, tail = domain[:at], domain[at:]
    return dice.choice(
        (
            head + tail[1:],
            head + dice.choice(LETTERS) + tail,
            head + tail[0] + tail,
            head + dice.choice(LETTERS) + tail[1:],
            head + tail[1::-1] + tail[2:],
        )
    )


def test_the_most_written_to_come_first_and_never_the_domain_itself(folder):
    near = NearDomains(folder)

    assert near.near("army.ml", 8) == ("army.mil", "mail.army.mil")
    assert near.near("army.mil", 8) == ("mail.army.mil",)
    assert near.near("cba.com", 8) == ("cba.com.au",)
    assert near.near("army.ml", 1) == ("army.mil",)
    assert near.near("army.ml", 0) == ()


@pytest.mark.parametrize("domain", ["", "[192.0.2.1]", "x" * 300, "\ud800.org", "zzzzzzz.example"])
def test_what_is_near_nothing_gives_nothing(folder, domain):
    assert NearDomains(folder).near(domain, 8) == ()


def test_a_folder_without_an_index_is_empty(tmp_path):
    near = NearDomains(tmp_path / "none")

    assert len(near) == 0
    assert near.near("army.ml", 8) == ()
    assert not near.refresh()


def test_every_neighbour_at_one_slip_is_found(tmp_path):
    domains = invented(3000)
    build(tmp_path, ((domain, 1) for domain in domains))
    near = NearDomains(tmp_path)
    dice = random.Random(2)

    for domain in domains[::3]:
        written = slip(domain, dice)
        assert written == domain or domain in near.near(written, 32), written


def test_every_skeleton_twin_is_found(tmp_path):
    domains = [d for d in invented(3000) if "a" in d]
    build(tmp_path, ((domain, 1) for domain in domains))
    near = NearDomains(tmp_path)

    for domain in domains[::3]:
        cyrillic = ".".join(label.replace("a", "а").encode("idna").decode() for label in domain.split("."))
        assert domain in near.near(cyrillic, 32)
        assert domain in (domain, *near.near(domain.replace("m", "rn").replace("w", "vv"), 32))


@settings(deadline=None, max_examples=60)
@given(st.text("abé.-x", min_size=1, max_size=12))
def test_mapped_and_small_index_propose_the_same(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("same")
    others = ["ab.com", "b-a.x", "a.b.ab", "xn--b-vga.x", "é.x"]
    build(folder, ((domain, 9 - i) for i, domain in enumerate(others)))

    assert NearDomains(folder).near(text, 9) == SmallIndex(others).near(text, 9)


@settings(deadline=None)
@given(st.lists(st.binary(min_size=5, max_size=5), min_size=1, max_size=5))
def test_keys_of_many_texts_are_the_keys_of_each(texts):
    keys = deletion_keys(np.frombuffer(b"".join(texts), np.uint8).reshape(-1, 5))

    for row, text in zip(keys.tolist(), texts, strict=True):
        assert set(row) == set(_deletion_keys(text))


@pytest.mark.parametrize("length", [1, 2, 63, 253])
def test_entries_of_the_shortest_and_the_longest_domain_agree_with_its_keys(length):
    domain = ("ab" * 200)[:length]

    assert len(entries_of([domain])) == len(domain_keys(domain))


@settings(deadline=None)
@given(st.lists(st.text("ab.-é\n[", max_size=8) | st.just("xn--b-vga.x"), max_size=6))
def test_entries_of_many_domains_are_those_of_each(domains):
    entries = entries_of(domains)
    single = {
        int(entry) for rank, domain in enumerate(domains) for entry in pack(one(domain), np.array(rank, np.uint64))
    }

    assert entries.tolist() == sorted(single)


def test_those_one_slip_away_survive_a_cut_among_narrow_buckets(tmp_path):
    others = [f"{a}bc{b}.com" for a in "uvwxyz" for b in "uvwxyz"]
    build(tmp_path, [*((domain, 9) for domain in others), ("qbc.com", 1)])

    assert "qbc.com" in NearDomains(tmp_path).near("bc.com", 2)


def test_a_crowded_bucket_is_cut_by_weight_and_keeps_the_near_twin(tmp_path):
    crowd = [
        (f"mail.{word}.com", 1000 - i)
        for i, word in enumerate(LETTERS[i] + LETTERS[j] + "qq" for i in range(20) for j in range(20))
    ]
    build(tmp_path, [*crowd, ("maill.com", 1)])
    found = NearDomains(tmp_path).near("mail.com", 8)

    assert found == (*(domain for domain, _ in crowd[:7]), "maill.com")


def test_a_domain_that_comes_twice_weighs_the_sum(tmp_path):
    build(tmp_path, [("army.mil", 3), ("mail.army.mil", 4), ("army.mil", 3)])

    assert NearDomains(tmp_path).near("army.ml", 8) == ("army.mil", "mail.army.mil")


def test_an_appended_domain_is_found_after_the_next_refresh(folder):
    near = NearDomains(folder, fresh_for=60)
    with NearWriter(folder) as writer:
        assert writer.append(["army.mi", "", "[192.0.2.1]"]) == 1

    assert "army.mi" not in near.near("army.ml", 8)
    assert near.refresh()
    assert near.near("army.ml", 8) == ("army.mil", "mail.army.mil", "army.mi")
    assert not near.refresh()


def test_a_lookup_takes_up_new_domains_by_itself(folder):
    near = NearDomains(folder, fresh_for=0)
    with NearWriter(folder) as writer:
        writer.append(["army.mi"])

    assert "army.mi" in near.near("army.ml", 8)


def test_readers_switch_to_the_next_base_and_find_the_same(folder):
    near = NearDomains(folder)
    with NearWriter(folder) as writer:
        writer.append(["army.mi", "army.mil"])
        near.refresh()
        before = near.near("army.ml", 8)
        assert writer.merge() == len(KNOWN) + 1
        writer.append(["arny.mil"])

    assert near.refresh()
    assert near.near("army.ml", 8) == before
    assert near.near("arny.ml", 8)[-1] == "arny.mil"
    assert sorted(path.name for path in folder.iterdir()) == [
        "CURRENT",
        f"base-{near.generation:08d}.near",
        "lock",
        f"tail-{near.generation + 1:08d}.log",
    ]


def test_each_appearance_in_the_tail_adds_to_the_weight_at_the_merge(folder):
    with NearWriter(folder) as writer:
        writer.append(["mail.army.mil"] * 50)
        writer.merge()

    assert NearDomains(folder).near("army.ml", 8) == ("mail.army.mil", "army.mil")


def test_a_forgotten_domain_is_hidden_at_once_and_gone_from_the_files_after_the_merge(folder):
    near = NearDomains(folder)
    with NearWriter(folder) as writer:
        writer.append(["army.mi"])
        writer.forget("army.mil")
        writer.forget("army.mi")
        assert writer.should_merge()
        near.refresh()
        assert near.near("army.ml", 8) == ("mail.army.mil",)
        writer.merge()
        assert not writer.should_merge()
    near.refresh()

    assert near.near("army.ml", 8) == ("mail.army.mil",)
    assert not any(
        b"army.mi\0" in (data := path.read_bytes()) or b"navy.milarmy.mil" in data for path in folder.iterdir()
    )
    assert len(near) == len(KNOWN) - 1


def test_a_domain_added_again_after_it_was_forgotten_counts_from_then_on(folder):
    with NearWriter(folder) as writer:
        writer.forget("army.mil")
        writer.append(["army.mil"])
        assert NearDomains(folder).near("army.ml", 8) == ("army.mil", "mail.army.mil")
        writer.merge()

    assert NearDomains(folder).near("army.ml", 8) == ("mail.army.mil", "army.mil")


def test_what_is_appended_during_a_merge_stays(folder):
    near = NearDomains(folder)
    with NearWriter(folder) as writer:
        writer.append(["army.mi"])
        upto = writer.begin_merge()
        writer.append(["arny.mil"])
        near.refresh()
        assert near.near("arny.ml", 8)[-1] == "arny.mil"
        near_merge.merge(folder, upto)
        writer.append(["armyy.mil"])
        writer.end_merge()

    near.refresh()
    assert set(near.near("arny.mil", 8)) >= {"army.mil"}
    assert {"army.mi", "arny.mil", "armyy.mil"} <= {
        d for q in ("army.ml", "arny.ml", "armyyy.mil") for d in near.near(q, 9)
    }


def test_the_end_of_a_merge_that_failed_clears_nothing(folder):
    with NearWriter(folder) as writer:
        writer.forget("army.mil")
        writer.begin_merge()
        writer.end_merge()
        assert writer.should_merge()
        assert writer.merge() == len(KNOWN) - 1


def test_a_merge_that_never_finished_is_made_good_by_the_next(folder):
    with NearWriter(folder) as writer:
        writer.append(["army.mi"])
        writer.begin_merge()
        writer.append(["arny.mil"])
    (folder / "base-00000009.near.new").write_bytes(b"half")
    with NearWriter(folder) as writer:
        assert writer.merge() == len(KNOWN) + 2

    assert len(segments(folder)) == 1
    assert not list(folder.glob("*.new"))


def test_rebuild_replaces_everything(folder):
    with NearWriter(folder) as writer:
        writer.append(["army.mi"])
        assert writer.rebuild([("fleet.mil", 1)]) == 1
    near = NearDomains(folder)

    assert near.near("army.ml", 8) == ()
    assert near.near("fleet.ml", 8) == ("fleet.mil",)


@pytest.mark.parametrize(("damage", "size"), [(b"", 0), (b"NIXNEAR1", 8), (b"x" * 64, 64)])
def test_a_damaged_base_names_the_file_and_the_remedy(folder, damage, size):
    (path,) = folder.glob("base-*.near")
    path.write_bytes(damage[:size])

    with pytest.raises(NearError, match=r"base-0.*build the index again"):
        NearDomains(folder)


def test_a_pointer_to_nothing_names_the_folder(folder):
    (folder / "CURRENT").write_text("77\n")

    with pytest.raises(NearError, match="build the index again"):
        NearDomains(folder)


def test_a_reader_keeps_its_map_when_the_file_is_gone(folder):
    near = NearDomains(folder)
    base_path(folder, near.generation).unlink()

    assert near.near("army.ml", 8) == ("army.mil", "mail.army.mil")


def test_the_base_holds_each_domain_once_in_order_of_weight(folder):
    base = open_base(folder, NearDomains(folder).generation)
    names = [base.name(rank) for rank in range(len(base))]

    assert names == [domain for domain, _ in sorted(KNOWN, key=lambda item: -item[1])]
    assert Counter((base.entries & np.uint64(MAX_RANK)).tolist()).keys() == set(range(len(KNOWN)))
    assert [base.rank_of(name) for name in names] == list(range(len(KNOWN)))
    assert base.rank_of("army.ml") == -1


def test_an_answer_that_was_given_before_follows_what_comes_and_goes(folder):
    near = NearDomains(folder, fresh_for=0.0)
    with NearWriter(folder) as writer:
        assert near.near("army.ml", 8) == ("army.mil", "mail.army.mil")
        writer.append(["zebra.example", "armi.ml"])
        assert near.near("army.ml", 8) == ("army.mil", "mail.army.mil", "armi.ml")
        writer.forget("army.mil")
        assert near.near("army.ml", 8) == ("mail.army.mil", "armi.ml")
        writer.append(["army.mil"])
        assert set(near.near("army.ml", 8)) == {"army.mil", "mail.army.mil", "armi.ml"}


def test_a_remembered_answer_is_the_one_that_a_fresh_look_gives(folder):
    names = invented(400)
    near = NearDomains(folder, fresh_for=0.0)
    with NearWriter(folder) as writer:
        for start in range(0, len(names), 25):
            writer.append(names[start : start + 25])
            for name in names[::17]:
                assert near.near(name, 16) == NearDomains(folder).near(name, 16)
