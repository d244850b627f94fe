"""Every code of evidence, with the names of its values and the sentence that a person reads.

A finding carries codes and values; `render` makes the words, in this table's sentences. `{author}` style values are
filled from the evidence; nothing here holds a local part except where a value is an address that the reader wrote.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvidenceKind:
    """The values that evidence of a code carries, in order, and a sentence with their names in braces."""

    values: tuple[str, ...]
    sentence: str


EVIDENCE: dict[str, EvidenceKind] = {
    "base-rate": EvidenceKind(("one_in",), "One message in {one_in} goes astray by a slip."),
    "slip": EvidenceKind(("kind", "what", "written", "intended"), "{written} is like {intended}, but {what}."),
    "author-wrote-intended": EvidenceKind(("n", "n_90d", "domain"), "You wrote to this address at {domain} {n} times, {n_90d} of them in the last 90 days."),
    "organisation-wrote-intended": EvidenceKind(("n", "n_90d", "domain"), "Your organisation wrote to this address at {domain} {n} times, {n_90d} of them in the last 90 days."),
    "author-wrote-domain": EvidenceKind(("n", "n_90d", "domain"), "You wrote to {domain} {n} times, {n_90d} of them in the last 90 days."),
    "organisation-wrote-domain": EvidenceKind(("n", "n_90d", "domain"), "Your organisation wrote to {domain} {n} times, {n_90d} of them in the last 90 days."),
    "own-domain": EvidenceKind(("domain",), "{domain} is one of your organisation's own domains."),
    "partner": EvidenceKind(("partner", "domain"), "{domain} belongs to {partner}, a partner of your organisation."),
    "no-such-ending": EvidenceKind(("ending",), "No domain can end in .{ending}: nobody can receive mail there."),
    "first-contact": EvidenceKind(("domain",), "Nobody in your organisation ever wrote to this address at {domain}."),
    "author-never-wrote-written": EvidenceKind(("n", "domain"), "You never wrote to this address at {domain}; others in your organisation did {n} times."),
    "author-wrote-written": EvidenceKind(("n", "domain"), "You wrote to this address at {domain} {n} times before."),
    "doubted": EvidenceKind(("n", "domain", "instead", "n_instead"), "{domain} was written to {n} times, but it looks like a slip of {instead} ({n_instead} times), and nobody has confirmed it."),
    "cleared": EvidenceKind(("domain",), "A person said that this address at {domain} is right."),
    "bounced-before": EvidenceKind(("n",), "{n} earlier copies to this address could not be delivered."),
    "disowned-before": EvidenceKind(("n",), "This address answered {n} times that it was the wrong one."),
    "corrected-before": EvidenceKind(("n",), "{n} earlier copies to this address were corrected to another one."),
    "country": EvidenceKind(("code", "country", "ending"), ".{ending} is {country}."),
    "listed-country": EvidenceKind(("code", "country", "basis"), "{country} is on your organisation's list of countries."),
}  # fmt: skip
"""The codes of evidence; a check of a later kind adds its rows here."""
