"""Decisions with a possible slip of a chosen probability, recorded in a house as its pipeline would record them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixie.core import mime
from nixie.core.direction import origin_of
from nixie.core.finding import Candidate, Finding
from nixie.core.organisation import Organisation
from nixie.core.verdict import Choice, CopyVerdict, Disposition, Mode, Reached, RuleTrace, Verdict
from nixie.service import requests
from nixie.service.engine import Decision
from nixie.service.keeping import millis
from nixie.service.recorder_client import ask_once
from nixie.service.records import decision_body
from nixie.service.requests import AddressList, HeldRequest, HoldRequest
from nixie.store.questions import Deadlines
from support.installed import NOW, OURS, Direct, Installation, envelope, mail

if TYPE_CHECKING:
    from datetime import datetime

_NUMBERS = itertools.count(1)
ASKED = RuleTrace("slip", "likely-slip", Mode.ENFORCE, True, Disposition.HOLD_SENDER)


@dataclass
class Remote:
    """A guard that runs: its recorder's socket, and who it guards."""

    socket: Path
    organisation: Organisation


def suspect(
    house: Installation | Remote,
    probability: float,
    *,
    kind: str = "omission",
    author: str = "ann@ministry.example",
    days_ago: float = 1.0,
    answer: str = "",
    asked: bool = True,
    below: str = "",
    now: datetime = NOW,
) -> str:
    """Record one message to one recipient; `answer` is release, correct or cancel. Return the recipient."""
    number = next(_NUMBERS)
    at, identity, to = now - timedelta(days=days_ago), f"s{number}@ministry.example", f"bob{number}@harbor.example"
    message, enveloped = mime.read(mail(identity, author, (to,))), envelope(author, (to,))
    values = (("probability", probability), ("slip", kind), ("intended_known", True), ("intended_relation", "known"))
    candidates = (Candidate(f"bob{number}@harbour.example", kind, probability),)
    held = asked and not below
    copy = CopyVerdict(
        0,
        Disposition.HOLD_SENDER if held else Disposition.DELIVER,
        Disposition.HOLD_SENDER if held else Disposition.DELIVER,
        "likely-slip" if held else "",
        tuple(Choice) if held else (),
        (ASKED,) if held else (),
        below_budget=below,
    )
    verdict = Verdict(
        (copy,), (Finding("misdirected", 0, values, (), candidates),), policy="0" * 16, reached=(Reached.TYPED,)
    )
    origin = origin_of(message, enveloped, OURS, house.organisation)
    decision = Decision(message, enveloped, origin, verdict)
    addresses = AddressList()
    body = decision_body(decision, "test", "", addresses)
    request = None
    if held:
        request = HeldRequest(
            f"{number:020d}",
            origin.author,
            enveloped.sender,
            Deadlines(),
            (
                HoldRequest(
                    number.to_bytes(16, "big"),
                    enveloped.recipients[0].address,
                    "hold-sender",
                    b"<x>",
                    (),
                    ("correct", "send", "cancel"),
                ),
            ),
        )
    told = ask(house, requests.decision(millis(at), identity, addresses, events=(), held=request), body)
    if answer:
        head = {"do": "act", "hold": told["holds"][0], "action": answer, "role": "author", "by": "test", "reason": "so"}
        corrected = {"corrected": candidates[0].address} if answer == "correct" else {}
        ask(house, {**head, **corrected, "address": author, "at": millis(at) + 1})
    return to


def ordinary(house: Installation, number: int, *, days_ago: float = 1.0, now: datetime = NOW) -> None:
    """Record so many outgoing messages without any suspicion."""
    body = b'{"door":"test","direction":"outgoing","kind":"person","from":0,"to":[1],"verdict":{"of":1}}'
    at = millis(now - timedelta(days=days_ago))
    group = [
        (
            {
                "do": "decision",
                "at": at,
                "message_id": f"o{next(_NUMBERS)}@ministry.example",
                "a": ["ann@ministry.example", "x@far.example"],
            },
            body,
        )
        for _ in range(number)
    ]
    for start in range(0, number, 500):
        assert not any("error" in answer for answer in house.recorder.commit(group[start : start + 500]))


def ask(house: Installation | Remote, head: dict[str, Any], body: bytes = b"{}") -> dict[str, Any]:
    """Ask the house's recorder."""
    if isinstance(house, Remote):
        return ask_once(house.socket, head, body)
    told: dict[str, Any] = house.run(Direct(house.recorder).ask(head, body))
    return told
