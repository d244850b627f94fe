"""The subject of a mail without its marks of answering: by it a conversation is found when the references are missing.

Some mail programs, and many gateways between old systems, send answers without `In-Reply-To` and `References` (RFC 5322, section
3.6.4). Then "Re: budget for May" belongs to the last mail with the subject "budget for May" that its author sent or got. The idea is
the base subject of RFC 5256 (section 2.1), with the marks of other languages.
"""

from __future__ import annotations

import re
from hashlib import blake2b

MAX_SUBJECT = 400
LEAST = 6
"""Fewest letters of a subject that says which conversation it is."""

_MARKS = re.compile(
    r"\A(?:\s*+(?:(?:re|aw|sv|vs|antw|antwort|r|rif|res|odp|fwd?|wg|tr|rv|enc|i)\s*+(?:\[\d{1,4}\]|\(\d{1,4}\))?\s*+[:：]|\[[^\]]{1,40}\]))++",
    re.IGNORECASE,
)
_SPACE = re.compile(r"\s++")


def topic_of(subject: str) -> tuple[int, bool]:
    """Return the 63-bit number of what a subject is about (0 where it is too short to say), and whether it marks an answer."""
    text = subject[:MAX_SUBJECT]
    found = _MARKS.match(text)
    marked = found is not None and ":" in found[0].replace("：", ":")
    base = _SPACE.sub(" ", text[found.end() if found else 0 :]).strip().casefold()
    if sum(map(str.isalpha, base)) < LEAST:
        return 0, marked
    digest = blake2b(base.encode("utf-8", "replace"), digest_size=8).digest()
    return max(1, int.from_bytes(digest, "big") >> 1), marked
