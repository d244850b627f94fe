"""The product, asked as anybody can ask it: `nixie check --stream FILE --walk-forward --explain`, and its answers read as samples.

Nothing of Nixie is imported here. What is read of an answer is what it prints: probability, suggestion, slip kind, disposition, and every
factor by its code: `weight of evidence` as the code's name, its counts as `code.n`, those of the likeliest candidate with `meant.` before it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from array import array
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams import Stream, as_json
from values import OWN, Factors, Sample, Scored, Walked

if TYPE_CHECKING:
    from collections.abc import Iterator

NIXIE = (str(Path(sys.executable).parent / "nixie"),)
OPTIONS = ("--walk-forward", "--explain", "--own-domain", OWN, "--only-judged", "--report-from", "0")

_NAMES: dict[tuple[str, ...], tuple[str, ...]] = {}
_NOTHING = Factors((), array("f"))


class AnswerError(Exception):
    """Nixie did not answer every line; the text says what it printed instead."""


@dataclass(slots=True)
class Met:
    """Who was written to before in this walk, by each sender and by anybody."""

    by_sender: defaultdict[str, set[str]]
    by_anybody: set[str]

    def learn(self, line: Walked) -> None:
        """Take an outgoing line into account."""
        self.by_sender[line.sender].update(line.recipients)
        self.by_anybody.update(line.recipients)


def samples_of(
    stream: Stream, folder: Path, nixie: tuple[str, ...] = NIXIE
) -> tuple[list[Sample], dict[str, float], dict[str, Any]]:
    """Return the scored messages of a stream, seconds by step, and Nixie's own summary. Raises `AnswerError`."""
    file = folder / f"{stream.corpus.org}.jsonl"
    began = time.monotonic()
    with file.open("w", encoding="utf-8", errors="surrogatepass") as out:
        out.writelines(as_json(line) + "\n" for line in stream.lines())
    written = time.monotonic()
    complaints = folder / f"{stream.corpus.org}.err"
    with complaints.open("wb") as err:
        child = subprocess.Popen(
            [*nixie, "check", "--stream", str(file), *OPTIONS], stdout=subprocess.PIPE, stderr=err, cwd=folder
        )
        assert child.stdout is not None
        try:
            samples, summary = _read(stream, child.stdout)
        finally:
            child.stdout.close()
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1) or not summary:
        raise AnswerError(f"{stream.corpus.org}: exit {code}; {complaints.read_text(errors='replace')[-2000:]}")
    usage = {"write": written - began, "nixie": time.monotonic() - written, "nixie cpu": used.ru_utime + used.ru_stime}
    file.unlink()
    return samples, usage, summary


def _read(stream: Stream, answers: Iterator[bytes]) -> tuple[list[Sample], dict[str, Any]]:
    samples: list[Sample] = []
    met = Met(defaultdict(set), set())
    summary: dict[str, Any] = {}
    told = _next(answers)
    for number, line in enumerate(stream.lines(), 1):
        if line.judged:
            while told is not None and told.get("line", 0) < number:
                told = _next(answers)
            if told is None or told.get("line") != number:
                break
            samples.append(_sample(line, told, stream.corpus.lists, met))
        if line.learn and not line.incoming:
            met.learn(line)
    while told is not None:
        summary = told.get("summary", summary)
        told = _next(answers)
    return samples, summary


def _next(answers: Iterator[bytes]) -> dict[str, Any] | None:
    text = next(answers, None)
    told: dict[str, Any] | None = None if text is None else json.loads(text)
    return told


def _sample(line: Walked, told: dict[str, Any], lists: frozenset[str], met: Met) -> Sample:
    copies = told.get("recipients", [])
    if len(copies) != len(line.recipients):
        raise AnswerError(
            f"{line.org}: line {told.get('line')} has {len(line.recipients)} recipients, {len(copies)} were judged"
        )
    mine = met.by_sender[line.sender]
    scored = tuple(
        Scored(
            address=address,
            score=copy.get("probability") or 0.0,
            intended=copy.get("intended") or "",
            slip=copy.get("slip") or "",
            factors=_factors(copy),
            is_list=address in lists,
            own=address.endswith("@" + OWN),
            first_sender=address not in mine,
            first_org=address not in met.by_anybody,
            disposition=copy["disposition"],
            would_be=copy["would_be"],
        )
        for address, copy in zip(line.recipients, copies, strict=True)
    )
    counted = [s for s in scored if s.counted]
    return Sample(
        line_id=line.line_id,
        org=line.org,
        sender=line.sender,
        reply=line.reply,
        first_contact_sender=any(s.first_sender for s in counted),
        first_contact_org=any(s.first_org for s in counted),
        recipients=scored,
        injected=line.injected,
        clean=line.clean,
        tuning=line.tuning,
        split_90_10=line.split_90_10,
        at=line.at,
        skipped=tuple(sorted({s["reason"] for s in told.get("skipped", ()) if s.get("check") == "misdirected"})),
    )


def _factors(copy: dict[str, Any]) -> Factors:
    found: dict[str, float] = {}
    for group in copy.get("factors", ()):
        if group.get("check") != "misdirected":
            continue
        _evidence(found, "", group.get("evidence", ()))
        candidates = sorted(group.get("candidates", ()), key=lambda c: -c["probability"])
        for candidate in candidates[:1]:
            found["meant.probability"] = candidate["probability"]
            _evidence(found, "meant.", candidate.get("evidence", ()))
    if not found:
        return _NOTHING
    names = tuple(sorted(found))
    return Factors(_NAMES.setdefault(names, names), array("f", (found[n] for n in names)))


def _evidence(found: dict[str, float], before: str, evidence: Any) -> None:
    for item in evidence:
        code = before + item["code"]
        found[code] = found.get(code, 0.0) + item.get("weight", 0.0)
        for name, value in item.items():
            if name not in ("code", "weight", "text") and isinstance(value, int | float):
                found[f"{code}.{name}"] = float(value)
