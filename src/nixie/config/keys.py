"""One key of nixie.toml, said once: kind, default, unit and sentence stand beside the field that holds the value.

The sample file, the reference page, the loader and the type checker all read the same line of `settings.py`. A table of our
own stands here instead of a validation library because errors must name a line of the file, and because `nixie check` has
0.4 s from start to answer, of which such a library takes 0.06 s for being imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixie.config.kinds import AnyKind

NOWHERE = Path("/nonexistent")


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the file writes it: name, kind, default (as TOML gives it), sentence, and unit where the kind has none."""

    name: str
    kind: AnyKind
    default: Any
    sentence: str
    unit: str = ""


def key(kind: AnyKind, default: object, sentence: str, unit: str = "") -> Any:
    """Return the dataclass field of one key; the default is read by its kind, so that it cannot be wrong."""
    told = {"key": Key("", kind, default, sentence, unit)}
    return field(default_factory=lambda: kind.read(default, NOWHERE), metadata=told, repr=not kind.private)


def keys_of(section: type) -> Iterator[tuple[str, Key]]:
    """Yield field name and key of every key of a section; a field `from_` holds the key `from`."""
    for one in fields(section):
        if "key" in one.metadata:
            told: Key = one.metadata["key"]
            yield one.name, Key(one.name.rstrip("_"), told.kind, told.default, told.sentence, told.unit)
