"""`nixie knowledge budget`, `nixie knowledge calibrate` and `nixie holds digest`, against a guard that runs."""

from datetime import UTC, datetime

import pytest

from nixie.core.organisation import Organisation
from support.cli_world import make_home, nixie
from support.suspected import Remote, suspect


@pytest.fixture(scope="module")
def filled(guard):
    """A guard whose record has forty answered questions, most of them right, and one copy that nobody was asked about."""
    remote, now = Remote(guard.home / "var" / "recorder.sock", Organisation(("army.mil",))), datetime.now(UTC)
    for number in range(40):
        probability, answer = 0.5 + number / 82, "release" if number % 8 == 0 else "correct"
        suspect(remote, probability, answer=answer, days_ago=41 - number, author=f"a{number % 8}@army.mil", now=now)
    suspect(remote, 0.55, below="likely-slip", days_ago=0.5, author="ann@army.mil", now=now)
    suspect(remote, 0.4, kind="tld_confusion", answer="correct", days_ago=0.4, author="ann@army.mil", now=now)
    return guard


def test_the_budget_tells_what_each_setting_would_have_asked_and_caught(filled) -> None:
    told = filled.json("knowledge", "budget")
    words = filled.run("knowledge", "budget")

    assert (told["messages"], told["suspected"], told["not_asked"]) == (42, 41, 1)
    assert [one["questions_per_1000_messages"] for one in told["settings"]] == [0.1, 0.2, 0.5, 1.0, 2.0, 5.0]
    assert told["settings"][0]["questions"] == 7
    assert told["outside_the_budget"]["tld_confusion"]["caught"] == 1
    assert "too little to go by" in words
    assert "not asked: budget: 1 message" in words


def test_a_shorter_span_looks_at_less(filled) -> None:
    assert filled.json("knowledge", "budget", "--days", "3")["suspected"] < 5


def test_thresholds_can_be_set_at_once_and_the_record_names_who_did(filled) -> None:
    told = filled.json("knowledge", "budget", "--set", "--as", "Rita")

    assert told["changed"] > 0
    assert told["senders_with_their_own"] > 0
    assert filled.json("knowledge", "budget", "--set")["changed"] == 0


def test_what_went_on_unasked_is_listed(filled) -> None:
    (one,) = filled.json("holds", "digest")["not_asked"]

    assert (one["not_asked"], one["rule"], one["probability"]) == ("budget", "likely-slip", 0.55)
    assert "not asked: budget (rule likely-slip" in filled.run("holds", "digest")


def test_scales_are_proposed_and_hold_only_once_they_are_accepted(filled) -> None:
    told = filled.json("knowledge", "calibrate")
    assert told["in_force"] == {"all": 1.0, "kinds": {}}
    assert 1.0 < told["proposed"]["all"] <= 4.0
    assert (told["all"]["answered"], told["all"]["slips"]) == (41, 36)
    assert "accept it with: nixie knowledge calibrate --accept" in filled.run("knowledge", "calibrate")

    accepted = filled.json("knowledge", "calibrate", "--accept", "--as", "Rita")
    assert accepted["by"] == "Rita"
    assert filled.json("knowledge", "calibrate")["in_force"] == told["proposed"]

    assert "accepted by" in filled.run("knowledge", "calibrate", "--reset")
    assert filled.json("knowledge", "calibrate")["in_force"] == {"all": 1.0, "kinds": {}}
    assert filled.try_("knowledge", "calibrate", "--reset")[0] == 1


def test_without_a_record_it_says_where_one_begins(tmp_path) -> None:
    home = make_home(tmp_path)

    for words in (("knowledge", "budget"), ("knowledge", "calibrate")):
        ended = nixie(*words, "--home", home)
        assert (ended.code, "nothing is recorded yet" in ended.err) == (1, True)


def test_a_policy_without_a_budget_is_told_how_to_state_one(guard, tmp_path) -> None:
    policy = guard.home / "policy.toml"
    before = policy.read_text()
    start, end = before.index("[budget]"), before.index("# Another address was")
    policy.write_text(before[:start] + before[end:])
    try:
        code, said = guard.try_("knowledge", "budget", "--set")
    finally:
        policy.write_text(before)

    assert code == 2
    assert "questions_per_1000_messages = 0.5" in said
