"""What every round of breaking begins with: a world that takes mail, and a guard in front of it."""

from __future__ import annotations

import pytest

from support.breaking import Breakable
from support.world_sink import World


@pytest.fixture
def world():
    with World() as world:
        yield world


@pytest.fixture
def guard(tmp_path, world):
    guard = Breakable(tmp_path, world=world)
    yield guard
    guard.stop()
