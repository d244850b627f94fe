"""Thresholds from the record: each night, or when an administrator asks for it; and what other budgets would have done.

The recorder writes them, with a row in the ledger that names who asked for it. Decisions only read what is in force.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixie.core.budget import DAY_MS, QUARTER_DAYS, Budget, Thresholds, enough_traffic, thresholds
from nixie.core.what_if import WhatIf, what_if
from nixie.service.places import Places
from nixie.service.recorder_client import ask_once
from nixie.service.suspicions import suspicions
from nixie.store.db import open_reader, reading
from nixie.store.suspicions import outside_messages
from nixie.store.tuning import threshold_since, thresholds_at

if TYPE_CHECKING:
    import sqlite3

    from nixie.config.settings import Settings
    from nixie.core.policy import Policy
    from nixie.service.frames import Head

NIGHT = {"role": "system", "by": "night", "login": ""}
"""Who sets thresholds when nobody asked for it."""


@dataclass(frozen=True, slots=True)
class Account:
    """How the budget stands: what is allowed and in force, how many messages it kept from being asked about, and what other
    settings would have done in the last `days`. `since` is milliseconds since 1970, None where no threshold was ever set.
    """

    days: int
    budget: Budget | None
    in_force: Thresholds
    since: int | None
    not_asked: int
    what_if: WhatIf


def account(settings: Settings, policy: Policy, days: int, now: int) -> Account:
    """Return how the budget stands at a moment in milliseconds."""
    db = open_reader(Places(settings.var).database)
    try:
        with reading(db):
            begin = now - days * DAY_MS
            found = list(suspicions(db, begin, now + 1))
            silent = {(one.author, one.message) for one in found if one.below_budget}
            told = what_if(found, outside_messages(db, begin, now + 1))
            return Account(days, policy.budget, thresholds_at(db, now), threshold_since(db), len(silent), told)
    finally:
        db.close()


def lately(db: sqlite3.Connection, settings: Settings, policy: Policy, now: int) -> Thresholds:
    """Return the thresholds that the policy's budget leads to at a moment in milliseconds; none where it states no budget."""
    if policy.budget is None:
        return Thresholds()
    span = enough_traffic(policy.budget, lambda days: outside_messages(db, now - days * DAY_MS, now + 1))
    days = max(QUARTER_DAYS, span.days if span is not None else 0)
    found = suspicions(db, now - days * DAY_MS, now + 1, policy, settings.organisation)
    return thresholds(policy.budget, found, span, now)


def set_now(settings: Settings, policy: Policy, now: int, actor: dict[str, str]) -> tuple[Thresholds, int]:
    """Compute the thresholds and have the recorder write them; return them and how many changed.

    Raises the recorder client's errors.
    """
    places = Places(settings.var)
    db = open_reader(places.database)
    try:
        with reading(db):
            wanted = lately(db, settings, policy, now)
    finally:
        db.close()
    answer = ask_once(places.recorder, request(wanted, now), json.dumps({"actor": actor}).encode("ascii"))
    return wanted, int(answer["changed"])


def request(wanted: Thresholds, at: int) -> Head:
    """Return the recorder's request to let thresholds hold from a moment on."""
    senders = [[author, value] for author, value in sorted(wanted.senders.items())]
    return {"do": "thresholds", "everybody": wanted.everybody, "senders": senders, "at": at}
