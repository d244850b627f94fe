"""What the two suffix kinds share: the table of confusions as weights, and the cutting of a pair of domains into stem and suffix."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from nixie.core.tables import tld_confusions

if TYPE_CHECKING:
    from collections.abc import Iterator

WEIGHTS = {"high": 4.0, "medium": 2.0, "low": 0.3, "info": 0.0}
"""What a class of the table is worth; `info` rows are two zones that are both right, and never a slip."""

DEEPEST = 3
"""Most labels a confused suffix has."""


@cache
def confusions() -> dict[str, dict[str, float]]:
    """Return, by the suffix that was meant, the suffixes written for it with the weight of each."""
    found: dict[str, dict[str, float]] = {}
    for written, items in tld_confusions().items():
        for item in items:
            if WEIGHTS[item.likelihood]:
                found.setdefault(item.intended, {})[written] = WEIGHTS[item.likelihood]
    return found


def suffix_pairs(intended: str, written: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs (suffix meant, suffix written) by which two domains differ behind a common stem of whole labels."""
    meant, wrote = intended.split("."), written.split(".")
    common = 0
    for one, other in zip(meant, wrote, strict=False):
        if one != other:
            break
        common += 1
    for stem in range(common, max(-1, common - DEEPEST - 1), -1):
        left, right = meant[stem:], wrote[stem:]
        fewest = min(len(left), len(right))
        # Without a stem, the suffix itself is somebody's domain: `police.uk` for `police.co.uk`, never `uk` for `ug`.
        if fewest > 0 and max(len(left), len(right)) <= DEEPEST and (stem or fewest > 1):
            yield ".".join(left), ".".join(right)
