"""A verdict as `nixie check` shows it: lines for people, JSON-ready values for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nixie.core.verdict import Disposition, Reached
from nixie.render.evidence import Reader, reasons, sentence, suggestions
from nixie.render.plain import address_words, counted, safe, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixie.core.direction import Origin
    from nixie.core.envelope import Envelope
    from nixie.core.finding import Candidate, Evidence, Finding
    from nixie.core.verdict import CopyVerdict, RuleTrace, Verdict

QUIET_LISTED = 20
"""So many copies about which there is nothing to say are listed by name; the others are counted."""

_SKIPPED = {
    "not-outgoing": "the mail does not leave the house",
    "not-typed": "nobody typed these addresses",
    "expanded": "a known list put the address there, and nobody typed it",
    "rewritten": "a known alias put the address there, and nobody typed it",
    "no-author": "nobody can be named as the author",
    "null-sender": "it is a bounce",
    "too-little-history": "too little is known yet",
    "too-many-proposals": "there were more possibilities than can be weighed; the likeliest were",
}

_REACHED = {
    Reached.EXPANDED: "by a list in To or Cc",
    Reached.REWRITTEN: "by an alias in To or Cc",
    Reached.BLIND: "in blind copy",
}


def decision_json(envelope: Envelope, origin: Origin, verdict: Verdict, *, explain: bool = False) -> dict[str, Any]:
    """Return a decision as JSON-ready values, a list of recipients in the envelope's order.

    Each has disposition, would_be, how it was reached (null when nobody looked), probability, intended and slip (null where
    nothing was found), and its findings; with `explain` the factors of every candidate and the rules that were looked at.
    """
    return {
        "direction": str(origin.direction),
        "sender_kind": str(origin.kind),
        "author": str(origin.author) if origin.author is not None else None,
        "author_basis": origin.author_basis,
        "policy": verdict.policy,
        "recipients": [
            _copy_json(str(recipient.address), copy, verdict, explain=explain)
            for recipient, copy in zip(envelope.recipients, verdict.copies, strict=True)
        ],
        "skipped": [{"check": s.check, "recipient": s.recipient, "reason": s.reason} for s in verdict.skipped],
        "failed": [{"check": f.check, "reason": f.reason} for f in verdict.failed],
    }


def _copy_json(address: str, copy: CopyVerdict, verdict: Verdict, *, explain: bool) -> dict[str, Any]:
    findings = verdict.about(copy.recipient)
    values = {f"{f.check}.{name}": value for f in findings for name, value in f.values}
    best = suggestions(verdict, copy.recipient)
    told: dict[str, Any] = {
        "address": safe(address),
        "disposition": str(copy.disposition),
        "would_be": str(copy.would_be),
        "rule": copy.rule or None,
        "not_asked": "budget" if copy.below_budget else None,
        "reached": str(verdict.reached[copy.recipient]) if verdict.reached else None,
        "probability": values.get("misdirected.probability"),
        "intended": safe(best[0].address) if best else None,
        "slip": values.get("misdirected.slip"),
        "findings": [{"check": f.check, **dict(f.values)} for f in findings],
    }
    if explain:
        told["factors"] = [_factors_json(f) for f in findings]
        told["rules"] = [_rule_json(trace) for trace in copy.trace]
    return told


def _factors_json(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "evidence": [_evidence_json(e) for e in finding.evidence],
        "candidates": [
            {
                "address": safe(c.address) or None,
                "slip": c.slip,
                "probability": c.probability,
                "evidence": [_evidence_json(e) for e in c.evidence],
            }
            for c in finding.candidates
        ],
    }


def _evidence_json(evidence: Evidence) -> dict[str, Any]:
    values = {name: safe(v) if isinstance(v, str) else v for name, v in evidence.values}
    return {"code": evidence.code, **values, "weight": evidence.weight, "text": sentence(evidence, Reader.OTHER)}


def _rule_json(trace: RuleTrace) -> dict[str, Any]:
    clauses = [
        {"predicate": c.predicate, "operator": c.operator, "wanted": c.wanted, "seen": c.seen, "held": c.held}
        for c in trace.clauses
    ]
    return {
        "track": trace.track,
        "rule": trace.rule,
        "mode": str(trace.mode),
        "matched": trace.matched,
        "then": str(trace.disposition),
        "exempted_by": trace.exempted or None,
        "clauses": clauses,
    }


def decision_lines(envelope: Envelope, origin: Origin, verdict: Verdict, *, explain: bool = False) -> Iterator[str]:
    """Yield the lines that tell a person what becomes of each copy and why; those that are stopped come first."""
    author = address_words(str(origin.author)) if origin.author is not None else "nobody who can be named"
    yield f"{origin.direction} mail of {author} ({origin.kind})"
    names = [_name(number, str(recipient.address), verdict) for number, recipient in enumerate(envelope.recipients)]
    told = [c for c in verdict.copies if _says_something(c, verdict, explain=explain)]
    for copy in sorted(told, key=lambda c: -c.disposition.strictness):
        yield from _copy_lines(names[copy.recipient], copy, verdict, explain=explain)
    shown = {copy.recipient for copy in told}
    quiet = [name for number, name in enumerate(names) if number not in shown]
    yield from (f"deliver        {name}" for name in quiet[:QUIET_LISTED])
    if len(quiet) > QUIET_LISTED:
        yield f"deliver        {counted(len(quiet) - QUIET_LISTED, 'more copy', 'more copies')}"
    yield from _not_looked_at(verdict)


def _name(number: int, address: str, verdict: Verdict) -> str:
    """Return the address, and how the copy got there where nobody wrote it in To or Cc."""
    way = _REACHED.get(verdict.reached[number]) if verdict.reached else None
    return f"{address_words(address)} ({way})" if way else address_words(address)


def _says_something(copy: CopyVerdict, verdict: Verdict, *, explain: bool) -> bool:
    stopped = copy.disposition is not Disposition.DELIVER or copy.would_be is not Disposition.DELIVER
    return stopped or bool(copy.trace) or bool(copy.below_budget) or (explain and bool(verdict.about(copy.recipient)))


def _copy_lines(name: str, copy: CopyVerdict, verdict: Verdict, *, explain: bool) -> Iterator[str]:
    by = f' by rule "{copy.rule}"' if copy.rule else ""
    yield f"{copy.disposition:<14} {name}{by}"
    if copy.would_be is not copy.disposition:
        yield f"    would be {copy.would_be} if every rule were enforced{_would_be_rule(copy)}"
    if copy.below_budget:
        yield f'    not asked: budget (rule "{copy.below_budget}" would have asked)'
    best = suggestions(verdict, copy.recipient)
    if best:
        yield f"    probably meant: {address_words(best[0].address)} ({share(best[0].probability)})"
    yield from (f"    {reason}" for reason in reasons(verdict, copy.recipient, Reader.OTHER))
    yield from (f'    rule "{t.rule}" was silenced by the exemption "{t.exempted}"' for t in copy.trace if t.exempted)
    if explain:
        yield from _factor_lines(copy, verdict)


def _would_be_rule(copy: CopyVerdict) -> str:
    rule = next((t.rule for t in copy.trace if t.matched and t.disposition is copy.would_be), "")
    return f' (rule "{rule}")' if rule else ""


def _factor_lines(copy: CopyVerdict, verdict: Verdict) -> Iterator[str]:
    for finding in verdict.about(copy.recipient):
        values = ", ".join(
            f"{name} {value:.3g}" if type(value) is float else f"{name} {value}" for name, value in finding.values
        )
        yield f"    {finding.check}: {values}"
        yield from (f"      {_weighed(e)}" for e in finding.evidence)
        yield from (line for c in finding.candidates for line in _candidate_lines(c))
    for trace in copy.trace:
        yield f"    rule {trace.track}/{trace.rule} ({trace.mode}): {'matched' if trace.matched else 'did not match'}"
        for c in trace.clauses:
            seen = "not found" if c.seen is None else safe(str(c.seen))
            yield f"      {'yes' if c.held else 'no ':<3} {c.predicate} {c.operator} {c.wanted}: {seen}"


def _candidate_lines(candidate: Candidate) -> Iterator[str]:
    who = address_words(candidate.address) or "somebody unknown"
    yield f"      {candidate.probability:6.1%} {who} ({candidate.slip})"
    yield from (f"        {_weighed(e)}" for e in candidate.evidence)


def _weighed(evidence: Evidence) -> str:
    weight = f" [{evidence.weight:+.1f}]" if evidence.weight else ""
    return sentence(evidence, Reader.OTHER) + weight


def _not_looked_at(verdict: Verdict) -> Iterator[str]:
    counts: dict[tuple[str, str], int] = {}
    for skipped in verdict.skipped:
        key = (skipped.check, skipped.reason)
        counts[key] = counts.get(key, 0) + (skipped.recipient is not None)
    for (check, reason), number in counts.items():
        about = f" for {counted(number, 'recipient', 'recipients')}" if number else ""
        yield f"{check} did not run{about}: {_SKIPPED.get(reason, reason.replace('-', ' '))}"
    for failed in verdict.failed:
        yield f"{failed.check} failed ({failed.reason}): what it would have found is not known"
