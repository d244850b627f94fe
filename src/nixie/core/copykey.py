"""The key of a copy: envelope sender, what the message is, recipient.

A client that lost our reply sends the same copy again, a mail server splits one message into several transactions, a
released copy may pass the door once more: each meets its key and gets the recorded answer. Addresses take part by
`Address.key`, so that a retry with other capital letters is the same copy.

A Message-ID alone does not say what a message is: whoever writes it chooses it. With the bare id as key, an author could
have something harmless released and send the secret under its id, and a device that always uses one id would lose all its
mail but the first. So the digest of the body and the subject take part too, and without an id the whole header but for the
fields that servers add on the way.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from nixie.core.message import NotSeen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixie.core.address import Address
    from nixie.core.message import Message

KEY_BYTES = 16
HEADER_BYTES = 65_536
"""So much of a header takes part in the key of a message without a Message-ID."""
_TRACE = (b"received:", b"return-path:", b"delivered-to:", b"x-original-to:")


def message_key(sender: Address, message: Message) -> bytes:
    """Return the 16 bytes that are the same for every transaction which carries this message."""
    content = b"" if message.message_id else message.body_digest
    return _state(b"message", sender.key, message.message_id, content).digest()


def copy_key(sender: Address, message: Message, recipient: Address, header: bytes = b"") -> bytes:
    """Return the 16 bytes that are the same whenever this copy comes.

    `header` is `untraced` of the message's bytes where it has no Message-ID, else `b""`.
    """
    return copy_keys(sender, message, (recipient,), header)[0]


def copy_keys(sender: Address, message: Message, recipients: Iterable[Address], header: bytes = b"") -> list[bytes]:
    """Return `copy_key` of each recipient; what the copies share is read once."""
    subject = message.subject.reason if isinstance(message.subject, NotSeen) else message.subject
    shared = _state(b"copy", sender.key, message.message_id, message.body_digest, subject, header)
    keys = []
    for recipient in recipients:
        state = shared.copy()
        state.update(_measured(recipient.key))
        keys.append(state.digest())
    return keys


def untraced(raw: bytes | memoryview) -> bytes:
    """Return the header of a message without the fields that each server on the way adds (RFC 5321, section 4.4)."""
    header = bytes(raw[:HEADER_BYTES]).partition(b"\r\n\r\n")[0]
    kept: list[bytes] = []
    tracing = False
    for line in header.split(b"\r\n"):
        if line[:1] not in (b" ", b"\t"):
            tracing = line.lower().startswith(_TRACE)
        if not tracing:
            kept.append(line)
    return b"\r\n".join(kept)


def _state(purpose: bytes, *values: str | bytes) -> blake2b:
    return blake2b(b"".join(map(_measured, values)), digest_size=KEY_BYTES, person=purpose)


def _measured(value: str | bytes) -> bytes:
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    # The length keeps "a" + "bc" apart from "ab" + "c".
    return len(raw).to_bytes(4, "big") + raw
