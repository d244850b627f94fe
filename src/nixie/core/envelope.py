"""What the mail server was told, apart from what the message says of itself.

The envelope decides where a copy goes (RFC 5321, section 2.3.1); headers only explain. Raw bytes are kept beside the
parsed address because both doors must speak of a recipient in exactly the bytes in which it came: Postfix compares
DELRCPT byte by byte, and a next hop may treat local parts as case-sensitive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixie.core.address import Address


@dataclass(frozen=True, slots=True)
class Recipient:
    """One copy's destination: the path as it came (`<a@b>`), its address, its RCPT parameters verbatim."""

    raw: bytes = field(repr=False)
    address: Address
    params: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The sender's path and parameters, and one `Recipient` a copy, in the order of arrival."""

    sender_raw: bytes = field(repr=False)
    sender: Address
    recipients: tuple[Recipient, ...]
    params: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Client:
    """Who handed the message over: peer address (`""` when it came by a file or a UNIX socket), names, login, TLS.

    `login` is the authenticated user as the mail server names it, `""` without authentication.
    """

    ip: str = ""
    name: str = ""
    helo: str = ""
    login: str = field(default="", repr=False)
    tls: str = ""
