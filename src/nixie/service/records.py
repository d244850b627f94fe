"""A decision as the ledger keeps it: addresses in a table of their own, everything else a body that counts into it.

The body holds no address, so a person is erased from the record by erasing one row of the address table. A quiet decision is
a few dozen bytes; one with a finding keeps its facts and its best candidates.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nixie.core.address import from_key
from nixie.core.verdict_json import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixie.core.address import Address
    from nixie.core.verdict import Verdict
    from nixie.service.engine import Decision
    from nixie.service.ports import Answer
    from nixie.service.requests import AddressList
    from nixie.store.hold_views import Existing

BEST_CANDIDATES = 3
_compact = json.JSONEncoder(separators=(",", ":")).encode


def decision_body(decision: Decision, door: str, queue_id: str, addresses: AddressList) -> bytes:
    """Return the body of a decision's ledger row; addresses that it speaks of are added to the list."""
    origin = decision.origin
    body: dict[str, Any] = {
        "door": door,
        "direction": str(origin.direction),
        "kind": str(origin.kind),
        "from": addresses.index(origin.envelope_sender),
        "to": [addresses.index(r.address) for r in decision.envelope.recipients],
    }
    if origin.author is not None:
        body["author"] = addresses.index(origin.author)
        body["basis"] = origin.author_basis
    if queue_id:
        body["queue"] = queue_id
    body["verdict"] = _by_number(to_json(decision.verdict), addresses)
    return _compact(body).encode("ascii")


def repeated_body(door: str, queue_id: str, known: Sequence[Existing], answer: Answer) -> bytes:
    """Return the body of the row that tells of copies which came again and got their recorded answer."""
    body = {"door": door, "queue": queue_id, "holds": [e.id for e in known], "passed": len(known) - len(answer.held)}
    return _compact(body).encode("ascii")


def verdict_of(body: dict[str, Any], addresses: Sequence[str]) -> Verdict:
    """Return the verdict of a decision's body. Raises ValueError when it is of another shape."""
    data = body.get("verdict", {})
    findings = [
        {**f, "candidates": [{**c, "address": _address(c, addresses)} for c in f.get("candidates", ())]}
        for f in data.get("findings", ())
    ]
    return from_json({**data, "findings": findings})


def _by_number(data: dict[str, Any], table: AddressList) -> dict[str, Any]:
    """Replace the candidates' addresses by their numbers, and keep the best of them."""
    for finding in data.get("findings", ()):
        best = finding.get("candidates", [])[:BEST_CANDIDATES]
        if best:
            finding["candidates"] = [{**c, "address": table.index(_parsed(c["address"]))} for c in best]
    return data


def _parsed(text: str) -> Address | None:
    return from_key(text) if "@" in text else None


def _address(candidate: dict[str, Any], addresses: Sequence[str]) -> str:
    number = candidate.get("address", -1)
    return addresses[number] if isinstance(number, int) and 0 <= number < len(addresses) else ""
