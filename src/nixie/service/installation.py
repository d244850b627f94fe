"""How the parts of an installation are opened from its folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nixie.checks.predicates import PREDICATES
from nixie.checks.registry import CHECKS
from nixie.config.home import shipped_policy
from nixie.core.organisation import Partner
from nixie.core.policy import parse_policy
from nixie.service.engine import Engine
from nixie.service.nothing import NothingKnown
from nixie.service.places import Places
from nixie.store.db import open_reader
from nixie.store.knowledge_facts import StoreFacts
from nixie.store.knowledge_people import partner_domains

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nixie.config.settings import Settings
    from nixie.core.facts import FactSource
    from nixie.core.organisation import Organisation
    from nixie.core.policy import Policy
    from nixie.store.near import NearDomains


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
    """The near index of a folder, opened as soon as it holds anything.

    The index needs numpy, whose import costs more than all else that `nixie check` does; a new installation has no index.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = self._opened()

    def near(self, domain: str, limit: int) -> tuple[str, ...]:
        """Return at most `limit` known domains that share a key with `domain`. Raises `NearError`."""
        if self._index is None:
            self._index = self._opened()
        return self._index.near(domain, limit) if self._index is not None else ()

    def _opened(self) -> NearDomains | None:
        if not self._folder.is_dir() or not any(file.stat().st_size for file in self._folder.iterdir()):
            return None
        from nixie.store.near import NearDomains  # noqa: PLC0415 - see above

        return NearDomains(self._folder)


def open_engine(settings: Settings, policy: Policy | None = None) -> Engine:
    """Return an engine that reads the installation's knowledge; an installation without any knows nothing."""
    places = Places(settings.var)
    organisation = settings.organisation
    facts: FactSource = NothingKnown()
    if places.database.exists():
        db = open_reader(places.database)
        facts = StoreFacts(db, LateNear(places.near))
        organisation = with_learned_partners(organisation, partner_domains(db))
    return Engine(organisation, policy or read_policy(settings.policy_file), facts, settings.checks)
