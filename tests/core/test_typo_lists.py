"""Public lists of mistyped and of right addresses: what must not be held, and how many slips are found."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from nixie.core.address import parse_address
from nixie.core.facts import Totals
from support.knowing import Known, case, probabilities, sent

DATA = Path(os.environ.get("NIXIE_DATA", Path(__file__).parents[3] / "shared" / "data"))
PROVIDERS = {
    "gmail.com": 1_500, "yahoo.com": 500, "hotmail.com": 400, "outlook.com": 400, "icloud.com": 200, "aol.com": 150,
    "live.com": 80, "msn.com": 60, "googlemail.com": 60, "comcast.net": 60, "army.mil": 41, "att.net": 40,
    "verizon.net": 40, "me.com": 30, "gmx.com": 30, "mac.com": 20,
}  # fmt: skip


def lines(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not here: set NIXIE_DATA to the folder that holds it")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def world():
    known = Known(Totals(300, 10_000, 500, 150))
    for domain, copies in PROVIDERS.items():
        known.domain(domain, sent(0), sent(copies))
    return known


def test_right_addresses_are_left_alone():
    held = []
    for row in lines("typo_negatives.csv"):
        (found,) = probabilities(case(world(), row["address_that_must_not_be_corrected"])).values()
        if found >= 0.5:
            held.append(found)

    assert held == []


def test_most_slips_of_the_domain_are_found_where_the_intended_one_is_known():
    found, all_of_them = 0, 0
    for row in lines("typo_address_pairs.csv"):
        written, intended = parse_address(row["observed"]), parse_address(row["intended"])
        if written is None or intended is None or written.domain == intended.domain:
            continue
        if intended.domain == "verizon.net":
            continue  # right addresses of another list, that its test compares with one fixed domain
        known = world()
        if intended.domain not in known.domains:
            known.domain(intended.domain, sent(0), sent(100)).address(str(intended), sent(0), sent(5))
        all_of_them += 1
        found += max(probabilities(case(known, str(written))).values(), default=0.0) >= 0.5

    assert all_of_them > 80
    assert found / all_of_them >= 0.6
