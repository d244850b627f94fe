"""Command lines to values: what the client said, with paths and parameters kept byte for byte.

The grammar is RFC 5321, section 4.1; parameters are RFC 1870 (SIZE), 6152 (BODY), 6531 (SMTPUTF8), 3461 (RET, ENVID,
NOTIFY, ORCPT) and 4954 (AUTH), and none of them is interpreted here but SIZE: they are the next hop's affair.
Two mercies, as Postfix has them: white space after the colon, and a path without angle brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from nixie.wire.smtp.errors import RemoteError
from nixie.wire.smtp.replies import Reply

MAX_COMMAND = 512
"""Longest command line without parameters, CRLF included (RFC 5321, section 4.5.3.1.4)."""

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# Alternatives differ in their first byte, so matching is linear.
_PATH = re.compile(rb'[ \t]*(<(?:[^<>"\\\x00-\x20\x7f]|"(?:[^"\\]|\\.)*"|\\.)*>)(?=[ \t]|$)', re.DOTALL)
_BARE_PATH = re.compile(rb'[ \t]*([^<>"\\\x00-\x20\x7f]+)(?=[ \t]|$)')
_PARAM = re.compile(rb"[A-Za-z0-9][A-Za-z0-9-]*(?:=[^\x00-\x20\x7f]+)?")
_XTEXT = re.compile(rb"\+([0-9A-F]{2})")


class CommandError(RemoteError):
    """A line that is no command that we take; `reply` is the answer, `close` whether the connection ends with it."""

    def __init__(self, reply: Reply, *, close: bool = False) -> None:
        super().__init__(f"command answered with {reply.code}")
        self.reply = reply
        self.close = close


@dataclass(frozen=True, slots=True)
class Hello:
    """EHLO (`extended`) or HELO with the client's name."""

    name: bytes
    extended: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM: the reverse path in its angle brackets, and the parameters as they came."""

    path: bytes = field(repr=False)
    params: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def line(self) -> bytes:
        """Return the command for the next hop, without CRLF."""
        return b" ".join((b"MAIL FROM:" + self.path, *self.params))

    def param(self, name: bytes) -> bytes | None:
        """Return the value of a parameter (name in upper case), None when it is not there."""
        for param in self.params:
            key, _, value = param.partition(b"=")
            if key.upper() == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT TO: the forward path in its angle brackets, and the parameters as they came."""

    path: bytes = field(repr=False)
    params: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def line(self) -> bytes:
        """Return the command for the next hop, without CRLF."""
        return b" ".join((b"RCPT TO:" + self.path, *self.params))


@dataclass(frozen=True, slots=True)
class Xforward:
    """XFORWARD attributes (Postfix): upper-case name to decoded value; `[UNAVAILABLE]` is left out.

    Not so for ADDR: an address that is not known must not be taken for the address of the connection.
    """

    attributes: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plain:
    """DATA, RSET, NOOP, VRFY, HELP, QUIT or STARTTLS."""

    verb: bytes


Command = Hello | Mail | Rcpt | Xforward | Plain

UNAVAILABLE = "[UNAVAILABLE]"
"""The value of an XFORWARD attribute that is not known."""

SYNTAX = Reply(501, (b"5.5.4 Syntax error in parameters",))
UNKNOWN = Reply(500, (b"5.5.2 Command not known",))
NOT_OFFERED = Reply(502, (b"5.5.1 Command not offered",))
TOO_LONG = Reply(500, (b"5.5.2 Line too long",))

_WITHOUT_ARGUMENT = frozenset({b"DATA", b"RSET", b"QUIT", b"STARTTLS"})
_WITH_ANY = frozenset({b"NOOP", b"VRFY", b"HELP"})
_NOT_OFFERED = frozenset({b"AUTH", b"EXPN", b"ETRN", b"TURN", b"XCLIENT", b"SEND", b"SOML", b"SAML"})
# What follows BDAT is a body without end marker, and a web browser sends what others wrote: neither may reach the
# command reader, so the connection ends.
_NEVER = frozenset({b"BDAT", b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT"})


def parse(line: bytes) -> Command:
    """Return the command of one line without CRLF. Raises CommandError with the reply for anything else."""
    verb, _, argument = line.partition(b" ")
    verb = verb.upper()
    if verb in _NEVER:
        raise CommandError(NOT_OFFERED if verb == b"BDAT" else UNKNOWN, close=True)
    if _CONTROL.search(line):
        raise CommandError(Reply(500, (b"5.5.2 Control character in a command",)))
    if verb == b"MAIL":
        return Mail(*_path_and_params(argument, b"FROM:"))
    if verb == b"RCPT":
        return Rcpt(*_path_and_params(argument, b"TO:"))
    if len(line) > MAX_COMMAND - 2:
        raise CommandError(TOO_LONG)
    argument = argument.strip()
    if verb in (b"EHLO", b"HELO"):
        if not argument or b" " in argument:
            raise CommandError(SYNTAX)
        return Hello(argument, verb == b"EHLO")
    if verb == b"XFORWARD":
        return _xforward(argument)
    if verb in _WITH_ANY or (verb in _WITHOUT_ARGUMENT and not argument):
        return Plain(verb)
    if verb in _WITHOUT_ARGUMENT:
        raise CommandError(SYNTAX)
    raise CommandError(NOT_OFFERED if verb in _NOT_OFFERED else UNKNOWN)


def _path_and_params(argument: bytes, keyword: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    argument = argument.lstrip()
    if argument[: len(keyword)].upper() != keyword:
        raise CommandError(SYNTAX)
    match = _PATH.match(argument, len(keyword))
    path = match[1] if match else b""
    if match is None:
        match = _BARE_PATH.match(argument, len(keyword))
        if match is None:
            raise CommandError(Reply(501, (b"5.1.7 Bad address syntax",)))
        path = b"<" + match[1] + b">"
    params = tuple(argument[match.end() :].split())
    # The bytes split at are white space only: controls were refused before.
    if not all(_PARAM.fullmatch(param) for param in params):
        raise CommandError(SYNTAX)
    return path, params


def _xforward(argument: bytes) -> Xforward:
    attributes = []
    for part in argument.split():
        name, equals, value = part.partition(b"=")
        if not equals or not name.isalpha():
            raise CommandError(SYNTAX)
        text = xtext_decode(value)
        key = name.decode("ascii").upper()
        if text != UNAVAILABLE or key == "ADDR":
            attributes.append((key, text))
    if not argument:
        raise CommandError(SYNTAX)
    return Xforward(tuple(attributes))


def xtext_decode(value: bytes) -> str:
    """Return the text of an xtext (RFC 3461, section 4); bytes that are not UTF-8 come as surrogateescape."""
    return _XTEXT.sub(lambda match: bytes.fromhex(match[1].decode("ascii")), value).decode("utf-8", "surrogateescape")


def xtext_encode(text: str) -> bytes:
    """Return `text` as xtext: bytes outside "!" to "~", and "+" and "=", as `+HH`."""
    raw = text.encode("utf-8", "surrogateescape")
    return b"".join(bytes((c,)) if 0x21 <= c <= 0x7E and c not in b"+=" else b"+%02X" % c for c in raw)
