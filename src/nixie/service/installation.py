"""How the parts of an installation are opened from its folder."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from nixie.checks.predicates import PREDICATES
from nixie.checks.registry import CHECKS
from nixie.config.home import shipped_policy
from nixie.core.organisation import Partner
from nixie.core.policy import parse_policy
from nixie.core.tuning import Untuned
from nixie.service.engine import Engine
from nixie.service.nothing import NothingKnown
from nixie.service.places import Places
from nixie.store.db import open_reader
from nixie.store.knowledge_facts import StoreFacts
from nixie.store.knowledge_people import partner_domains
from nixie.store.tuning import StoredTuning

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from nixie.config.settings import Settings
    from nixie.core.facts import FactSource
    from nixie.core.organisation import Organisation
    from nixie.core.policy import Policy
    from nixie.core.tuning import Tuning
    from nixie.store.near import NearDomains
    from nixie.store.near_addresses import NearAddresses


def read_policy(path: Path) -> Policy:
    """Return the policy of a file. Raises `PolicyError` with every mistake, and OSError."""
    return parse_policy(path.read_text("utf-8"), path.name, PREDICATES, [check.ID for check in CHECKS])


def parse_shipped(mode: str) -> Policy:
    """Return a policy that comes with Nixie: `observe` or `enforce`."""
    return parse_policy(shipped_policy(mode), f"{mode}.toml", PREDICATES, [check.ID for check in CHECKS])


def with_learned_partners(organisation: Organisation, learned: Iterable[tuple[str, str]]) -> Organisation:
    """Return the organisation with partners from `nixie learn partners.csv` beside those of partners.toml, which win."""
    domains: dict[str, list[str]] = {}
    for domain, name in learned:
        if not organisation.inside(domain) and not organisation.partner_of(domain):
            domains.setdefault(name, []).append(domain)
    more = tuple(Partner(name, tuple(found)) for name, found in domains.items())
    return replace(organisation, partners=(*organisation.partners, *more)) if more else organisation


class LateNear:
    """The near indexes of an installation, each opened as soon as it holds anything.

    An index needs numpy, whose import costs more than all else that `nixie check` does; a new installation has none.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._domains = self._open_domains()
        self._addresses = self._open_addresses()

    def near(self, domain: str, limit: int) -> tuple[str, ...]:
        """Return at most `limit` known domains that share a key with `domain`. Raises `NearError`."""
        if self._domains is None:
            self._domains = self._open_domains()
        return self._domains.near(domain, limit) if self._domains is not None else ()

    def beside(self, key: str, limit: int) -> tuple[str, ...]:
        """Return at most `limit` known addresses one typed slip of the local part away, as keys. Raises `NearError`."""
        if self._addresses is None:
            self._addresses = self._open_addresses()
        return self._addresses.beside(key, limit) if self._addresses is not None else ()

    def _open_domains(self) -> NearDomains | None:
        if not _holds_anything(self._places.near):
            return None
        from nixie.store.near import NearDomains  # noqa: PLC0415 - see above

        return NearDomains(self._places.near)

    def _open_addresses(self) -> NearAddresses | None:
        if not _holds_anything(self._places.near_addresses):
            return None
        from nixie.store.near_addresses import NearAddresses  # noqa: PLC0415 - see above

        return NearAddresses(self._places.near_addresses)


def _holds_anything(folder: Path) -> bool:
    return folder.is_dir() and any(file.stat().st_size for file in folder.iterdir())


def open_engine(settings: Settings, policy: Policy | None = None, db: sqlite3.Connection | None = None) -> Engine:
    """Return an engine that reads the installation's knowledge; an installation without any knows nothing.

    It asks through the connection that is given, else through one of its own.
    """
    places = Places(settings.var)
    organisation = settings.organisation
    facts: FactSource = NothingKnown()
    tuning: Tuning = Untuned()
    if places.database.exists():
        db = db or open_reader(places.database)
        near = LateNear(places)
        facts = StoreFacts(db, near, near)
        tuning = StoredTuning(db, time.monotonic)
        organisation = with_learned_partners(organisation, partner_domains(db))
    return Engine(organisation, policy or read_policy(settings.policy_file), facts, settings.checks, tuning)
