"""The knowledge of an installation that has learned nothing yet."""

from __future__ import annotations

from nixie.core.facts import FactQuery, Facts


class NothingKnown:
    """A `FactSource` for the first day: own domains and partners are candidates all the same."""

    def near(self, domain: str, limit: int) -> tuple[str, ...]:  # noqa: ARG002 - the protocol's signature
        """Return nothing."""
        return ()

    def know(self, query: FactQuery) -> Facts:
        """Return that nothing is known."""
        return Facts(query.as_of)
