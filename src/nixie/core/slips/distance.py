"""A quick look before the slip kinds are asked: most domains that share a key with a written one are no slip of it.

A message to thousands of people brings a hundred thousand pairs. Names that differ in their ending alone are told apart by
the endings, of which there are few; names that differ at the beginning must be one edit apart, look alike, or have lost
their first label. Only "surely not" is an answer here: `explain` says the same with and without it.
"""

from __future__ import annotations

from functools import lru_cache

from nixie.core.similarity import edit_kind
from nixie.core.skeleton import ascii_lookalike
from nixie.core.slips import SLIPS
