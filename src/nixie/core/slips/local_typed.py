"""The typed slips of the local part: the same five ways to miss a letter as in the domain, at other rates.

What a finger does is told in `core.slips.typed` once for both parts; here stand the rates and the examples. They are rarer
than in the domain, because a completion list writes most local parts and a wrong one bounces at once unless somebody has it.

Separators and digits have kinds of their own (`local_separator`, `local_digit`): they are lost by memory more than by fingers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nixie.core.similarity import edit_kind
from nixie.core.slips.typed import letter, place

if TYPE_CHECKING:
    from nixie.core.similarity import Edit

SOURCE = (
    "Norvig, count_1edit.txt: 36 % omissions, 31 % substitutions, 24 % insertions, 9 % swaps of 39,073; typed slips of the "
    "local part are 11 % of all slips (estimate), half as many as in the domain"
)

SEPARATORS = "._-"
"""What parts the words of a local part."""

_NO_LETTERS = frozenset("0123456789+" + SEPARATORS)


@lru_cache(maxsize=8192)
def local_edit(intended: str, written: str) -> Edit | None:
    """Return the one typed slip of a letter between two local parts in lower case; None if it touches anything else."""
    edit = edit_kind(intended, written)
    if edit is None or not _NO_LETTERS.isdisjoint(edit.from_char + edit.to_char):
        return None
    return edit


@dataclass(frozen=True, slots=True)
class LocalTyped:
    """One typed slip of the local part: a slip kind (`core.slips.kind.SlipKind`) as a value."""

    KIND: str
    SHARE: float
    WHAT: str
    FIRES: tuple[tuple[str, str], ...]
    QUIET: tuple[tuple[str, str], ...]
    lettered: bool = False
    """Whether the letter that came could have been another one."""
    PART: str = "local"
    SOURCE: str = SOURCE

    def likelihood(self, intended: str, written: str) -> float:
        """Return P(written | intended, this slip), 0.0 if it is none."""
        edit = local_edit(intended, written)
        if edit is None or edit.kind != self.KIND:
            return 0.0
        return place(edit, intended) * (letter(edit) if self.lettered else 1.0)


TYPED = (
    LocalTyped(
        KIND="swap",
        SHARE=0.019,
        WHAT="two letters of the name are swapped",
        FIRES=(("john.smith", "jonh.smith"),),
        QUIET=(("john.smith", "joh.nsmith"), ("jsmith12", "jsmith21")),
    ),
    LocalTyped(
        KIND="doubling",
        SHARE=0.009,
        WHAT="one letter of the name is doubled",
        FIRES=(("emma.halam", "emma.hallam"),),
        QUIET=(("emma.hallam", "emma.halam"), ("jsmith1", "jsmith11")),
    ),
    LocalTyped(
        KIND="omission",
        SHARE=0.034,
        WHAT="one letter of the name is missing",
        FIRES=(("emma.hallam", "emma.halam"), ("jsmith", "jsmth")),
        QUIET=(("john.smith", "johnsmith"), ("jsmith", "jsth")),
    ),
    LocalTyped(
        KIND="substitution",
        SHARE=0.030,
        WHAT="one letter of the name is a different one",
        FIRES=(("jane.roe", "jane.roa"), ("jsmith", "jsmoth")),
        QUIET=(("jane.roe", "jane_roe"), ("jsmith1", "jsmith2"), ("jsmith", "jsnoth")),
        lettered=True,
    ),
    LocalTyped(
        KIND="insertion",
        SHARE=0.018,
        WHAT="there is one letter too many in the name",
        FIRES=(("tana.poole", "tanya.poole"),),
        QUIET=(("jsmith", "j.smith"), ("jsmith", "jsmith1"), ("tana.poole", "tanna.poole")),
        lettered=True,
    ),
)
"""The typed kinds of the local part, the more telling first."""
