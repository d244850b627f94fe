"""A milter door with a judge that answers from a table, for tests over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from nixie.service.listen import name_of, open_listener
from nixie.service.milter_client import MilterClient
from nixie.service.milter_door import MilterDoor, MilterSettings
from nixie.service.ports import Answer, Submission
from nixie.wire.milter import MtaSession, pack_event, split_message
from nixie.wire.milter import events as ev
from nixie.wire.milter.constants import ALL_ACTIONS, ALL_STEPS

if TYPE_CHECKING:
    from nixie.wire.milter.replies import Reply

ANNA = b"<anna@example.org>"
MESSAGE = b"From: anna@example.org\r\nSubject: tea\r\n folded\r\n\r\nat four\r\n"


class TableJudge:
    """Holds recipients whose domain begins with `hold`, waits where it says `slow`, breaks where it says `break`."""

    def __init__(self) -> None:
        self.seen: list[tuple[Submission, bytes]] = []
        self.started = asyncio.Event()
        self.go_on = asyncio.Event()
        self.finished = 0

    async def judge(self, submission: Submission) -> Answer:
        self.seen.append((submission, bytes(submission.carried.view())))
        domains = [recipient.address.domain for recipient in submission.envelope.recipients]
        if "break.example" in domains:
            raise RuntimeError("broken judge")
        if "slow.example" in domains:
            self.started.set()
            await self.go_on.wait()
        self.finished += 1
        return Answer(held=tuple(n for n, domain in enumerate(domains) if domain.startswith("hold")))

    async def confirm(self, token: str) -> bool:
        raise AssertionError("a milter's holds are never provisional")

    async def void(self, token: str) -> None:
        raise AssertionError("a milter's holds are never provisional")


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is watched has no event to wait for
        await asyncio.sleep(0.005)


Story = Callable[[MilterDoor, TableJudge, str], Awaitable[None]]


def tell(story: Story, address: str, settings: MilterSettings | None = None) -> None:
    """Run one story against a door on `address`; the door must stop in order afterwards."""

    async def run() -> None:
        judge = TableJudge()
        door = MilterDoor(judge, settings)
        listener = open_listener(address)
        try:
            door.serve(listener)
            async with asyncio.timeout(20):
                await story(door, judge, name_of(listener))
            await door.stop(2.0)
            assert door.connections == 0
        finally:
            listener.close()

    asyncio.run(run(), debug=False)


async def opened(where: str, session: MtaSession | None = None) -> MilterClient:
    client = await MilterClient.open(where, session)
    await client.greet()
    return client


async def ask(client: MilterClient, *recipients: bytes, content: bytes = MESSAGE) -> tuple[Reply, ...]:
    return await client.message(ANNA, recipients, content)


def wire(*events: ev.Event) -> bytes:
    return b"".join(map(pack_event, events))


OPENING = wire(ev.Offer(6, int(ALL_ACTIONS), int(ALL_STEPS)), ev.Connect(b"x", b"U"), ev.Helo(b"x"))


def whole(recipient: bytes) -> bytes:
    return wire(ev.Mail(ANNA), ev.Rcpt(recipient), ev.Data(), *split_message(MESSAGE, leading_space=True))
