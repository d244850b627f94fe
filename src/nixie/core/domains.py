"""One spelling for each domain: A-labels in lower case, no dot at the end.

Everything that compares domains compares this spelling, and nothing else in Nixie lower-cases a domain. A name that IDNA
refuses (RFC 5891) keeps its lower-cased text and gets a defect: a wrong domain is what we are here to see, so it must
neither vanish nor stop anybody.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_DOMAIN = 255
"""Longest name that IDNA is asked about: octets of a name on the wire (RFC 1035, section 2.3.4)."""

_LDH = re.compile(r"[a-z0-9_-]++(?:\.[a-z0-9_-]++)*+", re.ASCII)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f@<>,;\"\\]")


def normal_domain(text: str) -> str:
    """Return the domain as it is compared: A-labels, lower case, without trailing dots; `""` stays `""`.

    Literals (`[192.0.2.1]`) are lower-cased only. What IDNA with UTS 46 mapping refuses comes back lower-cased.
    """
    return examine_domain(text)[0]


def examine_domain(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the domain as `normal_domain` does, and its defects as codes."""
    return _cached(text) if len(text) <= MAX_DOMAIN else _examine(text)


def unicode_domain(a_label: str) -> str:
    """Return the domain for human eyes (U-labels); a name that does not decode comes back as it is."""
    return _unicode(a_label) if "xn--" in a_label and len(a_label) <= MAX_DOMAIN else a_label


def usable_domain(domain: str) -> bool:
    """Return whether an address may stand at this domain: no space, control character, or mark of the address syntax."""
    return _FORBIDDEN.search(domain) is None


def _examine(text: str) -> tuple[str, tuple[str, ...]]:
    lower = text.lower()
    if _LDH.fullmatch(lower):
        return lower, (() if len(lower) < MAX_DOMAIN else ("domain-too-long",))
    if lower.startswith("["):
        return lower, (() if lower.endswith("]") else ("domain-literal",))
    # One dot at the end is the root (RFC 1035, section 3.1) and no defect.
    dots = lower.endswith("..")
    lower = lower.rstrip(".")
    if not lower:
        return "", ("no-domain",)
    if len(lower) > MAX_DOMAIN:
        return lower, ("domain-too-long",)
    if dots or ".." in lower or lower.startswith("."):
        return lower, ("domain-empty-label",)
    if lower.isascii():
        return lower, (() if _LDH.fullmatch(lower) else ("domain-characters",))
    return _to_ascii(lower)


def _to_ascii(lower: str) -> tuple[str, tuple[str, ...]]:
    import idna  # noqa: PLC0415 - its tables cost 10 ms, and most runs never meet such a name

    try:
        return idna.encode(lower, uts46=True).decode("ascii").rstrip("."), ()
    except (idna.IDNAError, UnicodeError, ValueError, IndexError):
        return lower, ("domain-idna",)


@lru_cache(4096)
def _unicode(a_label: str) -> str:
    import idna  # noqa: PLC0415

    try:
        return idna.decode(a_label)
    except (idna.IDNAError, UnicodeError, ValueError, IndexError):
        return a_label


_cached = lru_cache(16384)(_examine)
