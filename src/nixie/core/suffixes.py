"""Where registration begins: public suffixes and registrable domains, by the Public Suffix List.

The list comes with the package `publicsuffixlist` (a monthly snapshot, no network). A site that keeps a newer copy
gives its path as `source`; the file is read once. Private suffixes count too (`github.io`, `uk.com`): whoever owns
`a.uk.com` is somebody else than the owner of `b.uk.com`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_MAX_LENGTH = 255


def public_suffix(domain: str, source: str = "") -> str:
    """Return the public suffix of an A-label domain (`au` or `com.au`; itself when it is one), `""` if it has none."""
    return _parts(domain, source)[1]


def registrable(domain: str, source: str = "") -> str:
    """Return the domain that somebody registered (`cba.com.au`), `""` for suffixes, literals and broken names."""
    label, suffix = _parts(domain, source)
    return f"{label}.{suffix}" if label else ""


def name_label(domain: str, source: str = "") -> str:
    """Return the label before the public suffix (`cba`), the name by which people know the owner; `""` if none."""
    return _parts(domain, source)[0]


@lru_cache(65536)
def _parts(domain: str, source: str) -> tuple[str, str]:
    if not domain or len(domain) > _MAX_LENGTH or domain[0] == "[":
        return "", ""
    suffix = suffix_list(source).publicsuffix(domain)
    if not suffix:
        return "", ""
    rest = domain[: -len(suffix) - 1]
    return rest.rpartition(".")[2], suffix


@lru_cache(4)
def suffix_list(source: str = "") -> PublicSuffixList:
    """Return the parsed list of the file `source`, or the packaged one. Raises OSError when the file cannot be read."""
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - 40 ms, which a run without a domain need not pay

    if not source:
        return PublicSuffixList()
    with Path(source).open("rb") as lines:
        return PublicSuffixList(lines)
