"""Handing one copy to the release hop: the hop that signs and journals and does not pass the door again.

The envelope is the copy's own, with its DSN parameters (RFC 3461) as they came; parameters that the hop does not offer are
left out, as a relay does. The answer is taken, not now, or never; its text is reduced to the codes, because a server's
words may repeat an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import aiosmtplib

from nixie.service.maildir_hop import MaildirHop
from nixie.wire.smtp import Mail, Rcpt

if TYPE_CHECKING:
    from nixie.config.kinds import Hop

CONNECT_SECONDS = 20.0
TALK_SECONDS = 300.0
NEEDS = {
    "SIZE": "size", "BODY": "8bitmime", "SMTPUTF8": "smtputf8", "RET": "dsn", "ENVID": "dsn", "NOTIFY": "dsn", "ORCPT": "dsn",
    "AUTH": "auth",
}  # fmt: skip
"""The EHLO keyword without which a MAIL or RCPT parameter may not be used."""
_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One copy to be handed over: paths as they came (`<a@b>`), parameters verbatim, the message's bytes."""

    sender: bytes = field(repr=False)
    recipient: bytes = field(repr=False)
    content: bytes = field(repr=False)
    sender_params: tuple[bytes, ...] = ()
    recipient_params: tuple[bytes, ...] = ()


class Fate(StrEnum):
    """What the hop said."""

    TAKEN = "taken"
    NOT_NOW = "not-now"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Handed:
    """The hop's answer: fate, and its codes such as `550 5.1.1` (`""` when it did not answer)."""

    fate: Fate
    codes: str = ""


async def hand_over(hop: Hop, parcel: Parcel, *, tls: str = "opportunistic") -> Handed:
    """Give one copy to the hop and return its answer; never raises for what the network does."""
    if hop.path is not None:
        return await _to_maildir(hop, parcel)
    client = aiosmtplib.SMTP(
        hostname=hop.host, port=hop.port, timeout=CONNECT_SECONDS, use_tls=False,
        start_tls={"off": False, "opportunistic": None}.get(tls, True), validate_certs=tls == "verify",
    )  # fmt: skip
    try:
        await client.connect()
        try:
            return await _talk(client, parcel)
        finally:
            client.close()
    except aiosmtplib.SMTPResponseException as error:
        return _handed(error.code, error.message)
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError):
        return Handed(Fate.NOT_NOW)


async def _talk(client: aiosmtplib.SMTP, parcel: Parcel) -> Handed:
    """Speak the envelope in its own bytes: the library's `mail` and `rcpt` would parse and quote the paths again."""
    await client.ehlo()
    offered = {name.lower() for name in client.esmtp_extensions}
    for words in (
        (b"MAIL", b"FROM:" + _path(parcel.sender), *_options(parcel.sender_params, offered)),
        (b"RCPT", b"TO:" + _path(parcel.recipient), *_options(parcel.recipient_params, offered)),
    ):
        reply = await client.execute_command(*words, timeout=TALK_SECONDS)
        if reply.code // 100 != 2:
            return _handed(reply.code, reply.message)
    taken = await client.data(parcel.content, timeout=TALK_SECONDS)
    return _handed(taken.code, taken.message)


def _options(params: tuple[bytes, ...], offered: set[str]) -> list[bytes]:
    """Return the parameters that the hop takes; SIZE is left out, as the released bytes may have grown."""
    named = [(p.partition(b"=")[0].upper().decode("latin-1"), p) for p in params]
    return [p for name, p in named if name != "SIZE" and NEEDS.get(name, "") in offered]


def _path(path: bytes) -> bytes:
    return path if path.startswith(b"<") else b"<" + path + b">"


def _handed(code: int, message: str) -> Handed:
    enhanced = _ENHANCED.search(message)
    codes = f"{code} {enhanced[0]}" if enhanced else str(code)
    if 200 <= code < 300:
        return Handed(Fate.TAKEN, codes)
    return Handed(Fate.NEVER if 500 <= code < 600 else Fate.NOT_NOW, codes)


async def _to_maildir(hop: Hop, parcel: Parcel) -> Handed:
    assert hop.path is not None
    maildir = MaildirHop(hop.path)
    await maildir.open()
    await maildir.flight((Mail(parcel.sender), Rcpt(parcel.recipient)))
    await maildir.data()
    reply = await maildir.text(parcel.content)
    return _handed(reply.code, "")
