"""Text of headers and bodies from bytes: RFC 2047 encoded words and charsets, bounded and without an exception.

Python offers codecs that are no charsets (`unicode_escape`, `punycode`, `idna`: the last two take quadratic time), so a
charset's name from a message passes a filter first. No text leaves here with a surrogate that did not come from an
undecodable byte: such text could not be written anywhere.
"""

from __future__ import annotations

import binascii
import codecs
import re
from functools import lru_cache

_HEAD = re.compile(r"=\?([^?\s]{1,64})\?([bBqQ])\?")
_Q = re.compile(rb"=([0-9A-Fa-f]{2})")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]++")
_NO_CHARSETS = frozenset({"unicode_escape", "raw_unicode_escape", "punycode", "idna", "undefined", "mbcs", "oem"})
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]++")
_LONE = re.compile("[\ud800-\udfff]")
_ALIASES = {"utf-8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8", "iso-8859-1": "cp1252", "latin1": "cp1252"}
# Mail that says ASCII or Latin-1 holds UTF-8 or Windows-1252 when it holds more than ASCII (WHATWG Encoding says the same).

_UNSAID = frozenset({"", "us-ascii", "ascii"})
_CACHED_LENGTH = 512


def text_of(value: str | bytes | memoryview) -> str:
    """Return a header's value as text: bytes as UTF-8, each byte that is none as its surrogate (PEP 383)."""
    if not isinstance(value, str):
        return bytes(value).decode("utf-8", "surrogateescape")
    if value.isascii():
        return value
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _LONE.sub("\N{REPLACEMENT CHARACTER}", value)
    return value


def mended(text: str) -> str:
    """Return header text for people: control characters are spaces, so that it cannot start a header of its own.

    Bytes that were no UTF-8 (surrogates) are read as Windows-1252, which is what old mail means.
    """
    if _CONTROLS.search(text):
        text = _CONTROLS.sub(" ", text)
    if text.isascii() or not _LONE.search(text):
        return text
    return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def decode_bytes(raw: bytes, charset: str) -> tuple[str, bool]:
    """Return the text, and whether charset and bytes agree; a wrong byte becomes U+FFFD, or Windows-1252 without charset.

    Names that are no charset of ours are read as if none had been given.
    """
    named = charset.strip().lower()
    codec = _codec(named) if named and len(named) <= 64 else "utf-8" if not named else None
    try:
        text = raw.decode(codec or "utf-8")
    except (UnicodeError, ValueError):
        text = _forgiving(raw, "cp1252" if codec is None or named in _UNSAID else codec)
        return _LONE.sub("\N{REPLACEMENT CHARACTER}", text), codec == "cp1252"
    if codec == "utf-7":
        text = _LONE.sub("\N{REPLACEMENT CHARACTER}", text)
    return text, codec is not None


def decode_words(text: str) -> str:
    """Return header text with its encoded words decoded (RFC 2047); what is no good word stays as it was written.

    Linear: a head without an end is looked for once. White space between two words goes (section 6.2), and the bytes of
    neighbours in one charset are joined before they are decoded, since many writers cut characters in two.
    """
    if "=?" not in text:
        return text
    return _cached_words(text) if len(text) <= _CACHED_LENGTH else _words(text)


def _words(text: str) -> str:
    out: list[str] = []
    charset, pending = "", b""
    done = 0
    for start, end, name, raw in _found(text):
        gap = text[done:start]
        if pending and (gap.strip() or name != charset):
            out.append(decode_bytes(pending, charset)[0])
            pending = b""
        if gap.strip() or not done:
            out.append(gap)
        charset, pending, done = name, pending + raw, end
    out.append(decode_bytes(pending, charset)[0])
    out.append(text[done:])
    return _CONTROLS.sub(" ", "".join(out))


def _found(text: str) -> list[tuple[int, int, str, bytes]]:
    words: list[tuple[int, int, str, bytes]] = []
    at = 0
    while head := _HEAD.search(text, at):
        end = text.find("?=", head.end())
        if end < 0:
            break
        raw = text[head.end() : end].encode("utf-8", "surrogateescape")
        decoded = base64_bytes(raw) if head[2] in "bB" else _q(raw)
        if decoded is not None:
            words.append((head.start(), end + 2, head[1].partition("*")[0].lower(), decoded))
        at = end + 2
    return words


def base64_bytes(raw: bytes) -> bytes | None:
    """Return what base64 holds, whatever stands between its characters and however it ends; None when nothing helps."""
    if b"=" not in raw[:-8]:
        # The usual case: line ends are skipped in C. Padding in the middle would end the decoding there.
        try:
            return binascii.a2b_base64(raw)
        except binascii.Error:
            pass
    clean = _NOT_BASE64.sub(b"", raw)
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    try:
        return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
    except binascii.Error:
        return None


def _q(raw: bytes) -> bytes:
    return _Q.sub(lambda m: bytes((int(m[1], 16),)), raw.replace(b"_", b" "))


def _forgiving(raw: bytes, codec: str) -> str:
    try:
        return raw.decode(codec, "replace")
    except (UnicodeError, ValueError):
        return raw.decode("latin-1")


@lru_cache(256)
def _codec(charset: str) -> str | None:
    if charset in _ALIASES:
        return _ALIASES[charset]
    try:
        info = codecs.lookup(charset)
    except (LookupError, ValueError, UnicodeError):
        return None
    # The private flag is how the standard library itself keeps rot13 and zlib out of bytes.decode.
    if not getattr(info, "_is_text_encoding", True) or info.name.replace("-", "_") in _NO_CHARSETS:
        return None
    return _ALIASES.get(info.name, info.name)


_cached_words = lru_cache(4096)(_words)
