"""What is asked of the recorder, as values that turn into the head of a frame: the format stands here and in `recording`.

Addresses travel as a list of keys, everything else refers to them by index. The body of a decision (the verdict in JSON) uses
the same indices, so that the recorder puts it into the ledger without reading it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixie.core.mailing_line import line_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixie.core.address import Address
    from nixie.core.events import Answer, Event
    from nixie.core.mailing import Mailing
    from nixie.service.frames import Head
    from nixie.store.questions import Deadlines

NOBODY = -1
"""The index that means: no address."""


class AddressList:
    """The addresses of one request, each once, in the order in which they were first named."""

    __slots__ = ("_index", "keys")

    def __init__(self, addresses: Iterable[Address] = ()) -> None:
        self.keys: list[str] = []
        self._index: dict[str, int] = {}
        for address in addresses:
            self.index(address)

    def index(self, address: Address | None) -> int:
        """Return the index of an address, `NOBODY` for None and for the null sender."""
        key = address.key if address is not None else ""
        if not key:
            return NOBODY
        known = self._index.get(key)
        if known is None:
            known = self._index[key] = len(self.keys)
            self.keys.append(key)
        return known


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """One copy to be held: its 16-byte key, its recipient, the RCPT path and parameters in the bytes in which they came."""

    copy_key: bytes
    recipient: Address
    disposition: str
    recipient_raw: bytes = field(default=b"", repr=False)
    recipient_params: tuple[bytes, ...] = field(default=(), repr=False)
    choices: tuple[str, ...] = ()
    blind: bool = False


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """What the held copies share; `token` is `""` where they are firm, `deadlines` are absolute."""

    spool: str
    author: Address | None
    sender: Address
    deadlines: Deadlines
    holds: tuple[HoldRequest, ...]
    sender_raw: bytes = field(default=b"", repr=False)
    sender_params: tuple[bytes, ...] = field(default=(), repr=False)
    token: str = ""
    received: int = 0


def decision(
    at: int,
    message_id: str,
    addresses: AddressList,
    *,
    events: Iterable[Event] = (),
    held: HeldRequest | None = None,
    answers: Iterable[Answer] = (),
    mailing: Mailing | None = None,
) -> Head:
    """Return the head of a decision at `at` (ms UTC) about a message; its body is the verdict in JSON.

    `message_id` is the Message-ID without brackets or, where there is none, the body's digest in hex. `addresses` is the
    list by which the body counts; addresses of events and holds that it lacks are added behind. `answers` become events
    once a copy that they refer to is known.
    """
    head: Head = {"do": "decision", "at": at, "message_id": message_id, "a": addresses.keys}
    told = events_json(events, addresses)
    if told:
        head["events"] = told
    _answer(head, answers, addresses)
    if mailing is not None:
        head["mailings"] = [line_of(mailing)]
    if held is not None:
        head["held"] = _held(held, addresses)
    return head


def teach(events: Iterable[Event], answers: Iterable[Answer] = (), mailings: Iterable[Mailing] = ()) -> Head:
    """Return the head that teaches events and mailings without a decision."""
    addresses = AddressList()
    head: Head = {"do": "teach", "events": events_json(events, addresses)}
    _answer(head, answers, addresses)
    if told := [line_of(m) for m in mailings]:
        head["mailings"] = told
    head["a"] = addresses.keys
    return head


def events_json(events: Iterable[Event], addresses: AddressList) -> list[list[int]]:
    """Return events as [kind, ours, other, ms UTC, key], with addresses by index."""
    return [_event(e, addresses) for e in events]


def _event(e: Event, addresses: AddressList) -> list[int]:
    return [int(e.kind), addresses.index(e.ours), addresses.index(e.other), round(e.at.timestamp() * 1000), e.key]


def _answer(head: Head, answers: Iterable[Answer], addresses: AddressList) -> None:
    told = [[_event(a.event, addresses), a.to] for a in answers]
    if told:
        head["answers"] = told


def _held(held: HeldRequest, addresses: AddressList) -> Head:
    return {
        "spool": held.spool,
        "author": addresses.index(held.author),
        "sender": addresses.index(held.sender),
        "raw": held.sender_raw.decode("latin-1"),
        "params": [p.decode("latin-1") for p in held.sender_params],
        "token": held.token,
        "received": held.received,
        "deadlines": held.deadlines.values(),
        "copies": [
            {
                "key": h.copy_key.hex(),
                "recipient": addresses.index(h.recipient),
                "disposition": h.disposition,
                "raw": h.recipient_raw.decode("latin-1"),
                "params": [p.decode("latin-1") for p in h.recipient_params],
                "choices": h.choices,
                "blind": h.blind,
            }
            for h in held.holds
        ],
    }
