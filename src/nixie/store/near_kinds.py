"""The two near indexes: one file format, and what differs between domains and addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nixie.store.near_address_keys import address_columns, one_address
from nixie.store.near_keys import entries_of, one

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nixie.store.near_keys import Words


@dataclass(frozen=True, slots=True)
class Kind:
    """What an index is of, how its files begin, and where keys come from.

    `one` gives the keys of one name, `columns` the sorted entries of many and their signatures. Where they are `signed` the
    base has two columns more: the signatures, and fences, which say where in the entries a search begins. `distinct` says that
    whoever builds an index gives each name once, so that nobody looks for the second.
    """

    what: str
    magic: bytes
    one: Callable[[str], Words]
    columns: Callable[[Sequence[str]], tuple[Words, Words]]
    signed: bool
    distinct: bool


def _domain_columns(domains: Sequence[str]) -> tuple[Words, Words]:
    return entries_of(domains), np.zeros(0, np.uint64)


DOMAINS = Kind("domains", b"NIXNEAR1", one, _domain_columns, signed=False, distinct=False)
ADDRESSES = Kind("addresses", b"NIXADDR1", one_address, address_columns, signed=True, distinct=True)
