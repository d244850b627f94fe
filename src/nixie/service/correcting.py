"""A corrected copy is a new copy: it is judged again before it leaves, and changed in nothing but envelope and Resent fields.

The fields of RFC 5322, section 3.6.6, go on top of the message as one block; every byte below stays, so signatures over
the header and body still verify.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

from nixie.core import mime
from nixie.core.address import from_key, parse_path
from nixie.core.copykey import copy_key
from nixie.core.envelope import Client, Envelope, Recipient
from nixie.core.verdict import Disposition

if TYPE_CHECKING:
    from datetime import datetime

    from nixie.core.address import Address
    from nixie.core.message import Message
    from nixie.service.engine import Decision, Engine
    from nixie.store.hold_views import Hold

DROPPED_PARAMS = (b"ORCPT=",)
"""ORCPT names the address that was wrong; a delivery notice must not speak of it (RFC 3461, section 4.2)."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """The decision about a copy to its corrected address, with its key and the RCPT parameters that still hold.

    The key is that of this correction: a second try of the courier finds it, and an older hold of the same message to the same
    address, long decided, is not taken for it.
    """

    decision: Decision
    key: bytes = field(repr=False)
    recipient_params: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def goes_on(self) -> bool:
        """Return whether nothing stops the corrected copy."""
        return self.decision.verdict.copies[0].disposition is Disposition.DELIVER

    @property
    def refused(self) -> bool:
        """Return whether the policy lets nobody send this copy."""
        return self.decision.verdict.copies[0].disposition is Disposition.REFUSE


def corrected_decision(engine: Engine, hold: Hold, content: bytes, to: Address, at: datetime) -> Corrected:
    """Judge the held message as one copy to `to`, as of `at`, for the author who was asked.

    The author is known from the hold, so he counts as logged in: the question was answered in his name.
    """
    message = mime.read(content)
    params = tuple(p for p in hold.recipient_params if not p.upper().startswith(DROPPED_PARAMS))
    recipient = Recipient(b"<" + str(to).encode("utf-8", "surrogateescape") + b">", to, params)
    sender = parse_path(hold.sender_raw)
    envelope = Envelope(hold.sender_raw, sender, (recipient,), hold.sender_params)
    # The other readers were judged when the message came; now the circle is the corrected copy alone.
    alone = _without_readers(message)
    author = from_key(hold.author) if hold.author else None
    decision = engine.decide(alone, envelope, Client(login=str(author) if author else ""), at)
    key = blake2b(hold.id.encode() + copy_key(sender, message, to), digest_size=16).digest()
    return Corrected(decision, key, params)


def with_resent_fields(content: bytes, hold: Hold, to: Address, at: datetime) -> bytes:
    """Return the message with one block of Resent fields on top; `at` is the moment of the correction."""
    token = blake2b(f"{hold.id}\0{to.key}".encode(), digest_size=12).hexdigest()
    author = from_key(hold.author) if hold.author else parse_path(hold.sender_raw)
    domain = author.domain or to.domain
    fields = (
        f"Resent-From: <{author}>\r\n"
        f"Resent-To: <{to}>\r\n"
        f"Resent-Date: {format_datetime(at)}\r\n"
        f"Resent-Message-ID: <{token}.nixie@{domain}>\r\n"
    )
    return fields.encode("utf-8", "surrogateescape") + content


def _without_readers(message: Message) -> Message:
    return replace(message, to=(), cc=(), bcc=())
