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
    "slip-of-person": EvidenceKind(("kind", "what", "written", "intended"), "Somebody else may have been meant: {what}."),
    "one-too-many": EvidenceKind(("kind", "what"), "This address may be one too many: {what}."),
    "site-scale": EvidenceKind(("times",), "Factor that was accepted here for slips of this kind: {times}."),
    "known-person": EvidenceKind(("domain",), "It is a known address at {domain}."),
    "last-written": EvidenceKind(("days",), "Days since the last mail to the written address: {days}."),
    "last-intended": EvidenceKind(("days",), "Days since the last mail to the address that may have been meant: {days}."),
    "never-written": EvidenceKind((), "No earlier mail to the written address is known."),
    "never-intended": EvidenceKind((), "No earlier mail to the address that may have been meant is known."),
    "together-written": EvidenceKind(("n", "of"), "Earlier mails to the other recipients in which the written address was too: {n} of {of}."),
    "together-intended": EvidenceKind(("n", "of"), "Earlier mails to the other recipients in which the address that may have been meant was too: {n} of {of}."),
    "colleagues-written": EvidenceKind(("n", "of"), "Earlier mails of the whole organisation to the other recipients in which the written address was too: {n} of {of}."),
    "colleagues-intended": EvidenceKind(("n", "of"), "Earlier mails of the whole organisation to the other recipients in which the address that may have been meant was too: {n} of {of}."),
    "answered-written": EvidenceKind((), "This message answers a mail from the written address."),
    "answered-intended": EvidenceKind((), "This message answers a mail from the address that may have been meant."),
    "in_thread-written": EvidenceKind(("of",), "The written address was in this conversation before (known mails of it: {of})."),
    "in_thread-intended": EvidenceKind(("of",), "The address that may have been meant was in this conversation before (known mails of it: {of})."),
    "outsider-written": EvidenceKind(("of",), "The written address was not in this conversation before (known mails of it: {of})."),
    "outsider-intended": EvidenceKind(("of",), "The address that may have been meant was not in this conversation before (known mails of it: {of})."),
    "words-written": EvidenceKind(("n", "of"), "Telling words of this message that earlier mails to the written address had: {n} of {of}."),
    "words-intended": EvidenceKind(("n", "of"), "Telling words of this message that earlier mails to the address that may have been meant had: {n} of {of}."),
    "topic-written": EvidenceKind(("n", "of"), "Telling words of this message that one earlier mail to the written address had: {n} of {of}."),
    "topic-intended": EvidenceKind(("n", "of"), "Telling words of this message that one earlier mail to the address that may have been meant had: {n} of {of}."),
    "greeted-written": EvidenceKind((), "The text speaks to somebody with the name of the written address."),
    "greeted-intended": EvidenceKind((), "The text speaks to somebody with the name of the address that may have been meant."),
    "often-written": EvidenceKind(("n",), "Earlier mails to the written address: {n}."),
    "met-written": EvidenceKind(("n",), "Earlier mails of colleagues to or from the written address: {n}."),
    "often-intended": EvidenceKind(("n",), "Earlier mails to the address that may have been meant: {n}."),
    "met-intended": EvidenceKind(("n",), "Earlier mails of colleagues to or from the address that may have been meant: {n}."),
    "received-written": EvidenceKind(("n", "of"), "Mails that came from or to the other recipients in which the written address was too: {n} of {of}."),
    "received-intended": EvidenceKind(("n", "of"), "Mails that came from or to the other recipients in which the address that may have been meant was too: {n} of {of}."),
    "usual-written": EvidenceKind(("n", "of"), "For how often mail goes to it, the written address was in {n} of {of} mails to the other recipients."),
    "usual-intended": EvidenceKind(("n", "of"), "For how often mail goes to it, the address that may have been meant was in {n} of {of} mails to the other recipients."),
}  # fmt: skip
"""The codes of evidence; a check of a later kind adds its rows here."""
