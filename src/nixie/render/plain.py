"""Small words: safe text, domains for human eyes, moments, counts.

Whatever a message brought is cleaned here before it is shown: a subject may hold terminal codes, an address bytes that
are no text, a domain letters that only look familiar.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nixie.core.domains import unicode_domain

if TYPE_CHECKING:
    from datetime import datetime

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""Controls, marks that turn the direction of writing or cannot be seen, and bytes that were no text."""

SUBJECT_LENGTH = 60


def safe(text: str) -> str:
    """Return the text on one line, with a replacement character for what cannot be shown."""
    return _UNSAFE.sub("\ufffd", " ".join(text.split()))


def shortened(text: str, length: int = SUBJECT_LENGTH) -> str:
    """Return the safe text, cut to the length with an ellipsis."""
    clean = safe(text)
    return clean if len(clean) <= length else clean[: length - 1].rstrip() + "…"


def domain_words(domain: str) -> str:
    """Return a domain as people should see it: `münchen.example (xn--mnchen-3ya.example)`, a plain one as it is."""
    clean = safe(domain)
    shown = safe(unicode_domain(clean))
    return clean if shown == clean else f"{shown} ({clean})"


def address_words(address: str) -> str:
    """Return an address as people should see it; an international domain stands beside its A-labels."""
    local, at, domain = safe(address).rpartition("@")
    return f"{local}{at}{domain_words(domain)}"


def moment(at: datetime) -> str:
    """Return a moment as a person writes it: `Monday 23 November 2026, 12:05 UTC`."""
    return f"{at:%A} {at.day} {at:%B %Y, %H:%M} {at.tzname() or 'UTC'}"


def times(number: int) -> str:
    """Return how often: `never`, `once`, `twice`, `3 times`."""
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def share(probability: float) -> str:
    """Return a probability as a share that is never rounded to certainty: `97%`, `over 99%`, `under 1%`."""
    if probability >= 0.995:
        return "over 99%"
    return "under 1%" if probability < 0.01 else f"{probability:.0%}"


def counted(number: int, one: str, many: str) -> str:
    """Return a count with its noun: `1 copy`, `2 copies`."""
    return f"{number} {one if number == 1 else many}"
