"""`nixie holds`: a reviewer at the command line, against a guard that runs."""

import getpass
import mailbox
from email import message_from_bytes
from email.policy import default

import pytest

from support.cli_world import make_home, nixie, wait_state


def left(guard, **head):
    """Return the mails in the outbox whose header says all of this."""
    mails = [message_from_bytes(m.as_bytes(), policy=default) for m in mailbox.Maildir(guard.home / "var" / "outbox")]
    wanted = {name.replace("_", "-"): value for name, value in head.items()}
    return [m for m in mails if all(str(m[name]) == value for name, value in wanted.items())]


def test_the_list_names_author_recipient_and_reasons(guard, hold_one) -> None:
    held = hold_one()

    words = guard.run("holds", "list")
    told = next(h for h in guard.json("holds", "list")["holds"] if h["id"] == held.id)

    assert f"{held.id}  " in words
    assert f"ann@army.mil -> {held.recipient}" in words
    assert (told["state"], told["author"], told["recipient"]) == ("waiting", "ann@army.mil", held.recipient)
    assert told["suggestions"][0]["address"] == held.meant
    assert told["choices"] == ["correct", "send", "cancel"]


def test_the_list_can_be_narrowed(guard, hold_one) -> None:
    held = hold_one()

    def ids(*words: str) -> list[str]:
        return [h["id"] for h in guard.json("holds", "list", *words)["holds"]]

    assert ids("--text", held.id) == [held.id]
    assert held.id in ids("--author", "ann@army.mil", "--state", "waiting")
    assert ids("--author", "eve@army.mil") == []
    assert len(ids("--limit", "1", "--state", "all")) == 1
    assert guard.run("holds", "list", "--author", "eve@army.mil") == "nothing is held\n"


def test_a_state_that_does_not_exist_is_named_with_those_that_do(guard) -> None:
    code, said = guard.try_("holds", "list", "--state", "lost")

    assert code == 2
    assert "waiting" in said


def test_show_tells_why_what_may_be_done_and_the_story(guard, hold_one) -> None:
    held = hold_one()

    words = guard.run("holds", "show", held.id)

    assert f"{held.id} is waiting since " in words
    assert f"meant?     {held.meant} (over 99%)" in words
    assert "why        army.ml is like army.mil, but its ending is another one." in words
    assert "its author may correct the address, send it as it is or cancel it" in words
    assert f"{held.id}  held: the copy to {held.recipient}" in words
    assert guard.json("holds", "show", held.id)["story"][0]["kind"] == "decision"


def test_release_needs_a_reason_and_sends_the_copy_as_it_was(guard, hold_one) -> None:
    held = hold_one()
    assert guard.try_("holds", "release", held.id)[0] == 2

    told = guard.json("holds", "release", held.id, "--reason", "they moved to Mali", "--as", "rita")
    wait_state(guard, held.id, "released")

    assert told == {"id": held.id, "state": "releasing", "by": "rita"}
    (sent,) = left(guard, Message_ID=f"<{held.message_id}>", Delivered_To=held.recipient)
    assert sent["Resent-To"] is None
    assert f"released by a reviewer rita (cli as {getpass.getuser()})" in guard.run("audit", "show", held.id)
    assert "reason: they moved to Mali" in guard.run("audit", "show", held.id)


@pytest.mark.parametrize("name", ["ann@army.mil", "Ann@ARMY.mil", "ann"])
def test_what_needs_a_reviewer_is_not_released_by_its_author(guard, hold_one, name) -> None:
    held = hold_one("post.kp")

    code, said = guard.try_("holds", "release", held.id, "--reason", "I know best", "--as", name)

    assert code == 1
    assert "nobody approves their own request" in said
    assert guard.state_of(held.id) == "waiting"


def test_correct_sends_the_copy_to_the_right_address(guard, hold_one) -> None:
    held = hold_one()

    words = guard.run("holds", "correct", held.id, "--to", held.meant, "--reason", "typing mistake")
    wait_state(guard, held.id, "corrected")

    assert words == f"{held.id}: It is checked once more and then goes to {held.meant}.\n"
    (sent,) = left(guard, Message_ID=f"<{held.message_id}>", Delivered_To=held.meant)
    assert (sent["Resent-To"], sent["To"]) == (held.meant, f"{held.recipient}, bob@army.mil")


def test_a_correction_to_another_slip_is_held_again(guard, hold_one) -> None:
    held = hold_one()

    other = held.meant.replace("army", "arny")
    guard.run("holds", "correct", held.id, "--to", other)
    wait_state(guard, held.id, "corrected")

    assert left(guard, Message_ID=f"<{held.message_id}>", Delivered_To=other) == []
    assert guard.holds_to(other, "waiting")


def test_cancel_drops_the_copy_and_keeps_the_record(guard, hold_one) -> None:
    held = hold_one()

    guard.run("holds", "cancel", held.id, "--reason", "sent twice")

    assert guard.state_of(held.id) == "cancelled"
    assert left(guard, Message_ID=f"<{held.message_id}>", Delivered_To=held.recipient) == []
    assert "cancelled by a reviewer" in guard.run("audit", "show", held.message_id)


def test_return_gives_the_message_back_to_its_author(guard, hold_one) -> None:
    held = hold_one()

    guard.run("holds", "return", held.id, "--reason", "ask the registry")
    wait_state(guard, held.id, "returned")

    back = [m for m in left(guard, To="ann@army.mil") if "ask the registry" in m.as_string()]
    assert len(back) == 1
    assert held.message_id in back[0].as_string()


def test_what_is_decided_stays_decided(guard, hold_one) -> None:
    held = hold_one()
    guard.run("holds", "cancel", held.id)

    code, said = guard.try_("holds", "release", held.id, "--reason", "after all")

    assert code == 1
    assert held.id in said
    assert "cancelled" in said


@pytest.mark.parametrize(
    "words", [("show",), ("cancel",), ("release", "--reason", "x"), ("correct", "--to", "a@b.example")]
)
def test_a_hold_that_does_not_exist_is_named(guard, words) -> None:
    code, said = guard.try_("holds", *words, "HNOSUCHHOLD")

    assert code == 1
    assert "HNOSUCHHOLD" in said


def test_an_address_that_is_none_is_refused_before_anything_happens(guard, hold_one) -> None:
    held = hold_one()

    code, said = guard.try_("holds", "correct", held.id, "--to", "ops at army.mil")

    assert code == 2
    assert "not an address" in said
    assert guard.state_of(held.id) == "waiting"


def test_the_balance_fits_after_all_that(guard, hold_one) -> None:
    hold_one()

    told = guard.json("holds", "balance")
    words = guard.run("holds", "balance")

    parts = ("released", "corrected", "cancelled", "returned", "waiting", "in_progress")
    assert told["ok"] is True
    assert told["held"] == sum(told[p] for p in parts) > 0
    assert words.endswith("the sums fit, and the ledger agrees\n")


def test_without_a_running_guard_a_decision_ends_with_69(tmp_path, guard, hold_one) -> None:
    home = make_home(tmp_path)

    ended = nixie("holds", "cancel", "HQ3K7M2ZT5A4WXYCD", "--home", home)

    assert ended.code == 69
    assert "nixie serve" in ended.err


def test_before_the_first_mail_there_is_no_record(tmp_path) -> None:
    ended = nixie("holds", "list", "--home", make_home(tmp_path))

    assert ended.code == 1
    assert "it begins with `nixie serve`" in ended.err
