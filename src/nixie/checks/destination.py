"""A copy goes to a domain of a country that the organisation has listed.

The country is that of the domain's name (a government zone, a country's ending), not of a server or a reader; a
country's ending that is sold to everybody (`.io`, `.tv`) says little, and the finding says so (`generic`).

Fires: `clerk@ministry.gov.ml` when `listed_countries = ["ML"]`. Stays quiet: the same domain under `exceptions`, a domain whose
country no table knows, and every inside recipient. `recipient.country` is there for rules about everybody else.

Options: `listed_countries` (two-letter codes; none by default), `exceptions` (domains, `*.example.org` for those below).

Values: `country` (two letters), `listed` (true), `generic`, `government`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nixie.core.finding import Evidence, Finding
from nixie.core.organisation import domain_matches
from nixie.core.routed import routed
from nixie.core.tables import country_of, government_suffix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixie.core.case import Case
    from nixie.core.finding import Skipped

ID = "destination"
VALUES: dict[str, type] = {"country": str, "listed": bool, "generic": bool, "government": bool}


def check(case: Case) -> tuple[Finding | Skipped, ...]:
    """Return a finding per outside recipient in a listed country; nothing when no country is listed."""
    options: Mapping[str, Any] = case.settings.get(ID, {})
    listed = {str(code).upper() for code in options.get("listed_countries", ())}
    if not listed:
        return ()
    exceptions = tuple(str(domain) for domain in options.get("exceptions", ()))
    found: list[Finding] = []
    by_domain: dict[str, Finding | None] = {}
    for number, recipient in enumerate(case.envelope.recipients):
        domain = routed(recipient.address, case.organisation).domain
        if domain not in by_domain:
            skip = case.organisation.inside(domain) or domain_matches(domain, exceptions)
            by_domain[domain] = None if skip else _finding(domain, listed)
        finding = by_domain[domain]
        if finding is not None:
            found.append(Finding(ID, number, finding.values, finding.evidence))
    return tuple(found)


def _finding(domain: str, listed: set[str]) -> Finding | None:
    """Return the finding about a domain in a listed country, for recipient 0; None for any other domain."""
    country = country_of(domain)
    if country.code not in listed:
        return None
    return Finding(
        ID,
        0,
        (
            ("country", country.code),
            ("listed", True),
            ("generic", country.basis == "generic-cctld"),
            ("government", government_suffix(domain) is not None),
        ),
        (Evidence("listed-country", (("code", country.code), ("country", country.name), ("basis", country.basis))),),
    )
