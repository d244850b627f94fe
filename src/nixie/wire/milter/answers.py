"""Replies of a filter: value to packet and back, one row a letter."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from nixie.wire.milter import replies as rp
from nixie.wire.milter.commands import braced, macro_name, strings, terminated
from nixie.wire.milter.constants import MAX_CHUNK, MAX_PACKET
from nixie.wire.milter.errors import LocalError, MilterError, ProtocolError
from nixie.wire.milter.framing import Frames, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WORDS = Struct("!III")
_WORD = Struct("!I")


def _pack_agreed(reply: rp.Agreed) -> bytes:
    lists = (_WORD.pack(stage) + terminated(b" ".join(map(braced, names))) for stage, names in reply.macros)
    return _WORDS.pack(reply.version, reply.actions, reply.steps) + b"".join(lists)


def _pack_code(reply: rp.ReplyCode) -> bytes:
    enhanced = f"{reply.enhanced} " if reply.enhanced else ""
    last = len(reply.lines) - 1
    said = (f"{reply.code}{' ' if n == last else '-'}{enhanced}{line}" for n, line in enumerate(reply.lines))
    return terminated("\r\n".join(said).replace("%", "%%").encode("utf-8", "surrogateescape"))


def _with_params(path: bytes, params: bytes) -> bytes:
    return terminated(path, params) if params else terminated(path)


_PACKERS: Final[Mapping[int, Callable[[Any], bytes]]] = {
    rp.Agreed.letter: _pack_agreed,
    rp.ReplyCode.letter: _pack_code,
    rp.Quarantine.letter: lambda r: terminated(r.reason),
    rp.AddRecipient.letter: lambda r: terminated(r.path),
    rp.AddRecipientWithParams.letter: lambda r: _with_params(r.path, r.params),
    rp.DeleteRecipient.letter: lambda r: terminated(r.path),
    rp.ChangeSender.letter: lambda r: _with_params(r.path, r.params),
    rp.AddHeader.letter: lambda r: terminated(r.name, r.value),
    rp.InsertHeader.letter: lambda r: _WORD.pack(r.index) + terminated(r.name, r.value),
    rp.ChangeHeader.letter: lambda r: _WORD.pack(r.index) + terminated(r.name, r.value),
    rp.ReplaceBody.letter: lambda r: r.chunk,
}


def pack_reply(reply: rp.Reply | rp.Agreed) -> bytes:
    """Return the packet of a reply. Raises LocalError when it holds a NUL or is longer than a Sendmail peer reads."""
    packer = _PACKERS.get(reply.letter)
    data = packer(reply) if packer else b""
    if len(data) > MAX_CHUNK:
        raise LocalError(f"reply of {len(data)} bytes; at most {MAX_CHUNK} are allowed")
    return frame(reply.letter, data)


def _agreed(data: bytes) -> rp.Agreed:
    if len(data) < _WORDS.size:
        raise ProtocolError(f"OPTNEG reply of {len(data)} bytes; 12 are needed")
    version, actions, steps = _WORDS.unpack_from(data)
    lists: list[tuple[int, tuple[bytes, ...]]] = []
    at = _WORDS.size
    while at < len(data):
        end = data.find(b"\0", at + _WORD.size)
        if end < 0:
            raise ProtocolError("OPTNEG reply: a macro list without its end")
        names = data[at + _WORD.size : end].split()
        lists.append((_WORD.unpack_from(data, at)[0], tuple(map(macro_name, names))))
        at = end + 1
    return rp.Agreed(version, actions, steps, tuple(lists))


def _code(data: bytes) -> rp.ReplyCode:
    (text,) = _exactly(data, 1)
    # As Postfix reads it: two percent signs are one, a lone one is dropped.
    plain = text.replace(b"%%", b"\0").replace(b"%", b"").replace(b"\0", b"%").decode("utf-8", "surrogateescape")
    return rp.ReplyCode.from_text(plain, utf8=not plain.isascii())


def _exactly(data: bytes, count: int) -> list[bytes]:
    parts = strings(data, "reply")
    if len(parts) != count:
        raise ProtocolError(f"reply of {len(parts)} strings; {count} are needed")
    return parts


def _path_and_params(data: bytes) -> list[bytes]:
    parts = strings(data, "reply")
    if not 1 <= len(parts) <= 2:
        raise ProtocolError(f"reply of {len(parts)} strings; a path and perhaps parameters are needed")
    return parts


def _indexed(data: bytes) -> tuple[int, bytes, bytes]:
    if len(data) < _WORD.size:
        raise ProtocolError("header reply without its index")
    name, value = _exactly(data[_WORD.size :], 2)
    return _WORD.unpack_from(data)[0], name, value


def _empty(reply: rp.Reply) -> Callable[[bytes], rp.Reply]:
    def parse(data: bytes) -> rp.Reply:
        if data:
            raise ProtocolError(f"{type(reply).__name__} with {len(data)} bytes; none are allowed")
        return reply

    return parse


_PARSERS: Final[Mapping[int, Callable[[bytes], rp.Reply | rp.Agreed]]] = {
    rp.Agreed.letter: _agreed,
    **{
        reply.letter: _empty(reply)
        for reply in (
            rp.Continue(),
            rp.Accept(),
            rp.Reject(),
            rp.TempFail(),
            rp.Discard(),
            rp.ConnFail(),
            rp.Shutdown(),
            rp.Skip(),
            rp.Progress(),
        )
    },
    rp.ReplyCode.letter: _code,
    rp.Quarantine.letter: lambda d: rp.Quarantine(*_exactly(d, 1)),
    rp.AddRecipient.letter: lambda d: rp.AddRecipient(*_exactly(d, 1)),
    rp.AddRecipientWithParams.letter: lambda d: rp.AddRecipientWithParams(*_path_and_params(d)),
    rp.DeleteRecipient.letter: lambda d: rp.DeleteRecipient(*_exactly(d, 1)),
    rp.ChangeSender.letter: lambda d: rp.ChangeSender(*_path_and_params(d)),
    rp.AddHeader.letter: lambda d: rp.AddHeader(*_exactly(d, 2)),
    rp.InsertHeader.letter: lambda d: rp.InsertHeader(*_indexed(d)),
    rp.ChangeHeader.letter: lambda d: rp.ChangeHeader(*_indexed(d)),
    rp.ReplaceBody.letter: rp.ReplaceBody,
}


class ReplyDecoder:
    """Bytes in any cutting in, replies out: the mail server's ear."""

    __slots__ = ("_frames",)

    def __init__(self, limit: int = MAX_PACKET) -> None:
        self._frames = Frames(limit)

    def feed(self, data: bytes) -> None:
        """Add what arrived."""
        self._frames.feed(data)

    def next(self) -> rp.Reply | rp.Agreed | None:
        """Return the next reply, None when more bytes are needed. Raises ProtocolError."""
        packet = self._frames.take()
        if packet is None:
            return None
        parse = _PARSERS.get(packet[0])
        if parse is None:
            raise ProtocolError(f"unknown reply {packet[0]:#04x}")
        try:
            return parse(packet[1])
        except ProtocolError:
            raise
        except MilterError as error:
            raise ProtocolError(str(error)) from None
