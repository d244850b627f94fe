"""Steps: nothing happens unless one was armed, and then the process dies as by a power failure."""

import os
import signal
import subprocess
import sys

import pytest

from nixie.service.steps import CRASH_AT, Step, arm, environment_of, reached

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


@pytest.mark.parametrize(
    ("role", "start", "step"),
    [
        ("worker-1", 0, "spooled:2"),
        ("worker-1", 1, "recorded=pause"),
        ("worker-1", 2, None),
        ("worker-2", 0, "recorded=pause"),
        ("courier", 0, "notice-sent"),
        ("recorder", 0, None),
    ],
)
def test_a_child_is_armed_for_its_role_and_for_this_start_alone(role, start, step):
    told = {CRASH_AT: "worker-1/spooled:2,worker/recorded=pause,courier/notice-sent", "PATH": "/bin"}

    assert environment_of(role, start, told) == {"PATH": "/bin"} | ({CRASH_AT: step} if step else {})


def test_a_process_that_is_to_pause_stands_still_until_it_is_told_to_go_on():
    script = SCRIPT.replace("spooled:2", "received=pause")
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        process.send_signal(signal.SIGCONT)
        said, _ = process.communicate()

    assert (process.returncode, len(said.split())) == (0, 5)
