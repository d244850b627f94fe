"""What a mail server tells a filter: one frozen value a command.

Every string is bytes exactly as it came. SMTP promises no encoding for addresses, headers and macros, and one sender with
an international address must not be able to stop the guard, so nothing is decoded here; who needs text decodes by UTF-8
with `surrogateescape`. The letters and layouts are those of Sendmail's `mfdef.h`.

`repr` never shows addresses, header values or content.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from nixie.wire.milter.constants import Letter


@dataclass(frozen=True, slots=True)
class Offer:
    """The opening packet: the newest version the server speaks, the actions it allows, the steps it can leave out."""

    letter: ClassVar[int] = Letter.OPTNEG
    version: int
    actions: int
    steps: int


@dataclass(frozen=True, slots=True)
class Macros:
    """Values that go with the next command of letter `stage`; names come without braces (`auth_authen`, `i`)."""

    letter: ClassVar[int] = Letter.MACRO
    stage: int
    pairs: tuple[tuple[bytes, bytes], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Connect:
    """The SMTP client: name (`[192.0.2.1]` without one), family `4`, `6`, `L` (UNIX) or `U` (unknown), port, address."""

    letter: ClassVar[int] = Letter.CONNECT
    name: bytes
    family: bytes
    port: int = 0
    address: bytes = b""


@dataclass(frozen=True, slots=True)
class Helo:
    """The argument of HELO or EHLO; a second one in a session is normal after STARTTLS."""

    letter: ClassVar[int] = Letter.HELO
    argument: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """The sender's path with its brackets, and one entry an ESMTP parameter."""

    letter: ClassVar[int] = Letter.MAIL
    path: bytes = field(repr=False)
    params: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Rcpt:
    """One recipient's path with its brackets, and one entry an ESMTP parameter."""

    letter: ClassVar[int] = Letter.RCPT
    path: bytes = field(repr=False)
    params: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Data:
    """The client said DATA."""

    letter: ClassVar[int] = Letter.DATA


@dataclass(frozen=True, slots=True)
class Header:
    """One field; folded lines are separated by LF alone, the blank after the colon is there with HDR_LEADSPC only."""

    letter: ClassVar[int] = Letter.HEADER
    name: bytes = field(repr=False)
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndOfHeaders:
    """The empty line after the header."""

    letter: ClassVar[int] = Letter.EOH


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes of the body with CRLF line ends, cut anywhere, even between CR and LF."""

    letter: ClassVar[int] = Letter.BODY
    chunk: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndOfMessage:
    """The message is complete; Sendmail may put the last bytes of the body here."""

    letter: ClassVar[int] = Letter.EOM
    chunk: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Abort:
    """Forget the message, keep the connection. Postfix says it after every message, good or bad."""

    letter: ClassVar[int] = Letter.ABORT


@dataclass(frozen=True, slots=True)
class Quit:
    """Close the connection."""

    letter: ClassVar[int] = Letter.QUIT


@dataclass(frozen=True, slots=True)
class QuitNewConnection:
    """Another SMTP client follows on the same socket (Sendmail)."""

    letter: ClassVar[int] = Letter.QUIT_NC


@dataclass(frozen=True, slots=True)
class Unknown:
    """A command line that the server did not know."""

    letter: ClassVar[int] = Letter.UNKNOWN
    line: bytes = field(repr=False)


Event: TypeAlias = (
    Offer
    | Macros
    | Connect
    | Helo
    | Mail
    | Rcpt
    | Data
    | Header
    | EndOfHeaders
    | Body
    | EndOfMessage
    | Abort
    | Quit
    | QuitNewConnection
    | Unknown
)
