"""Requests to a recorder about an invented house: Ann writes to ops@army.ml and means ops@army.mil."""

from datetime import UTC, datetime

from nixie.core.address import Address
from nixie.core.events import Event, EventKind, event_key
from nixie.service.recorder import RecorderSettings
from nixie.service.requests import AddressList, HeldRequest, HoldRequest, decision
from nixie.store.questions import Deadlines

AT = 1_790_000_000_000
ANN = Address("Ann", "ours.example")
OPS = Address("ops", "army.ml")
RIGHT = Address("ops", "army.mil")


def settings_of(home, **more):
    return RecorderSettings(home / "nixie.db", home / "r.sock", home / "heads.jsonl", home / "spool", **more)


def sent(message_id, other=OPS):
    return Event(
        EventKind.SENT,
        ANN,
        other,
        datetime.fromtimestamp(AT / 1000, UTC),
        event_key(EventKind.SENT, message_id, other.key),
    )


def held(message_id, *, token="", spool="a" * 20, choices=("correct", "send", "cancel"), disposition="hold-sender"):
    copy = HoldRequest(
        message_id.encode("utf-8", "surrogateescape").ljust(16, b".")[:16],
        OPS,
        disposition,
        b"<OPS@army.ml>",
        (b"NOTIFY=NEVER",),
        choices,
    )
    request = HeldRequest(
        spool, ANN, ANN, Deadlines(AT, AT + 10, AT + 20, AT + 30), (copy,), b"<Ann@ours.example>", (), token
    )
    return decision(AT, message_id, AddressList((ANN, OPS)), events=(), held=request)


def plain(message_id, *, events=True):
    return decision(AT, message_id, AddressList((ANN, OPS)), events=(sent(message_id),) if events else ())


def one(recorder, head, body=b"{}"):
    return recorder.commit([(head, body)])[0]


def act(hold_id, action, role="author", address="ann@ours.example", **more):
    return {
        "do": "act",
        "hold": hold_id,
        "action": action,
        "role": role,
        "address": address,
        "by": "link",
        "at": AT + 1,
        **more,
    }
