"""The telling words of a mail, as numbers: enough to see that two mails are about one thing, too little to read either.

Words of the subject come first, then the longest of the author's own text: a long word is a rare one more often than not, and
length costs no table. Common words of three languages, quotations and signatures are left out; what stays is folded,
so that `Genève` and `GENEVE` are one. A text in a script without spaces gives few words, and none that harm.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

from nixie.core.common_words import COMMON_WORDS
from nixie.core.mailing import MOST_WORDS
from nixie.core.name_words import folded
from nixie.core.own_text import own_text

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SUBJECT, MOST_OF_SUBJECT = 400, 12
"""Characters of a subject that are read, and most words that are taken from it."""

SHORTEST, LONGEST = 4, 24
"""Shorter words are common ones; longer runs of letters are keys, code, or a script without spaces."""

_WORD = re.compile(r"[^\W\d_]{4,}")
_PRINTED = re.compile("[\u00a0\u2010-\u2026\u202f\u20ac]+")
"""Spaces, dashes, quotation marks and dots of print: often all that is not ASCII in a text."""

_LETTERS_APART = {code: chr(code).lower() if chr(code).isalpha() else " " for code in range(128)}
_PREFIX = re.compile(r"(?:\s*+(?:re|fwd?|aw|wg|sv|vs|tr|rv|antw|ref)\s*+(?:\[\d{1,3}\])?\s*+:)++", re.IGNORECASE)


def words_of(subject: str, text: str) -> tuple[int, ...]:
    """Return at most `MOST_WORDS` telling words of one mail as 32-bit numbers, the same on every machine, each once.

    `text` is the decoded plain text; of it and the subject a bounded beginning is read.
    """
    head = subject[:MAX_SUBJECT]
    if prefix := _PREFIX.match(head):
        head = head[prefix.end() :]
    found = _telling(_words(head), MOST_OF_SUBJECT)
    by_length = sorted(_words(own_text(text).body), key=len, reverse=True)
    found += _telling(by_length, MOST_WORDS - len(found))
    return tuple(dict.fromkeys(map(_number, found)))


def _words(text: str) -> list[str]:
    """Return the words of a text in lower case, in their order."""
    if not text.isascii():
        text = _PRINTED.sub(" ", text)
    # Most mail is ASCII, where a table and `split` take a third of the time of the pattern.
    return text.translate(_LETTERS_APART).split() if text.isascii() else _WORD.findall(text.lower())


def _telling(words: Iterable[str], most: int) -> list[str]:
    """Return the first few of the words, each once, that are neither short, nor common, nor too long for a word."""
    found: dict[str, None] = {}
    for word in words:
        if SHORTEST <= len(word) <= LONGEST and word not in COMMON_WORDS:
            found[word] = None
            if len(found) >= most:
                break
    return list(found)


def _number(word: str) -> int:
    """Return the number of a word."""
    return crc32((word if word.isascii() else folded(word)).encode("utf-8", "surrogatepass"))
