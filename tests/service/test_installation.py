"""How the parts of an installation are opened from its folder."""

from __future__ import annotations

from nixie.core.organisation import Organisation, Partner
from nixie.service.installation import parse_shipped, with_learned_partners
from nixie.service.places import Places


def test_learned_partners_stand_beside_the_written_ones_which_win() -> None:
    written = Organisation(("tides.example",), partners=(Partner("Fleet", ("fleet.example",)),))
    learned = [
        ("fleet.example", "Another name"),
        ("lab.example", "Lab"),
        ("lab2.example", "Lab"),
        ("tides.example", "We"),
    ]

    both = with_learned_partners(written, learned)

    assert both.partners == (Partner("Fleet", ("fleet.example",)), Partner("Lab", ("lab.example", "lab2.example")))
    assert with_learned_partners(written, []) is written


def test_both_shipped_policies_can_judge_and_differ() -> None:
    observe, enforce = parse_shipped("observe"), parse_shipped("enforce")

    assert observe.digest != enforce.digest
    assert {r.mode for r in observe.rules} == {"observe"}


def test_everything_that_changes_lies_below_var(tmp_path) -> None:
    places = Places(tmp_path)

    for path in (places.database, places.spool, places.near, places.recorder, places.lock):
        assert path.parent == tmp_path
