"""The nearest valid name for one that is not: every error about a name says what was probably meant.

Shared by the policy and the configuration, so that both speak alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LISTED = 12
"""How many valid names an error lists when none of them is near."""


def nearest(word: str, valid: Iterable[str]) -> str:
    """Return the valid name nearest to the word, `""` when none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a broken file pays for it

    by_key = {name.casefold().replace("-", "_"): name for name in valid}
    found = get_close_matches(word[:200].casefold().replace("-", "_"), by_key, n=1, cutoff=0.6)
    return by_key[found[0]] if found else ""


def advice(word: str, valid: Iterable[str]) -> str:
    """Return `did you mean "x"?`, or the list of valid names when none is near."""
    names = sorted(valid)
    near = nearest(word, names)
    if near:
        return f'did you mean "{near}"?'
    if not names:
        return "nothing is valid here"
    more = ", ..." if len(names) > MOST_LISTED else ""
    return f"valid: {', '.join(names[:MOST_LISTED])}{more}"
