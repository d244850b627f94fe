"""What a milter's words mean here, and how an answer is said in them. Values in, values out.

A milter has one verdict for the whole message, so copies are stopped one by one with DELRCPT, which the client does not
see. Where the server did not offer DELRCPT a held copy cannot be taken out: then nothing goes on at all, because the one
thing that must never happen is that a held copy leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nixie.core.address import AddressError, parse_path
from nixie.core.envelope import Client, Envelope, Recipient
from nixie.service.ports import Submission
from nixie.wire.milter import Trouble
from nixie.wire.milter.errors import LocalError
from nixie.wire.milter.replies import Continue, DeleteRecipient, Discard, Reply, ReplyCode

if TYPE_CHECKING:
    from nixie.core.address import Address
    from nixie.service.carried import Carried
    from nixie.service.ports import Answer
    from nixie.wire.milter import MessageReceived

LATER: Final = ReplyCode(451, "4.3.0", ("The mail guard cannot decide now, please try again later",))
_REFUSED: Final = ReplyCode(550, "5.7.1", ("Refused by the mail guard",))
_UNDELETABLE: Final = ReplyCode(
    451, "4.7.1", ("The mail guard cannot take a held recipient out, please try again later",)
)

_ALLOW_DELETION: Final = (
    "let the mail server speak milter protocol 2 or newer and allow DELRCPT (Postfix: milter_protocol = 6)"
)
_NO_NETWORK: Final = b"L"
"""The family of a client at a UNIX socket: a process of this machine, which has no address."""
_NOT_KNOWN: Final = "unknown"
"""The address of a client that the mail server could not name: in no network, so nobody trusts it."""
_WELL_FORMED: Final = "let the mail server refuse malformed envelope addresses (Postfix: strict_rfc821_envelopes = yes)"

OF_TROUBLE: Final = {
    Trouble.TOO_LARGE: ReplyCode(552, "5.3.4", ("Message is larger than the mail guard reads",)),
    Trouble.TOO_MANY_RECIPIENTS: ReplyCode(550, "5.5.3", ("Message has more recipients than the mail guard takes",)),
    Trouble.NO_ROOM: ReplyCode(452, "4.3.1", ("The mail guard has no room now, please try again later",)),
}
"""A message past a bound is refused for good where trying again would end the same way."""


class Unspeakable(Exception):  # noqa: N818 - it names what the case is, as `OF_TROUBLE` does
    """The message or the answer cannot be put into words; `reply` is what to say instead, `reason` and `remedy` are for the log."""

    def __init__(self, reply: ReplyCode, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reply = reply
        self.reason = reason
        self.remedy = remedy


def submission_of(message: MessageReceived, carried: Carried) -> Submission:
    """Return a received message as the pipeline takes it. Raises Unspeakable when a path of the envelope is no address."""
    bad_sender = ReplyCode(553, "5.1.7", ("Sender address cannot be read",))
    bad_recipient = ReplyCode(553, "5.1.3", ("Recipient address cannot be read",))
    recipients = (Recipient(r.path, _address(r.path, bad_recipient), r.params) for r in message.recipients)
    envelope = Envelope(
        sender_raw=message.sender.path,
        sender=_address(message.sender.path, bad_sender),
        recipients=tuple(recipients),
        params=message.sender.params,
    )
    return Submission("milter", client_of(message), envelope, carried, _text(message.queue_id))


def client_of(message: MessageReceived) -> Client:
    """Return who handed the message to the mail server, from CONNECT, HELO and the macros."""
    connect, macros = message.connect, message.macros
    address = connect.address if connect.family in (b"4", b"6") else macros.get(b"client_addr", b"")
    ip = _text(address)
    if ip[:5].lower() == "ipv6:":
        ip = ip[5:]
    nowhere = "" if connect.family == _NO_NETWORK else _NOT_KNOWN
    return Client(
        ip=nowhere if ip in ("", _NOT_KNOWN) else ip,
        name=_text(macros.get(b"client_name", connect.name)),
        helo=_text(message.helo),
        login=_text(macros.get(b"auth_authen", b"")),
        tls=_text(macros.get(b"tls_version", b"")),
    )


def replies_for(answer: Answer, message: MessageReceived, *, may_delete: bool) -> tuple[Reply, ...]:
    """Return the replies that express an answer; `may_delete` says whether DELRCPT was offered. Raises Unspeakable.

    | answer                        | said                                                   |
    |-------------------------------|--------------------------------------------------------|
    | later                         | its 4xx reply                                          |
    | nothing stopped               | CONTINUE, or its reply when it has one                 |
    | some copies stopped           | DELRCPT once for each path as it arrived, CONTINUE     |
    | every copy stopped, some held | DISCARD: the held copies are durable by now            |
    | every copy refused            | its 5xx reply                                          |
    """
    utf8 = any(param.upper() == b"SMTPUTF8" for param in message.sender.params)
    if answer.later:
        said = _reply(answer.reply, LATER, utf8=utf8)
        return (said if said.code < 500 else LATER,)
    paths = [recipient.path for recipient in message.recipients]
    # One path may stand twice in an envelope; DELRCPT takes every copy to it, so paths are counted, not copies.
    stopped = dict.fromkeys(paths[number] for number in (*answer.held, *answer.refused))
    if not stopped:
        return (_reply(answer.reply, _REFUSED, utf8=utf8) if answer.reply else Continue(),)
    if not stopped.keys() >= set(paths):
        if not may_delete:
            raise Unspeakable(_UNDELETABLE, "delrcpt-not-offered", _ALLOW_DELETION)
        return (*map(DeleteRecipient, stopped), Continue())
    return (Discard(),) if answer.held else (_reply(answer.reply, _REFUSED, utf8=utf8),)


def _reply(text: str, otherwise: ReplyCode, *, utf8: bool) -> ReplyCode:
    try:
        return ReplyCode.from_text(text, utf8=utf8)
    except LocalError:
        return otherwise


def _address(path: bytes, reply: ReplyCode) -> Address:
    try:
        return parse_path(path)
    except AddressError:
        raise Unspeakable(reply, "unreadable-address", _WELL_FORMED) from None


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
