"""The ledger: what verifies, what does not, what a row costs."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from nixie.store.addresses import intern_keys
from nixie.store.db import open_writer, writing
from nixie.store.heads import current_head
from nixie.store.keys import create_keys
from nixie.store.ledger import (
    Kind,
    Ledger,
    NotErasableError,
    lookup_key,
    payload_of,
    read_tail,
    rows_after,
    story,
    verify,
)

AT = 1_790_000_000_000


@pytest.fixture
def db(tmp_path):
    db = open_writer(tmp_path / "nixie.db")
    yield db
    db.close()


def fill(db, count, kind=Kind.DECISION):
    ledger = Ledger(db)
    with writing(db):
        numbers, _ = intern_keys(db, ["ann@ours.example", "ops@army.mil"])
        for n in range(count):
            payload = payload_of([number for number, _ in numbers.values()], b'{"n":%d}' % n)
            ledger.append(AT + n, kind, payload, lookup_key(f"m{n}@ours.example"))
    return ledger


def test_an_empty_ledger_verifies(db):
    assert verify(db).ok
    assert verify(db).rows == 0


def test_a_whole_ledger_verifies_but_cannot_prove_its_end(db):
    fill(db, 20)

    found = verify(db)

    assert (found.ok, found.rows, found.tail_proven) == (True, 20, False)
    assert "cannot be proven" in found.reason


@pytest.mark.parametrize(
    "edit",
    [
        'UPDATE ledger SET payload = \'{"a":[],"d":0}\' WHERE seq = 7',
        "UPDATE ledger SET payload = CAST(payload || ' ' AS BLOB) WHERE seq = 7",
        "UPDATE ledger SET at = at + 1 WHERE seq = 7",
        "UPDATE ledger SET kind = 2 WHERE seq = 7",
        "UPDATE ledger SET kind = 300 WHERE seq = 7",
        "UPDATE ledger SET hold = 1 WHERE seq = 7",
        "UPDATE ledger SET hold = -1 WHERE seq = 7",
        "UPDATE ledger SET lookup = NULL WHERE seq = 7",
        "UPDATE ledger SET lookup = x'00' WHERE seq = 7",
        "UPDATE ledger SET chain = zeroblob(32) WHERE seq = 7",
        "UPDATE ledger SET payload = NULL WHERE seq = 7",
        "DELETE FROM ledger WHERE seq = 7",
    ],
)
def test_an_edited_or_removed_row_is_found(db, edit):
    fill(db, 20)
    db.execute(edit.replace('\'{"a":[],"d":0}\'', "x'7b7d'"))

    assert (verify(db).ok, verify(db).first_bad) == (False, 7)


def test_rows_that_changed_places_are_found(db):
    fill(db, 20)
    for step in ("seq = 99 WHERE seq = 7", "seq = 7 WHERE seq = 8", "seq = 8 WHERE seq = 99"):
        db.execute(f"UPDATE ledger SET {step}")

    assert verify(db).first_bad == 7


def test_a_removed_first_row_is_found(db):
    fill(db, 3)
    db.execute("DELETE FROM ledger WHERE seq = 1")

    assert verify(db).first_bad == 1


def test_a_cut_tail_is_found_by_a_head_kept_elsewhere_only(db, tmp_path):
    keys = create_keys(tmp_path / "keys")
    fill(db, 20)
    head = current_head(db, keys.heads, AT)
    assert verify(db, head).tail_proven

    db.execute("DELETE FROM ledger WHERE seq > 15")

    assert verify(db).ok
    assert (verify(db, head).ok, verify(db, head).first_bad) == (False, 16)


def test_a_ledger_written_anew_contradicts_the_head(db, tmp_path):
    keys = create_keys(tmp_path / "keys")
    fill(db, 20)
    head = current_head(db, keys.heads, AT)
    db.execute("DELETE FROM ledger")
    fill(db, 20, Kind.SERVICE)

    assert verify(db).ok
    assert verify(db, head).first_bad == 20


def test_rows_after_the_head_do_not_disturb_it(db, tmp_path):
    keys = create_keys(tmp_path / "keys")
    fill(db, 5)
    head = current_head(db, keys.heads, AT)
    fill(db, 5)

    assert verify(db, head).tail_proven
    assert verify(db, head).rows == 10


def test_an_erased_payload_leaves_a_tombstone_that_verifies(db):
    ledger = fill(db, 20)
    with writing(db):
        ledger.erase([3, 5], AT, (), {"actor": {"role": "reviewer", "by": "cli"}})

    assert verify(db).ok
    assert verify(db).rows == 21
    assert rows_after(db, 2, 1)[0].body is None
    assert rows_after(db, 20, 1)[0].body["erased"] == [3, 5]


def test_an_erasure_without_a_tombstone_is_found(db):
    fill(db, 20)
    payload = db.execute("SELECT payload FROM ledger WHERE seq = 9").fetchone()[0]
    db.execute("UPDATE ledger SET payload = NULL, digest = ? WHERE seq = 9", (sha256(payload).digest(),))

    assert (verify(db).ok, verify(db).first_bad) == (False, 9)
    assert "tombstone" in verify(db).reason


def test_a_tombstone_cannot_be_erased(db):
    ledger = fill(db, 2)
    with writing(db):
        tombstone = ledger.erase([1], AT, (), {})

    for seq in (tombstone, 1, 99):
        with pytest.raises(NotErasableError, match=str(seq)):
            ledger.erase([seq], AT, (), {})


def test_a_message_is_found_by_its_id_with_addresses_as_texts(db):
    fill(db, 20)

    (row,) = story(db, message_id="<m4@ours.example>")

    assert row.addresses == ("ann@ours.example", "ops@army.mil")
    assert (row.kind, row.body) == (Kind.DECISION, {"n": 4})
    assert story(db, message_id="unheard-of@ours.example") == ()


def test_an_erased_person_shows_as_a_domain_and_the_chain_still_verifies(db):
    fill(db, 2)
    db.execute("UPDATE address SET key = NULL WHERE key = 'ops@army.mil'")

    assert story(db, message_id="m1@ours.example")[0].addresses[1] == "?@army.mil"
    assert verify(db).ok


def test_a_second_opening_continues_the_chain(tmp_path):
    first = open_writer(tmp_path / "nixie.db")
    fill(first, 3)
    first.close()
    second = open_writer(tmp_path / "nixie.db")
    fill(second, 3)

    assert verify(second).ok
    assert read_tail(second).seq == 6
    second.close()


def test_a_body_stays_byte_for_byte(db):
    body = '{"é":1.0,  "b":[ ]}'.encode()

    assert payload_of((1, 22), body) == b'{"a":[1,22],"d":' + body + b"}"
    assert json.loads(payload_of((), b"")) == {"a": [], "d": None}


def test_a_quiet_decision_costs_at_most_600_bytes_on_disk(tmp_path):
    path = Path(tmp_path / "nixie.db")
    db = open_writer(path)
    ledger = Ledger(db)
    body = json.dumps(
        {
            "door": "milter", "queue": "4TzK2x0qYBz9rVQ", "direction": "outgoing", "author": 0, "basis": "login",
            "kind": "person", "to": [1, 2, 3], "of": 3, "size": 5120, "policy": "3f9a0b1c2d4e5f60",
            "skipped": [["destination", None, "off"]], "ms": 2.31,
        },
        separators=(",", ":"),
    ).encode()  # fmt: skip

    def decide(n):
        keys = [
            f"author{n % 300}@ours.example",
            *(f"person{(n * 7 + k) % 4000}@partner{n % 50}.example" for k in (0, 1, 2)),
        ]
        numbers, _ = intern_keys(db, keys)
        ledger.append(AT + n, Kind.DECISION, payload_of([a for a, _ in numbers.values()], body), lookup_key(f"{n}@x"))

    def size():
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.stat().st_size

    with writing(db):
        for n in range(2000):
            decide(n)
    before = size()
    with writing(db):
        for n in range(2000, 12_000):
            decide(n)
    each = (size() - before) / 10_000
    db.close()

    assert each <= 600, each
