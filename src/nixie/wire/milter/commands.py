"""Commands of a mail server: packet to event and back, one row a letter.

A layout that is not as the table of `mfdef.h` says raises ProtocolError; nothing is guessed, because a guess about an
envelope is a copy to somebody else.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from nixie.wire.milter import events as ev
from nixie.wire.milter.constants import MAX_PACKET, Letter
from nixie.wire.milter.errors import LocalError, ProtocolError
from nixie.wire.milter.framing import Frames, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WORDS = Struct("!III")
_PORT = Struct("!H")

_DATA, _EOH, _EOM, _ABORT = ev.Data(), ev.EndOfHeaders(), ev.EndOfMessage(), ev.Abort()


def strings(data: bytes, what: str) -> list[bytes]:
    """Return the NUL-terminated strings of `data`. Raises ProtocolError when the last one is not terminated."""
    parts = data.split(b"\0")
    if parts.pop():
        raise ProtocolError(f"{what}: a string without its end")
    return parts


def terminated(*values: bytes) -> bytes:
    """Return the values as NUL-terminated strings. Raises LocalError when one holds a NUL."""
    joined = b"\0".join(values) + b"\0"
    if joined.count(b"\0") != len(values):
        raise LocalError("a NUL inside a string")
    return joined


def _offer(data: bytes) -> ev.Offer:
    # A later version may say more behind the three words; what is not known is not used.
    if len(data) < _WORDS.size:
        raise ProtocolError(f"OPTNEG of {len(data)} bytes; 12 are needed")
    return ev.Offer(*_WORDS.unpack_from(data))


def macro_name(name: bytes) -> bytes:
    """Return a macro's name without braces."""
    return name[1:-1] if name[:1] == b"{" and name[-1:] == b"}" else name


def braced(name: bytes) -> bytes:
    """Return a macro's name as it travels: in braces when it is longer than one character."""
    return name if len(name) == 1 else b"{%b}" % name


def _macros(data: bytes) -> ev.Macros:
    if not data:
        raise ProtocolError("MACRO without its command")
    parts = strings(data[1:], "MACRO")
    if len(parts) % 2:
        raise ProtocolError("MACRO: a name without a value")
    return ev.Macros(data[0], tuple(zip(map(macro_name, parts[::2]), parts[1::2], strict=True)))


def _connect(data: bytes) -> ev.Connect:
    name, end, rest = data.partition(b"\0")
    family, rest = rest[:1], rest[1:]
    if not end or family not in (b"4", b"6", b"L", b"U"):
        raise ProtocolError("CONNECT without name or family")
    if family == b"U":
        return ev.Connect(name, family)
    if len(rest) < 3:
        raise ProtocolError("CONNECT without port or address")
    address = strings(rest[2:], "CONNECT")
    if len(address) != 1:
        raise ProtocolError("CONNECT with more than one address")
    return ev.Connect(name, family, _PORT.unpack_from(rest)[0], address[0])


def _helo(data: bytes) -> ev.Helo:
    return ev.Helo(_one(data, "HELO"))


def _unknown(data: bytes) -> ev.Unknown:
    return ev.Unknown(_one(data, "UNKNOWN"))


def _mail(data: bytes) -> ev.Mail:
    parts = strings(data, "MAIL")
    if not parts:
        raise ProtocolError("MAIL without a sender")
    return ev.Mail(parts[0], tuple(parts[1:]))


def _rcpt(data: bytes) -> ev.Rcpt:
    parts = strings(data, "RCPT")
    if not parts:
        raise ProtocolError("RCPT without a recipient")
    return ev.Rcpt(parts[0], tuple(parts[1:]))


def name_and_value(data: bytes) -> tuple[bytes, bytes]:
    """Return the two strings of HEADER. Raises ProtocolError."""
    parts = data.split(b"\0")
    if len(parts) != 3 or parts[2]:
        raise ProtocolError(f"HEADER of {len(parts) - 1} strings; a name and a value are needed")
    return parts[0], parts[1]


def _header(data: bytes) -> ev.Header:
    return ev.Header(*name_and_value(data))


def unknown(letter: int) -> ProtocolError:
    """Return what to raise about a letter that is no command."""
    return ProtocolError(f"unknown command {letter:#04x}")


def _end_of_message(data: bytes) -> ev.EndOfMessage:
    return ev.EndOfMessage(data) if data else _EOM


def _one(data: bytes, what: str) -> bytes:
    parts = strings(data, what)
    if len(parts) != 1:
        raise ProtocolError(f"{what} of {len(parts)} strings; one is needed")
    return parts[0]


def _empty(event: ev.Event) -> Callable[[bytes], ev.Event]:
    def parse(data: bytes) -> ev.Event:
        if data:
            raise ProtocolError(f"{Letter(event.letter).name} with {len(data)} bytes; none are allowed")
        return event

    return parse


PARSERS: Final[Mapping[int, Callable[[bytes], ev.Event]]] = {
    Letter.OPTNEG: _offer,
    Letter.MACRO: _macros,
    Letter.CONNECT: _connect,
    Letter.HELO: _helo,
    Letter.MAIL: _mail,
    Letter.RCPT: _rcpt,
    Letter.DATA: _empty(_DATA),
    Letter.HEADER: _header,
    Letter.EOH: _empty(_EOH),
    Letter.BODY: ev.Body,
    Letter.EOM: _end_of_message,
    Letter.ABORT: _empty(_ABORT),
    Letter.QUIT: _empty(ev.Quit()),
    Letter.QUIT_NC: _empty(ev.QuitNewConnection()),
    Letter.UNKNOWN: _unknown,
}


class EventDecoder:
    """Bytes in any cutting in, events out. `limit` bounds one packet, in bytes; past it ProtocolError is raised."""

    __slots__ = ("_frames", "_take")

    def __init__(self, limit: int = MAX_PACKET) -> None:
        self._frames = Frames(limit)
        self._take = self._frames.take

    def feed(self, data: bytes) -> None:
        """Add what arrived."""
        self._frames.feed(data)

    def next(self) -> ev.Event | None:
        """Return the next event, None when more bytes are needed. Raises ProtocolError."""
        packet = self._take()
        if packet is None:
            return None
        parse = PARSERS.get(packet[0])
        if parse is None:
            raise unknown(packet[0])
        return parse(packet[1])

    def waiting(self) -> int:
        """Return how many bytes arrived and were not read yet."""
        return self._frames.waiting()


def _pack_connect(event: ev.Connect) -> bytes:
    head = terminated(event.name) + event.family
    return head if event.family == b"U" else head + _PORT.pack(event.port) + terminated(event.address)


def _pack_macros(event: ev.Macros) -> bytes:
    flat = [part for name, value in event.pairs for part in (braced(name), value)]
    return bytes((event.stage,)) + (terminated(*flat) if flat else b"")


_PACKERS: Final[Mapping[int, Callable[[Any], bytes]]] = {
    Letter.OPTNEG: lambda e: _WORDS.pack(e.version, e.actions, e.steps),
    Letter.MACRO: _pack_macros,
    Letter.CONNECT: _pack_connect,
    Letter.HELO: lambda e: terminated(e.argument),
    Letter.MAIL: lambda e: terminated(e.path, *e.params),
    Letter.RCPT: lambda e: terminated(e.path, *e.params),
    Letter.HEADER: lambda e: terminated(e.name, e.value),
    Letter.BODY: lambda e: e.chunk,
    Letter.EOM: lambda e: e.chunk,
    Letter.UNKNOWN: lambda e: terminated(e.line),
}


def pack_event(event: ev.Event) -> bytes:
    """Return the packet of an event, as a mail server sends it. Raises LocalError when it cannot be said."""
    packer = _PACKERS.get(event.letter)
    return frame(event.letter, packer(event) if packer else b"")
