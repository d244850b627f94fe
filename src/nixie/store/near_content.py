"""What a base of the near index is made of, and how it is written: under another name, synced, renamed."""

from __future__ import annotations

import os
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nixie.store.near_base import CURRENT, NearError, base_path, cell_bits, header_of
from nixie.store.near_keys import MAX_RANK
from nixie.store.near_kinds import DOMAINS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from nixie.store.near_keys import Words
    from nixie.store.near_kinds import Kind

MAX_WEIGHT = 0xFFFF_FFFF
MAX_TEXT = 0xFFFF_FFFF
_ROWS = 1 << 16
"""Names that are encoded together."""


def ranked(pairs: Iterable[tuple[str, int]], kind: Kind = DOMAINS) -> tuple[list[str], NDArray[np.uint32]]:
    """Return the names by weight, highest first (equal ones as they came), each once, and the weights in that order.

    Raises `NearError` when there are more than an index can number.
    """
    names, weights = _listed(pairs) if kind.distinct else _summed(pairs)
    if len(names) > MAX_RANK:
        raise too_many(kind, len(names))
    order = np.argsort(-weights, kind="stable")
    return [names[i] for i in order.tolist()], weights[order].clip(0, MAX_WEIGHT).astype(np.uint32)


def _listed(pairs: Iterable[tuple[str, int]]) -> tuple[list[str], NDArray[np.int64]]:
    """Return names that come once each, and their weights."""
    names: list[str] = []
    weights = array("q")
    for name, weight in pairs:
        names.append(name)
        weights.append(weight)
    return names, np.frombuffer(weights, np.int64) if names else np.zeros(0, np.int64)


def _summed(pairs: Iterable[tuple[str, int]]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names, each once, and the sums of their weights."""
    totals: dict[str, int] = {}
    for name, weight in pairs:
        totals[name] = totals.get(name, 0) + weight
    return list(totals), np.fromiter(totals.values(), np.int64, len(totals))


def too_many(kind: Kind, count: int) -> NearError:
    """Return the error about more names than an index can number."""
    return NearError(f"{count} {kind.what} are more than the {MAX_RANK} that an index can hold; shorten retention")


@dataclass(frozen=True, slots=True, repr=False)
class Content:
    """What is written into a base: columns by rank, sorted entries, names in pieces; no signatures where the kind has none."""

    entries: Words
    weights: NDArray[np.uint32]
    lengths: NDArray[np.int64]
    names: Iterable[bytes | memoryview]
    signatures: Words
    position: int = 0


def content_of(names: Sequence[str], weights: NDArray[np.uint32], kind: Kind, position: int = 0) -> Content:
    """Return what a base of these names, in order of rank, is made of."""
    pieces = list(_encoded(names))
    lengths = np.concatenate([lengths for _, lengths in pieces]) if pieces else np.zeros(0, np.int64)
    entries, signatures = kind.columns(names)
    return Content(entries, weights, lengths, [text for text, _ in pieces], signatures, position)


def _encoded(names: Sequence[str]) -> Iterator[tuple[bytes, NDArray[np.int64]]]:
    """Yield the bytes of some names, one after the other, and how many each has."""
    for start in range(0, len(names), _ROWS):
        some = names[start : start + _ROWS]
        text = "".join(some)
        if text.isascii():
            yield text.encode("ascii"), np.fromiter(map(len, some), np.int64, len(some))
        else:
            raw = [name.encode("utf-8", "surrogatepass") for name in some]
            yield b"".join(raw), np.fromiter(map(len, raw), np.int64, len(raw))


def write_base(folder: Path, generation: int, content: Content, kind: Kind = DOMAINS) -> None:
    """Write the base of a generation and make it the one that counts.

    Raises `NearError` when the names are longer than an index can hold.
    """
    count, text = len(content.weights), int(content.lengths.sum())
    if text > MAX_TEXT:
        raise NearError(f"{text} bytes of {kind.what} are more than the {MAX_TEXT} that an index can hold")
    offsets = np.zeros(count + 1, np.uint32)
    np.cumsum(content.lengths, out=offsets[1:])
    header = header_of(kind, generation, count, len(content.entries), text, content.position)
    signed = (content.signatures.data, _fences(content.entries).data) if kind.signed else ()
    columns = (content.entries.data, *signed, content.weights.data, offsets.data)
    replace(base_path(folder, generation), header, *columns, *content.names)
    replace(folder / CURRENT, f"{generation}\n".encode("ascii"))


def _fences(entries: Words) -> NDArray[np.uint32]:
    """Return where the entries of each cell begin, and after the last one how many entries there are."""
    bits = cell_bits(len(entries))
    cells = np.arange(1, 1 << bits, dtype=np.uint64) << np.uint64(64 - bits if bits else 0)
    return np.concatenate(([0], entries.searchsorted(cells), [len(entries)])).astype(np.uint32)


def replace(path: Path, *parts: bytes | memoryview) -> None:
    """Put a file in place whole: written beside it, synced, renamed, the folder synced."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
