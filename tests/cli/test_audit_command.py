"""`nixie audit`: whatever was done to the record afterwards is found, and what is recorded can be told."""

import json
import shutil
import sqlite3

import pytest

from support.cli_world import make_home, nixie

ROWS = "seq, at, kind, lookup, hold, payload, chain, digest"


@pytest.fixture
def tampered(guard, hold_one, tmp_path):
    """Return a function that edits a copy of the installation with SQL and says what `audit verify` thinks of it."""
    hold_one()

    def change(*statements: str, head=None):
        home = tmp_path / "copy"
        shutil.copytree(guard.home, home, ignore=shutil.ignore_patterns("*.sock", "outbox", "near", "*.lock"))
        db = sqlite3.connect(home / "var" / "nixie.db")
        for statement in statements:
            db.execute(statement)
        db.commit()
        db.close()
        return nixie("audit", "verify", "--home", home, "--json", *(["--head", head] if head else []))

    return change


def test_a_whole_record_verifies_and_says_that_its_end_is_not_proven(guard, hold_one) -> None:
    hold_one()

    told = guard.json("audit", "verify")

    assert told["ok"] is True
    assert told["rows"] >= 3
    assert told["tail_proven"] is False
    assert "the end cannot be proven" in guard.run("audit", "verify")


@pytest.mark.parametrize(
    ("case", "statements", "row"),
    [
        (
            "edited",
            ["UPDATE ledger SET payload = CAST(replace(CAST(payload AS TEXT), 'a', 'b') AS BLOB) WHERE seq = 2"],
            2,
        ),
        ("edited time", ["UPDATE ledger SET at = at + 1 WHERE seq = 2"], 2),
        ("removed", ["DELETE FROM ledger WHERE seq = 2"], 2),
        (
            "put in another order",
            [
                "UPDATE ledger SET seq = 1000 WHERE seq = 2",
                "UPDATE ledger SET seq = 2 WHERE seq = 3",
                "UPDATE ledger SET seq = 3 WHERE seq = 1000",
            ],
            2,
        ),
    ],
)
def test_a_row_that_was_tampered_with_is_named(tampered, case, statements, row) -> None:
    ended = tampered(*statements)

    assert (ended.code, ended.json["ok"], ended.json["first_bad"]) == (1, False, row), case


def test_a_tail_that_was_cut_off_is_found_with_a_head_from_outside_and_only_then(guard, tampered, tmp_path) -> None:
    head = tmp_path / "heads.jsonl"
    head.write_text(guard.run("audit", "head"))
    rows = json.loads(head.read_text())["seq"]
    cut = f"DELETE FROM ledger WHERE seq > {rows - 1}"

    found = tampered(cut, head=head)
    shutil.rmtree(tmp_path / "copy")
    unseen = tampered(cut)

    assert (found.code, found.json["first_bad"]) == (1, rows)
    assert "cut off" in found.json["reason"]
    assert (unseen.code, unseen.json["tail_proven"]) == (0, False)


def test_a_head_proves_the_end_of_a_whole_record(guard, tmp_path) -> None:
    head = tmp_path / "heads.jsonl"
    head.write_text(guard.run("audit", "head"))

    assert guard.json("audit", "verify", "--head", str(head))["tail_proven"] is True


@pytest.mark.parametrize(
    ("text", "said"), [("{}\n", "heads.jsonl"), ("", "heads.jsonl"), ("FORGED", "changed after it was signed")]
)
def test_a_head_that_is_none_is_bad_input(guard, tmp_path, text, said) -> None:
    head = tmp_path / "heads.jsonl"
    if text == "FORGED":
        told = json.loads(guard.run("audit", "head"))
        text = json.dumps({**told, "seq": told["seq"] + 1}) + "\n"
    head.write_text(text)

    code, words = guard.try_("audit", "verify", "--head", str(head))

    assert code == 2
    assert said in words


@pytest.mark.parametrize("form", ["{}", "<{}>"])
def test_the_story_of_a_message_is_told_by_its_message_id(guard, hold_one, form) -> None:
    held = hold_one()

    words = guard.run("audit", "show", form.format(held.message_id))
    kinds = [row["kind"] for row in guard.json("audit", "show", form.format(held.message_id))["story"]]

    assert "judged: outgoing mail of ann@army.mil to 2 recipients, by SMTP" in words
    assert f"{held.id}  held: the copy to {held.recipient}" in words
    assert kinds[:3] == ["decision", "held", "waiting"]


def test_the_story_of_one_hold_is_told_by_its_id(guard, hold_one) -> None:
    held = hold_one()

    rows = guard.json("audit", "show", held.id)["story"]

    assert {row.get("hold", held.id) for row in rows} == {held.id}
    assert "held" in [row["kind"] for row in rows]


def test_what_was_never_seen_is_said_to_be_unknown(guard) -> None:
    code, words = guard.try_("audit", "show", "never@seen.example")

    assert code == 1
    assert "nothing is recorded of it" in words


def test_a_new_home_has_no_record_yet(tmp_path) -> None:
    ended = nixie("audit", "verify", "--home", make_home(tmp_path))

    assert ended.code == 1
    assert "nixie serve" in ended.err
