"""Source routes inside an address of ours: where the copy goes in the end."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.address import Address, parse_path
from nixie.core.organisation import Organisation
from nixie.core.routed import routed

OURS = Organisation(("army.mil", "*.army.mil"), internal_domains=("contractor.example",))


@pytest.mark.parametrize(
    ("written", "goes_to"),
    [
        ("ops%army.ml@army.mil", "ops@army.ml"),
        ("ops%ARMY.ml.@hq.army.mil", "ops@army.ml"),
        ("ops%army.ml@contractor.example", "ops@army.ml"),
        ("army.ml!ops@army.mil", "ops@army.ml"),
        ("hq.army.mil!army.ml!ops@army.mil", "ops@army.ml"),
        ("ops%army.ml%hq.army.mil@army.mil", "ops@army.ml"),
        ("ops%army.ml%localhost@army.mil", "ops@army.ml"),
        ("ops%army.ml%@army.mil", "ops@army.ml"),
        ("ops%army.ml", "ops@army.ml"),
        ('"ops@army.ml"@army.mil', "ops@army.ml"),
        ("ops%[192.0.2.1]@army.mil", "ops@[192.0.2.1]"),
    ],
)
def test_an_address_of_ours_that_names_another_house_goes_there(written: str, goes_to: str) -> None:
    assert str(routed(parse_path(written.encode()), OURS)) == goes_to


@pytest.mark.parametrize(
    "written",
    [
        "ops@army.mil", "bob%hq.army.mil@army.mil", "100%@army.mil", "wow!@army.mil", "hello!bob@army.mil",
        "50%off@army.mil", "%%%@army.mil", "!!!@army.mil", "bob%army.ml@elsewhere.example", "<>",
    ],
)  # fmt: skip
def test_other_addresses_stay_as_they_are(written: str) -> None:
    address = parse_path(written.encode())

    assert routed(address, OURS) is address


@given(st.text("ab.%!@ml", max_size=40))
def test_whatever_stands_in_a_local_part_has_an_end_that_is_its_own(local: str) -> None:
    end = routed(Address(local, "army.mil"), OURS)

    assert routed(end, OURS) == end


@pytest.mark.parametrize("mark", "%!@")
def test_a_route_over_a_thousand_houses_costs_no_time(mark: str) -> None:
    long = Address(mark.join(["a"] * 2000), "army.mil")
    start = time.perf_counter()
    routed(long, OURS)

    assert time.perf_counter() - start < 0.2
