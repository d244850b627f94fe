"""Directories through `learn`: in small steps, told by line where something is not used, and up to the damage where there is one."""

import gzip
import random
from datetime import UTC

import pytest

from nixie.core.organisation import Organisation
from nixie.service import learning_people
from nixie.service.learning import learn
from nixie.store.db import open_writer
from nixie.store.knowledge_people import people

OURS = Organisation(own_domains=("navy.example",))


def entries(count: int) -> str:
    rng = random.Random(7)
    return "\n".join(
        f"dn: cn=P{n}\ncn: {rng.choice('ABC')}{rng.randbytes(8).hex()} P{n}\nmail: p{n}@navy.example\n"
        for n in range(count)
    )


@pytest.fixture
def db(tmp_path):
    found = open_writer(tmp_path / "k.db")
    yield found
    found.close()


def test_a_directory_is_learned_in_steps_and_an_unchanged_one_is_passed_over(db, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(learning_people, "STEP", 7)
    (tmp_path / "people.ldif").write_text(entries(50))

    told = learn([tmp_path / "people.ldif"], OURS, db, zone=UTC)
    again = learn([tmp_path / "people.ldif"], OURS, db, zone=UTC)

    assert (told.people, told.read, told.new_domains) == (50, 50, 1)
    assert (again.people, again.unchanged) == (0, 1)
    assert len(list(people(db))) == 50


def test_a_directory_that_changed_is_read_anew_and_the_last_word_wins(db, tmp_path) -> None:
    file = tmp_path / "people.ldif"
    for name in ("Ann Lee", "Ann Marsh"):
        file.write_text(f"dn: cn=x\ncn: {name}\nmail: ann@navy.example\n")
        learn([file], OURS, db, zone=UTC)

    assert list(people(db)) == [("ann@navy.example", "Ann Marsh", "")]


def test_what_comes_before_the_damage_is_learned_and_the_rest_when_it_is_there(db, tmp_path) -> None:
    file, packed = tmp_path / "people.ldif.gz", gzip.compress(entries(6_000).encode())
    file.write_bytes(packed[: len(packed) * 3 // 4])

    cut = learn([file], OURS, db, zone=UTC)
    file.write_bytes(packed)
    whole = learn([file], OURS, db, zone=UTC)

    assert 0 < cut.people < 6_000
    assert cut.skipped == [f"{file}: damaged or cut; what came before the damage was learned"]
    assert (whole.people, whole.skipped) == (6_000, [])


def test_lines_that_are_not_used_are_counted_and_the_first_ones_named(db, tmp_path) -> None:
    file = tmp_path / "people.ldif"
    file.write_text(entries(2) + "\n" + "nonsense\n" * 30)

    told = learn([file], OURS, db, zone=UTC)

    assert told.unknown == {"line that is no attribute with a value": 30}
    assert told.skipped == [f"{file}:{n}: line that is no attribute with a value" for n in range(9, 19)]
