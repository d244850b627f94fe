"""What a name looks like: the skeleton of Unicode UTS #39, pairs of plain letters that look alike, mixed scripts.

Two names with the same skeleton look the same to a reader although their characters differ: `раураl` in Cyrillic and
`paypal`. UTS #39 takes each character for itself and knows nothing of small print, where `rn` is read as `m`; those
pairs of ASCII are a second fold, `ascii_lookalike`. Both are homomorphisms (each character is replaced by itself alone), so
whatever is exchanged for its twin, anywhere in a name, the folded form stays the same.

The data are Unicode's confusables, packed by `tools/make_confusables.py`; the version stands in the file's first line.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from pathlib import Path

CONFUSABLES = Path(__file__).parent / "data" / "confusables.txt"

ASCII_TWINS: dict[str, str] = {
    "m": "rn",
    "w": "vv",
    "d": "cl",
    "0": "o",
    "1": "l",
    "i": "l",
    "5": "s",
    "q": "g",
}
"""Lower-case ASCII that is read as something else in small print, and what it is folded to."""

_FOLD = str.maketrans(ASCII_TWINS)
_FOLD_AND_JOIN = str.maketrans({**ASCII_TWINS, ".": "", "-": ""})

_JOINT_SCRIPTS = tuple(
    frozenset(names.split()) for names in ("LATIN HAN HIRAGANA KATAKANA", "LATIN HAN HANGUL", "LATIN HAN BOPOMOFO")
)
"""Scripts that are written together in one word (UTS #39 section 5.2, highly restrictive)."""

_SCRIPT_WORDS = {"CJK": "HAN", "KANGXI": "HAN", "FULLWIDTH": "LATIN", "HALFWIDTH": "KATAKANA"}
"""First words of character names that are not the script's own name."""

_IGNORABLE = dict.fromkeys((0xAD, 0x34F, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F),
                            *range(0x2060, 0x2070), *range(0xFE00, 0xFE10), 0xFEFF))  # fmt: skip
"""Characters that show nothing (Default_Ignorable_Code_Point, those that reach a name); UTS #39 takes them out."""


def skeleton(text: str) -> str:
    """Return the skeleton of a text (UTS #39 section 4): equal skeletons look alike. Case is not folded."""
    if text.isascii():
        return text.translate(_prototypes())
    decomposed = unicodedata.normalize("NFD", text).translate(_IGNORABLE)
    return unicodedata.normalize("NFD", decomposed.translate(_prototypes()))


@cache
def _prototypes() -> dict[int, str]:
    """Return the prototype of each character that has one."""
    table: dict[int, str] = {}
    for line in CONFUSABLES.read_text("utf-8").split("\n"):
        prototype, tab, chars = line.partition("\t")
        if tab:
            table.update(dict.fromkeys(map(ord, chars), prototype))
    return table


def unicode_version() -> str:
    """Return the Unicode version of the packed data, such as `15.0.0`."""
    with CONFUSABLES.open(encoding="utf-8") as lines:
        return lines.readline().split()[2]


def ascii_lookalike(text: str) -> str:
    """Return a lower-case text with the twins of small print folded: rn/m, vv/w, cl/d, 0/o, 1/i/l, 5/s, q/g."""
    return text.translate(_FOLD)


def lookalike_form(domain: str) -> str:
    """Return what a domain (A-labels or Unicode) looks like without its dots and hyphens.

    Equal for domains with one UTS #39 skeleton, for twins in small print, for accents left out, and for a dot or hyphen
    missing, added or shifted.
    """
    if domain.isascii() and "xn--" not in domain:
        return domain.translate(_FOLD_AND_JOIN)
    shown = skeleton(to_unicode(domain).lower())
    bare = "".join(char for char in shown if not unicodedata.combining(char))
    return bare.lower().translate(_FOLD_AND_JOIN)


@lru_cache(maxsize=4096)
def to_unicode(domain: str) -> str:
    """Return the domain with its `xn--` labels decoded (RFC 3492); a label that does not decode stays as it is."""
    return ".".join(map(_decode, domain.split("."))) if "xn--" in domain else domain


def _decode(label: str) -> str:
    """Return the Unicode form of one label. No check of IDNA: a hostile name is to be seen, not excused."""
    if not label.startswith("xn--"):
        return label
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
        decoded.encode("utf-8")
    except (UnicodeError, ValueError, OverflowError):
        return label
    return decoded or label


def scripts(label: str) -> frozenset[str]:
    """Return the scripts of a label's letters by their Unicode names (LATIN, CYRILLIC, HAN); digits and signs have none."""
    found = set()
    for char in label:
        if unicodedata.category(char)[0] == "L":
            word = unicodedata.name(char, "UNKNOWN").partition(" ")[0]
            found.add(_SCRIPT_WORDS.get(word, word))
    return frozenset(found)


def mixed_scripts(domain: str) -> tuple[str, ...]:
    """Return the scripts of the first label that mixes scripts which are not written together; `()` when none does."""
    if domain.isascii() and "xn--" not in domain:
        return ()
    for label in to_unicode(domain).split("."):
        found = scripts(label)
        if len(found) > 1 and not any(found <= joint for joint in _JOINT_SCRIPTS):
            return tuple(sorted(found))
    return ()
