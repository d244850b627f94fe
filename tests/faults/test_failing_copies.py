"""A message that breaks us: three times "try again later", then it is held unread for the postmaster, and nobody else suffers."""

import pytest

from nixie.service import pipeline
from nixie.service.recorder_client import RecorderUnavailableError
from nixie.store import hold_views
from nixie.store.hold_states import State
from support.installed import Installation, mail

ANN, SLIP, FRIEND = "ann@ministry.example", "ops@ministyr.example", "f@friend.example"
RAW = mail("m1@ministry.example", ANN, [SLIP, FRIEND])


@pytest.fixture
def house(tmp_path):
    with Installation(tmp_path / "house") as house:
        yield house


class Broken:
    """An engine that fails a number of times, then judges."""

    def __init__(self, engine, times=1000):
        self._engine, self.left = engine, times

    def decide(self, *given):
        self.left -= 1
        if self.left >= 0:
            raise RuntimeError("private words")
        return self._engine.decide(*given)


def answers(house, through, times, raw=RAW):
    return [house.submit(raw, ANN, [SLIP, FRIEND], through=through) for _ in range(times)]


def test_a_message_that_no_check_survives_is_held_whole_for_the_postmaster_after_three_answers(house):
    told = answers(house, house.pipeline_with(Broken(house.engine)), 4)

    assert [a.later for a in told] == [True, True, True, False]
    assert told[0].reply.startswith("451 ")
    assert told[-1].held == (0, 1)
    assert {(h.state, h.disposition) for h in house.holds()} == {(State.WAITING, "hold-reviewer")}
    assert house.spool.read(house.holds()[0].spool) == RAW


def test_once_held_it_stays_held_and_is_not_judged_again(house):
    broken = Broken(house.engine)
    first = answers(house, house.pipeline_with(broken), 4)[-1]
    left = broken.left
    (again,) = answers(house, house.pipeline_with(broken), 1)

    assert again.held == first.held
    assert broken.left == left
    assert len(house.holds()) == 2


def test_a_message_that_the_reader_does_not_survive_is_held_by_its_bytes(house, monkeypatch):
    def breaks(*_):
        raise RecursionError

    monkeypatch.setattr(pipeline.mime, "read", breaks)
    told = answers(house, house.pipeline, 4)

    assert [a.later for a in told] == [True, True, True, False]
    assert house.spool.read(house.holds()[0].spool) == RAW


def test_two_messages_that_the_reader_does_not_survive_are_told_apart(house, monkeypatch):
    def breaks(*_):
        raise RecursionError

    monkeypatch.setattr(pipeline.mime, "read", breaks)
    other = RAW.replace(b"Hello", b"Adieu").replace(b"m1@", b"m2@")
    assert [a.later for a in answers(house, house.pipeline, 3)] == [True] * 3
    assert [a.later for a in answers(house, house.pipeline, 4, other)] == [True, True, True, False]
    assert not answers(house, house.pipeline, 1)[0].later
    assert len(house.holds()) == 4


def test_a_failure_that_passes_is_forgotten_and_the_message_judged(house):
    told = answers(house, house.pipeline_with(Broken(house.engine, times=2)), 3)

    assert [a.later for a in told] == [True, True, False]
    assert told[-1].held == (0,)
    assert [h.disposition for h in house.holds()] == ["hold-sender"]


def test_a_decision_that_takes_too_long_counts_as_a_failure(house, monkeypatch):
    from dataclasses import replace

    monkeypatch.setattr(
        house, "settings", replace(house.settings, workers=replace(house.settings.workers, decide_within=0.0))
    )
    told = answers(house, house.pipeline_with(house.engine), 2)

    assert [a.later for a in told] == [True, True]
    assert not house.holds()


@pytest.mark.parametrize("times", [1, 5])
def test_a_recorder_that_cannot_write_is_never_the_messages_fault(house, times):
    """The message is tried until the record can be kept; it is not held unread for it."""
    through = house.pipeline_with(house.engine)
    kept = through.recorder.ask

    async def full(head, body=b""):
        if head["do"] == "decision":
            raise RecorderUnavailableError
        return await kept(head, body)

    through.recorder.ask = full
    assert all(a.later for a in answers(house, through, times))
    through.recorder.ask = kept
    (told,) = answers(house, through, 1)

    assert told.held == (0,)
    assert [h.disposition for h in house.holds()] == ["hold-sender"]


def test_a_spool_that_cannot_be_written_holds_and_loses_nothing(house, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(house.spool), "write", lambda _, data: full(data))
        told = answers(house, house.pipeline, 6)
    assert all(a.later for a in told)
    assert not house.holds()

    assert answers(house, house.pipeline, 1)[0].held == (0,)
    assert hold_views.balance(house.reader).ok


def test_a_copy_that_was_held_before_keeps_its_first_file_and_the_second_goes(house):
    """Two sessions with one message: the file of the one that comes second would else wait an hour for the sweep."""
    first = house.submit(RAW, ANN, [SLIP, FRIEND])
    kept = set(house.spool.ids())
    blind = house.pipeline_with(house.engine)
    blind.reader = house.recorder._db.__class__(":memory:")  # a session that began before the first one was recorded
    for (sql,) in house.reader.execute("SELECT sql FROM sqlite_master WHERE name IN ('hold', 'claim', 'ledger')"):
        blind.reader.execute(sql)
    second = house.submit(RAW, ANN, [SLIP, FRIEND], through=blind)

    assert second.held == first.held
    assert set(house.spool.ids()) == kept
