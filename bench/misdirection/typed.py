"""Slips of typing, made from what others measured and not from the product's tables.

`Letters` draws an edit by its count among 39,073 observed spelling errors of one letter (`spelling_1edit_counts.tsv`: "typed|intended"), so
the shares of substitution, omission, insertion and transposition, and which letter for which, are the measured ones. Top-level domains and
dots have a small table of their own here. `Observed` takes whole slips that somebody saw: pairs of `typo_address_pairs.csv`, used where the
domain is the same and otherwise as the same edit of the same letters, and words of `spelling_birkbeck.tsv` that stand in a local part or label.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from pathlib import Path

TLDS = {
    "com": ("co", "cm", "om", "con", "net", "org"),
    "net": ("com", "ne", "org", "nte"),
    "org": ("com", "ogr", "og", "net", "or"),
    "edu": ("com", "ed", "eud", "org"),
    "gov": ("com", "gv", "org"),
    "mil": ("ml", "mi", "com"),
    "de": ("com", "ed", "d", "dk"),
    "uk": ("com", "u", "ku"),
    "cz": ("com", "cs", "zc", "ch"),
    "fr": ("com", "rf", "fi"),
}
"""What is written for a top-level domain: a letter lost or swapped, or the commonest of the others. Any other becomes `com`."""

_TRIES = 60
_PLAIN = re.compile(r"[a-z]+")
_WRITABLE = re.compile(r"[a-z0-9._+'-]+")


@dataclass(frozen=True, slots=True)
class Slip:
    """A written address and how it came about: `part` is local, domain, tld or dot, `edit` the kind of edit."""

    address: str
    part: str
    edit: str


@dataclass(slots=True)
class Letters:
    """Edits of one letter with their counts, drawn by share."""

    edits: list[tuple[str, str]]
    _sums: list[int]

    @classmethod
    def read(cls, file: Path) -> Letters:
        """Return the edits of a file of "typed|intended<TAB>count" lines. Raises OSError."""
        edits, counts = [], []
        for line in file.read_text(encoding="utf-8").splitlines():
            pair, _, count = line.rpartition("\t")
            typed, bar, meant = pair.partition("|")
            if bar and typed != meant and (typed + meant).isascii() and (typed + meant).isalpha() and count.isdigit():
                edits.append((typed.lower(), meant.lower()))
                counts.append(int(count))
        return cls(edits, list(accumulate(counts)))

    def edit(self, text: str, dice: random.Random) -> tuple[str, str] | None:
        """Return the text with one drawn edit, and the edit's name; None where none of the draws fits."""
        for typed, meant in dice.choices(self.edits, cum_weights=self._sums, k=_TRIES):
            places = [m.start() for m in re.finditer(re.escape(meant), text)]
            if places:
                at = dice.choice(places)
                return text[:at] + typed + text[at + len(meant) :], _name(typed, meant)
        return None

    def shares(self) -> dict[str, float]:
        """Return the share of each kind of edit."""
        counts: Counter[str] = Counter()
        for (typed, meant), high, low in zip(self.edits, self._sums, [0, *self._sums], strict=False):
            counts[_name(typed, meant)] += high - low
        return {n: round(c / self._sums[-1], 3) for n, c in counts.most_common()}


def _name(typed: str, meant: str) -> str:
    if len(typed) == len(meant):
        return "substitution" if len(typed) == 1 else "transposition"
    return "insertion" if len(typed) > len(meant) else "omission"


@dataclass(slots=True)
class Observed:
    """Slips that were seen: by intended domain, as edits of letters, and misspelt words."""

    domains: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    edits: list[tuple[str, str, str]] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls, pairs: Path, spelling: Path) -> Observed:
        """Return the slips of the two files. Raises OSError."""
        made = cls()
        with pairs.open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                made._pair(row["observed"].lower(), row["intended"].lower())
        for line in spelling.read_text(encoding="utf-8").splitlines()[1:]:
            meant, _, typed = line.lower().partition("\t")
            if len(meant) > 3 and _PLAIN.fullmatch(meant) and _PLAIN.fullmatch(typed) and _near(meant, typed):
                made.words[meant].append(typed)
        made.edits = list(dict.fromkeys(made.edits))
        return made

    def _pair(self, observed: str, intended: str) -> None:
        if observed.count("@") != 1 or intended.count("@") != 1:
            return
        (olocal, odomain), (ilocal, idomain) = observed.split("@"), intended.split("@")
        if olocal == ilocal and odomain != idomain and "." in odomain:
            self.domains[idomain].append(odomain)
        for part, was, now in (("local", ilocal, olocal), ("domain", idomain, odomain)):
            lead = next((i for i, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now)))
            tail = 0
            while tail < min(len(was), len(now)) - lead and was[-1 - tail] == now[-1 - tail]:
                tail += 1
            begin = max(0, lead - 1)
            old, new = was[begin : len(was) - tail], now[begin : len(now) - tail]
            if old != new and old and len(old) <= 3 and len(new) <= 4:
                self.edits.append((part, old, new))

    def slip(self, address: str, dice: random.Random) -> Slip | None:
        """Return the address with one observed slip, None where none fits."""
        local, _, domain = address.rpartition("@")
        ways = [self._domain, self._edit, self._word]
        dice.shuffle(ways)
        if domain in self.domains and dice.random() < 0.5:
            ways.insert(0, self._domain)
        for way in ways:
            if (found := way(local, domain, dice)) is not None and found.address != address:
                return found
        return None

    def _domain(self, local: str, domain: str, dice: random.Random) -> Slip | None:
        return (
            Slip(f"{local}@{dice.choice(self.domains[domain])}", "domain", "observed-domain")
            if domain in self.domains
            else None
        )

    def _edit(self, local: str, domain: str, dice: random.Random) -> Slip | None:
        for part, old, new in dice.sample(self.edits, min(len(self.edits), _TRIES)):
            text = local if part == "local" else domain
            places = [m.start() for m in re.finditer(re.escape(old), text)]
            if places:
                at = dice.choice(places)
                text = text[:at] + new + text[at + len(old) :]
                return (
                    _checked(text, domain, part, "observed-edit")
                    if part == "local"
                    else _checked(local, text, part, "observed-edit")
                )
        return None

    def _word(self, local: str, domain: str, dice: random.Random) -> Slip | None:
        name, _, rest = domain.partition(".")
        parts = [("local", local), ("domain", name)]
        dice.shuffle(parts)
        for part, text in parts:
            runs = _PLAIN.findall(text)
            known = sorted(
                {r[i:j] for r in runs for i in range(len(r)) for j in range(i + 4, len(r) + 1) if r[i:j] in self.words}
            )
            if known:
                word = dice.choice(known)
                spelt = text.replace(word, dice.choice(self.words[word]), 1)
                whole = (spelt, domain) if part == "local" else (local, f"{spelt}.{rest}")
                return _checked(*whole, part, "misspelt")
        return None


def _near(one: str, other: str) -> bool:
    """Return whether two words are one letter apart, or two swapped."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    lead = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[lead:], other[lead:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def _checked(local: str, domain: str, part: str, edit: str) -> Slip | None:
    good = (
        _WRITABLE.fullmatch(local + domain)
        and local.strip(".") == local
        and ".." not in local
        and ".." not in domain
        and domain.strip(".-") == domain
        and "." in domain
    )
    return Slip(f"{local}@{domain}", part, edit) if good and local and all(domain.split(".")) else None


def typed_slip(address: str, letters: Letters, dice: random.Random) -> Slip | None:
    """Return the address with one typed slip: half of them in the local part, else in a label, the top-level domain, or a dot."""
    local, _, domain = address.rpartition("@")
    part = dice.choices(("local", "domain", "tld", "dot"), weights=(50, 28, 14, 8))[0]
    if part == "local":
        edited = letters.edit(local, dice)
        return _checked(edited[0], domain, part, edited[1]) if edited else None
    head, _, tld = domain.rpartition(".")
    if part == "domain":
        edited = letters.edit(head, dice)
        return _checked(local, f"{edited[0]}.{tld}", part, edited[1]) if edited else None
    if part == "tld":
        return _checked(local, f"{head}.{dice.choice(TLDS.get(tld, ('com',)))}", part, "tld")
    return _dot(local, domain, dice)


def _dot(local: str, domain: str, dice: random.Random) -> Slip | None:
    """Return the address with a dot lost or moved by one letter: in the local part, or left of the registrable name."""
    labels = domain.split(".")
    ways: list[tuple[str, str, str]] = []
    for at in (m.start() for m in re.finditer(r"\.", local)):
        ways.append((local[:at] + local[at + 1 :], domain, "missing-dot"))
        if at + 2 < len(local):
            ways.append((local[:at] + local[at + 1] + "." + local[at + 2 :], domain, "moved-dot"))
    if len(labels) > 2:
        ways.append((local, labels[0] + ".".join(labels[1:]), "missing-dot"))
        ways.append((local, ".".join(labels[1:]), "missing-label"))
    if not ways:
        return None
    local, domain, edit = dice.choice(ways)
    return _checked(local, domain, "dot", edit)
