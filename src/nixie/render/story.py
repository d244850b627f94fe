"""The story of a message or a held copy, from the rows of the ledger: `nixie audit show` and `nixie holds show`.

A row is told by its kind from what was recorded, never from a second computation. A row whose payload was erased says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nixie.core.verdict_json import to_json
from nixie.render.evidence import Reader, reasons, suggestions
from nixie.render.plain import address_words, counted, safe, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from nixie.core.verdict import Verdict

_BY = {"author": "its author", "reviewer": "a reviewer", "system": "the guard"}
_DOORS = {
    "milter": "by milter",
    "smtp": "by SMTP",
    "correction": "a held copy with its corrected address",
}
_STEPS = {
    "notice": "the author was asked",
    "remind": "the author was asked once more",
    "escalate": "the reviewers were asked",
    "return": "nobody had answered in time",
}
_UNTOLD = {
    "notice": "the author was not asked: nobody could be told",
    "remind": "the author was not asked once more",
    "escalate": "the reviewers were not asked",
    "return": "nobody had answered in time",
}
"""Steps that were taken without a letter, or whose letters nobody took."""


@dataclass(frozen=True, slots=True)
class Told:
    """One row of the ledger: `kind` in lower case (`decision`, `held`), `hold` its public id or `""`, `addresses` those to which
    numbers in the body refer, `body` as it was recorded (None: erased), `verdict` for decisions.
    """

    seq: int
    at: datetime
    kind: str
    hold: str = ""
    addresses: tuple[str, ...] = field(default=(), repr=False)
    body: Any = field(default=None, repr=False)
    verdict: Verdict | None = field(default=None, repr=False)

    def get(self, name: str) -> Any:
        """Return a value of the body, None where there is none."""
        return self.body.get(name) if isinstance(self.body, dict) else None

    def address(self, number: object) -> str:
        """Return the address to which a number refers, `""` where there is none."""
        is_index = type(number) is int and 0 <= number < len(self.addresses)
        return address_words(self.addresses[number]) if is_index and isinstance(number, int) else ""


def story_lines(rows: Iterable[Told]) -> Iterator[str]:
    """Yield the story, the oldest row first: a line with time and row number, its details below."""
    for row in rows:
        first, *more = list(_row_lines(row)) or [row.kind]
        hold = f" {row.hold}" if row.hold else ""
        yield f"{row.at:%Y-%m-%d %H:%M:%S} #{row.seq}{hold}  {first}"
        yield from (f"    {line}" for line in more)


_OTHER_NAMES = {"kind": "sender_kind"}
"""Names in a decision's body that a row has already, and what they are called beside it."""


def story_json(rows: Iterable[Told]) -> list[dict[str, Any]]:
    """Return the story as JSON-ready values, a dict a row; numbers of addresses are replaced by the addresses."""
    return [_row_json(row) for row in rows]


def _row_json(row: Told) -> dict[str, Any]:
    told: dict[str, Any] = {"seq": row.seq, "at": row.at.isoformat(), "kind": row.kind}
    if row.hold:
        told["hold"] = row.hold
    if row.body is None and row.kind in _ROWS:
        told["erased"] = row.kind not in ("waiting", "void")
    elif isinstance(row.body, dict):
        body = {_OTHER_NAMES.get(str(n), str(n)): (str(n), value) for n, value in row.body.items() if n != "verdict"}
        told.update({shown: _by_name(row, name, value) for shown, (name, value) in body.items()})
    if row.kind == "held" and row.addresses:
        told["recipient"] = safe(row.addresses[0])
    if row.verdict is not None:
        told["verdict"] = to_json(row.verdict)
    told["text"] = "; ".join(_row_lines(row))
    return told


def _by_name(row: Told, name: str, value: Any) -> Any:
    if name in ("from", "author", "corrected"):
        return row.address(value) or None
    if name == "to" and isinstance(value, list):
        return [row.address(number) or None for number in value]
    if name == "actor" and isinstance(value, dict) and "address" in value:
        return {**value, "address": row.address(value["address"]) or None}
    return value


def _row_lines(row: Told) -> Iterator[str]:
    tell = _ROWS.get(row.kind)
    if tell is None:
        yield row.kind
    elif row.body is None and row.kind not in ("waiting", "void"):
        yield f"{row.kind}: what was recorded has been erased"
    else:
        yield from tell(row)


def _decision(row: Told) -> Iterator[str]:
    to, verdict = row.get("to") or [], row.verdict
    author = row.address(row.get("author")) or "nobody who can be named"
    queue = f", queue id {safe(str(row.get('queue')))}" if row.get("queue") else ""
    door = _DOORS.get(str(row.get("door")), safe(str(row.get("door"))))
    yield f"judged: {row.get('direction')} mail of {author} to {counted(len(to), 'recipient', 'recipients')}, {door}{queue}"
    if verdict is None:
        return
    yield f"policy {verdict.policy}"
    quiet = 0
    for copy in verdict.copies:
        if (
            not copy.disposition.strictness
            and not copy.would_be.strictness
            and not copy.trace
            and not copy.below_budget
        ):
            quiet += 1
            continue
        name = row.address(to[copy.recipient]) if copy.recipient < len(to) else ""
        by = f' by rule "{copy.rule}"' if copy.rule else ""
        would = f" (would be {copy.would_be})" if copy.would_be is not copy.disposition else ""
        budget = f' (not asked: budget, rule "{copy.below_budget}")' if copy.below_budget else ""
        yield f"{name or 'an erased recipient'}: {copy.disposition}{by}{would}{budget}"
        best = suggestions(verdict, copy.recipient)
        if best:
            yield f"  probably meant: {address_words(best[0].address)} ({share(best[0].probability)})"
        yield from (f"  {reason}" for reason in reasons(verdict, copy.recipient, Reader.OTHER))
    if quiet:
        yield f"{counted(quiet, 'copy', 'copies')} went on"
    yield from (f"{failed.check} failed ({failed.reason})" for failed in verdict.failed)


def _repeated(row: Told) -> Iterator[str]:
    held, passed = row.get("holds") or [], row.get("passed") or 0
    yield f"came again: {counted(len(held), 'copy', 'copies')} got the answer that was recorded before"
    if passed:
        yield f"{counted(passed, 'released copy', 'released copies')} passed on the way from the release hop"


def _held(row: Told) -> Iterator[str]:
    provisional = ", provisionally: the mail server has no answer yet" if row.get("state") == "provisional" else ""
    yield f"held: the copy to {row.address(0) or 'an erased recipient'} ({row.get('disposition')}){provisional}"


def _outcome(what: str) -> Callable[[Told], Iterator[str]]:
    """Tell what the guard itself has done: nobody is named."""
    return _acted(what, named=False)


def _acted(what: str, *, named: bool = True) -> Callable[[Told], Iterator[str]]:
    def tell(row: Told) -> Iterator[str]:
        corrected = row.address(row.get("corrected"))
        yield f"{what}{f' to {corrected}' if corrected else ''}{_by(row) if named else ''}"
        if row.get("reason"):
            yield f"reason: {safe(str(row.get('reason')))}"
        if row.get("reply"):
            yield f"answer of the mail server: {safe(str(row.get('reply')))}"

    return tell


def _by(row: Told) -> str:
    actor = row.get("actor")
    if not isinstance(actor, dict):
        return ""
    name = row.address(actor.get("address")) or safe(str(actor.get("login", "")))
    how = safe(str(actor.get("by", "")))
    who = _BY.get(str(actor.get("role")), safe(str(actor.get("role", ""))))
    return f" by {who}{f' {name}' if name else ''}{f' ({how})' if how else ''}"


def _attempt(row: Told) -> Iterator[str]:
    yield f"try {row.get('tries')} did not succeed: {safe(str(row.get('reply') or 'no answer'))}"


def _notice(row: Told) -> Iterator[str]:
    step = str(row.get("step"))
    more = row.get("more")
    refused = more.get("refused") if isinstance(more, dict) else None
    yield f"{(_STEPS if row.addresses else _UNTOLD).get(step, safe(step))} (question {safe(str(row.get('question')))})"
    if isinstance(refused, list):
        yield f"refused by the mail server: {', '.join(safe(str(codes)) for codes in refused)}"


def _budget(row: Told) -> Iterator[str]:
    number = row.get("senders") or 0
    own = f", {counted(number, 'sender has', 'senders have')} a higher one" if number else ""
    yield f"the budget asks from a probability of {row.get('asked_from')} on{own}{_by(row)}"


def _calibration(row: Told) -> Iterator[str]:
    scales = row.get("scales") or {}
    yield f"scales of slips were accepted: {scales.get('all')} for all{_by(row)}"
    for kind, scale in (scales.get("kinds") or {}).items():
        yield f"{safe(str(kind)).replace('_', ' ')}: {scale}"


def _digest(row: Told) -> Iterator[str]:
    number = counted(row.get("copies") or 0, "copy", "copies")
    yield f"digest: {number} that nobody was asked about, told to {counted(len(row.addresses), 'reviewer', 'reviewers')}"


def _plain(what: str) -> Callable[[Told], Iterator[str]]:
    def tell(row: Told) -> Iterator[str]:
        yield f"{what}{_by(row)}"
        if row.get("reason"):
            yield f"reason: {safe(str(row.get('reason')))}"

    return tell


_ROWS: Mapping[str, Callable[[Told], Iterator[str]]] = {
    "decision": _decision,
    "held": _held,
    "repeated": _repeated,
    "waiting": _plain("the mail server has its answer: the hold stands and waits for a decision"),
    "void": _acted("the hold is void: the mail server that sent it kept the message"),
    "releasing": _acted("released"),
    "released": _outcome("sent as it was written: the next mail server took it"),
    "correcting": _acted("corrected"),
    "corrected": _outcome("sent to the corrected address: the next mail server took it"),
    "cancelled": _acted("cancelled"),
    "returning": _acted("to be returned to its author"),
    "returned": _outcome("returned to its author"),
    "attempt": _attempt,
    "notice": _notice,
    "learned": _plain("knowledge was learned"),
    "confirmed": _plain("an address was confirmed"),
    "policy": _plain("the policy changed"),
    "key": _plain("a key changed"),
    "service": _plain("the guard started, stopped or changed"),
    "digest": _digest,
    "budget": _budget,
    "calibration": _calibration,
    "tombstone": _plain("payloads were erased"),
}
"""How each kind of row is told."""
