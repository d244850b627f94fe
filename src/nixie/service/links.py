"""Signed, expiring links: what the holder of a link proves is that he could read the author's mailbox, and no more.

A token names a question, ends at a time, and is signed with the installation's key (HMAC-SHA256, RFC 2104, cut to 128
bits). It carries no address. What it opens changes with the question: a decided copy has no form any more.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass

_HEAD = struct.Struct(">BI")
_MAC_BYTES = 16
_LONGEST = 256


class LinkError(Exception):
    """A link that is not good."""


class LinkForgedError(LinkError):
    """The signature does not fit, or the token is no token."""


class LinkExpiredError(LinkError):
    """The link was good once."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says: the question's id and the end (seconds since 1970, UTC)."""

    question: str
    expires: int


def sign(key: bytes, link: Link) -> str:
    """Return the token of a link, URL-safe, without padding."""
    body = _HEAD.pack(1, link.expires) + link.question.encode("ascii")
    return base64.urlsafe_b64encode(body + _mac(key, body)).rstrip(b"=").decode("ascii")


def verify(key: bytes, token: str, now: float) -> Link:
    """Return the link of a token. Raises `LinkForgedError` or `LinkExpiredError`; the comparison takes constant time."""
    if len(token) > _LONGEST:
        raise LinkForgedError("not a token")
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise LinkForgedError("not a token") from error
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(body) <= _HEAD.size or not hmac.compare_digest(_mac(key, body), mac):
        raise LinkForgedError("the signature does not fit")
    version, expires = _HEAD.unpack_from(body)
    if version != 1:
        raise LinkForgedError("not a version that this key signed")
    if now >= expires:
        raise LinkExpiredError("the link has ended")
    return Link(body[_HEAD.size :].decode("ascii"), expires)


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"nixie decision link\0" + body, "sha256")[:_MAC_BYTES]
