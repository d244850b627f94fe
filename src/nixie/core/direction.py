"""Where a message is going, who answers for it, and what wrote it.

Three persons are kept apart: the author (who acts: the login, or the Sender field), the mailbox (From), and the envelope
sender. A person without a login counts as author only when a trusted client hands the message over and the envelope
confirms the header, since anybody can write a From field. The kind of sender says whether somebody typed the recipients:
nobody does for bounces, lists, forwards and machines. A header alone never says so against an authenticated person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nixie.core.address import Address, canonical, normal_domain, parse_address, rewriting, without_tag
from nixie.core.message import NotSeen
from nixie.core.routed import routed

if TYPE_CHECKING:
    from nixie.core.address import Mailbox
    from nixie.core.envelope import Client, Envelope
    from nixie.core.message import Message
    from nixie.core.organisation import Organisation


class Direction(StrEnum):
    """Where a message goes, by the organisation's domains. Only `outgoing` is judged."""

    INSIDE = "inside"
    """From us to us."""
    OUTGOING = "outgoing"
    """Ours, and at least one recipient is outside."""
    INCOMING = "incoming"
    """From somebody else (or nobody we can confirm) to us alone."""
    THROUGH = "through"
    """Neither side is ours: what aliases and forwards make."""


class SenderKind(StrEnum):
    """What wrote the message and chose its recipients."""

    PERSON = "person"
    SHARED = "shared"
    """A person who writes as a mailbox that is not theirs alone."""
    MACHINE = "machine"
    LIST = "list"
    FORWARD = "forward"
    BOUNCE = "bounce"


@dataclass(frozen=True, slots=True)
class Origin:
    """The sending side of one message. `author_basis` is `login`, `from` or `none`; `notes` are codes of what was odd.

    With a login that names nobody for sure the basis is `login` and the author None: one of ours wrote it, and reviewers are
    asked, because the question about a copy must never go to a namesake.
    """

    direction: Direction
    author: Address | None
    author_basis: str
    mailbox: Address | None
    envelope_sender: Address
    kind: SenderKind
    notes: tuple[str, ...]


_LIST_PRECEDENCES = frozenset({"list", "bulk"})
_DAEMON = "mailer-daemon"
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]++")


@dataclass(slots=True)
class _Sight:
    """What the questions below look at: the arguments of `origin_of`, and what all of them ask first."""

    message: Message
    envelope: Envelope
    organisation: Organisation
    login: str
    trusted: bool
    mailbox: Address | None
    mailbox_ours: bool
    acting: Address | None
    acting_ours: bool
    sender: Address
    sender_ours: bool
    notes: list[str]


def origin_of(message: Message, envelope: Envelope, client: Client, organisation: Organisation) -> Origin:
    """Return direction, author and kind of sender of a message; costs a few microseconds and never raises.

    The envelope sender counts as the person behind SRS, BATV and VERP, so mail that we forward stays somebody else's.
    """
    notes: list[str] = []
    mailbox, acting = _one(message.from_, notes), _one(message.sender, [])
    sender, login = canonical(envelope.sender), client.login.strip()
    inside = organisation.inside
    sight = _Sight(
        message=message,
        envelope=envelope,
        organisation=organisation,
        login=login,
        trusted=bool(login) or organisation.trusts(client.ip),
        mailbox=mailbox,
        mailbox_ours=mailbox is not None and inside(mailbox.domain),
        acting=acting,
        acting_ours=acting is not None and inside(acting.domain),
        sender=sender,
        sender_ours=inside(sender.domain),
        notes=notes,
    )
    author, basis = _author(sight)
    if message.nixie_fields:
        notes.append("nixie-field")
    direction = _direction(sight)
    kind = _kind(sight, author, direction)
    return Origin(direction, author, basis, mailbox, envelope.sender, kind, tuple(notes))


def _one(people: tuple[Mailbox, ...] | NotSeen, notes: list[str]) -> Address | None:
    """Return the first address of a field; a note says when there are several (RFC 5322, 3.6.2, then asks for Sender)."""
    if isinstance(people, NotSeen):
        return None
    found = [box.address for box in people if box.address is not None]
    if len(found) > 1:
        notes.append("several-from")
    return found[0] if found else None


def _author(sight: _Sight) -> tuple[Address | None, str]:
    """Return who answers for the message and on what basis; nobody when only the header says so."""
    if sight.login:
        return _by_login(sight), "login"
    # Without a From field (a log, a stream) the envelope is all there is, and as good as it was.
    claimed = sight.acting if sight.acting_ours else sight.mailbox or sight.sender
    if claimed is None or not sight.organisation.inside(claimed.domain):
        return None, "none"
    if not sight.trusted:
        sight.notes.append("client-untrusted")
        return None, "none"
    if not sight.sender_ours:
        sight.notes.append("null-sender" if sight.sender.is_null else "envelope-foreign")
        return None, "none"
    return claimed, "from"


def _by_login(sight: _Sight) -> Address | None:
    """Return the address of an authenticated login; a bare one is looked for in From, Sender and the envelope.

    Where it is not found there it can only be an address at our one domain; among several nobody knows.
    """
    if "@" in sight.login and (address := parse_address(sight.login)):
        return address
    bare = sight.login.rpartition("\\")[2]
    if not _PRINTABLE.fullmatch(bare) or "@" in bare:
        sight.notes.append("login-unreadable")
        return None
    wanted = without_tag(Address(bare, "")).key
    for address in (sight.mailbox, sight.acting, sight.sender):
        own = address is not None and sight.organisation.owns(address.domain)
        if own and address is not None and without_tag(Address(address.local, "")).key == wanted:
            return address
    sight.notes.append("login-unmatched")
    domains = sight.organisation.own_domains
    only = len(domains) == 1 and not domains[0].startswith("*.")
    return Address(bare, normal_domain(domains[0])) if only else None


def _direction(sight: _Sight) -> Direction:
    inside = sight.organisation.inside
    ends = (routed(r.address, sight.organisation).domain for r in sight.envelope.recipients)
    leaves = any(domain and not inside(domain) for domain in ends)
    claimed = sight.mailbox_ours or sight.acting_ours
    # A forged From of ours on its way out is judged rather than waved through.
    ours = bool(sight.login) or sight.sender_ours or (claimed and (leaves or sight.sender.is_null))
    if leaves:
        return Direction.OUTGOING if ours else Direction.THROUGH
    return Direction.INSIDE if ours and sight.trusted else Direction.INCOMING


def _kind(sight: _Sight, author: Address | None, direction: Direction) -> SenderKind:
    message = sight.message
    report = message.content_type == "multipart/report"
    if sight.login:
        # The client writes header and envelope alike; only both together (a read receipt) outweigh the login.
        if sight.sender.is_null and report:
            return SenderKind.BOUNCE
        sight.notes.extend(_ignored(sight))
        return _person(sight, author)
    if sight.sender.is_null or report or _is_daemon(sight.sender) or _is_daemon(sight.mailbox):
        return SenderKind.BOUNCE
    worn = rewriting(sight.envelope.sender)
    if worn == "srs":
        return SenderKind.FORWARD
    if message.list_id or message.precedence in _LIST_PRECEDENCES:
        return SenderKind.LIST
    if message.auto_submitted not in ("", "no") or worn == "verp":
        return SenderKind.MACHINE
    if direction is Direction.THROUGH or _forwarded(sight):
        return SenderKind.FORWARD
    return _person(sight, author)


def _ignored(sight: _Sight) -> list[str]:
    """Return a note for each sign of a machine that the login outweighs."""
    message = sight.message
    signs = {
        "ignored-null-sender": sight.sender.is_null,
        "ignored-report": message.content_type == "multipart/report",
        "ignored-auto-submitted": message.auto_submitted not in ("", "no"),
        "ignored-list-field": bool(message.list_id),
        "ignored-precedence": message.precedence in _LIST_PRECEDENCES,
        "ignored-resent": message.resent,
    }
    return [note for note, present in signs.items() if present]


def _is_daemon(address: Address | None) -> bool:
    return address is not None and address.local.lower() == _DAEMON


def _forwarded(sight: _Sight) -> bool:
    """Return whether somebody sent the message on: a rule, an alias, a redirect."""
    mailbox = sight.mailbox
    if mailbox is None or canonical(mailbox).key == sight.sender.key:
        return False
    return sight.message.resent or sight.mailbox_ours != sight.sender_ours


def _person(sight: _Sight, author: Address | None) -> SenderKind:
    mailbox = sight.mailbox
    if author is None or mailbox is None or author.key == mailbox.key or not sight.mailbox_ours:
        return SenderKind.PERSON
    if not sight.organisation.inside(author.domain):
        return SenderKind.PERSON
    same = canonical(author).key == canonical(mailbox).key
    return SenderKind.PERSON if same or "login-unmatched" in sight.notes else SenderKind.SHARED
