"""The desk over the real store: questions are read, decisions go to the recorder."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nixie.core import mime
from nixie.core.address import parse_address
from nixie.core.message import NotSeen
from nixie.core.verdict import Choice
from nixie.service.desk import DeskError, NotAllowedError, NotNowError, QuestionView, is_login_of
from nixie.service.pipeline import now_ms
from nixie.service.recorder_client import RecorderRefusedError, RecorderUnavailableError, recorder_answers
from nixie.service.views import copy_view, judged
from nixie.store import hold_views, questions
from nixie.store.db import open_reader
from nixie.store.hold_states import Action
from nixie.store.questions import UnknownQuestionError
from nixie.store.spool import SpoolError

if TYPE_CHECKING:
    from nixie.service.desk import Decided
    from nixie.service.places import Places
    from nixie.service.recorder_client import RecorderClient
    from nixie.store.hold_views import Hold
    from nixie.store.spool import Spool

ACTION_OF = {Choice.SEND: Action.RELEASE, Choice.CORRECT: Action.CORRECT, Choice.CANCEL: Action.CANCEL}
SUBJECT_CHARACTERS = 120


class StoreDesk:
    """Reads through a connection of its own for each question, as pages are served from several threads."""

    def __init__(self, places: Places, recorder: RecorderClient, spool: Spool) -> None:
        self._database = places.database
        self._socket = places.recorder
        self._recorder = recorder
        self._spool = spool

    def question(self, question: str) -> QuestionView | None:
        """Return one question with all its copies, None if there is no such."""
        db = open_reader(self._database)
        try:
            found = questions.find_question(db, question)
            holds = hold_views.of_question(db, question)
            decisions = judged(db, holds)
        except UnknownQuestionError:
            return None
        finally:
            db.close()
        if not holds:
            return None
        until = found.deadlines.return_
        return QuestionView(
            id=question,
            generation=found.generation,
            author=holds[0].author,
            subject=self.subject(holds),
            at=_moment(holds[0].held_at),
            copies=tuple(copy_view(hold, decisions) for hold in holds),
            passed_on=sum(decision.passed for decision in decisions.values()),
            until=_moment(until) if until is not None else None,
        )

    def subject(self, holds: tuple[Hold, ...]) -> str:
        """Return the beginning of the subject, `""` once the message is gone from the spool."""
        for hold in holds:
            try:
                head = next(self._spool.stream(hold.spool), b"")
            except SpoolError:
                continue
            subject = mime.read(head).subject
            return "" if isinstance(subject, NotSeen) else subject[:SUBJECT_CHARACTERS]
        return ""

    async def decide(self, question: str, decided: Decided, login: str) -> str:
        """Send one decision to the recorder for the author of the question.

        The record names the author by the number of his address, so that erasing a person reaches it. A login that is not the
        author's own is kept beside it as it is: an account's name, which is the login service's to erase.
        """
        view = await asyncio.to_thread(self.question, question)
        copy = next((c for c in view.copies if c.hold == decided.hold), None) if view else None
        if view is None or copy is None:
            raise NotAllowedError("This copy does not belong to the question.")
        if decided.choice not in copy.choices:
            raise NotAllowedError("The rule that held this copy does not offer that answer.")
        head = {
            "do": "act",
            "hold": decided.hold,
            "action": ACTION_OF[decided.choice],
            "role": "author",
            "address": view.author,
            "name": "" if is_login_of(login, view.author) else login,
            "by": "login" if login else "link",
            "reason": decided.reason,
            "generation": decided.generation,
            "at": now_ms(),
        }
        if decided.choice is Choice.CORRECT:
            to = parse_address(decided.to)
            if to is None:
                raise DeskError("Please give the address that you meant, such as name@example.org.")
            if to.key == copy.recipient:
                raise DeskError("That is the address the copy is held for; choose to send it as it is if it is right.")
            head["corrected"] = to.key
        try:
            await self._recorder.ask(head)
        except RecorderRefusedError as error:
            raise NotAllowedError(str(error)) from error
        except RecorderUnavailableError as error:
            raise NotNowError(
                "Your answer could not be recorded just now; nothing was changed. Please try again."
            ) from error
        return {
            Choice.SEND: "The copy is on its way to the address as you wrote it.",
            Choice.CORRECT: "The copy is checked once more and then goes to the corrected address.",
            Choice.CANCEL: "The copy will not be sent.",
        }[decided.choice]

    def healthy(self) -> bool:
        """Return whether the store can be read and the recorder answers."""
        try:
            db = open_reader(self._database)
            db.execute("SELECT 1 FROM hold LIMIT 1").fetchone()
            db.close()
        except sqlite3.Error:
            return False
        return recorder_answers(self._socket)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
