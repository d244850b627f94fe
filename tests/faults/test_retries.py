"""A reply that never reached the client: it tries again, before and after the release, at both doors. Nothing happens twice."""

import asyncio
import signal
import socket
import struct

import pytest

from nixie.service.milter_client import MilterClient
from nixie.service.steps import Step
from nixie.store.hold_states import State
from support.breaking import Sent, check_sums, eventually, kill, notices, try_once
from support.smtp_client import Dialogue

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

FRIEND, SLIP = "friend@friend.example", "ops@army.ml"
SHAPES = pytest.mark.parametrize("to", [(SLIP,), (FRIEND, SLIP)], ids=["alone", "beside-another"])


def at(step):
    return {"NIXIE_CRASH_AT": f"worker-1/{step.name.lower().replace('_', '-')}=pause"}


async def _leave_smtp(guard, one, stood):
    async with Dialogue(guard.smtp_port) as client:
        await client.say("EHLO client.example", "MAIL FROM:<ann@army.mil>", *(f"RCPT TO:<{r}>" for r in one.recipients))
        await client.say("DATA")
        client.raw(one.content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        await asyncio.to_thread(stood)
        # A connection that is reset; one that is only closed on the client's side may still be read there.
        linger = struct.pack("ii", 1, 0)
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        client.writer.transport.abort()


async def _leave_milter(guard, one, stood):
    client = await MilterClient.open(guard.milter_address)
    await client.greet()
    asked = asyncio.ensure_future(
        client.message(b"<ann@army.mil>", [f"<{r}>".encode() for r in one.recipients], one.content)
    )
    await asyncio.to_thread(stood)
    asked.cancel()
    await client.close()


def lose_the_reply(guard, one):
    """Send a message, and be gone when its answer is ready."""
    leave = _leave_smtp if one.door == "smtp" else _leave_milter
    asyncio.run(leave(guard, one, lambda: guard.wait_stopped("the step")))
    kill(guard.wait_stopped("the step"), signal.SIGCONT)
    eventually(lambda: not guard.stopped(), "a worker that goes on")


def answered(guard, one):
    """Try until there is a final answer."""
    while not one.answered:
        asyncio.run(try_once(guard, one))
    again = Sent(one.id, one.door, one.recipients)
    asyncio.run(try_once(guard, again))
    return again.answered


@SHAPES
@pytest.mark.parametrize(("door", "step"), [("smtp", Step.CONFIRMED), ("milter", Step.RECORDED)])
def test_a_reply_lost_after_the_hold_makes_no_second_hold_notice_or_release(guard, world, door, step, to):
    guard.environment = at(step)
    guard.start()
    one = Sent("m1@army.mil", door, to)
    lose_the_reply(guard, one)
    (hold,) = eventually(lambda: guard.stands(State.WAITING), "the hold")

    assert answered(guard, one)
    eventually(lambda: notices(world), "the notice")
    assert [h.id for h in guard.stands()] == [hold.id]
    check_sums(guard, world, [one], twice=2)

    guard.decide(hold.id, "release", reason="right")
    eventually(lambda: guard.stands(State.RELEASED), "the release")
    late = Sent(one.id, door, to)
    assert answered(guard, late)
    guard.wait_settled()

    assert [h.id for h in guard.stands()] == [hold.id]
    assert world.copies("<m1@army.mil>").count(SLIP) == 1
    assert set(notices(world).values()) == {1}


@SHAPES
def test_a_client_that_leaves_before_anything_went_on_holds_nothing(guard, world, to):
    """The proxy's hold stands only with the client's final reply; the retry begins anew."""
    guard.environment = at(Step.RECORDED)
    guard.start()
    one = Sent("m1@army.mil", "smtp", to)
    lose_the_reply(guard, one)
    if len(to) > 1:
        eventually(lambda: guard.stands(State.VOID), "a void hold")
        assert not guard.stands()
        assert not world.copies("<m1@army.mil>")

    assert answered(guard, one)
    guard.wait_settled()
    assert [h.state for h in guard.stands()] == [State.WAITING]
    check_sums(guard, world, [one], twice=2)
    assert set(notices(world).values()) == {1}


@SHAPES
def test_a_provisional_hold_of_a_worker_that_died_makes_no_retry_wait(guard, world, to):
    guard.environment = at(Step.RECORDED)
    guard.start()
    one = Sent("m1@army.mil", "smtp", to)

    def dies():
        kill(guard.wait_stopped("recorded"))

    asyncio.run(_leave_smtp(guard, one, dies))
    assert [h.state for h in guard.stands()] == [State.PROVISIONAL]

    eventually(lambda: greeted_by_another(guard), "a new worker")
    asyncio.run(try_once(guard, one))
    assert one.answered
    guard.wait_settled()
    check_sums(guard, world, [one])
    assert set(notices(world).values()) == {1}


def greeted_by_another(guard):
    return bool(guard.children().get("worker"))


def test_a_retry_while_the_first_session_still_lives_loses_no_copy_whichever_ends_first(guard, world):
    """A client that lost patience: both sessions claim the hold; one is given up, the other makes it firm."""
    guard.workers = 2
    guard.environment = at(Step.RECORDED)
    guard.start()
    sent = []

    async def impatient():
        # Either worker may take a session, and only one of them stops: messages come until it has one.
        while not guard.stopped():
            one = Sent(f"m{len(sent)}@army.mil", "smtp", (SLIP,))
            sent.append(one)
            first = asyncio.ensure_future(try_once(guard, one, seconds=120))
            while not (first.done() or guard.stopped()):  # noqa: ASYNC110 - another process stops, without an event
                await asyncio.sleep(0.05)
        second = Sent(one.id, "smtp", one.recipients)
        while not second.answered:
            await try_once(guard, second)
        kill(guard.wait_stopped("recorded"), signal.SIGCONT)
        await first

    asyncio.run(impatient())
    assert all(one.answered for one in sent)
    guard.wait_settled()
    check_sums(guard, world, sent)
    assert [h.state for h in guard.stands()] == [State.WAITING] * len(sent)
    assert set(notices(world).values()) == {1}
