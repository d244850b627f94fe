"""Broken configurations with the expected message beside each: a folder a mistake, read as an administrator would see it."""

from pathlib import Path

import pytest

from nixie.config import load
from nixie.core.policy import parse_policy
from nixie.core.problems import ProblemsError
from support.policy_world import CHECKS, PREDICATES

BAD = Path(__file__).parent / "bad"


def use(folder: Path) -> None:
    load(folder, {})
    policy = folder / "policy.toml"
    if policy.exists():
        parse_policy(policy.read_text("utf-8"), policy.name, PREDICATES, CHECKS)


@pytest.mark.parametrize("folder", sorted(BAD.iterdir()), ids=lambda folder: folder.name)
def test_a_broken_configuration_is_refused_with_its_message(folder: Path):
    with pytest.raises(ProblemsError) as caught:
        use(folder)

    assert str(caught.value) == (folder / "expected.txt").read_text("utf-8").rstrip("\n")


def test_every_expected_message_names_file_and_remedy():
    for expected in BAD.glob("*/expected.txt"):
        assert all(line.split(":")[0].endswith(".toml") for line in expected.read_text("utf-8").splitlines())
