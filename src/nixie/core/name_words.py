"""The words of a name, from whatever stands where a display name belongs.

Address books write one person in many ways: `John Smith`, `Smith, John (External)`, `SMITH John`, `Smith, John A MAJ USARMY`,
`John Smith/NORTH/EXAMPLE`, `"john.smith@example.org"`. What comes out is given name first, surname last,
without titles, ranks, degrees, organisations and brackets. Nothing here is sure; whoever compares two names compares what
came out of the same function. Text is cut before it is read, so a hostile name costs no more than a long one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import combining, normalize

MAX_NAME = 160
"""Characters of a display name that are read."""

MAX_WORDS, MAX_WORD = 8, 32
"""Most words of a name, and most letters of one."""

_MARKED = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "'", "`": "'"}
)
"""Letters whose mark is no combining character, and the ways to write an apostrophe."""

_TITLES = """
    mr mrs ms miss mx dr prof professor sir dame lord lady rev reverend judge justice ambassador
    herr frau hr fr dipl ing monsieur madame mme mlle maitre
    senor senora sr sra srta signor signora dott dottssa avv mevrouw mijnheer dhr mevr
"""
TITLES = frozenset(_TITLES.split())
"""What stands before a name and is none."""

_RANKS = """
    gen general ltgen ltg majgen mg maj major briggen brig brigadier bg col colonel ltcol ltc lt lieutenant capt captain
    cpt cdr commander cmdr lcdr ltcdr ens adm admiral radm vadm sgt sergeant ssgt sfc msg msgt sgm csm cpl corporal pfc pvt
    spc wo wo1 cw2 cw3 cw4 cw5 gs civ ctr nfg usarmy army usn usaf usmc uscg usg dod navy mil
"""
RANKS = frozenset(_RANKS.split())
"""Ranks and branches: before a name, or behind it with everything that follows (`Smith, John A MAJ USARMY`)."""

_DEGREES = """
    jr sr ii iii iv phd dphil md dds dvm esq jd llm cpa cfa mba msc bsc rn pmp cissp frcs mp mep mbe obe cbe kc
    qc ret ext external extern contractor consultant
"""
DEGREES = frozenset(_DEGREES.split())
"""What stands behind a name and is none."""

PARTICLES = frozenset(("van", "von", "vom", "de", "der", "den", "des", "du", "del", "della", "dos", "da", "zu", "zur", "ter", "ten", "bin", "ibn"))  # fmt: skip
"""Small words before a surname."""

_ORGANISATIONS = """
    inc corp corporation co company ltd limited llc llp lp plc gmbh ag kg se sa sas sarl spa srl bv nv ab oy aps
    university universitat universite college institute hospital bank group dept department ministry agency office
    contractor consultant external extern intern ext
"""
ORGANISATIONS = frozenset(_ORGANISATIONS.split())
"""Words that show that what follows a comma is no given name."""

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_BRACKETED = re.compile(r"[(\[{<][^)\]}>]*[)\]}>]?")
_COMMON_NAME = re.compile(r"\bcn=([^/,;@]{1,64})", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@]*+@\S*+")
_LIST = re.compile(r"\S\s++via\s", re.IGNORECASE)
_BEHIND = re.compile(r"(?:\s(?:on behalf of|im auftrag von|pour le compte de)\s|\s[-–—|•·:]\s|/|\s@|;).*+", re.IGNORECASE | re.DOTALL)  # fmt: skip


def folded(text: str) -> str:
    """Return the text in lower case, without accents, and with one apostrophe: how names are compared everywhere."""
    if text.isascii():
        return text.lower().replace("`", "'")
    spread = normalize("NFKD", text.lower().translate(_MARKED))
    return normalize("NFC", "".join(char for char in spread if not combining(char)))


def name_words(display_name: str) -> tuple[str, ...]:
    """Return the words of a display name, folded, given name first and surname last; `()` where there are none.

    `John Smith via Some-List` is what lists write beside their own address, so it names nobody who is there.
    At most `MAX_WORDS` of at most `MAX_WORD` letters; initials are kept as one letter, hyphens stay, apostrophes go.
    """
    return _name_words(display_name[:MAX_NAME])


def local_words(local: str) -> tuple[str, ...]:
    """Return the words of a local part, folded: parted at dots, underscores, hyphens and digits; what follows `+` is a tag."""
    return _local_words(local[:MAX_NAME])


@lru_cache(maxsize=16384)
def _name_words(text: str) -> tuple[str, ...]:
    if found := _COMMON_NAME.findall(text):
        text = found[-1]
    bare = _BRACKETED.sub(" ", text)
    if not _WORD.search(bare):
        bare = text.strip("()[]{}<> ")
    bare = bare.strip("'\" ")
    if "@" in bare and " " not in bare:
        return _local_words(bare.partition("@")[0].partition("/")[0])
    if _LIST.search(bare):
        return ()
    bare = _BEHIND.sub("", bare) or bare
    if "@" in bare:
        bare = _ADDRESS.sub(" ", bare)
    head, comma, tail = bare.partition(",")
    words = _turned(head, tail.partition(",")[0]) if comma else _in_order(head)
    return tuple(word.replace("'", "")[:MAX_WORD] for word in words[:MAX_WORDS])


def _turned(head: str, tail: str) -> list[str]:
    """Return the words of `surname, given`; of `name, degree` and `name, organisation` those of the name."""
    surname, given = _words(head), _words(tail)
    if not surname or not given or not ORGANISATIONS.isdisjoint(given) or given[0] in DEGREES:
        return _bare(surname or given)
    given = _bare(given)
    surname = _bare(surname)
    return given + surname if given != surname else surname


def _in_order(text: str) -> list[str]:
    """Return the words of a name without a comma; a surname in capitals that stands first is turned (`SMITH John`)."""
    shown = _WORD.findall(text.translate(_MARKED))
    words = _bare([folded(word) for word in shown])
    capitals = 0
    for word in shown:
        if len(word) < 3 or not word.isupper():
            break
        capitals += 1
    if 0 < capitals < len(shown) == len(words) and not any(word.isupper() for word in shown[capitals:]):
        return words[capitals:] + words[:capitals]
    return words


def _words(text: str) -> list[str]:
    return _WORD.findall(folded(text))


def _bare(words: list[str]) -> list[str]:
    """Return the words without titles before them, degrees behind them, and ranks on either side; never nothing."""
    first, last = 0, len(words)
    while first < last - 1 and (words[first] in TITLES or words[first] in RANKS):
        first += 1
    # A rank ends the name where something of it stands before; `Kim Major` has none before it but a given name.
    for at in range(first + 1, last):
        if words[at] in RANKS and (at > first + 1 or at < last - 1):
            last = at
            break
    while last - 1 > first and words[last - 1] in DEGREES:
        last -= 1
    return words[first:last]


@lru_cache(maxsize=16384)
def _local_words(local: str) -> tuple[str, ...]:
    base, _, _ = local.partition("+")
    words = _WORD.findall(folded(base or local).replace("-", " "))
    return tuple(word.replace("'", "")[:MAX_WORD] for word in words[:MAX_WORDS])
