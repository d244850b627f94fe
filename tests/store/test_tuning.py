"""What was set holds from its moment on, is read again soon after, and never rewrites the past."""

from datetime import UTC, datetime, timedelta

import pytest

from nixie.core.address import Address
from nixie.core.budget import Thresholds
from nixie.core.scales import UNCHANGED, Scales
from nixie.store import tuning
from nixie.store.addresses import intern_keys
from nixie.store.db import open_reader, open_writer
from nixie.store.tuning import StoredTuning, set_thresholds, thresholds_at

AT = 1_790_000_000_000
MOMENT = datetime.fromtimestamp(AT / 1000, UTC)
HOUR = 3_600_000
ANN, BOB = Address("ann", "ours.example"), Address("bob", "ours.example")


@pytest.fixture
def db(tmp_path):
    db = open_writer(tmp_path / "nixie.db")
    db.execute("PRAGMA synchronous = OFF")
    return db


@pytest.fixture
def ann(db):
    return intern_keys(db, [ANN.key])[0][ANN.key][0]


def test_only_what_changes_is_written(db, ann):
    assert set_thresholds(db, Thresholds(0.5, {ann: 0.7}), AT) == 2
    assert set_thresholds(db, Thresholds(0.5, {ann: 0.7}), AT + HOUR) == 0
    assert set_thresholds(db, Thresholds(0.4), AT + 2 * HOUR) == 2

    assert thresholds_at(db, AT + 3 * HOUR) == Thresholds(0.4)
    assert thresholds_at(db, AT + HOUR) == Thresholds(0.5, {ann: 0.7})
    assert thresholds_at(db, AT - 1) == Thresholds()
    assert tuning.threshold_since(db) == AT + 2 * HOUR


def test_an_authors_own_threshold_counts_where_it_is_higher(db, ann):
    set_thresholds(db, Thresholds(0.5, {ann: 0.7}), AT)
    found = StoredTuning(db, lambda: 0.0)

    asked = [found.asked_from(who, MOMENT) for who in (ANN, BOB, None)]
    assert asked == [0.7, 0.5, 0.5]
    assert found.asked_from(ANN, MOMENT - timedelta(seconds=1)) == 0.0


def test_what_is_set_meanwhile_is_seen_at_the_next_look(db, tmp_path):
    clock = [0.0]
    found = StoredTuning(open_reader(tmp_path / "nixie.db"), lambda: clock[0])
    assert found.asked_from(BOB, MOMENT) == 0.0
    set_thresholds(db, Thresholds(0.3), AT)
    tuning.accept_scales(db, Scales(2.0), AT)
    assert found.scales(MOMENT) == UNCHANGED
    clock[0] = 1.0

    assert (found.asked_from(BOB, MOMENT), found.scales(MOMENT)) == (0.3, Scales(2.0))


def test_scales_hold_from_their_acceptance_on(db):
    tuning.accept_scales(db, Scales(2.0, (("swap", 0.5),)), AT)
    tuning.accept_scales(db, UNCHANGED, AT + HOUR)
    found = StoredTuning(db, lambda: 0.0)

    moments = (MOMENT - timedelta(hours=1), MOMENT, MOMENT + timedelta(hours=2))
    assert [found.scales(at).of("swap") for at in moments] == [1.0, 1.0, 1.0]
    assert found.scales(MOMENT).of("dot") == 2.0


def test_replaced_thresholds_are_forgotten_and_those_in_force_are_not(db):
    for hours, value in enumerate((0.5, 0.6, 0.7)):
        set_thresholds(db, Thresholds(value), AT + hours * HOUR)
    tuning.forget_thresholds(db, AT + 10 * HOUR)

    assert db.execute("SELECT value FROM threshold").fetchall() == [(0.7,)]
    assert thresholds_at(db, AT + 10 * HOUR).everybody == 0.7
