"""What the recorder is asked to keep of a decision: the row, the events it shows, the copies it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core.address import canonical
from nixie.core.direction import Direction, SenderKind
from nixie.core.message import NotSeen
from nixie.service import requests
from nixie.service.requests import HeldRequest, HoldRequest
from nixie.sources.bounces import bounces_of
from nixie.sources.mailings import mailing_of_record, shown_beside
from nixie.sources.records import answers_of, events_of, identity, record_of_message
from nixie.store.questions import Deadlines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from nixie.config.settings import Settings
    from nixie.core.address import Address
    from nixie.core.direction import Origin
    from nixie.core.events import Answer
    from nixie.core.organisation import Organisation
    from nixie.service.answering import Expressed
    from nixie.service.engine import Decision
    from nixie.service.frames import Head
    from nixie.service.requests import AddressList
    from nixie.sources.records import Record

PEOPLE = (SenderKind.PERSON, SenderKind.SHARED)
"""Kinds of sender whose mail says whom somebody writes to."""


def decision_head(
    decision: Decision,
    expressed: Expressed,
    keys: Sequence[bytes],
    addresses: AddressList,
    settings: Settings,
    *,
    spool: str,
    token: str,
    at: datetime,
) -> Head:
    """Return the head of the recorder's request about one decision.

    `keys` are the copy keys in the envelope's order, `addresses` the list by which the decision's body counts, `spool` the id of
    the encrypted message (`""` when nothing is held), `token` names provisional holds.
    """
    record = _record(decision, expressed, settings.organisation, at)
    events = tuple(events_of(record, settings.organisation)) if record is not None else ()
    answers = tuple(_answers(decision, record, settings.organisation, at))
    mailing = mailing_of_record(record, settings.organisation) if record is not None else None
    held = _held(decision, expressed, keys, settings, spool, token, at) if expressed.to_hold else None
    return requests.decision(
        millis(at), identity(decision.message), addresses, events=events, held=held, answers=answers, mailing=mailing
    )


def millis(at: datetime) -> int:
    """Return an aware moment as milliseconds since 1970, UTC."""
    return int(at.timestamp() * 1000)


def deadlines(settings: Settings, at: datetime) -> Deadlines:
    """Return when each step of a question that is opened now is due."""
    notice, start = settings.notice, millis(at)
    return Deadlines(
        *(
            start + int(1000 * s)
            for s in (notice.wait, notice.reminder_after, notice.escalate_after, notice.return_after)
        )
    )


def _record(decision: Decision, expressed: Expressed, organisation: Organisation, at: datetime) -> Record | None:
    """Return what the copies that go on teach; nobody's mail, and mail whose author nobody answers for, teaches nothing.

    A copy that is stopped is no contact: what becomes of it is taught when it is known (`recording.outcome`).
    """
    origin = decision.origin
    if origin.kind not in PEOPLE or origin.direction is Direction.THROUGH:
        return None
    sender = _sender(origin)
    if sender is None:
        return None
    stopped = {*expressed.to_hold, *expressed.refused, *expressed.kept}
    message, to = decision.message, [r.address for r in decision.envelope.recipients]
    recipients = tuple(address for n, address in enumerate(to) if n not in stopped) if stopped else tuple(to)
    ours = origin.direction is not Direction.INCOMING
    shown = shown_beside(message, {address.key for address in to}, organisation, ours=ours)
    return record_of_message(message, canonical(sender), recipients, at, shown=shown, reading=decision.reading)


def _answers(decision: Decision, record: Record | None, organisation: Organisation, at: datetime) -> Iterator[Answer]:
    """Yield what stands if mail that the message refers to is ours: answers of people, and what a bounce gives back."""
    if record is not None:
        yield from answers_of(record, organisation)
    coming = decision.origin.direction in (Direction.INCOMING, Direction.INSIDE)
    if coming and decision.origin.kind is SenderKind.BOUNCE:
        to = tuple(r.address for r in decision.envelope.recipients)
        yield from bounces_of(decision.message, to, at, organisation)


def _sender(origin: Origin) -> Address | None:
    """Return whose mail it is. A login that names nobody for sure counts as its envelope's sender, as a log has it."""
    if origin.direction is not Direction.OUTGOING:
        inside = origin.author if origin.direction is Direction.INSIDE else None
        return inside or origin.mailbox or origin.envelope_sender
    return origin.author or (origin.envelope_sender if origin.author_basis == "login" else None)


def _held(
    decision: Decision,
    expressed: Expressed,
    keys: Sequence[bytes],
    settings: Settings,
    spool: str,
    token: str,
    at: datetime,
) -> HeldRequest:
    message, envelope = decision.message, decision.envelope
    shown = {
        m.address.key
        for field in (message.to, message.cc)
        if not isinstance(field, NotSeen)
        for m in field
        if m.address is not None
    }
    holds = tuple(
        HoldRequest(
            copy_key=keys[number],
            recipient=envelope.recipients[number].address,
            disposition=str(decision.verdict.copies[number].disposition),
            recipient_raw=envelope.recipients[number].raw,
            recipient_params=envelope.recipients[number].params,
            choices=tuple(map(str, decision.verdict.copies[number].choices)),
            blind=envelope.recipients[number].address.key not in shown,
        )
        for number in expressed.to_hold
    )
    return HeldRequest(
        spool=spool,
        author=decision.origin.author,
        sender=envelope.sender,
        deadlines=deadlines(settings, at),
        holds=holds,
        sender_raw=envelope.sender_raw,
        sender_params=envelope.params,
        token=token,
        received=message.received,
    )
