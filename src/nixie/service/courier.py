"""What leaves on its own: notices to people, released and corrected copies, returns.

The courier looks for what is due, does it, and has the recorder write the outcome; it is a process of its own, so that no
session waits for a slow hop. Everything is idempotent up to one instant: a copy that the hop took before we could record it
is offered again after a crash. SMTP itself leaves that instant open (RFC 5321, section 4.5.4.1; RFC 1047).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog

from nixie.core.address import from_key
from nixie.core.verdict import Disposition
from nixie.service import digests
from nixie.service.answering import FIRST, express
from nixie.service.correcting import corrected_decision, with_resent_fields
from nixie.service.keeping import decision_head
from nixie.service.pipeline import now_ms
from nixie.service.recorder_client import RecorderRefusedError, RecorderUnavailableError
from nixie.service.records import decision_body
from nixie.service.release import EIGHT_BIT, Fate, Handed, Parcel, hand_over
from nixie.service.requests import AddressList
from nixie.service.steps import Step as Steps
from nixie.service.steps import reached
from nixie.store import hold_views, questions
from nixie.store.hold_states import Action, Role, State
from nixie.store.questions import Step
from nixie.store.spool import SpoolError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Sequence

    from nixie.config.settings import Settings
    from nixie.service.correcting import Corrected
    from nixie.service.digests import Due as DueDigest
    from nixie.service.engine import Engine
    from nixie.service.frames import Head
    from nixie.service.letters import Letter, Letters
    from nixie.service.recorder_client import RecorderClient
    from nixie.store.hold_views import Hold
    from nixie.store.questions import Due
    from nixie.store.spool import Spool

log = structlog.get_logger("nixie.courier")

POLL_SECONDS = 0.25
PAUSE_SECONDS = 1.0
"""Between two tries of something that failed for a reason of our own."""
STOP_SECONDS = 10.0
DIGEST_SECONDS = 60
"""Between two looks whether the reviewers' digest is due, and between two tries to hand it over."""
DIGEST = "digest"
AT_ONCE = 8
"""Copies handed over at the same time."""
ALREADY = ("illegal", "unknown")
"""What the recorder says of an outcome that it has: the first telling was recorded, its answer was lost."""


@dataclass(slots=True)
class Courier:
    """Does what is due; moments are milliseconds since 1970, an argument so that a test owns the clock."""

    settings: Settings
    reader: sqlite3.Connection
    recorder: RecorderClient
    spool: Spool
    engine: Engine
    letters: Letters
    _under_way: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _resting: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By question: how often its letters were not taken, and when to try again. A restart tries at once."""
    _told: dict[tuple[str, Step], set[str]] = field(default_factory=dict)
    """Who took a letter of a step that is tried again; a restart may tell them twice."""
    _owed: dict[str, tuple[Head, bytes]] = field(default_factory=dict)
    """By hold or question: what was done and could not be recorded. It is recorded before anything is done again, so that a
    full disk does not send a copy every second."""
    _digest_look: int = 0
    """When to look for the digest again, in milliseconds."""
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then let begun work end. A slow hop delays its own copy and nobody else's."""
        while not stop.is_set():
            try:
                self.begin(now_ms())
            except Exception as error:  # noqa: BLE001 - the courier must not end; what is due stays due
                log.error("cannot look for work", error=error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), POLL_SECONDS)
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=STOP_SECONDS)

    async def round(self, now: int) -> bool:
        """Do everything that is due at `now` to its end; return whether there was anything."""
        tasks = self.begin(now)
        if tasks:
            await asyncio.wait(tasks)
        return bool(tasks)

    def begin(self, now: int) -> list[asyncio.Task[None]]:
        """Begin everything that is due and not under way, and return its tasks; they end without raising."""
        jobs: dict[str, Callable[[], Awaitable[None]]] = {}
        for hold in hold_views.work(self.reader, now):
            jobs[hold.id] = partial(self._copy, hold, now)
        for due in questions.due(self.reader, now):
            if self._resting.get(due.question.id, (0, 0))[1] <= now:
                jobs[due.question.id] = partial(self._question, due, now)
        if now >= self._digest_look:
            self._digest_look = now + DIGEST_SECONDS * 1000
            digest = digests.due(self.reader, now)
            if digest is not None:
                jobs[DIGEST] = partial(self._digest, digest, now)
        new = [(name, job) for name, job in jobs.items() if name not in self._under_way]
        return [self._begin_one(name, job) for name, job in new]

    def _begin_one(self, name: str, job: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._guarded(name, job))
        self._under_way[name] = task
        task.add_done_callback(lambda _: self._under_way.pop(name, None))
        return task

    async def _guarded(self, name: str, job: Callable[[], Awaitable[None]]) -> None:
        async with self._gate:
            try:
                if name in self._owed:
                    await self._write(name, *self._owed[name])
                else:
                    await job()
            except (RecorderUnavailableError, RecorderRefusedError) as error:
                log.warning("not recorded", what=name, error=error)
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - one bad copy must not stop the others; it is tried again
                log.error("not done", what=name, error=error)
                await asyncio.sleep(PAUSE_SECONDS)

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
        """Hand a copy over and record what became of it.

        The hello names the hold: should the hop bring the copy back to a door, it is known there (`answering.Arrival`).
        """
        named = replace(parcel, hello=f"{hold.id}.release.{hold.author.rpartition('@')[2] or 'localhost'}")
        handed = await hand_over(self.settings.release_hop, named, tls=self.settings.release.tls)
        if handed.fate is Fate.TAKEN:
            reached(Steps.RELEASE_TAKEN)
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
        to = from_key(hold.corrected)
        if not to.domain:
            await self._outcome(hold, "failed", "the corrected address cannot be read")
            return
        judged = corrected_decision(self.engine, hold, content, to, at)
        if judged.refused:
            await self._outcome(hold, "failed", "refused by the policy")
            return
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
        expressed = express(judged.decision.verdict, [judged.key], {}, FIRST)
        head = decision_head(
            judged.decision, expressed, [judged.key], addresses, self.settings, spool=hold.spool, token="", at=at
        )
        await self.recorder.ask(head, body)

    async def _outcome(self, hold: Hold, result: str, reply: str, **more: int) -> None:
        head = {"do": "outcome", "hold": hold.id, "result": result, "reply": reply, "at": now_ms(), **more}
        await self._write(hold.id, head)
        reached(Steps.OUTCOME_RECORDED)

    async def _write(self, name: str, head: Head, body: bytes = b"") -> None:
        """Have the recorder write what was done; without its answer that is owed. A second telling changes nothing."""
        self._owed[name] = head, body
        try:
            await self.recorder.ask(head, body)
        except RecorderRefusedError as error:
            if error.code not in ALREADY:
                raise
        del self._owed[name]

    async def _return(self, hold: Hold, content: bytes, now: int) -> None:
        """Give the copy back to its author; to the postmaster where the author cannot be reached, for good or for too long."""
        letter = self.letters.returned(hold, content, now)
        if letter is None:
            log.error("nobody to return it to", hold=hold.id)
            await self._outcome(hold, "later", "no postmaster", next_try=now + 3_600_000)
            return
        handed = await self._give_back(hold, letter, content, now)
        told = handed.codes
        if (
            handed.fate is not Fate.TAKEN
            and letter.to_author
            and (handed.fate is Fate.NEVER or self._too_late(hold, now))
        ):
            other = self.letters.returned(hold, content, now, undeliverable=True)
            if other is not None:
                log.warning("author cannot be reached, the postmaster gets it", hold=hold.id, reply=handed.codes)
                handed = await self._give_back(hold, other, content, now)
                told = f"{handed.codes} from the postmaster's server; {told or 'no answer'} from the author's"
        if handed.fate is Fate.TAKEN:
            reached(Steps.RELEASE_TAKEN)
            await self._outcome(hold, "done", told)
            return
        if handed.fate is Fate.NEVER:
            log.error("nobody takes it back; it is kept and tried again", hold=hold.id, reply=handed.codes)
        await self._again(hold, handed, now)

    async def _give_back(self, hold: Hold, letter: Letter, content: bytes, now: int) -> Handed:
        """Post a return; where the hop takes seven bits only, a second time with the message encoded."""
        handed = await self._post(letter)
        if handed.codes == EIGHT_BIT:
            encoded = self.letters.returned(hold, content, now, undeliverable=not letter.to_author, plain=True)
            if encoded is not None:
                return await self._post(encoded)
        return handed

    async def _question(self, due: Due, now: int) -> None:
        """Take the steps of a question whose time has come; the last of several overdue ones speaks for all."""
        await self._return_all(due, "refused by the policy", refused=True)
        for step in due.steps[:-1]:
            if step is not Step.NOTICE:
                await self._taken(due, step, ())
        step = due.steps[-1]
        if step is Step.RETURN:
            await self._return_all(due, "nobody answered", refused=False)
            await self._taken(due, step, ())
            return
        if await self._tell(due, step, now):
            self._resting.pop(due.question.id, None)
        else:
            self._rest(due, step, now)

    async def _tell(self, due: Due, step: Step, now: int) -> bool:
        """Tell the people of a step and record it; return False when it must be tried again.

        Only who took a letter was told. An author who can never be told is no reason to wait: the reviewers are asked at once.
        """
        letters = self.letters.asking(due.question, step, now)
        told = self._told.setdefault((due.question.id, step), set())
        refused: list[str] = []
        author_refused = unsure = False
        for letter in letters:
            if letter.to.key in told:
                continue
            handed = await self._post(letter)
            match handed.fate:
                case Fate.TAKEN:
                    told.add(letter.to.key)
                case Fate.NEVER:
                    refused.append(handed.codes)
                    author_refused = author_refused or letter.to_author
                    log.warning("letter refused", question=due.question.id, step=step, reply=handed.codes)
                case Fate.NOT_NOW:
                    unsure = unsure or letter.to_author
        if author_refused and not await self._ask_reviewers(due, step, now):
            return False
        if letters and (unsure or not (told or author_refused)):
            return False
        if not letters and step is not Step.REMIND and self._waiting(due):
            log.error("nobody may be asked: no author, no reviewer, no postmaster", question=due.question.id, step=step)
        reached(Steps.NOTICE_SENT)
        await self._taken(due, step, tuple(told), refused)
        return True

    async def _ask_reviewers(self, due: Due, step: Step, now: int) -> bool:
        """Ask the reviewers now, because the author refuses letters; a reminder does not ask them twice."""
        if step is Step.REMIND and due.question.done.escalate is not None:
            return True
        return await self._tell(due, Step.ESCALATE, now)

    def _rest(self, due: Due, step: Step, now: int) -> None:
        waits, failures = self.settings.release.retry, self._resting.get(due.question.id, (0, 0))[0]
        wait = waits[min(failures, len(waits) - 1)]
        self._resting[due.question.id] = (failures + 1, now + int(wait * 1000))
        log.warning("notice not taken", question=due.question.id, step=step, again_in_seconds=wait)

    def _waiting(self, due: Due) -> bool:
        return any(hold.state is State.WAITING for hold in hold_views.of_question(self.reader, due.question.id))

    async def _return_all(self, due: Due, reason: str, *, refused: bool) -> None:
        """Begin the return of the question's waiting copies; with `refused` only of those that the policy refuses."""
        for hold in hold_views.of_question(self.reader, due.question.id):
            if hold.state is State.WAITING and (not refused or hold.disposition == Disposition.REFUSE):
                head = {"do": "act", "hold": hold.id, "action": Action.RETURN, "role": Role.SYSTEM, "by": "courier"}
                await self.recorder.ask({**head, "reason": reason, "at": now_ms()})

    async def _taken(self, due: Due, step: Step, told: Sequence[str], refused: Sequence[str] = ()) -> None:
        """Record that a step of a question was taken, who was told, and the codes by which letters were refused for good."""
        self._told.pop((due.question.id, step), None)
        head = {"do": "notice", "question": due.question.id, "step": step, "a": list(told), "at": now_ms()}
        body = json.dumps({"refused": refused}).encode("ascii") if refused else b""
        await self._write(due.question.id, head, body)

    async def _digest(self, due: DueDigest, now: int) -> None:
        """Tell the reviewers of the copies that the budget let go on; when nobody takes the letter it is tried again."""
        copies = list(digests.not_asked(self.reader, due.since, due.until)) if self.engine.policy.budget else []
        letters = self.letters.digest(copies, due.since, due.until, now) if copies else ()
        fates = [(letter, (await self._post(letter)).fate) for letter in letters]
        told = [letter.to.key for letter, fate in fates if fate is Fate.TAKEN]
        if fates and not told and any(fate is Fate.NOT_NOW for _, fate in fates):
            log.warning("digest not taken", again_in_seconds=DIGEST_SECONDS)
            return
        if copies and not told:
            log.error("nobody reads the digest: no reviewer, no postmaster", copies=len(copies))
        head = {"do": DIGEST, "day": due.day, "copies": len(copies), "a": told, "at": now_ms()}
        await self._write(DIGEST, head)

    async def _post(self, letter: Letter) -> Handed:
        header = letter.content[: letter.content.find(b"\r\n\r\n")]
        params = () if header.isascii() else (b"SMTPUTF8",)
        path = b"<" + str(letter.to).encode("utf-8", "surrogateescape") + b">"
        parcel = Parcel(b"<>", path, letter.content, params)
        return await hand_over(self.settings.release_hop, parcel, tls=self.settings.release.tls)
