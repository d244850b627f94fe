"""What becomes of releases, corrections, returns and questions when hops fail and people are silent; the clock is the test's."""

import re

import pytest

from nixie.service import courier
from nixie.service.recorder_client import RecorderUnavailableError
from nixie.store.hold_states import State
from support.carrying import ANN, OWN, SLIP, Carrying

HOUR = 3600.0


@pytest.fixture
def it(tmp_path):
    with Carrying(tmp_path / "house") as it:
        yield it


def test_a_release_that_is_put_off_is_tried_again_and_delivered_once(it):
    hold = it.hold()
    it.act(hold, "release", reason="right")
    it.answers("451 4.3.0 later")
    it.round()
    assert it.state(hold) is State.RELEASING
    assert not it.round()

    it.now += 30_000
    it.round()
    it.pass_time(hours=3, step=600)

    assert it.state(hold) is State.RELEASED
    assert it.world.copies(f"<{hold.message_id}>") == [SLIP]


def test_a_release_that_is_refused_comes_back_to_its_author_with_the_codes(it):
    hold = it.hold()
    it.act(hold, "release", reason="right")
    it.answers("550 5.1.1 who is colonel.secret@there?")
    it.round()
    it.now += 1000
    it.round()

    assert it.state(hold) is State.RETURNED
    (letter,) = [a for a in it.letters(ANN) if ".returned." in a.field("Message-ID")]
    assert b"550 5.1.1" in letter.content
    assert b"colonel.secret" not in letter.content


def test_a_hop_that_is_down_for_an_hour_delays_everything_and_loses_nothing(it):
    holds = [it.hold(f"m{n}@{OWN}") for n in range(3)]
    it.hop_down()
    it.act(holds[0], "release", reason="right")
    it.act(holds[1], "return")
    it.pass_time(hours=1)
    assert [it.state(h) for h in holds] == [State.RELEASING, State.RETURNING, State.WAITING]
    assert not it.world.arrived()

    it.hop_up()
    it.pass_time(hours=1.1)

    assert [it.state(h) for h in holds] == [State.RELEASED, State.RETURNED, State.WAITING]
    assert it.world.copies(f"<m0@{OWN}>") == [SLIP]
    assert sorted(it.steps(ANN)) == ["notice", "returned"]


def test_a_hop_that_is_down_is_asked_ever_less_often(it):
    hold = it.hold()
    it.act(hold, "release", reason="right")
    it.hop_down()
    it.pass_time(hours=4, step=10)

    tries = it.house.reader.execute("SELECT tries FROM hold").fetchone()[0]
    assert tries == 8  # at once, after 30 s, 2 m, 10 m, 30 m, then every hour


def test_a_release_that_nobody_takes_in_time_goes_back_to_its_author(it):
    hold = it.hold()
    it.act(hold, "release", reason="right")
    it.hop_down()
    it.pass_time(days=2.1, step=HOUR)
    assert it.state(hold) is State.RETURNING

    it.hop_up()
    it.pass_time(hours=2, step=600)
    assert it.state(hold) is State.RETURNED
    assert it.world.copies(f"<{hold.message_id}>") == []
    assert "returned" in it.steps(ANN)


def test_a_return_that_is_not_taken_is_tried_until_it_is(it):
    hold = it.hold()
    it.act(hold, "return")
    it.answers("451 4.3.0 later", "451 4.3.0 later", "452 4.2.2 full", "")
    it.pass_time(hours=2)

    assert it.state(hold) is State.RETURNED
    assert it.steps(ANN).count("returned") == 1


def test_a_return_that_its_author_cannot_get_goes_to_the_postmaster(it):
    hold = it.hold()
    it.round()
    it.now += 5000
    it.round()
    it.act(hold, "return")
    it.answers("550 5.1.1 no such user")
    it.pass_time(hours=2)

    assert it.state(hold) is State.RETURNED
    assert it.steps(f"postmaster@{OWN}").count("returned") == 1


def test_silence_is_reminded_escalated_and_returned_never_sent_never_dropped(it):
    hold = it.hold()
    seen = []
    for _ in range(2 * 24 * 4):
        it.pass_time(minutes=30, step=1800)
        done = it.steps()
        if len(done) > len(seen):
            seen += [(step, round((it.now - hold.held_at) / 3_600_000)) for step in done[len(seen) :]]

    assert seen == [("notice", 0), ("remind", 4), ("escalate", 24), ("returned", 72)]
    assert it.steps(ANN) == ["notice", "remind", "returned"]
    assert it.steps(f"rita@{OWN}") == ["escalate"]
    assert it.state(hold) is State.RETURNED
    assert it.world.copies(f"<{hold.message_id}>") == []


def test_a_restart_in_the_silence_repeats_no_letter(it):
    it.hold()
    for _ in range(80):
        it.pass_time(hours=1, step=1800)
        it.courier = it.new_courier()

    assert it.steps() == ["notice", "remind", "escalate", "returned"]


@pytest.mark.parametrize("sender", ["ann@elsewhere.example", ""])
def test_an_author_who_is_outside_or_nobody_is_never_written_to(it, sender):
    """The engine would let such mail pass; a message that breaks us every time is held whoever sent it."""
    hold = broken_hold(it, sender)
    it.pass_time(days=4, step=HOUR)

    assert it.state(hold) is State.RETURNED
    assert all(r.endswith(f"@{OWN}") for a in it.world.arrived() for r in a.recipients)
    assert it.steps(f"postmaster@{OWN}").count("returned") == 1


def test_without_a_postmaster_of_ours_a_return_waits_and_is_not_dropped(tmp_path):
    with Carrying(tmp_path / "house", postmaster="", reviewers=()) as it:
        hold = broken_hold(it, "")
        it.act(hold, "return")
        it.pass_time(days=4, step=HOUR)

        assert it.state(hold) is State.RETURNING
        assert not it.world.arrived()


def broken_hold(it, sender):
    from support.installed import mail

    class Broken:
        def decide(self, *_):
            raise RuntimeError

    raw = mail("odd@elsewhere.example", sender or "x@elsewhere.example", [SLIP])
    through = it.house.pipeline_with(Broken())
    answers = [it.house.submit(raw, sender, [SLIP], through=through) for _ in range(4)]
    assert [a.later for a in answers] == [True, True, True, False]
    (hold,) = it.waiting()
    return hold


def test_a_corrected_copy_that_is_itself_a_slip_is_held_and_asked_about_again(it):
    hold = it.hold()
    again = "ops@minsitry.example"
    it.act(hold, "correct", corrected=again)
    it.pass_time(minutes=2, step=1)

    assert it.state(hold) is State.CORRECTED
    (second,) = [h for h in it.house.holds() if h.recipient == again]
    assert (second.state, second.author) == (State.WAITING, ANN)
    assert it.world.copies(f"<{hold.message_id}>") == []
    assert it.steps(ANN).count("notice") >= 1
    assert any(again.encode() in a.content for a in it.letters(ANN))
    it.act(second, "correct", corrected=f"ops@{OWN}")
    it.pass_time(minutes=2, step=1)
    assert it.world.copies(f"<{hold.message_id}>") == [f"ops@{OWN}"]


def test_a_copy_corrected_to_the_address_it_is_held_for_is_held_once_more(it):
    hold = it.hold()
    it.act(hold, "correct", corrected=SLIP)
    it.pass_time(minutes=2, step=1)

    (second,) = it.waiting()
    assert (it.state(hold), second.recipient, second.state) == (State.CORRECTED, SLIP, State.WAITING)
    assert it.world.copies(f"<{hold.message_id}>") == []


def test_a_copy_corrected_to_an_address_whose_copy_was_cancelled_is_not_lost(it):
    other = "ops@minsitry.example"
    hold = it.hold(to=(SLIP, other))
    cancelled = next(h for h in it.house.holds() if h.recipient == other)
    it.act(cancelled, "cancel")
    it.act(hold, "correct", corrected=other)
    it.pass_time(minutes=2, step=1)

    (second,) = it.waiting()
    assert (it.state(hold), second.recipient, second.state) == (State.CORRECTED, other, State.WAITING)


def test_a_corrected_copy_is_held_again_once_when_the_courier_died_before_the_outcome(it):
    hold = it.hold()
    it.act(hold, "correct", corrected="ops@minsitry.example")
    recorded = it.courier.recorder.ask

    async def dies(head, body=b""):
        if head["do"] == "outcome":
            raise RecorderUnavailableError
        return await recorded(head, body)

    it.courier.recorder.ask = dies
    it.round()
    assert it.state(hold) is State.CORRECTING
    it.courier = it.new_courier()
    it.round()

    assert it.state(hold) is State.CORRECTED
    assert len(it.waiting()) == 1


def test_a_corrected_copy_whose_hop_is_down_is_judged_again_and_recorded_once(it):
    hold = it.hold()
    it.act(hold, "correct", corrected=f"ops@{OWN}")
    it.hop_down()
    it.pass_time(hours=1)
    it.hop_up()
    it.pass_time(hours=1)

    assert it.state(hold) is State.CORRECTED
    assert it.world.copies(f"<{hold.message_id}>") == [f"ops@{OWN}"]
    decisions = it.house.reader.execute("SELECT COUNT(*) FROM ledger WHERE kind = 1").fetchone()[0]
    assert decisions == 2


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_bad_spool_file_sends_nothing_and_is_tried_until_it_is_restored(it, damage):
    hold = it.hold()
    file = next(it.house.places.spool.glob("*.nx"))
    good = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(good[:-1] if damage == "cut" else good[:-1] + bytes([good[-1] ^ 1]))
    it.act(hold, "release", reason="right")
    it.pass_time(hours=5, step=600)
    assert it.state(hold) is State.RELEASING
    assert it.world.copies(f"<{hold.message_id}>") == []

    file.write_bytes(good)
    it.pass_time(hours=1.1, step=600)
    assert it.state(hold) is State.RELEASED
    assert it.world.copies(f"<{hold.message_id}>") == [SLIP]


def test_a_notice_whose_hop_is_down_goes_out_once_it_is_up(it):
    it.hold()
    it.hop_down()
    it.pass_time(minutes=30)
    it.hop_up()
    it.pass_time(minutes=45)

    assert it.steps() == ["notice"]


def test_a_refused_notice_is_not_repeated_and_silence_goes_on(it):
    it.hold()
    it.answers("550 5.1.1 no such user")
    it.pass_time(hours=25, step=300)

    assert it.steps(ANN) == ["remind"]
    assert it.steps(f"rita@{OWN}") == ["escalate"]


def test_nothing_that_the_courier_sent_names_the_recipient_in_the_ledger_or_a_reply(it):
    hold = it.hold()
    it.act(hold, "release", reason="right")
    it.answers(f"550 5.1.1 <{SLIP}> unknown")
    it.round()

    told = b" ".join(p for (p,) in it.house.reader.execute("SELECT payload FROM ledger WHERE payload IS NOT NULL"))
    assert not re.search(rb"ops@", told)


def cannot_record(it, *kinds):
    """Let the recorder write none of these kinds of request; return what makes it write again."""
    kept = it.courier.recorder.ask

    async def full(head, body=b""):
        if head["do"] in kinds:
            raise RecorderUnavailableError
        return await kept(head, body)

    it.courier.recorder.ask = full

    def again():
        it.courier.recorder.ask = kept

    return again


def test_what_a_hop_took_is_not_sent_again_while_it_cannot_be_recorded(it, monkeypatch):
    """A full disk lets nothing be recorded for hours; the copy and the question went out, and go out once."""
    monkeypatch.setattr(courier, "PAUSE_SECONDS", 0.0)
    released, returned, asked = it.hold(f"m1@{OWN}"), it.hold(f"m2@{OWN}"), it.hold(f"m3@{OWN}")
    it.act(released, "release", reason="right")
    it.act(returned, "return")
    again = cannot_record(it, "outcome", "notice")
    it.pass_time(minutes=30, step=30)
    assert it.state(released) is State.RELEASING
    again()
    it.pass_time(minutes=2, step=30)

    assert [it.state(h) for h in (released, returned, asked)] == [State.RELEASED, State.RETURNED, State.WAITING]
    assert it.world.copies(f"<m1@{OWN}>") == [SLIP]
    assert sorted(it.steps(ANN)) == ["notice", "returned"]


def test_an_outcome_whose_answer_was_lost_is_told_again_and_harms_nothing(it, monkeypatch):
    monkeypatch.setattr(courier, "PAUSE_SECONDS", 0.0)
    hold = it.hold()
    it.act(hold, "release", reason="right")
    kept = it.courier.recorder.ask

    async def lost(head, body=b""):
        told = await kept(head, body)
        it.courier.recorder.ask = kept
        if head["do"] == "outcome":
            raise RecorderUnavailableError
        return told

    it.courier.recorder.ask = lost
    it.pass_time(minutes=5, step=30)

    assert it.state(hold) is State.RELEASED
    assert it.world.copies(f"<{hold.message_id}>") == [SLIP]
