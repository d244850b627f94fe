"""The mails that the courier sends to people: held copies as the store knows them, turned into what `render.notice` writes.

Nobody outside the own domains is ever written to, nor the null sender; where an author cannot be asked, the reviewers are, and
where there are none, the postmaster.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nixie.core import mime
from nixie.core.address import parse_address
from nixie.core.message import NotSeen
from nixie.render import notice
from nixie.render.evidence import Reader
from nixie.render.letters import Asked, Heading, HeldCopy, Returned, Why
from nixie.service.links import Link, sign
from nixie.service.records import verdict_of
from nixie.service.views import copy_view, held_number
from nixie.store import hold_views
from nixie.store.hold_states import State
from nixie.store.ledger import Kind
from nixie.store.questions import Step
from nixie.store.spool import SpoolError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from nixie.config.settings import Settings
    from nixie.store.hold_views import Hold, HoldStory
    from nixie.store.questions import Question
    from nixie.store.spool import Spool

REVIEWED = "hold-reviewer"
SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail ready to be handed over: its reader's address and its bytes."""

    to: str = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Letters:
    """Writes letters from what the store knows; times are milliseconds since 1970."""

    settings: Settings
    reader: sqlite3.Connection
    spool: Spool
    links_key: bytes = field(repr=False)

    def asking(self, question: Question, step: Step, now: int) -> tuple[Letter, ...]:
        """Return the letters of one step: to the author while he may decide, to the reviewers where he may not or does not."""
        waiting = [h for h in hold_views.of_question(self.reader, question.id) if h.state is State.WAITING]
        if not waiting:
            return ()
        author = self._may_be_told(waiting[0].author)
        theirs = [h for h in waiting if h.disposition != REVIEWED]
        letters: list[Letter] = []
        if step in (Step.NOTICE, Step.REMIND) and author:
            write = notice.notice if step is Step.NOTICE else notice.reminder
            asked = self._asked(question, waiting, now, Reader.AUTHOR)
            letters.append(Letter(author, write(self._heading(author, question.id, step, now), asked)))
        for_reviewers = waiting if step is Step.ESCALATE or not author else [h for h in waiting if h not in theirs]
        if for_reviewers and step is not Step.REMIND:
            asked = self._asked(question, for_reviewers, now, Reader.OTHER)
            letters += [
                Letter(to, notice.review(self._heading(to, question.id, step, now), asked))
                for to in self._reviewers(for_reviewers)
            ]
        return tuple(letters)

    def returned(self, hold: Hold, content: bytes, now: int) -> Letter | None:
        """Return the letter that gives a copy back to its author; to the postmaster where the author cannot be written to."""
        to = self._may_be_told(hold.author) or self._may_be_told(self.settings.organisation.postmaster)
        if not to:
            return None
        why, reason, reply = self._why(hold)
        back = Returned(
            hold=hold.id,
            recipient=hold.recipient,
            why=why,
            sent_at=_moment(hold.held_at),
            subject=_subject(content),
            reason=reason,
            reply=reply,
        )
        whole = self.settings.notice.return_with == "message"
        return Letter(to, notice.returned(self._heading(to, hold.id, "returned", now), back, content, whole=whole))

    def _asked(self, question: Question, holds: Sequence[Hold], now: int, reader: Reader) -> Asked:
        stories = [hold_views.show(self.reader, h.id) for h in holds]
        until = now + int(self.settings.notice.link_valid * 1000)
        token = sign(self.links_key, Link(question.id, until // 1000))
        decided = {s.hold.decision: verdict_of(s.verdict or {}, s.addresses) for s in stories}
        passed = sum(not c.disposition.strictness for v in decided.values() for c in v.copies)
        back, remind, escalate = (getattr(question.deadlines, n) for n in ("return_", "remind", "escalate"))
        return Asked(
            question=question.id,
            copies=tuple(_copy(s, reader) for s in stories),
            passed_on=passed,
            sent_at=_moment(question.opened),
            author=holds[0].author,
            subject=self._subject_of(holds) if reader is Reader.AUTHOR else "",
            link=f"{self.settings.http.public_url.rstrip('/')}/d/{token}",
            link_until=_moment(until),
            return_at=_moment(back) if back is not None else None,
            remind=remind is not None,
            escalate=escalate is not None,
        )

    def _heading(self, to: str, about: str, step: str, now: int) -> Heading:
        sender = self.settings.notice_from
        domain = sender.rpartition("@")[2] or "localhost"
        return Heading(sender, to, _moment(now), f"{about}.{step}.{now}.nixie@{domain}", self.settings.name)

    def _reviewers(self, holds: Sequence[Hold]) -> tuple[str, ...]:
        """Return who reviews: those whom the rules name that hold these copies, else the configured list, else the postmaster."""
        named: dict[str, None] = {}
        for story in (hold_views.show(self.reader, h.id) for h in holds):
            verdict = verdict_of(story.verdict or {}, story.addresses)
            number = held_number(story.hold, story.addresses, story.verdict)
            if 0 <= number < len(verdict.copies):
                named.update(dict.fromkeys(verdict.copies[number].reviewers))
        told = tuple(named) or self.settings.notice.reviewers or (self.settings.organisation.postmaster,)
        return tuple(filter(None, map(self._may_be_told, told)))

    def _may_be_told(self, address: str) -> str:
        """Return the address when it is one of ours, else nothing: no letter ever leaves the house."""
        parsed = parse_address(address) if address else None
        ours = parsed is not None and not parsed.is_null and self.settings.organisation.inside(parsed.domain)
        return address if ours else ""

    def _subject_of(self, holds: Sequence[Hold]) -> str:
        for hold in holds:
            try:
                return _subject(next(self.spool.stream(hold.spool), b""))
            except SpoolError:
                continue
        return ""

    def _why(self, hold: Hold) -> tuple[Why, str, str]:
        """Return why a copy comes back, from its latest ledger row: silence, a reviewer's word, or a hop's refusal."""
        rows = [r for r in hold_views.show(self.reader, hold.id).rows if r.kind is Kind.RETURNING and r.hold == hold.id]
        body = rows[-1].body if rows else None
        told = body if isinstance(body, dict) else {}
        if told.get("reply"):
            return Why.UNDELIVERABLE, "", str(told["reply"])
        if told.get("actor", {}).get("role") == "reviewer":
            return Why.REVIEWER, str(told.get("reason", "")), ""
        return Why.SILENCE, "", ""


def _copy(story: HoldStory, reader: Reader) -> HeldCopy:
    hold, view = story.hold, copy_view(story, reader)
    return HeldCopy(
        hold=hold.id,
        recipient=hold.recipient,
        reasons=view.reasons,
        suggestions=tuple(s.address for s in view.suggestions)[:SUGGESTIONS],
        choices=view.choices,
        blind=hold.blind,
        by_reviewer=hold.disposition == REVIEWED,
    )


def _subject(head: bytes) -> str:
    subject = mime.read(head).subject
    return "" if isinstance(subject, NotSeen) else subject


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
