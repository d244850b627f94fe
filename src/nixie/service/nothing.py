"""The knowledge of an installation that has learned nothing yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core.facts import NO_SURROUNDINGS, Expansion, FactQuery, Facts, SuggestQuery, Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixie.core.address import Address


class NothingKnown:
    """A `FactSource` for the first day: own domains and partners are candidates all the same."""

    def near(self, domain: str, limit: int) -> tuple[str, ...]:  # noqa: ARG002 - the protocol's signature
        """Return nothing."""
        return ()

    def suggest(self, query: SuggestQuery) -> Surroundings:  # noqa: ARG002 - the protocol's signature
        """Return that nobody is known."""
        return NO_SURROUNDINGS

    def know(self, query: FactQuery) -> Facts:
        """Return that nothing is known."""
        return Facts(query.as_of)

    def expansions(self, addresses: tuple[Address, ...]) -> Mapping[str, Expansion]:  # noqa: ARG002 - as above
        """Return that no list is known."""
        return {}
