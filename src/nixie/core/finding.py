"""What one check found: what, about which recipient, how probable, on what evidence.

A check that fails yields a `Failed`, one that could not run a `Skipped`: skipped is not passed, and failed is a finding.
Evidence is a code with counts and addresses; the words are made in `render/`, the only prose about a decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Scalar = str | int | float | bool
"""What a predicate of a policy can compare."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact a person can check: a code that `render` knows, and its named values (counts, days, domains, addresses).

    `weight` is the fact's log-odds in the decision (natural logarithm), 0.0 where the fact only explains.
    """

    code: str
    values: tuple[tuple[str, Scalar], ...] = field(default=(), repr=False)
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One address that may have been meant, with its share of the probability; `""` is somebody unknown."""

    address: str = field(repr=False)
    slip: str
    probability: float
    evidence: tuple[Evidence, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """What `check` found about the recipient with number `recipient` in the envelope (None: about the whole message).

    `values` are what rules of a policy may ask, by the predicate's name without the check's
    (`probability`, `slip`, `country`); a registry in `checks` says which exist and their types.
    """

    check: str
    recipient: int | None
    values: tuple[tuple[str, Scalar], ...]
    evidence: tuple[Evidence, ...] = field(default=(), repr=False)
    candidates: tuple[Candidate, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """`check` did not run for the recipient (None: for the message); `reason` is a code, such as `null-sender`."""

    check: str
    recipient: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """`check` broke; `reason` is the name of the error's class, never its text."""

    check: str
    reason: str
