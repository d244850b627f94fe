"""Kill -9 at every numbered step of a copy's life, under load at both doors; afterwards every sum fits.

A step is reached by one process: it dies there itself, or it stands still there while another process is killed.
"""

import signal
import time

import pytest

from nixie.service.courier import AT_ONCE
from nixie.service.steps import Step
from nixie.store.hold_states import State
from support.breaking import PATIENCE, Traffic, check_sums, decide_all, eventually, kill

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

WORKER = (Step.RECEIVED, Step.JUDGED, Step.SPOOLED, Step.RECORDED, Step.BEFORE_CONFIRM, Step.CONFIRMED, Step.ANSWERED)
RECORDER = (Step.BEFORE_COMMIT, Step.AFTER_COMMIT)
COURIER = (Step.NOTICE_SENT, Step.RELEASE_BEGUN, Step.RELEASE_TAKEN, Step.OUTCOME_RECORDED)


def name(step):
    return step.name.lower().replace("_", "-")


def role_of(step):
    return "worker-1" if step in WORKER else "recorder" if step in RECORDER else "courier"


def crash(role, steps, suffix=""):
    if role == "recorder":
        # Its first group is the supervisor's question whether it answers.
        suffix = f":4{suffix.partition(':')[2][1:]}" if ":" in suffix else f":4{suffix}"
    return ",".join(f"{role}/{name(step)}{suffix}" for step in steps)


def test_every_process_dies_at_each_of_its_steps_under_load(guard, world):
    """Two workers share the steps of a door, the recorder and the courier die at theirs, all within one load."""
    deaths = {"worker-1": WORKER[:4], "worker-2": WORKER[4:], "recorder": RECORDER, "courier": COURIER}
    guard.workers = 2
    guard.environment = {"NIXIE_CRASH_AT": ",".join(crash(role, steps, ":2") for role, steps in deaths.items())}
    guard.start()
    with Traffic(guard, pause=0.02) as traffic:
        while any(died(guard, role) < len(steps) for role, steps in deaths.items()):
            decide_all(guard)
            eventually(lambda have=traffic.answered: traffic.answered > have + 4, "more answers")
        sent = traffic.finish()
        decide_all(guard)
        guard.wait_settled()

    assert {role: died(guard, role) for role in deaths} == {role: len(steps) for role, steps in deaths.items()}
    sums = check_sums(guard, world, sent, twice=20, notices_twice=AT_ONCE, released_twice=4 * AT_ONCE)
    assert sums["held"] == sums["released"] + sums["cancelled"] + sums["returned"] + sums["waiting"]


def died(guard, role):
    return sum(f'"role": "{role}"' in line and '"code": -9' in line for line in guard.log.splitlines())


@pytest.mark.parametrize("step", [*WORKER, *COURIER], ids=name)
def test_the_recorder_dies_while_another_process_stands_at_a_step(guard, world, step):
    guard.environment = {"NIXIE_CRASH_AT": crash(role_of(step), (step,), ":2=pause")}
    guard.start()
    with Traffic(guard, 24) as traffic:
        deciding = step in COURIER and step is not Step.NOTICE_SENT
        if deciding:
            eventually(lambda: len(guard.stands(State.WAITING)) >= 2, "two held copies")
            decide_all(guard, ("release", "return"))
        there = guard.wait_stopped(name(step))
        recorder = guard.one("recorder")
        kill(recorder)
        eventually(lambda: guard.children().get("recorder", [recorder]) != [recorder], "a new recorder")
        kill(there, signal.SIGCONT)
        sent = traffic.finish()
        decide_all(guard)
        guard.wait_settled()

    check_sums(guard, world, sent, twice=4, notices_twice=AT_ONCE, released_twice=AT_ONCE)


def test_everything_dies_at_every_step_and_serves_again_at_once(guard, world):
    """One installation goes through thirteen power failures under one load; doors and locks are free at once each time."""
    guard.make()
    with Traffic(guard, pause=0.1) as traffic:
        for step in Step:
            guard.restart(crash(role_of(step), (step,), "=pause"))
            end = time.monotonic() + PATIENCE
            while not guard.stopped():
                assert time.monotonic() < end, f"nobody stands at {name(step)}"
                if step in COURIER:
                    decide_all(guard, ("release",))
                time.sleep(0.02)
            guard.kill_all()
        guard.restart()
        sent = traffic.finish()
        decide_all(guard)
        guard.wait_settled()

    sums = check_sums(guard, world, sent, twice=4 * len(Step), notices_twice=AT_ONCE * 4, released_twice=4 * AT_ONCE)
    assert sums["in"] > len(Step)
