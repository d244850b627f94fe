"""What the door does at its bounds: too much, too long, too many, gone, full, stopping."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from nixie.service import milter_connection
from nixie.service.carried import Carried
from nixie.service.milter_door import MilterDoor, MilterSettings
from nixie.wire.milter import events as ev
from nixie.wire.milter.replies import Continue, DeleteRecipient, ReplyCode
from support.milter_house import ANNA, MESSAGE, OPENING, TableJudge, ask, opened, tell, until, whole, wire

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["tcp", "unix"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "127.0.0.1:0" if request.param == "tcp" else f"unix:{tmp_path}/milter"


@pytest.mark.parametrize(
    "count, size, code",
    [(3, 100, 0), (4, 100, 550), (1, 4096, 0), (1, 4097, 552)],
)
def test_a_message_past_a_bound_is_refused_and_never_judged(count: int, size: int, code: int) -> None:
    content = MESSAGE + b"x" * (size - len(MESSAGE))

    async def story(_door: MilterDoor, judge: TableJudge, where: str) -> None:
        client = await opened(where)
        (reply,) = await ask(client, *[b"<bob@example.com>"] * count, content=content)
        assert (reply.code if isinstance(reply, ReplyCode) else 0) == code
        assert len(judge.seen) == (0 if code else 1)
        assert await ask(client, b"<bob@example.com>") == (Continue(),)
        await client.close()

    tell(story, "127.0.0.1:0", MilterSettings(max_recipients=3, max_message_bytes=4096))


def test_a_full_disk_means_later(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(Carried):
        def append(self, data: bytes | bytearray | memoryview) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(milter_connection, "Carried", Full)

    async def story(_door: MilterDoor, _judge: TableJudge, where: str) -> None:
        client = await opened(where)
        (reply,) = await ask(client, b"<bob@example.com>")
        assert isinstance(reply, ReplyCode)
        assert (reply.code, reply.enhanced) == (452, "4.3.1")
        await client.close()

    tell(story, "127.0.0.1:0")


def test_messages_sent_ahead_wait_for_the_verdict_before_them(address: str) -> None:
    async def story(_door: MilterDoor, judge: TableJudge, where: str) -> None:
        client = await opened(where)
        client._writer.write(whole(b"<bob@slow.example>") + whole(b"<c@hold.example>"))
        await judge.started.wait()
        client._writer.write(wire(ev.Abort()) + whole(b"<bob@example.com>") * 50)
        await asyncio.sleep(0.05)
        assert len(judge.seen) == 1
        judge.go_on.set()
        got = await client._reader.readexactly(5 * 52)
        assert got == b"\0\0\0\1c" + b"\0\0\0\1d" + b"\0\0\0\1c" * 50
        await client.close()

    tell(story, address)


def test_a_server_that_sends_on_while_we_judge_is_not_read(address: str) -> None:
    async def story(_door: MilterDoor, judge: TableJudge, where: str) -> None:
        client = await opened(where)
        client._writer.write(whole(b"<bob@slow.example>"))
        await judge.started.wait()
        client._writer.write(wire(ev.Unknown(b"x" * 60_000)) * 400)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client._writer.drain()
        judge.go_on.set()
        await client.close()

    tell(story, address)


def test_a_server_that_leaves_while_we_judge_does_not_interrupt_the_judge(address: str) -> None:
    async def story(door: MilterDoor, judge: TableJudge, where: str) -> None:
        client = await opened(where)
        client._writer.write(whole(b"<bob@slow.example>"))
        await judge.started.wait()
        client._writer.transport.abort()
        await until(lambda: door.connections == 0)
        judge.go_on.set()
        await until(lambda: judge.finished == 1)
        await asyncio.sleep(0)
        assert judge.seen[0][0].carried.descriptor() is None

    tell(story, address)


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\0",
        b"\xff\xff\xff\xffO",
        b"GET / HTTP/1.0\r\n\r\n",
        wire(ev.Rcpt(ANNA)),
        OPENING,
        whole(ANNA)[:-5] + OPENING,
    ],
    ids=["empty", "endless", "http", "early", "opening-twice", "opening-late"],
)
def test_bytes_that_are_no_milter_close_the_connection(address: str, data: bytes) -> None:
    async def story(_door: MilterDoor, judge: TableJudge, where: str) -> None:
        client = await opened(where)
        client._writer.write(data)
        with pytest.raises(ConnectionError):
            await client._read()
        client._writer.close()
        assert not judge.seen

    tell(story, address)


def test_silence_closes_a_connection_but_never_while_we_judge(address: str) -> None:
    async def story(door: MilterDoor, judge: TableJudge, where: str) -> None:
        idle, halfway, waiting = [await opened(where) for _ in range(3)]
        halfway._writer.write(whole(b"<bob@example.com>")[:-5])
        waiting._writer.write(whole(b"<bob@slow.example>"))
        await until(lambda: door.connections == 1)
        assert len(judge.seen) == 1
        judge.go_on.set()
        assert await waiting._reader.readexactly(5) == b"\0\0\0\1c"
        for client in (idle, halfway, waiting):
            await client.close()

    tell(story, address, MilterSettings(idle_timeout=0.1, content_timeout=0.1))


def test_past_the_most_connections_the_next_one_waits(address: str) -> None:
    async def story(door: MilterDoor, _judge: TableJudge, where: str) -> None:
        first, second = await opened(where), await opened(where)
        third = asyncio.create_task(opened(where))
        await asyncio.sleep(0.05)
        assert not third.done()
        assert door.connections == 2
        await first.close()
        client = await third
        assert await ask(client, b"<bob@example.com>") == (Continue(),)
        await client.close()
        await second.close()

    tell(story, address, MilterSettings(max_connections=2))


def test_stopping_waits_for_a_message_and_takes_no_other(address: str) -> None:
    async def story(door: MilterDoor, judge: TableJudge, where: str) -> None:
        idle, busy = await opened(where), await opened(where)
        asking = asyncio.create_task(ask(busy, b"<bob@slow.example>"))
        await judge.started.wait()
        stopping = asyncio.create_task(door.stop(5.0))
        with pytest.raises(ConnectionError):
            await idle._read()
        assert not stopping.done()
        judge.go_on.set()
        assert await asking == (Continue(),)
        await stopping
        await busy.close()
        await idle.close()

    tell(story, address)


def test_stopping_ends_at_its_deadline(address: str) -> None:
    async def story(door: MilterDoor, judge: TableJudge, where: str) -> None:
        client = await opened(where)
        client._writer.write(whole(b"<bob@slow.example>"))
        await judge.started.wait()
        start = time.monotonic()
        await door.stop(0.05)
        assert time.monotonic() - start < 1.0
        with pytest.raises(ConnectionError):
            await client._read()
        client._writer.close()

    tell(story, address)


def test_many_sessions_at_once_keep_their_messages_apart(address: str) -> None:
    async def talk(where: str, number: int) -> None:
        client = await opened(where)
        held = b"<n%d@hold.example>" % number
        for _ in range(5):
            assert await ask(client, b"<bob@example.com>", held) == (DeleteRecipient(held), Continue())
            await client.say(ev.Abort())
        await client.close()

    async def story(door: MilterDoor, judge: TableJudge, where: str) -> None:
        await asyncio.gather(*(talk(where, number) for number in range(20)))
        assert door.messages == len(judge.seen) == 100

    tell(story, address)
