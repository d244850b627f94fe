"""A corrected copy: the envelope changes, one block of Resent fields stands on top, every other byte stays."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any

import pytest

from nixie.core.address import Address, parse_path
from nixie.core.organisation import Organisation
from nixie.core.verdict import Disposition
from nixie.service.correcting import corrected_decision, with_resent_fields
from nixie.service.engine import Engine
from nixie.service.installation import parse_shipped
from nixie.service.nothing import NothingKnown
from nixie.store.hold_states import State
from nixie.store.hold_views import Hold

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
CONTENT = b"From: Ann <ann@army.mil>\r\nTo: ops@army.ml\r\nMessage-ID: <1@army.mil>\r\n\r\nhello\r\n"


def held(**changed: Any) -> Hold:
    values: dict[str, Any] = {
        "id": "HABC", "state": State.CORRECTING, "question": "Q", "generation": 1, "disposition": "hold-sender",
        "choices": ("correct",), "held_at": 0, "changed_at": 0, "spool": "s", "decision": 1, "tries": 0, "next_try": None,
        "blind": False, "message_id": "1@army.mil", "author": "ann@army.mil", "sender": "ann@army.mil",
        "recipient": "ops@army.ml", "corrected": "ops@army.mil", "sender_raw": b"<ann@army.mil>",
        "recipient_raw": b"<ops@army.ml>", "sender_params": (b"BODY=8BITMIME",),
        "recipient_params": (b"NOTIFY=FAILURE", b"orcpt=rfc822;ops@army.ml"),
    }  # fmt: skip
    return Hold(**{**values, **changed})


def engine(own: str = "army.mil") -> Engine:
    return Engine(Organisation((own,)), parse_shipped("enforce"), NothingKnown())


def test_every_byte_of_the_message_stays_below_the_resent_fields() -> None:
    made = with_resent_fields(CONTENT, held(), Address("ops", "army.mil"), AT)

    assert made.endswith(CONTENT)
    added = message_from_bytes(made.removesuffix(CONTENT) + b"\r\n")
    assert added.keys() == ["Resent-From", "Resent-To", "Resent-Date", "Resent-Message-ID"]
    assert added["Resent-From"] == "<ann@army.mil>"
    assert added["Resent-To"] == "<ops@army.mil>"


def test_a_local_part_that_needs_quotes_gets_them() -> None:
    hold = held(author="ann, lee@army.mil", sender_raw=b'<"ann, lee"@army.mil>')

    made = with_resent_fields(CONTENT, hold, Address("John Smith", "fleet.example"), AT)

    assert b'Resent-From: <"ann, lee"@army.mil>\r\n' in made
    assert b'Resent-To: <"John Smith"@fleet.example>\r\n' in made


def test_the_corrected_copy_is_judged_again_and_goes_on_when_it_is_right() -> None:
    judged = corrected_decision(engine(), held(), CONTENT, Address("ops", "army.mil"), AT)

    assert judged.goes_on
    assert judged.decision.envelope.recipients[0].raw == b"<ops@army.mil>"


def test_a_correction_that_is_a_slip_itself_does_not_go_on() -> None:
    judged = corrected_decision(engine(), held(), CONTENT, Address("ops", "amry.mil"), AT)

    assert not judged.goes_on
    assert judged.decision.verdict.copies[0].disposition is Disposition.HOLD_SENDER


def test_the_wrong_address_does_not_travel_on_in_orcpt() -> None:
    judged = corrected_decision(engine(), held(), CONTENT, Address("ops", "army.mil"), AT)

    assert judged.recipient_params == (b"NOTIFY=FAILURE",)


@pytest.mark.parametrize("other", [{"id": "HXYZ"}, {"sender_raw": b"<bob@army.mil>"}])
def test_each_correction_has_a_key_of_its_own(other: dict[str, Any]) -> None:
    to = Address("ops", "army.mil")
    first = corrected_decision(engine(), held(), CONTENT, to, AT)

    assert corrected_decision(engine(), held(), CONTENT, to, AT).key == first.key
    assert corrected_decision(engine(), held(**other), CONTENT, to, AT).key != first.key
    assert parse_path(held().sender_raw) == Address("ann", "army.mil")
