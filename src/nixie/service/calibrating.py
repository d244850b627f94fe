"""Scales from the record: proposed from outcomes, in force only once an administrator has accepted them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nixie.core.budget import DAY_MS
from nixie.core.calibration import Proposal, propose
from nixie.service.places import Places
from nixie.service.recorder_client import ask_once
from nixie.service.suspicions import suspicions
from nixie.store.db import open_reader, reading
from nixie.store.tuning import scales_at, scales_history

if TYPE_CHECKING:
    from nixie.config.settings import Settings
    from nixie.core.scales import Scales


def proposal(settings: Settings, days: int, now: int) -> tuple[Proposal, Scales]:
    """Return what the last `days` speak for, and the scales in force, at a moment in milliseconds."""
    db = open_reader(Places(settings.var).database)
    try:
        with reading(db):
            return propose(suspicions(db, now - days * DAY_MS, now + 1)), scales_at(scales_history(db), now)
    finally:
        db.close()


def accept(settings: Settings, scales: Scales, now: int, name: str) -> None:
    """Let scales hold from a moment on, on an administrator's word, which stands in the ledger. Raises the recorder client's errors."""
    actor = {"role": "administrator", "by": "cli", "login": name}
    head = {"do": "scales", "scales": scales.to_json(), "at": now}
    ask_once(Places(settings.var).recorder, head, json.dumps({"actor": actor}).encode("ascii"))
