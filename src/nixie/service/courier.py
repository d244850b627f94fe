"""What leaves on its own: notices to people, released and corrected copies, returns.

The courier looks for what is due, does it, and has the recorder write the outcome; it is a process of its own, so that no
session waits for a slow hop. Everything is idempotent up to one instant: a copy that the hop took before we could record it
is offered again after a crash. SMTP itself leaves that instant open (RFC 5321, section 4.5.4.1; RFC 1047).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from nixie.core.address import parse_address
from nixie.service.answering import express
from nixie.service.correcting import corrected_decision, with_resent_fields
from nixie.service.keeping import decision_head
from nixie.service.pipeline import now_ms
from nixie.service.recorder_client import RecorderRefusedError, RecorderUnavailableError
from nixie.service.records import decision_body
from nixie.service.release import Fate, Handed, Parcel, hand_over
from nixie.service.requests import AddressList
from nixie.service.steps import Step as Steps
from nixie.service.steps import reached
from nixie.store import hold_views, questions
from nixie.store.hold_states import Action, Role, State
from nixie.store.questions import Step
from nixie.store.spool import SpoolError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable

    from nixie.config.settings import Settings
    from nixie.service.correcting import Corrected
    from nixie.service.engine import Engine
    from nixie.service.letters import Letter, Letters
    from nixie.service.recorder_client import RecorderClient
    from nixie.store.hold_views import Hold
    from nixie.store.questions import Due
    from nixie.store.spool import Spool

log = structlog.get_logger("nixie.courier")

POLL_SECONDS = 0.25
AT_ONCE = 8
"""Copies handed over at the same time."""


@dataclass(slots=True)
class Courier:
    """Does what is due; `now` is milliseconds since 1970, an argument so that a test owns the clock."""

    settings: Settings
    reader: sqlite3.Connection
    recorder: RecorderClient
    spool: Spool
    engine: Engine
    letters: Letters

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; a round that fails is logged and tried again."""
        while not stop.is_set():
            try:
                busy = await self.round(time.time_ns() // 1_000_000)
            except (RecorderUnavailableError, RecorderRefusedError) as error:
                log.warning("not recorded", error=error)
                busy = False
            except Exception as error:  # noqa: BLE001 - the courier must not end; the work is still due
                log.error("round failed", error=error)
                busy = False
            if not busy:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), POLL_SECONDS)

    async def round(self, now: int) -> bool:
        """Do everything that is due now; return whether there was anything."""
        work = hold_views.work(self.reader, now)
        due = questions.due(self.reader, now)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(job: Callable[[], Awaitable[None]]) -> None:
            async with gate:
                await job()

        jobs = [one(lambda h=h: self._copy(h, now)) for h in work]  # type: ignore[misc]
        jobs += [one(lambda d=d: self._question(d, now)) for d in due]  # type: ignore[misc]
        results = await asyncio.gather(*jobs, return_exceptions=True)
        for failed in (r for r in results if isinstance(r, BaseException)):
            log.error("not done", error=failed)
        return bool(jobs) and not any(isinstance(r, BaseException) for r in results)

    async def _copy(self, hold: Hold, now: int) -> None:
        try:
            content = await asyncio.to_thread(self.spool.read, hold.spool)
        except SpoolError as error:
            # The copy cannot be read: nothing is sent, nothing is forgotten, an administrator must restore the file.
            log.error("held message cannot be opened", hold=hold.id, error=error)
            await self._outcome(hold, "later", "spool", next_try=now + 3_600_000)
            return
        reached(Steps.RELEASE_BEGUN)
        match hold.state:
            case State.RELEASING:
                parcel = Parcel(hold.sender_raw, hold.recipient_raw, content, hold.sender_params, hold.recipient_params)
                await self._hand(hold, parcel, now)
            case State.CORRECTING:
                await self._correct(hold, content, now)
            case State.RETURNING:
                await self._return(hold, content, now)

    async def _hand(self, hold: Hold, parcel: Parcel, now: int) -> None:
        """Hand a copy over and record what became of it."""
        handed = await hand_over(self.settings.release_hop, parcel, tls=self.settings.release.tls)
        reached(Steps.RELEASE_TAKEN)
        if handed.fate is Fate.TAKEN:
            await self._outcome(hold, "done", handed.codes)
            log.info("released", hold=hold.id, reply=handed.codes)
        elif handed.fate is Fate.NEVER or self._too_late(hold, now):
            await self._outcome(hold, "failed", handed.codes or "no answer in time")
            log.info("not deliverable", hold=hold.id, reply=handed.codes)
        else:
            await self._again(hold, handed, now)

    def _too_late(self, hold: Hold, now: int) -> bool:
        return now - hold.changed_at >= self.settings.release.give_up_after * 1000

    async def _again(self, hold: Hold, handed: Handed, now: int) -> None:
        waits = self.settings.release.retry
        wait = waits[min(hold.tries, len(waits) - 1)]
        await self._outcome(hold, "later", handed.codes or "no answer", next_try=now + int(wait * 1000))

    async def _correct(self, hold: Hold, content: bytes, now: int) -> None:
        """Judge the copy to the corrected address; send it, or hold the new copy and ask again."""
        at = datetime.fromtimestamp(now / 1000, UTC)
        to = parse_address(hold.corrected)
        if to is None:
            await self._outcome(hold, "failed", "the corrected address cannot be read")
            return
        judged = corrected_decision(self.engine, hold, content, to, at)
        if hold.tries == 0 or not judged.goes_on:
            await self._record(hold, judged, at)
        if not judged.goes_on:
            await self._outcome(hold, "done", "judged again and held")
            return
        resent = with_resent_fields(content, hold, to, at)
        recipient = judged.decision.envelope.recipients[0]
        await self._hand(
            hold, Parcel(hold.sender_raw, recipient.raw, resent, hold.sender_params, recipient.params), now
        )

    async def _record(self, hold: Hold, judged: Corrected, at: datetime) -> None:
        """Record the second judgement; what it stops becomes a hold of its own on the same spooled message."""
        addresses = AddressList()
        body = decision_body(judged.decision, "correction", "", addresses)
        expressed = express(judged.decision.verdict, [judged.key], {})
        head = decision_head(
            judged.decision, expressed, [judged.key], addresses, self.settings, spool=hold.spool, token="", at=at
        )
        await self.recorder.ask(head, body)

    async def _outcome(self, hold: Hold, result: str, reply: str, **more: int) -> None:
        head = {"do": "outcome", "hold": hold.id, "result": result, "reply": reply, "at": now_ms(), **more}
        await self.recorder.ask(head)
        reached(Steps.OUTCOME_RECORDED)

    async def _return(self, hold: Hold, content: bytes, now: int) -> None:
        """Give the copy back to its author, or to the postmaster where there is none we may write to."""
        letter = self.letters.returned(hold, content, now)
        if letter is None:
            log.error("nobody to return it to", hold=hold.id)
            await self._outcome(hold, "later", "no postmaster", next_try=now + 3_600_000)
            return
        handed = await self._post(letter)
        if handed.fate is Fate.TAKEN:
            await self._outcome(hold, "done", handed.codes)
        else:
            await self._again(hold, handed, now)

    async def _question(self, due: Due, now: int) -> None:
        """Take the steps of a question whose time has come; the last of several overdue ones speaks for all."""
        for step in due.steps[:-1]:
            if step is not Step.NOTICE:
                await self._taken(due, step, ())
        step = due.steps[-1]
        if step is Step.RETURN:
            for hold in hold_views.of_question(self.reader, due.question.id):
                if hold.state is State.WAITING:
                    head = {"do": "act", "hold": hold.id, "action": Action.RETURN, "role": Role.SYSTEM, "by": "courier"}
                    await self.recorder.ask({**head, "reason": "nobody answered", "at": now_ms()})
            await self._taken(due, step, ())
            return
        letters = self.letters.asking(due.question, step, now)
        handed = [await self._post(letter) for letter in letters]
        if letters and all(h.fate is Fate.NOT_NOW for h in handed):
            log.warning("notice not taken", question=due.question.id, step=step)
            await asyncio.sleep(1)
            return
        reached(Steps.NOTICE_SENT)
        await self._taken(due, step, tuple(letter.to for letter in letters))

    async def _taken(self, due: Due, step: Step, told: tuple[str, ...]) -> None:
        """Record that a step of a question was taken, and who was told."""
        head = {"do": "notice", "question": due.question.id, "step": step, "a": list(told), "at": now_ms()}
        await self.recorder.ask(head)

    async def _post(self, letter: Letter) -> Handed:
        parcel = Parcel(b"<>", b"<" + letter.to.encode() + b">", letter.content)
        return await hand_over(self.settings.release_hop, parcel, tls=self.settings.release.tls)
