"""Steps: nothing happens unless one was armed, and then the process dies as by a power failure."""

import signal
import subprocess
import sys

import pytest

from nixie.service.steps import Step, arm, reached

SCRIPT = """
from nixie.service.steps import Step, arm, reached
arm("spooled:2")
for step in (Step.RECEIVED, Step.SPOOLED, Step.JUDGED, Step.SPOOLED, Step.ANSWERED):
    print(step.name, flush=True)
    reached(step)
"""


def test_nothing_happens_unless_armed():
    for step in Step:
        reached(step)


def test_an_armed_step_kills_the_process_at_its_nth_time():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)

    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == ["RECEIVED", "SPOOLED", "JUDGED", "SPOOLED"]


@pytest.mark.parametrize("text", ["nowhere", "spooled:x", ":3"])
def test_an_unknown_step_names_those_there_are(text):
    with pytest.raises(ValueError, match="before-commit"):
        arm(text)
    arm("")
