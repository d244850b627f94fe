"""The engine that `nixie check` judges with: an installation's own, or one that knows nothing but the own domains."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from nixie.cli.common import Complaint, complaints
from nixie.config.loader import load
from nixie.core.address import normal_domain, parse_address
from nixie.core.organisation import Organisation
from nixie.service.engine import Engine
from nixie.service.installation import open_engine, parse_shipped, read_policy
from nixie.service.nothing import NothingKnown

if TYPE_CHECKING:
    from nixie.core.facts import FactSource
    from nixie.core.policy import Policy


def make_engine(
    home: Path | None, policy_file: Path | None, own_domains: tuple[str, ...], sender: str | None
) -> Engine:
    """Return the engine for a command line. Raises `Complaint`.

    Own domains in the options, or no installation, mean that nothing else is known; without either option they are the sender's.
    """
    with complaints(OSError):
        policy = read_policy(policy_file) if policy_file is not None else None
        if own_domains and home is not None:
            raise Complaint("either --home or --own-domain: an installation knows its own domains")
        folder = (home or Path(os.environ.get("NIXIE_HOME") or ".")).absolute()
        if own_domains or not (folder / "nixie.toml").is_file():
            if home is not None:
                raise Complaint(f"{folder}: no nixie.toml there; make one with: nixie init --home {folder}")
            return _without_home(policy, own_domains, sender)
        return open_engine(load(folder), policy)


def _without_home(policy: Policy | None, own_domains: tuple[str, ...], sender: str | None) -> Engine:
    domains = tuple(normal_domain(d) for d in own_domains)
    author = parse_address(sender) if sender else None
    if not domains and author is not None and author.domain:
        domains = (author.domain,)
    if not domains:
        raise Complaint("no installation here: say what is yours with --own-domain example.org, or name a --home")
    facts: FactSource = NothingKnown()
    return Engine(Organisation(domains), policy or parse_shipped("enforce"), facts)
