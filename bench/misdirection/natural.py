"""Slips that really happened, as far as the public tables show them (kind G): what does the product say about those?

Addresses that are within two edits of a much used one, and messages about misdirected mail, were read one by one. `natural_labels.csv` holds what
the reader thought, by hash only: the key of a message and address (of the message alone where the reader could not tell which address), the label
(`slip`, `right`, `unclear`, `slip-somewhere`), and for slips the key of the address that was meant. They were found by their nearness to another
address or by words of apology; so how many of them are caught says nothing about recall, while the ones labelled `right` are honest near misses.
"""

from __future__ import annotations

import csv
from collections import Counter
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from values import Sample

LABELS = Path(__file__).resolve().parent / "natural_labels.csv"
SURE, LIKELY, WORTH_A_LOOK = 0.5, 0.1, 0.02


def key_of(message_id: str, address: str) -> str:
    """Return the key of an address in a message; of the message with "" for the address, of the address with "" for the message."""
    return blake2b(f"{message_id}\0{address}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


@cache
def labels() -> dict[str, tuple[str, str]]:
    """Return label and key of the meant address by key."""
    with LABELS.open(encoding="utf-8", newline="") as rows:
        return {row["key"]: (row["label"], row["meant"]) for row in csv.DictReader(rows)}


def marked(message_id: str, addresses: Iterable[str]) -> bool:
    """Return whether anything of this message is labelled."""
    known = labels()
    return key_of(message_id, "") in known or any(key_of(message_id, a) in known for a in addresses)


def found(samples: Iterable[Sample]) -> dict[str, dict[str, int]]:
    """Return, by label, how many labelled copies there are, what probability they have, and how often the suggestion is the meant one."""
    counts: dict[str, Counter[str]] = {}
    for sample in samples:
        if sample.injected is not None:
            continue
        whole = labels().get(key_of(sample.line_id, ""))
        if whole:
            _note(counts.setdefault(whole[0], Counter()), max((r.score for r in sample.recipients), default=0.0))
        for r in sample.recipients:
            label, meant = labels().get(key_of(sample.line_id, r.address), ("", ""))
            if label:
                noted = counts.setdefault(label, Counter())
                _note(noted, r.score)
                noted["stopped"] += r.disposition != "deliver"
                noted["suggests the meant one"] += bool(meant) and key_of("", r.intended) == meant
    return {label: dict(noted) for label, noted in sorted(counts.items())}


def _note(noted: Counter[str], score: float) -> None:
    noted["copies"] += 1
    for bound in (SURE, LIKELY, WORTH_A_LOOK):
        noted[f"P >= {bound:g}"] += score >= bound
