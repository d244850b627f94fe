"""The life of one message at a door: read, ask, decide, hold, record, answer.

Each step is a function of values; this file only puts them in order and says what happens when one of them breaks. In doubt the
answer is "try again later": the client still has the message. A message that breaks us every time is held for the
postmaster after a few such answers instead of looping for days.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import structlog

from nixie.core import mime
from nixie.core.copykey import copy_keys, message_key, untraced
from nixie.core.message import Message
from nixie.service.answering import Arrival, express, known_answer, unread_decision
from nixie.service.keeping import decision_head
from nixie.service.ports import Answer
from nixie.service.recorder_client import RecorderRefusedError, RecorderUnavailableError
from nixie.service.records import decision_body, repeated_body
from nixie.service.requests import AddressList
from nixie.service.steps import Step, reached
from nixie.sources.records import identity
from nixie.store import hold_views
from nixie.store.db import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nixie.config.settings import Settings
    from nixie.service.engine import Decision, Engine
    from nixie.service.ports import Submission
    from nixie.service.recorder_client import RecorderClient
    from nixie.store.hold_views import Existing
    from nixie.store.spool import Spool

log = structlog.get_logger("nixie.pipeline")

LARGE_BYTES = 256 * 1024
LATER = Answer(later=True, reply="451 4.3.0 Please try again later")


@dataclass(slots=True)
class Pipeline:
    """The judge behind the doors of one worker; `reader` is the connection that the engine asks, too."""

    engine: Engine
    settings: Settings
    reader: sqlite3.Connection
    recorder: RecorderClient
    spool: Spool
    decided: int = 0
    failed: int = 0
    company: Callable[[], int] = int
    """How many messages are under way at the doors: the recorder waits for company only where there is some."""

    async def judge(self, submission: Submission) -> Answer:
        """Take one message through all steps; never raises (see `service.ports.Judge`)."""
        reached(Step.RECEIVED)
        try:
            async with asyncio.timeout(self.settings.workers.decide_within):
                answer = await self._life(submission)
        except Exception as error:  # noqa: BLE001 - the one edge: whatever breaks, no mail passes unjudged and none is lost
            self.failed += 1
            log.error("not decided", door=submission.door, queue=submission.queue_id, error=error)
            return LATER if _not_its_fault(error) else await self._after_failure(submission, error)
        self.decided += 1
        return answer

    async def confirm(self, token: str) -> bool:
        """Make provisional holds firm."""
        reached(Step.BEFORE_CONFIRM)
        try:
            await self.recorder.ask({"do": "confirm", "token": token, "at": now_ms()})
        except (RecorderUnavailableError, RecorderRefusedError):
            return False
        reached(Step.CONFIRMED)
        return True

    async def void(self, token: str) -> None:
        """Drop provisional holds; a recorder that does not answer drops them itself when it starts again."""
        with contextlib.suppress(RecorderUnavailableError, RecorderRefusedError):
            await self.recorder.ask({"do": "void", "token": token, "at": now_ms()})

    async def _life(self, submission: Submission) -> Answer:
        view = submission.carried.view()
        if submission.carried.size > LARGE_BYTES:
            message = await asyncio.to_thread(mime.read, view)
        else:
            message = mime.read(view)
        keys = self._copy_keys(submission, message)
        # One view of the store for all that is asked: each look of its own would have to read what it needs anew.
        with reading(self.reader):
            known = hold_views.existing(self.reader, keys)
            again = bool(known) and all(k in known for k in keys)
            now = datetime.now(UTC)
            decision = None if again else self.engine.decide(message, submission.envelope, submission.client, now)
        if decision is None:
            return await self._again(submission, message, [known[k] for k in keys])
        reached(Step.JUDGED)
        return await self._keep(submission, decision, keys, known, now)

    async def _keep(
        self,
        submission: Submission,
        decision: Decision,
        keys: Sequence[bytes],
        known: Mapping[bytes, Existing],
        now: datetime,
    ) -> Answer:
        """Hold and record; the answer exists only when both are on disk."""
        arrival = Arrival(submission.client.helo, decision.message.received)
        expressed = express(decision.verdict, keys, known, arrival)
        spool_id = ""
        if expressed.to_hold:
            spool_id = await asyncio.to_thread(self.spool.write, submission.carried.view())
            reached(Step.SPOOLED)
        token = secrets.token_hex(16) if submission.provisional else ""
        addresses = AddressList()
        body = decision_body(decision, submission.door, submission.queue_id, addresses)
        head = decision_head(decision, expressed, keys, addresses, self.settings, spool=spool_id, token=token, at=now)
        if (company := self.company()) > 1:
            head["company"] = company
        recorded = await self.recorder.ask(head, body)
        hold_ids = recorded.get("holds", ())
        reached(Step.RECORDED)
        return expressed.answer(hold_ids, token)

    def _copy_keys(self, submission: Submission, message: Message) -> list[bytes]:
        sender = submission.envelope.sender
        header = b"" if message.message_id else untraced(submission.carried.view())
        return copy_keys(sender, message, (r.address for r in submission.envelope.recipients), header)

    async def _again(self, submission: Submission, message: Message, known: Sequence[Existing]) -> Answer:
        """Give the recorded answer about copies that came before, and record that they came again."""
        answer = known_answer(known, Arrival(submission.client.helo, message.received))
        body = repeated_body(submission.door, submission.queue_id, known, answer)
        head = {"do": "append", "kind": "repeated", "message_id": identity(message), "at": now_ms()}
        await self.recorder.ask(head, body)
        reached(Step.RECORDED)
        return answer

    async def _after_failure(self, submission: Submission, error: Exception) -> Answer:
        """Count the failures of this message; hold it unread for the postmaster when it fails every time."""
        try:
            message = _barely_read(submission.carried.view())
            key = message_key(submission.envelope.sender, message)
            counted = await self.recorder.ask({"do": "retry-count", "key": key.hex(), "at": now_ms()})
            if counted["count"] <= self.settings.limits.temporary_answers:
                return LATER
            decision = unread_decision(message, submission.envelope, type(error).__name__)
            keys = self._copy_keys(submission, message)
            known = hold_views.existing(self.reader, keys)
            return await self._keep(submission, decision, keys, known, datetime.now(UTC))
        except Exception as second:  # noqa: BLE001 - nothing is left to try: the client keeps the message
            log.error("not even held", door=submission.door, queue=submission.queue_id, error=second)
            return LATER


def _not_its_fault(error: Exception) -> bool:
    """Return whether the machine failed and not this message: no recorder, a full disk, a locked database.

    A time limit that passed is an OSError too, but may well be the message's doing.
    """
    machine = isinstance(error, (RecorderUnavailableError, OSError, sqlite3.OperationalError))
    return machine and not isinstance(error, TimeoutError)


def _barely_read(view: bytes | memoryview) -> Message:
    """Return what can be read of a message that broke us; where reading is what breaks, its digest alone."""
    try:
        return mime.read(view)
    except Exception:  # noqa: BLE001 - the reader itself is the suspect here
        return Message(body_digest=sha256(view).digest(), size=len(view), defects=("unreadable",))


def now_ms() -> int:
    """Return the time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000
