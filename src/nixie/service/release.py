"""Handing one copy to the release hop: the hop that signs and journals and does not pass the door again.

The envelope is the copy's own, with its DSN parameters (RFC 3461) as they came; parameters that the hop does not offer are
left out, as a relay does, unless the mail cannot be told without them: then it is not handed over at all (RFC 6152, RFC 6531).
The text leaves in its own bytes. The answer is taken, not now, or never; its words are reduced to the codes, because a
server's words may repeat an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import aiosmtplib

from nixie.service.maildir_hop import MaildirHop
from nixie.wire.smtp import Mail, Rcpt, stuffed

if TYPE_CHECKING:
    from nixie.config.kinds import Hop

CONNECT_SECONDS = 20.0
TALK_SECONDS = 300.0
NEEDS = {
    "SIZE": "size", "BODY": "8bitmime", "SMTPUTF8": "smtputf8", "RET": "dsn", "ENVID": "dsn", "NOTIFY": "dsn", "ORCPT": "dsn",
    "AUTH": "auth",
}  # fmt: skip
"""The EHLO keyword without which a MAIL or RCPT parameter may not be used."""
EIGHT_BIT = "5.6.3"
"""The code of a text beyond ASCII that a hop of seven bits cannot take (RFC 3463, section 3.7): conversion is not ours to do."""
INTERNATIONAL = "5.6.7"
"""The code of addresses beyond ASCII that the hop cannot take (RFC 6531, section 3.5)."""
_LOST = (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError)
"""What the library raises when a talk cannot be finished; ValueError for words that no command may hold."""
_LONE_LF = re.compile(rb"(?<!\r)\n")
_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One copy to be handed over: paths as they came (`<a@b>`), parameters verbatim, the message's bytes."""

    sender: bytes = field(repr=False)
    recipient: bytes = field(repr=False)
    content: bytes = field(repr=False)
    sender_params: tuple[bytes, ...] = ()
    recipient_params: tuple[bytes, ...] = ()
    hello: str = ""
    """The name to say hello with; `""`: the machine's own."""


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
        hostname=hop.host, port=hop.port, timeout=CONNECT_SECONDS, use_tls=False, local_hostname=parcel.hello or None,
        start_tls={"off": False, "opportunistic": None}.get(tls, True), validate_certs=tls == "verify",
    )  # fmt: skip
    try:
        await client.connect()
        await client.ehlo()
    except aiosmtplib.SMTPResponseException as error:
        # A server that takes nobody's mail just now has said nothing about this copy.
        client.close()
        return Handed(Fate.NOT_NOW, _codes(error.code, error.message))
    except _LOST:
        client.close()
        return Handed(Fate.NOT_NOW)
    try:
        return await _talk(client, parcel)
    except aiosmtplib.SMTPResponseException as error:
        return _handed(error.code, error.message)
    except _LOST:
        return Handed(Fate.NOT_NOW)
    finally:
        client.close()


async def _talk(client: aiosmtplib.SMTP, parcel: Parcel) -> Handed:
    """Speak the envelope in its own bytes: the library's `mail` and `rcpt` would parse and quote the paths again."""
    offered = {name.lower() for name in client.esmtp_extensions}
    lacking = _lacking(parcel, offered)
    if lacking:
        return Handed(Fate.NEVER, lacking)
    for words in (
        (b"MAIL", b"FROM:" + _path(parcel.sender), *_mail_options(parcel, offered)),
        (b"RCPT", b"TO:" + _path(parcel.recipient), *_options(parcel.recipient_params, offered)),
    ):
        reply = await client.execute_command(*words, timeout=TALK_SECONDS)
        if reply.code // 100 != 2:
            return _handed(reply.code, reply.message)
    return await _text(client, parcel.content)


async def _text(client: aiosmtplib.SMTP, content: bytes) -> Handed:
    """Give the text in its own bytes: the library's `data` would turn every lone CR into a line end.

    A lone LF becomes CRLF all the same: between two servers it is how one message is made to look like two.
    """
    go = await client.execute_command(b"DATA", timeout=TALK_SECONDS)
    protocol = client.protocol
    if go.code != 354 or protocol is None:
        return Handed(Fate.NEVER if go.code // 100 == 5 else Fate.NOT_NOW, _codes(go.code, go.message))
    if content.count(b"\n") != content.count(b"\r\n"):
        content = _LONE_LF.sub(b"\r\n", content)
    for piece in stuffed(content):
        protocol.write(piece)
    taken = await protocol.read_response(timeout=TALK_SECONDS)
    return _handed(taken.code, taken.message)


def international(parcel: Parcel) -> bool:
    """Return whether the copy can only be told with SMTPUTF8: an address beyond ASCII, or a header that was declared so.

    A header with bytes beyond ASCII that came without the parameter is old usage, and goes on as it came.
    """
    if not (parcel.sender.isascii() and parcel.recipient.isascii()):
        return True
    declared = any(param.upper() == b"SMTPUTF8" for param in parcel.sender_params)
    return declared and not _header(parcel.content).isascii()


def _lacking(parcel: Parcel, offered: set[str]) -> str:
    """Return the code that says why this hop can never take the copy as it is, `""` if it can."""
    if "smtputf8" not in offered and international(parcel):
        return INTERNATIONAL
    return EIGHT_BIT if "8bitmime" not in offered and not parcel.content.isascii() else ""


def _mail_options(parcel: Parcel, offered: set[str]) -> list[bytes]:
    """Return the parameters of MAIL, with those that the bytes of the copy demand whether or not they came."""
    options = _options(parcel.sender_params, offered)
    if not parcel.content.isascii():
        options = [p for p in options if not p.upper().startswith(b"BODY=")] + [b"BODY=8BITMIME"]
    if international(parcel) and not any(p.upper() == b"SMTPUTF8" for p in options):
        options.append(b"SMTPUTF8")
    return options


def _header(content: bytes) -> bytes:
    end = content.find(b"\r\n\r\n")
    return content if end < 0 else content[:end]


def _options(params: tuple[bytes, ...], offered: set[str]) -> list[bytes]:
    """Return the parameters that the hop takes; SIZE is left out, as the released bytes may have grown."""
    named = [(p.partition(b"=")[0].upper().decode("latin-1"), p) for p in params]
    return [p for name, p in named if name != "SIZE" and NEEDS.get(name, "") in offered]


def _path(path: bytes) -> bytes:
    return path if path.startswith(b"<") else b"<" + path + b">"


def _codes(code: int, message: str) -> str:
    """Return the codes of a reply, `""` for what was no reply of SMTP."""
    enhanced = _ENHANCED.search(message)
    if not 200 <= code < 600:
        return ""
    return f"{code} {enhanced[0]}" if enhanced else str(code)


def _handed(code: int, message: str) -> Handed:
    fates = {2: Fate.TAKEN, 5: Fate.NEVER}
    return Handed(fates.get(code // 100, Fate.NOT_NOW), _codes(code, message))


async def _to_maildir(hop: Hop, parcel: Parcel) -> Handed:
    assert hop.path is not None
    maildir = MaildirHop(hop.path)
    await maildir.open()
    await maildir.flight((Mail(parcel.sender), Rcpt(parcel.recipient)))
    await maildir.data()
    reply = await maildir.text(parcel.content)
    return _handed(reply.code, "")
