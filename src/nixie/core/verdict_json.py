"""A verdict as JSON-ready values and back, the same for ledger, holds and command line.

What is empty or usual is left out, copies that go on without a word are only counted, and neighbours that were skipped for one
reason share an entry, so that a quiet decision about a hundred recipients stays small. `from_json(to_json(v)) == v`.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from nixie.core.finding import Candidate, Evidence, Failed, Finding, Skipped
from nixie.core.verdict import Choice, Clause, CopyVerdict, Disposition, Mode, Reached, RuleTrace, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Json = dict[str, Any]


def to_json(verdict: Verdict) -> Json:
    """Return the verdict as dicts, lists, strings and numbers; `of` counts the recipients."""
    return _without_empty(
        {
            "of": len(verdict.copies),
            "policy": verdict.policy,
            "copies": [_copy_json(c) for c in verdict.copies if c != _quiet(c.recipient)],
            "findings": [_finding_json(f) for f in verdict.findings],
            "skipped": _skipped_json(verdict.skipped),
            "failed": [{"check": f.check, "reason": f.reason} for f in verdict.failed],
            "reached": [[str(way), len(list(same))] for way, same in groupby(verdict.reached)],
        }
    )


def from_json(data: Mapping[str, Any]) -> Verdict:
    """Return the verdict that `to_json` wrote. Raises ValueError when the data is of another shape."""
    try:
        told = {copy["recipient"]: _copy(copy) for copy in data.get("copies", ())}
        return Verdict(
            copies=tuple(told.get(number) or _quiet(number) for number in range(data.get("of", 0))),
            findings=tuple(_finding(f) for f in data.get("findings", ())),
            skipped=tuple(skipped for run in data.get("skipped", ()) for skipped in _skipped(run)),
            failed=tuple(Failed(f["check"], f["reason"]) for f in data.get("failed", ())),
            policy=data.get("policy", ""),
            reached=tuple(way for name, number in data.get("reached", ()) for way in [Reached(name)] * number),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a verdict: {type(error).__name__}") from None


def _quiet(number: int) -> CopyVerdict:
    return CopyVerdict(number, Disposition.DELIVER, Disposition.DELIVER)


def _without_empty(data: Json) -> Json:
    return {key: value for key, value in data.items() if value not in ("", [], {}, None)}


def _copy_json(copy: CopyVerdict) -> Json:
    data = {
        "disposition": str(copy.disposition),
        "would_be": "" if copy.would_be is copy.disposition else str(copy.would_be),
        "rule": copy.rule,
        "choices": [str(choice) for choice in copy.choices],
        "message": copy.message,
        "reviewers": list(copy.reviewers),
        "below_budget": copy.below_budget,
        "trace": [_trace_json(trace) for trace in copy.trace],
    }
    return {"recipient": copy.recipient, **_without_empty(data)}


def _copy(data: Json) -> CopyVerdict:
    disposition = Disposition(data["disposition"])
    return CopyVerdict(
        recipient=data["recipient"],
        disposition=disposition,
        would_be=Disposition(data.get("would_be", disposition)),
        rule=data.get("rule", ""),
        choices=tuple(map(Choice, data.get("choices", ()))),
        trace=tuple(map(_trace, data.get("trace", ()))),
        message=data.get("message", ""),
        reviewers=tuple(data.get("reviewers", ())),
        below_budget=data.get("below_budget", ""),
    )


def _trace_json(trace: RuleTrace) -> Json:
    return _without_empty(
        {
            "track": trace.track,
            "rule": trace.rule,
            "mode": str(trace.mode),
            "then": str(trace.disposition),
            "exempted": trace.exempted,
            "clauses": [[c.predicate, c.operator, c.wanted, c.seen, c.held] for c in trace.clauses],
        }
    ) | {"matched": trace.matched}


def _trace(data: Json) -> RuleTrace:
    return RuleTrace(
        track=data.get("track", ""),
        rule=data.get("rule", ""),
        mode=Mode(data["mode"]),
        matched=data["matched"],
        disposition=Disposition(data["then"]),
        clauses=tuple(Clause(*clause) for clause in data.get("clauses", ())),
        exempted=data.get("exempted", ""),
    )


def _finding_json(finding: Finding) -> Json:
    return {"check": finding.check, "recipient": finding.recipient} | _without_empty(
        {
            "values": dict(finding.values),
            "evidence": [_evidence_json(e) for e in finding.evidence],
            "candidates": [_candidate_json(c) for c in finding.candidates],
        }
    )


def _finding(data: Json) -> Finding:
    return Finding(
        check=data["check"],
        recipient=data["recipient"],
        values=tuple(data.get("values", {}).items()),
        evidence=tuple(map(_evidence, data.get("evidence", ()))),
        candidates=tuple(map(_candidate, data.get("candidates", ()))),
    )


def _candidate_json(candidate: Candidate) -> Json:
    return {
        "address": candidate.address,
        "slip": candidate.slip,
        "probability": candidate.probability,
    } | _without_empty({"evidence": [_evidence_json(e) for e in candidate.evidence]})


def _candidate(data: Json) -> Candidate:
    evidence = tuple(map(_evidence, data.get("evidence", ())))
    return Candidate(data["address"], data["slip"], data["probability"], evidence)


def _evidence_json(evidence: Evidence) -> Json:
    data: Json = {"code": evidence.code}
    if evidence.values:
        data["values"] = dict(evidence.values)
    if evidence.weight:
        data["weight"] = evidence.weight
    return data


def _evidence(data: Json) -> Evidence:
    return Evidence(data["code"], tuple(data.get("values", {}).items()), data.get("weight", 0.0))


def _skipped_json(skipped: Iterable[Skipped]) -> list[Json]:
    runs: list[Json] = []
    for one in skipped:
        last = runs[-1] if runs else None
        same = last is not None and (last["check"], last["reason"]) == (one.check, one.reason)
        if last is not None and same and one.recipient is not None and last.get("to") == one.recipient - 1:
            last["to"] = one.recipient
        elif one.recipient is None:
            runs.append({"check": one.check, "reason": one.reason})
        else:
            runs.append({"check": one.check, "reason": one.reason, "from": one.recipient, "to": one.recipient})
    return runs


def _skipped(run: Json) -> list[Skipped]:
    if "from" not in run:
        return [Skipped(run["check"], None, run["reason"])]
    return [Skipped(run["check"], number, run["reason"]) for number in range(run["from"], run["to"] + 1)]
