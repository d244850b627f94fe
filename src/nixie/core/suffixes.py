"""Where registration begins: public suffixes and registrable domains, by the Public Suffix List.

The list comes with the package `publicsuffixlist` (a monthly snapshot, no network). A site that keeps a newer copy
gives its path as `source`; the file is read once. Private suffixes count too (`github.io`, `uk.com`): whoever owns
`a.uk.com` is somebody else than the owner of `b.uk.com`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from unicodedata import normalize

_MAX_LENGTH = 255
_RULE = re.compile(r"^(?!//)\S+", re.MULTILINE)
_PACKAGE, _FILE = "publicsuffixlist", "public_suffix_list.dat"


class SuffixList:
    """The rules of one list (https://publicsuffix.org/list/), as they stand there and in A-labels.

    The package's own parser gives the same answers (the tests compare them) and takes 40 ms, which every command would pay.
    """

    def __init__(self, text: str) -> None:
        """Take the text of a list: a rule is the first word of a line that is no comment."""
        rules = _RULE.findall(text.lower())
        self._rules = frozenset((*rules, *(_a_labels(rule) for rule in rules if not rule.isascii())))
        self._deepest = max((rule.count(".") + 1 for rule in self._rules), default=0)

    def publicsuffix(self, domain: str, *, accept_unknown: bool = True) -> str | None:
        """Return the longest public suffix of an A-label domain; None for broken names.

        A top-level domain that no rule names counts as one, unless the caller accepts none that are unknown.
        """
        labels = domain.removesuffix(".").lower().split(".")
        if "" in labels:
            return None
        depth = self._depth(labels, accept_unknown=accept_unknown)
        return ".".join(labels[-depth:]) if 0 < depth <= len(labels) else None

    def _depth(self, labels: list[str], *, accept_unknown: bool) -> int:
        """Return of how many labels the suffix is: longer rules win, and exceptions before wildcards."""
        rules, count = self._rules, len(labels)
        if count == 1 and accept_unknown:
            return 1
        for start in range(max(0, count - self._deepest - 1), count):
            name = ".".join(labels[start:])
            if f"!{name}" in rules:
                return count - start - 1
            if f"*.{name}" in rules:
                # What has a wildcard below it is itself a suffix.
                return count - start + (start > 0)
            if name in rules:
                return count - start
        return int(accept_unknown)


def _a_labels(rule: str) -> str:
    labels = normalize("NFC", rule).split(".")
    return ".".join(x if x.isascii() else f"xn--{x.encode('punycode').decode('ascii')}" for x in labels)


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
def suffix_list(source: str) -> SuffixList:
    """Return the list of the file `source`, or for `""` the packaged one. Raises OSError when the file cannot be read."""
    return SuffixList((Path(source) if source else _packaged()).read_text("utf-8", "replace"))


def _packaged() -> Path:
    """Return the list's file beside the package's code, which is not loaded."""
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"the package {_PACKAGE} is not installed")
    return Path(found.submodule_search_locations[0]) / _FILE
