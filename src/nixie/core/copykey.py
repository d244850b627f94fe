"""The key of a copy: envelope sender, Message-ID (or, without one, digest of the body), recipient.

A client that lost our reply sends the same copy again, a mail server splits one message into several transactions, a
released copy may pass the door once more: each meets its key and gets the recorded answer. Addresses take part by
`Address.key`, so that a retry with other capital letters is the same copy.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixie.core.address import Address
    from nixie.core.message import Message

KEY_BYTES = 16


def message_key(sender: Address, message: Message) -> bytes:
    """Return the 16 bytes that are the same for every transaction which carries this message."""
    return _digest(b"message", sender.key, *_identity(message.message_id, message.body_digest))


def copy_key(sender: Address, message_id: str, body_digest: bytes, recipient: Address) -> bytes:
    """Return the 16 bytes that are the same whenever this copy comes; `body_digest` counts only without `message_id`."""
    return _digest(b"copy", sender.key, *_identity(message_id, body_digest), recipient.key)


def _identity(message_id: str, body_digest: bytes) -> tuple[str, str | bytes]:
    return ("id", message_id) if message_id else ("body", body_digest)


def _digest(purpose: bytes, *values: str | bytes) -> bytes:
    state = blake2b(digest_size=KEY_BYTES, person=purpose)
    for value in values:
        raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        # The length keeps "a" + "bc" apart from "ab" + "c".
        state.update(len(raw).to_bytes(4, "big"))
        state.update(raw)
    return state.digest()
