"""An administrator's word that an address is right although it looks like a slip: an event, and a row in the ledger."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nixie.core.address import NULL
from nixie.core.events import Event, EventKind, event_key
from nixie.service import requests
from nixie.service.keeping import millis
from nixie.service.places import Places
from nixie.service.recorder_client import ask_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nixie.config.settings import Settings
    from nixie.core.address import Address


def confirm_addresses(settings: Settings, confirmed: Sequence[Address], name: str) -> None:
    """Record that `name` confirmed these addresses. Raises the recorder client's errors."""
    now = datetime.now(UTC)
    key = f"confirmed:{now.date().toordinal()}"
    events = [Event(EventKind.CONFIRMED, NULL, a, now, event_key(EventKind.CONFIRMED, key, a.key)) for a in confirmed]
    socket = Places(settings.var).recorder
    ask_once(socket, requests.teach(events))
    told = json.dumps({"actor": {"role": "administrator", "by": "cli", "login": name}}, separators=(",", ":"))
    head = {"do": "append", "kind": "confirmed", "a": [a.key for a in confirmed], "at": millis(now)}
    ask_once(socket, head, told.encode("ascii"))
