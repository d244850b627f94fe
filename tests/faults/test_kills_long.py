"""Random kills without end: `NIXIE_KILLS` of them (default 500), under load at both doors, with every sum checked in between.

`NIXIE_SEED` repeats a round. The last result stands in docs/faults.md.
"""

import os
import random
import time

import pytest

from nixie.service.courier import AT_ONCE
from support.breaking import Breakable, Traffic, check_sums, decide_all, kill
from support.world_sink import World

pytestmark = [pytest.mark.long, pytest.mark.timeout(14400)]

KILLS = int(os.environ.get("NIXIE_KILLS", "500"))
SEED = int(os.environ.get("NIXIE_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
A_ROUND = 25
CLIENTS = 4
VICTIMS = ("worker", "worker", "worker", "recorder", "recorder", "courier", "courier", "everything", "supervisor")


def strike(guard, dice):
    """End something at a random moment; return what it was."""
    victim = dice.choice(VICTIMS)
    time.sleep(dice.random() * 0.4)
    if victim == "everything":
        guard.kill_all()
        guard.start()
    elif victim == "supervisor":
        guard.kill_supervisor()
        guard.start()
    else:
        living = guard.children().get(victim)
        if not living:
            return ""
        kill(dice.choice(living))
    return victim


def test_any_process_may_die_at_any_moment(tmp_path, capsys):
    dice = random.Random(SEED)
    begun, sent, kills = time.monotonic(), [], dict.fromkeys(VICTIMS, 0)
    with World() as world:
        guard = Breakable(tmp_path, world=world, workers=2)
        try:
            guard.start()
            while sum(kills.values()) < KILLS:
                with Traffic(guard, prefix=f"r{len(sent)}.", clients=CLIENTS) as traffic:
                    target = min(KILLS, sum(kills.values()) + A_ROUND)
                    while sum(kills.values()) < target:
                        if victim := strike(guard, dice):
                            kills[victim] += 1
                        if dice.random() < 0.3:
                            decide_all(guard, dice.sample(("release", "return", "cancel"), 3))
                    sent += traffic.finish()
                decide_all(guard)
                guard.wait_settled()
                sums = told(guard, world, sent, kills)
        except BaseException:
            with capsys.disabled():
                print(f"\nseed {SEED}, kills {kills}\n{guard.log[-2000:]}")  # noqa: T201 - for whoever waits for the round
            raise
        finally:
            guard.stop()
    with capsys.disabled():
        print(f"\nseed {SEED}, {time.monotonic() - begun:.0f} s, kills {kills}\n{dict(sums)}")  # noqa: T201 - for whoever waits for the round


def told(guard, world, sent, kills):
    """Check every sum; each kill may make as much happen twice as was on its way at that moment, and no more."""
    whole = kills["everything"] + kills["supervisor"]
    return check_sums(
        guard,
        world,
        sent,
        twice=CLIENTS * (kills["worker"] + kills["recorder"] + whole),
        notices_twice=AT_ONCE * (kills["courier"] + kills["recorder"] + whole),
        released_twice=AT_ONCE * (kills["courier"] + kills["recorder"] + whole),
    )
