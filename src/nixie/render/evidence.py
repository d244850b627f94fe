"""Words for evidence: each code of `core.evidence` as a sentence that a person can check.

Most sentences stand in the table of codes; here are those whose words change with a count. A code that is not known any
more (an old record) is shown as it is, and never an error.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from nixie.core.context_weights import WEIGHTS
from nixie.core.evidence import EVIDENCE
from nixie.render.plain import domain_words, safe, times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nixie.core.finding import Candidate, Evidence, Finding, Scalar
    from nixie.core.verdict import Verdict


class Reader(StrEnum):
    """Who reads: the author is addressed as "you", anybody else reads about the author."""

    AUTHOR = "author"
    OTHER = "other"


_DOMAINS = ("written", "intended", "domain", "instead")
"""Values that are domains, shown with their letters and their A-labels."""
_UNSAID = ("base-rate", "never-written", "never-intended")
"""Codes that explain the arithmetic and not the copy."""


FEW, TELLING = 2, 0.7
"""Most facts of the context that are said, and the least log-odds of one."""

LIKELY = 0.05
"""Part of the best suggestion's probability that another one has at least."""

CONTEXT = frozenset(f"{name}-{which}" for name in (*WEIGHTS, "never") for which in ("written", "intended"))


def _wrote(who: str, what: str) -> Callable[[Mapping[str, Scalar]], str]:
    def words(values: Mapping[str, Scalar]) -> str:
        number, lately = _count(values, "n"), _count(values, "n_90d")
        return f"{who} wrote to {what.format_map(_Shown(values))} {times(number)}{_lately(number, lately)}."

    return words


def _lately(number: int, lately: int) -> str:
    if lately <= 0:
        return ", but not in the last 90 days"
    if lately >= number:
        return " in the last 90 days" if number < 3 else ", all of them in the last 90 days"
    return f", {lately} of them in the last 90 days"


def _counting(one: str, many: str) -> Callable[[Mapping[str, Scalar]], str]:
    return lambda values: (one if _count(values, "n") == 1 else many).format_map(_Shown(values))


_COUNTED: dict[str, Callable[[Mapping[str, Scalar]], str]] = {
    "author-wrote-intended": _wrote("You", "this address at {domain}"),
    "organisation-wrote-intended": _wrote("Your organisation", "this address at {domain}"),
    "author-wrote-domain": _wrote("You", "{domain}"),
    "organisation-wrote-domain": _wrote("Your organisation", "{domain}"),
    "author-never-wrote-written": lambda values: (
        f"You never wrote to this address at {_Shown(values)['domain']}; "
        f"others in your organisation did {times(_count(values, 'n'))}."
    ),
    "author-wrote-written": lambda values: (
        f"You wrote to this address at {_Shown(values)['domain']} {times(_count(values, 'n'))} before."
    ),
    "doubted": lambda values: (
        "{domain} was written to {how_often}, but it looks like a slip of {instead} ({count}), "
        "and nobody has confirmed it."
    ).format_map(
        _Shown(
            {
                **values,
                "how_often": times(_count(values, "n")),
                "count": times(_count(values, "n_instead")),
            }
        )
    ),
    "bounced-before": _counting(
        "An earlier copy to this address could not be delivered.",
        "{n} earlier copies to this address could not be delivered.",
    ),
    "disowned-before": lambda values: f"This address answered {times(_count(values, 'n'))} that it was the wrong one.",
    "corrected-before": _counting(
        "An earlier copy to this address was corrected to another one.",
        "{n} earlier copies to this address were corrected to another one.",
    ),
}

_ABOUT_THE_AUTHOR = (
    (re.compile(r"\bYou\b"), "The author"),
    (re.compile(r"\bYour organisation\b"), "The organisation"),
    (re.compile(r"\byour organisation\b"), "the organisation"),
)


class _Shown(dict[str, str]):
    """The values of evidence as they are shown; one that is missing is a question mark and not an error."""

    def __init__(self, values: Mapping[str, Scalar]) -> None:
        super().__init__(
            {name: domain_words(str(v)) if name in _DOMAINS else safe(str(v)) for name, v in values.items()}
        )

    def __missing__(self, name: str) -> str:
        return "?"


def _count(values: Mapping[str, Scalar], name: str) -> int:
    value = values.get(name, 0)
    return int(value) if isinstance(value, int | float) else 0


def sentence(evidence: Evidence, reader: Reader = Reader.AUTHOR) -> str:
    """Return one fact as a finished sentence for the reader."""
    values = dict(evidence.values)
    if evidence.code in _COUNTED:
        text = _COUNTED[evidence.code](values)
    elif evidence.code in EVIDENCE:
        text = EVIDENCE[evidence.code].sentence.format_map(_Shown(values))
    else:
        text = f"Recorded: {safe(evidence.code)}."
    if reader is Reader.OTHER:
        for you, they in _ABOUT_THE_AUTHOR:
            text = you.sub(they, text)
    return text


def sentences(finding: Finding, reader: Reader = Reader.AUTHOR) -> tuple[str, ...]:
    """Return what speaks for and against in a finding: the best candidate's facts, then the written address's.

    Of the context only the few that tell most are said; `nixie check --explain` and the ledger have all.
    """
    best = finding.candidates[0].evidence if finding.candidates else ()
    everything = [e for e in (*best, *finding.evidence) if e.code not in _UNSAID]
    context = [e for e in everything if e.code in CONTEXT]
    telling = sorted((e for e in context if e.weight >= TELLING), key=lambda e: -e.weight)[:FEW]
    said = [sentence(e, reader) for e in everything if e.code not in CONTEXT or e in telling]
    return tuple(dict.fromkeys(said))


def reasons(verdict: Verdict, recipient: int, reader: Reader = Reader.AUTHOR) -> tuple[str, ...]:
    """Return why the copy with this number got its verdict, as finished sentences.

    First the deciding rule's own words, then the facts of the checks that its matching rules asked, and nothing of the
    others: a slip's evidence says nothing about a hold for a country.
    """
    copy = verdict.copies[recipient]
    asked = {c.predicate.partition(".")[0] for t in copy.trace if t.matched for c in t.clauses if c.held}
    facts = [s for f in verdict.about(recipient) if f.check in asked for s in sentences(f, reader)]
    broken = [f"The check {safe(f.check)} could not be finished." for f in verdict.failed]
    return tuple(dict.fromkeys([*([safe(copy.message)] if copy.message else []), *facts, *broken]))


def suggestions(verdict: Verdict, recipient: int) -> tuple[Candidate, ...]:
    """Return the addresses that may have been meant for the copy, the most probable first; somebody unknown is left out."""
    found = [c for f in verdict.about(recipient) for c in f.candidates if c.address]
    least = LIKELY * max((c.probability for c in found), default=0.0)
    found = [c for c in found if c.probability >= least]
    best: dict[str, Candidate] = {}
    for candidate in sorted(found, key=lambda c: -c.probability):
        best.setdefault(candidate.address, candidate)
    return tuple(best.values())
