"""The value `Address`, and the paths of SMTP, which are addresses without anything around them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from unicodedata import normalize

from nixie.core.domains import examine_domain, usable_domain

MAX_PATH = 4096
"""Longest SMTP path we read; RFC 5321 (4.5.3.1.3) promises 256, and routes and SRS make longer ones."""

_DOT_ATOM = re.compile(r"[^\x00-\x20\x7f()<>\[\]:;@\\,.\"]++(?:\.[^\x00-\x20\x7f()<>\[\]:;@\\,.\"]++)*+")
_ROUTE = re.compile(r"@(?:\[[^\]]*+\]|[^@,:\[\]]++)(?:,@(?:\[[^\]]*+\]|[^@,:\[\]]++))*+:")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"(?:@|\Z)', re.DOTALL)
_PAIR = re.compile(r"\\(.)", re.DOTALL)
_ESCAPE = re.compile(r'(["\\])')
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""Characters that no address of ours holds: one with a line break would write headers and commands of its own."""


class AddressError(ValueError):
    """The text is no address; the message says what is wrong and repeats nothing of the text."""


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """A mail address: `local` unquoted with its case kept, `domain` as `normal_domain` spells it.

    `key` is how addresses are compared: NFC and lower case, though RFC 5321 (2.4) lets a host see a difference that
    no sender means. Both parts are `""` in the null sender, and `domain` alone in `<Postmaster>`. `str()` gives the form
    for mail, quoted where needed; the repr shows the domain only, so that it may be logged.
    """

    local: str
    domain: str
    key: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        local = self.local
        lower = local.lower() if local.isascii() else normalize("NFC", normalize("NFC", local).lower())
        key = f"{lower}@{self.domain}" if lower or self.domain else ""
        object.__setattr__(self, "key", key)

    @property
    def is_null(self) -> bool:
        """Return whether this is the null sender of bounces (RFC 5321, section 4.5.5)."""
        return not self.key

    def __str__(self) -> str:
        local = self.local
        if not local:
            return ""
        if not _DOT_ATOM.fullmatch(local):
            local = '"' + _ESCAPE.sub(r"\\\1", local) + '"'
        return f"{local}@{self.domain}" if self.domain else local

    def __repr__(self) -> str:
        return f"Address(@{self.domain})" if self.key else "Address(null)"


NULL = Address("", "")


def unquoted(inner: str) -> str:
    """Return the content of a quoted string without its escapes and line folds (RFC 5322, section 3.2.4)."""
    if "\\" in inner:
        inner = _PAIR.sub(r"\1", inner)
    return inner.replace("\r\n", "") if "\r\n" in inner else inner


def parse_path(raw: bytes) -> Address:
    """Return the address of an SMTP path (RFC 5321, 4.1.2; RFC 6531), with or without its angle brackets.

    A source route is dropped (appendix C), `<>` is `NULL`, a local part without a domain is kept so (`<Postmaster>`), the
    percent hack is left as it stands. Raises `AddressError` for what no server could have meant as a path.
    """
    if len(raw) > MAX_PATH:
        raise AddressError("path: too long")
    text = raw.decode("utf-8", "surrogateescape").strip(" \t")
    if text.startswith("<"):
        if not text.endswith(">"):
            raise AddressError("path: the closing angle bracket is missing")
        text = text[1:-1].strip(" \t")
    if not text:
        return NULL
    if route := _ROUTE.match(text):
        text = text[route.end() :]
    if CONTROL.search(text):
        raise AddressError("path: control character")
    if quoted := _QUOTED.match(text):
        local, domain = unquoted(quoted[1]), text[quoted.end() :]
        has_domain = quoted[0].endswith("@")
    else:
        local, at, domain = text.rpartition("@")
        has_domain = bool(at)
        if not at:
            local, domain = text, ""
    if not local:
        raise AddressError("path: no local part")
    if not has_domain:
        return Address(local, "")
    normal, _ = examine_domain(domain.strip(" \t"))
    if not normal or not usable_domain(normal):
        raise AddressError("path: no domain after the at sign")
    return Address(local, normal)


def from_key(key: str) -> Address:
    """Return the address of a comparison key (`Address.key`), which is unquoted: the last `@` divides it."""
    local, _, domain = key.rpartition("@")
    return Address(local, domain)
