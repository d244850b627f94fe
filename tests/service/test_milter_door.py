"""The door over real sockets, with a judge that answers from a table."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest

from nixie.service.milter_door import MilterDoor, MilterSettings
from nixie.wire.milter import MtaSession, Step, pack_event, split_message
from nixie.wire.milter import events as ev
from nixie.wire.milter.constants import ALL_ACTIONS
from nixie.wire.milter.replies import Continue, DeleteRecipient, Discard, Progress, ReplyCode
from support.milter_house import ANNA, MESSAGE, OPENING, TableJudge, ask, opened, tell

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["tcp", "unix"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "127.0.0.1:0" if request.param == "tcp" else f"unix:{tmp_path}/milter"


def test_several_messages_on_one_connection_are_answered_each_for_itself(address: str) -> None:
    async def story(door: MilterDoor, judge: TableJudge, where: str) -> None:
        client = await opened(where)
        assert await ask(client, b"<bob@example.com>") == (Continue(),)
        await client.say(ev.Abort())
        assert await ask(client, b"<bob@example.com>", b"<C@hold.example>") == (
            DeleteRecipient(b"<C@hold.example>"),
            Continue(),
        )
        assert await ask(client, b"<c@hold.example>") == (Discard(),)
        await client.say(ev.Abort(), ev.Abort())
        assert await ask(client, b"<bob@example.com>") == (Continue(),)
        await client.close()
        assert [content for _, content in judge.seen] == [MESSAGE] * 4
        assert door.messages == 4

    tell(story, address)


def test_a_version_2_peer_is_served(address: str) -> None:
    async def story(_door: MilterDoor, judge: TableJudge, where: str) -> None:
        client = await opened(where, MtaSession(2, 0x3F, 0x7F))
        replies = await ask(client, b"<bob@example.com>", b"<c@hold.example>")
        assert replies[-2:] == (DeleteRecipient(b"<c@hold.example>"), Continue())
        assert set(replies[:-2]) == {Continue()}
        assert judge.seen[0][1] == MESSAGE
        await client.close()

    tell(story, address)


def test_a_large_message_arrives_whole(address: str) -> None:
    content = b"Subject: x\r\n\r\n" + b"0123456789abcde\r\n" * 200_000

    async def story(_door: MilterDoor, judge: TableJudge, where: str) -> None:
        client = await opened(where)
        assert await ask(client, b"<bob@example.com>", content=content) == (Continue(),)
        assert judge.seen[0][1] == content
        await client.close()

    tell(story, address)


def test_progress_is_said_while_the_judge_works(address: str) -> None:
    async def story(_door: MilterDoor, judge: TableJudge, where: str) -> None:
        client = await opened(where)
        asking = asyncio.create_task(ask(client, b"<bob@slow.example>"))
        await judge.started.wait()
        await asyncio.sleep(0.1)
        judge.go_on.set()
        replies = await asking
        assert replies[-1] == Continue()
        assert replies.count(Progress()) == len(replies) - 1 >= 2
        await client.close()

    tell(story, address, MilterSettings(progress_interval=0.02))


def test_progress_ends_when_patience_does(address: str) -> None:
    async def story(_door: MilterDoor, judge: TableJudge, where: str) -> None:
        client = await opened(where)
        asking = asyncio.create_task(ask(client, b"<bob@slow.example>"))
        await asyncio.sleep(0.2)
        judge.go_on.set()
        assert (await asking).count(Progress()) <= 4
        await client.close()

    tell(story, address, MilterSettings(progress_interval=0.02, patience=0.05))


def test_a_broken_judge_means_later_and_a_closed_connection(address: str) -> None:
    async def story(_door: MilterDoor, _judge: TableJudge, where: str) -> None:
        client = await opened(where)
        (reply,) = await ask(client, b"<bob@break.example>")
        assert isinstance(reply, ReplyCode)
        assert reply.code == 451
        with pytest.raises(ConnectionError):
            await ask(client, b"<bob@example.com>")
        await client.close()
        other = await opened(where)
        assert await ask(other, b"<bob@example.com>") == (Continue(),)
        await other.close()

    tell(story, address)


def test_without_delrcpt_a_message_with_a_held_copy_waits_at_the_server(address: str) -> None:
    async def story(_door: MilterDoor, _judge: TableJudge, where: str) -> None:
        client = await opened(where, MtaSession(actions=ALL_ACTIONS & ~0x08))
        (reply,) = await ask(client, b"<bob@example.com>", b"<c@hold.example>")
        assert isinstance(reply, ReplyCode)
        assert (reply.code, reply.enhanced) == (451, "4.7.1")
        assert await ask(client, b"<c@hold.example>") == (Discard(),)
        await client.close()

    tell(story, address)


def _nagle_server(port: int, count: int, seconds: list[float]) -> None:
    """Play a mail server that writes every packet on its own, with Nagle's algorithm on, as Postfix does."""
    packets = [
        pack_event(e)
        for e in (ev.Mail(ANNA), ev.Rcpt(b"<bob@example.com>"), ev.Data(), *split_message(MESSAGE, leading_space=True))
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
        s.sendall(OPENING)
        s.recv(4096)
        for _ in range(count):
            start = time.perf_counter()
            for packet in packets:
                s.sendall(packet)
            assert struct.unpack("!IB", s.recv(5)) == (1, ord("c"))
            s.sendall(pack_event(ev.Abort()))
            seconds.append(time.perf_counter() - start)


def test_small_packets_over_tcp_never_wait_for_a_delayed_acknowledgement() -> None:
    seconds: list[float] = []

    async def story(_door: MilterDoor, _judge: TableJudge, where: str) -> None:
        thread = threading.Thread(target=_nagle_server, args=(int(where.rpartition(":")[2]), 100, seconds))
        thread.start()
        await asyncio.to_thread(thread.join)

    tell(story, "127.0.0.1:0")

    assert len(seconds) == 100
    assert sum(seconds) / len(seconds) < 0.010
    assert sorted(seconds)[90] < 0.020


def test_leading_space_is_negotiated_so_that_headers_come_as_they_were() -> None:
    async def story(_door: MilterDoor, judge: TableJudge, where: str) -> None:
        client = await opened(where)
        assert client.agreed.steps & Step.HDR_LEADSPC
        content = b"Subject:none\r\nTo:  two\r\nX:\tone tab\r\n\r\n"
        await ask(client, b"<bob@example.com>", content=content)
        assert judge.seen[0][1] == content
        await client.close()

    tell(story, "127.0.0.1:0")
