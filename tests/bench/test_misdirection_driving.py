"""Asking the product about an invented stream, and reading its answers."""

import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

import natural
from corpora import Mail, invented
from driving import AnswerError, samples_of
from planning import plan
from streams import Stream

ANN, BEN, EVA, DAN = "ann.lee@firm.example", "ben.low@works.example", "eva.lark@firm.example", "dan.lee@other.example"
NIXIE = (str(Path(sys.executable).parent / "nixie"),)


@pytest.fixture
def stream(tmp_path):
    """A short stream with typed slips and added recipients in it."""
    (tmp_path / "spelling_1edit_counts.tsv").write_text("typed|intended\tcount\nn|nn\t5\nlo|ol\t3\n")
    (tmp_path / "typo_address_pairs.csv").write_text("observed,intended,edit,source\n")
    (tmp_path / "spelling_birkbeck.tsv").write_text("intended\ttyped\n")
    dice, mails = random.Random(7), []
    for number in range(240):
        sender, *others = dice.sample([ANN, BEN, EVA, DAN], 4)
        at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=number)
        mails.append(
            Mail(f"m{number}@x", at, sender, "", tuple((a, "") for a in others[: 1 + number % 2]), "Matter", "Hello")
        )
    corpus = invented("made-up", mails)
    return Stream(corpus, plan(corpus, tmp_path, seed=1, trials=1, cap=40, kinds=("A", "C")))


def test_every_judged_line_has_an_answer_about_every_recipient(stream, tmp_path):
    samples, usage, summary = samples_of(stream, tmp_path, NIXIE)
    judged = [line for line in stream.lines() if line.judged]

    assert [s.line_id for s in samples] == [line.line_id for line in judged]
    assert [tuple(r.address for r in s.recipients) for s in samples] == [line.recipients for line in judged]
    assert {s.injected.kind for s in samples if s.injected} == {"A", "C"}
    assert all(0.0 <= r.score <= 1.0 for s in samples for r in s.recipients)
    assert summary["lines"] == sum(1 for _ in stream.lines())
    assert usage["nixie cpu"] > 0


def test_a_first_contact_is_one_whom_the_walk_has_not_shown_before(stream, tmp_path):
    samples, _, _ = samples_of(stream, tmp_path, NIXIE)
    typed = [s for s in samples if s.injected and s.injected.kind == "C"]

    assert typed
    assert all(s.first_contact_org for s in typed)
    assert not any(r.first_sender for s in samples[-5:] for r in s.recipients if s.clean)


def test_an_answer_that_ends_early_is_said_with_what_was_printed(stream, tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho out of order >&2\nexit 70\n")
    broken.chmod(0o755)

    with pytest.raises(AnswerError, match="exit 70; out of order"):
        samples_of(stream, tmp_path, (str(broken),))


def test_labels_of_natural_slips_are_hashes_only():
    text = natural.LABELS.read_text(encoding="utf-8")

    assert "@" not in text
    assert {label for label, _ in natural.labels().values()} == {"slip", "right", "unclear", "slip-somewhere"}


def test_a_labelled_message_is_found_by_its_key(monkeypatch):
    key = natural.key_of("m1@x", BEN)
    monkeypatch.setattr(natural, "labels", lambda: {key: ("slip", "")})

    assert natural.marked("m1@x", [ANN, BEN])
    assert not natural.marked("m1@x", [ANN])
