"""The ministry's own case: what was meant for `.mil` and written to `.ml` is held, and right mail to Mali goes.

One shape (`support.ministry`), many seeds, walked forward under the shipped enforce policy from what an outgoing log shows:
moments, senders, recipients. Everything that was written is learned, the slips too, as if nothing had ever been stopped.
"""

import json
from functools import cache

import pytest

from support.cli_world import nixie
from support.ministry import OWN, RIGHT, SLIPS, Ministry, Outcome, judge

QUICK = {False: range(1, 3), True: range(3, 4)}
MANY = range(1, 101)
MOST_ASKED = 2


@cache
def outcome(seed: int, replies: bool) -> Outcome:
    return judge(Ministry(seed), replies=replies)


def shares(seeds: range, replies: bool) -> tuple[float, float]:
    """Return in which share of the seeds every slip was held, and in which at most two right mails were asked about."""
    found = [outcome(seed, replies) for seed in seeds]
    for one in found:
        print(f"seed {one.seed}: {one.held} of {SLIPS} slips held, {len(one.asked)} of {RIGHT} right ones asked about")  # noqa: T201 - for whoever waits for the round
    held = sum(not one.missed for one in found) / len(found)
    asked = sum(len(one.asked) <= MOST_ASKED for one in found) / len(found)
    print(f"all slips held in {held:.0%} of seeds, at most {MOST_ASKED} right ones asked about in {asked:.0%}")  # noqa: T201 - for whoever waits for the round
    return held, asked


WAYS = pytest.mark.parametrize("replies", [False, True], ids=["outgoing logs alone", "replies seen"])


@WAYS
def test_every_mail_that_was_meant_for_mil_is_held(replies):
    assert shares(QUICK[replies], replies)[0] == 1.0


@WAYS
def test_at_most_two_right_mails_to_mali_are_asked_about(replies):
    assert shares(QUICK[replies], replies)[1] == 1.0


@pytest.mark.long
@WAYS
def test_in_a_hundred_ministries_all_slips_are_held_in_95(replies):
    assert shares(MANY, replies)[0] >= 0.95


@pytest.mark.long
@WAYS
def test_in_a_hundred_ministries_at_most_two_right_mails_are_asked_about_in_90(replies):
    assert shares(MANY, replies)[1] >= 0.90


def test_the_case_has_its_shape():
    ministry = Ministry(7)
    slips = [mail for mail in ministry.mails if mail.kind == "slip"]
    right = [mail for mail in ministry.mails if mail.kind == "right"]
    wrong, true = {mail.to[-1] for mail in slips}, {mail.to[-1] for mail in right}
    forces = {f"{name.removesuffix('.mil')}.ml" for name in ministry.forces}

    assert (len(slips), len(right), len(wrong)) == (SLIPS, RIGHT, 11)
    assert {one.partition("@")[2] for one in wrong} <= forces
    assert sum(mail.to[-1].partition("@")[2] in forces for mail in right) == 2
    assert not wrong & true
    assert 15 <= len(true) <= 25
    assert list(Ministry(7).lines()) == list(ministry.lines())
    assert {key for line in ministry.lines() for key in line} == {"id", "sender", "to", "date"}


def test_the_command_gives_the_same_answers(tmp_path):
    ministry = Ministry(QUICK[False][0])
    file = tmp_path / "mails.jsonl"
    lines = ({**line, "judge": ".ordinary@" not in str(line["id"])} for line in ministry.lines())
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))

    ended = nixie("check", "--stream", file, "--walk-forward", "--own-domain", OWN, "--only-judged")

    told = [json.loads(line) for line in ended.out.splitlines()]
    stopped = {one["id"] for one in told[:-1] if any(r["disposition"] != "deliver" for r in one["recipients"])}
    here = outcome(QUICK[False][0], False)
    assert ended.code == 1
    assert len(told) == SLIPS + RIGHT + 1
    assert len(stopped) == here.held + len(here.asked)
