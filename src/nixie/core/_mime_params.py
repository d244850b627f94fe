"""MIME fields with parameters: Content-Type and Content-Disposition (RFC 2045, 2183), continuations and charsets (RFC 2231)."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from nixie.core.headers import unfolded
from nixie.core.words import decode_bytes, decode_words, mended

MAX_VALUE = 16 << 10
"""Bytes of one Content-* field that are read."""

MAX_NAME = 1024
"""Characters of a file name that are kept."""

_CACHED_LENGTH = 100

_TYPE = re.compile(r"\s*+([A-Za-z0-9!#$&^_.+-]++/[A-Za-z0-9!#$&^_.+-]++)")
_WORD = re.compile(r"\s*+([A-Za-z0-9_-]++)")
_PARAMETER = re.compile(r";\s*+([^=;\s\"]++)\s*+=\s*+(\"(?:[^\"\\]|\\.)*+\"|[^;]*+)", re.DOTALL)
_PAIR = re.compile(r"\\([\"\\])")
_SECTION = re.compile(r"([^*]++)\*([0-9]{1,4})(\*?)")


def content_type(raw: bytes, default: str) -> tuple[str, dict[str, str]]:
    """Return `type/subtype` in lower case and the parameters by lower-case name; `default` when there is no type.

    The parameters may be shared with other calls: they are for reading.
    """
    if not raw:
        return default, {}
    # Most mail says one of a few dozen types; boundaries are different in each message and would only fill the cache.
    kind, params = _cached_type(raw) if len(raw) < _CACHED_LENGTH and b"oundary" not in raw else _type(raw)
    return kind or default, params


def _type(raw: bytes) -> tuple[str, dict[str, str]]:
    text = unfolded(raw[:MAX_VALUE])
    found = _TYPE.match(text)
    return (found[1].lower() if found else ""), _parameters(text) if ";" in text else {}


def disposition(raw: bytes) -> tuple[str, dict[str, str]]:
    """Return `attachment`, `inline` or another word in lower case (`""` for none) and the parameters."""
    if not raw:
        return "", {}
    text = unfolded(raw[:MAX_VALUE])
    found = _WORD.match(text)
    return (found[1].lower() if found else ""), _parameters(text) if ";" in text else {}


def filename(disposed: dict[str, str], typed: dict[str, str]) -> str:
    """Return the file name for people, from Content-Disposition or else Content-Type; `""` when neither has one."""
    name = disposed.get("filename") or typed.get("name") or ""
    return mended(decode_words(name))[:MAX_NAME].strip() if name else ""


def _parameters(text: str) -> dict[str, str]:
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, given in _PARAMETER.findall(text):
        key = name.lower()
        closed = len(given) > 1 and given[0] == given[-1] == '"'
        value = _PAIR.sub(r"\1", given[1:-1]) if closed else _bare(key, given)
        if "*" not in key:
            plain.setdefault(key, value)
        elif section := _SECTION.fullmatch(key):
            sections.setdefault(section[1], {}).setdefault(int(section[2]), (value, bool(section[3])))
        else:
            sections.setdefault(key.partition("*")[0], {})[-1] = (value, True)
    for key, parts in sections.items():
        # The extended form is the better one where both are given (RFC 6266, section 4.3, says so for HTTP).
        plain[key] = _joined(parts)
    return plain


_cached_type = lru_cache(1024)(_type)


def _bare(key: str, value: str) -> str:
    # Many writers leave the quotes off a file name with spaces; elsewhere a word ends where a comment begins.
    value = value.strip().strip('"')
    return value if key.startswith(("filename", "name")) else value.partition(" ")[0].partition("(")[0]


def _joined(parts: dict[int, tuple[str, bool]]) -> str:
    """Join RFC 2231 sections in the order of their numbers, and decode those marked as percent-encoded."""
    numbers = [-1] if -1 in parts else sorted(parts)
    charset = ""
    out: list[bytes] = []
    for place, number in enumerate(numbers):
        value, encoded = parts[number]
        if encoded and place == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        raw = value.encode("utf-8", "surrogateescape")
        out.append(unquote_to_bytes(raw) if encoded else raw)
    return decode_bytes(b"".join(out), charset)[0]
