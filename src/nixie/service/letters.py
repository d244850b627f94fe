"""The mails that the courier sends to people: held copies as the store knows them, turned into what `render.notice` writes.

Nobody outside the own domains is ever written to, nor the null sender; where an author cannot be asked, the reviewers are, and
where there are none, the postmaster.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nixie.core import mime
from nixie.core.address import from_key, parse_address
from nixie.core.message import NotSeen
from nixie.render import notice
from nixie.render.evidence import Reader
from nixie.render.letters import Asked, Digest, Heading, HeldCopy, NotAsked, Returned, Why
from nixie.service.links import Link, sign
from nixie.service.views import NOTHING, copy_view, judged
from nixie.store import hold_views
from nixie.store.hold_states import State
from nixie.store.ledger import Kind
from nixie.store.questions import Step
from nixie.store.spool import SpoolError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from nixie.config.settings import Settings
    from nixie.core.address import Address
    from nixie.service.desk import CopyView
    from nixie.store.hold_views import Hold
    from nixie.store.questions import Question
    from nixie.store.spool import Spool

REVIEWED = "hold-reviewer"
SUGGESTIONS = 3
NOT_ASKED = 50
"""Copies that a digest tells of, the likeliest slips."""
COPIES = 20
"""Held copies that a letter tells of one by one; the page shows all."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail ready to be handed over: its reader's address and its bytes, and whether the reader wrote what is held."""

    to: Address = field(repr=False)
    content: bytes = field(repr=False)
    to_author: bool = False


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
        author = self._ours(_author(waiting[0]))
        theirs = [h for h in waiting if h.disposition != REVIEWED]
        letters: list[Letter] = []
        if step in (Step.NOTICE, Step.REMIND) and author:
            write = notice.notice if step is Step.NOTICE else notice.reminder
            asked = self._asked(question, waiting, now, Reader.AUTHOR)
            letters.append(Letter(author, write(self._heading(author, question.id, step, now), asked), to_author=True))
        for_reviewers = waiting if step is Step.ESCALATE or not author else [h for h in waiting if h not in theirs]
        if for_reviewers and step is not Step.REMIND:
            asked = self._asked(question, for_reviewers, now, Reader.OTHER)
            letters += [
                Letter(to, notice.review(self._heading(to, question.id, step, now), asked))
                for to in self._reviewers(for_reviewers)
            ]
        return tuple(letters)

    def returned(
        self, hold: Hold, content: bytes, now: int, *, undeliverable: bool = False, plain: bool = False
    ) -> Letter | None:
        """Return the letter that gives a copy back to its author; to the postmaster where the author cannot be written to.

        With `undeliverable` the author's mailbox refuses it; with `plain` the next server takes seven bits only. None when
        there is nobody whom we may write to.
        """
        author = self._ours(_author(hold))
        to = None if undeliverable else author
        to = to or self._ours(parse_address(self.settings.organisation.postmaster))
        if to is None:
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
            author="" if to == author else hold.author,
        )
        whole = self.settings.notice.return_with == "message"
        heading = self._heading(to, hold.id, "returned", now)
        return Letter(to, notice.returned(heading, back, content, whole=whole, plain=plain), to_author=to == author)

    def digest(self, copies: Sequence[NotAsked], since: int, until: int, now: int) -> tuple[Letter, ...]:
        """Return the letters to the reviewers about copies that nobody was asked about; to the postmaster where there are none."""
        shown = sorted(copies, key=lambda copy: -copy.probability)[:NOT_ASKED]
        told = Digest(_moment(since), _moment(until), tuple(shown), len(copies) - len(shown))
        about = f"digest.{_moment(since):%Y-%m-%d}"
        return tuple(
            Letter(to, notice.digest(self._heading(to, about, "digest", now), told)) for to in self._reviewers(())
        )

    def _asked(self, question: Question, holds: Sequence[Hold], now: int, reader: Reader) -> Asked:
        decisions = judged(self.reader, holds)
        until = now + int(self.settings.notice.link_valid * 1000)
        token = sign(self.links_key, Link(question.id, until // 1000))
        back, remind, escalate = (getattr(question.deadlines, n) for n in ("return_", "remind", "escalate"))
        return Asked(
            question=question.id,
            copies=tuple(_copy(h, copy_view(h, decisions, reader)) for h in holds[:COPIES]),
            more=len(holds[COPIES:]),
            passed_on=sum(decision.passed for decision in decisions.values()),
            sent_at=_moment(holds[0].held_at),
            author=holds[0].author,
            subject=self._subject_of(holds) if reader is Reader.AUTHOR else "",
            link=f"{self.settings.http.public_url.rstrip('/')}/d/{token}",
            link_until=_moment(until),
            return_at=_moment(back) if back is not None else None,
            remind=remind is not None,
            escalate=escalate is not None,
        )

    def _heading(self, to: Address, about: str, step: str, now: int) -> Heading:
        sender = self.settings.notice_from
        domain = sender.rpartition("@")[2] or "localhost"
        return Heading(sender, str(to), _moment(now), f"{about}.{step}.{now}.nixie@{domain}", self.settings.name)

    def _reviewers(self, holds: Sequence[Hold]) -> tuple[Address, ...]:
        """Return who reviews: those whom the rules name that hold these copies, else the configured list, else the postmaster."""
        named: dict[str, None] = {}
        decisions = judged(self.reader, holds)
        for hold in holds:
            decision = decisions.get(hold.decision, NOTHING)
            copies, number = decision.verdict.copies, decision.number(hold)
            if 0 <= number < len(copies):
                named.update(dict.fromkeys(copies[number].reviewers))
        told = tuple(named) or self.settings.notice.reviewers or (self.settings.organisation.postmaster,)
        return tuple(filter(None, (self._ours(parse_address(text)) for text in told)))

    def _ours(self, address: Address | None) -> Address | None:
        """Return the address when it is one of ours, else None: no letter ever leaves the house."""
        ours = address is not None and not address.is_null and self.settings.organisation.inside(address.domain)
        return address if ours else None

    def _subject_of(self, holds: Sequence[Hold]) -> str:
        for hold in holds:
            try:
                return _subject(next(self.spool.stream(hold.spool), b""))
            except SpoolError:
                continue
        return ""

    def _why(self, hold: Hold) -> tuple[Why, str, str]:
        """Return why a copy comes back, from its latest ledger row: silence, a reviewer's word, or a hop's refusal."""
        body = hold_views.last_told(self.reader, hold.id, Kind.RETURNING)
        told = body if isinstance(body, dict) else {}
        if told.get("reply"):
            return Why.UNDELIVERABLE, "", str(told["reply"])
        if told.get("actor", {}).get("role") == "reviewer":
            return Why.REVIEWER, str(told.get("reason", "")), ""
        return Why.SILENCE, "", ""


def _author(hold: Hold) -> Address | None:
    """Return who wrote it; None where nobody can be named, or the person was erased."""
    return from_key(hold.author) if hold.author and not hold.author.startswith("?@") else None


def _copy(hold: Hold, view: CopyView) -> HeldCopy:
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
