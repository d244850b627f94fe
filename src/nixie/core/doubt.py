"""Which learned domains look like slips of others, so that what was counted for them earns no trust.

A history contains its slips: who wrote `army.ml` five times wrote it wrongly five times. Repetition, an answer from there, or a
message from there first must therefore prove nothing, or the owner of a look-alike would only have to write to us. Only a
person's word clears an address: an administrator's or a reviewer's for everybody, an author's for that author alone.
A neighbour of like size (`smu.edu` beside `msu.edu`) is no slip, and keeps its counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixie.core.facts import NOTHING
from nixie.core.slips import explain
from nixie.core.suffixes import registrable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nixie.core.facts import Counts, History
    from nixie.core.organisation import Organisation
    from nixie.core.slips import Slip

TIMES = 3
"""A domain is doubted for another that the organisation writes to at least this many times as often."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """`domain` (written to `sent` times) looks like a slip of `instead` (written to `instead_sent` times)."""

    domain: str
    instead: str
    slip: Slip
    sent: int
    instead_sent: int


def same_owner(one: str, other: str) -> bool:
    """Return whether two domains lie under one registered domain."""
    registered = registrable(one)
    return registered != "" and registered == registrable(other)


def relation_of(domain: str, organisation: Organisation) -> tuple[str, str]:
    """Return what a domain is to us by configuration (own, partner, or `""`) and the partner's name.

    The domain under which a wildcard lies counts as named: who lists `*.example.org` means `example.org` too.
    """
    if organisation.owns(domain) or f"*.{domain}" in organisation.own_domains:
        return "own", ""
    partner = organisation.partner_of(domain) or organisation.partner_of(f"any.{domain}")
    return ("partner", partner) if partner else ("", "")


def doubts(
    counts: Mapping[str, Counts], proposals: Mapping[str, Iterable[str]], organisation: Organisation
) -> tuple[Doubt, ...]:
    """Return the doubted domains, in the order of `proposals`, each with the strongest reason.

    `counts` are the organisation's counts by domain; `proposals` maps a domain to those it may be a slip of. Own and
    partners' domains are never doubted: the configuration is a person's word.
    """
    found = (doubt(domain, candidates, counts, organisation) for domain, candidates in proposals.items())
    return tuple(one for one in found if one is not None)


def doubt(
    domain: str, candidates: Iterable[str], counts: Mapping[str, Counts], organisation: Organisation
) -> Doubt | None:
    """Return why one domain is doubted, None when it is not."""
    if organisation.inside(domain) or relation_of(domain, organisation)[0]:
        return None
    sent = counts.get(domain, NOTHING).sent
    best: tuple[tuple[bool, float, str], Doubt] | None = None
    for instead in candidates:
        known = counts.get(instead, NOTHING).sent
        named = bool(relation_of(instead, organisation)[0])
        if not named and (known == 0 or known < TIMES * sent):
            continue
        # Two hosts of one registered domain have one owner: a slip between them leads nowhere else.
        slip = None if same_owner(instead, domain) else explain(instead, domain)
        if slip is not None:
            rank = (named, slip.probability * (known + 1), instead)
            if best is None or rank > best[0]:
                best = rank, Doubt(domain, instead, slip, sent, known)
    return best[1] if best else None


def cleared_for_all(history: History) -> bool:
    """Return whether a person said for the whole organisation that the address is right."""
    return history.organisation.confirmed > 0 or history.organisation.released_by_reviewer > 0


def cleared_for_author(history: History) -> bool:
    """Return whether the author said so, or somebody did for everybody."""
    return history.author.released_by_sender > 0 or cleared_for_all(history)
