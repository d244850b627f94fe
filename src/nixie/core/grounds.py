"""The grounds of a hypothesis as evidence: counts, days and domains that a person can check, with their log-odds.

Evidence about the written address belongs to the finding, evidence about an intended one to its candidate. The weights of both
together sum to the logarithm of the hypothesis's lambda (`core.intent`), so an explanation adds up.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from nixie.core.finding import Evidence
from nixie.core.proposals import known_key
from nixie.core.tables import country_of

if TYPE_CHECKING:
    from nixie.core.address import Address
    from nixie.core.context import Context, Standing
    from nixie.core.correspondence import Expected
    from nixie.core.doubt import Doubt
    from nixie.core.facts import Facts, History
    from nixie.core.finding import Scalar
    from nixie.core.slips.kind import Slip


DIGITS = 6
"""Digits of a weight: more would differ by the order in which a store counts its people."""


def _log(odds: float) -> float:
    """Return a natural logarithm as evidence states it."""
    return round(log(odds), DIGITS)


Factors = tuple[tuple[str, float], ...]
"""What the context says, by feature (`core.context`), in log-odds for the slip."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One way in which one copy may have gone astray; without `intended` nobody was meant.

    `honest` is the probability that the address is written rightly, `suspicion` the factor that bad experience adds (from
    1.0), `doubted` says why its counts carry no trust; `context` is what the context adds in log-odds, of which the factors
    are the parts; `weight` is the lambda that follows of all this. A standing is what the context knows of an address; `scale` is what
    an administrator accepted for slips of this kind.
    """

    written: Address
    intended: Address | None
    slip: Slip
    expected: Expected
    doubted: Doubt | None
    honest: float
    suspicion: float
    weight: float
    for_written: Factors = ()
    for_intended: Factors = ()
    context: float = 0.0
    scale: float = 1.0
    standing: Standing | None = None
    standing_intended: Standing | None = None

    @property
    def typed(self) -> bool:
        """Return whether it is a slip of typing, as opposed to one of the person or the circle."""
        return self.slip.part in ("domain", "local")


def about_intended(hypothesis: Hypothesis, facts: Facts, context: Context | None = None) -> tuple[Evidence, ...]:
    """Return what speaks for the intended address: the slip, and why the author would mean it."""
    slip, intended, expected = hypothesis.slip, hypothesis.intended, hypothesis.expected
    scale = hypothesis.scale
    scaled = (Evidence("site-scale", (("times", round(scale, 2)),), _log(scale)),) if scale != 1.0 else ()
    if intended is None:
        return (Evidence("one-too-many", (("kind", slip.kind), ("what", slip.what)), _log(slip.probability)), *scaled)
    values: tuple[tuple[str, Scalar], ...] = (
        ("kind", slip.kind),
        ("what", slip.what),
        ("written", hypothesis.written.domain),
        ("intended", intended.domain),
    )
    reasons = list(_reasons(hypothesis, intended, facts))
    code, named = reasons[0]
    explained = tuple(Evidence(more, its) for more, its in reasons[1:])
    return (
        Evidence("slip" if slip.part == "domain" else "slip-of-person", values, _log(slip.probability)),
        Evidence(code, named, _log(expected.probability)),
        *explained,
        *scaled,
        *_of_context(hypothesis.for_intended, "intended", context, hypothesis.standing_intended, hypothesis.written),
    )


def _of_context(
    factors: Factors, which: str, context: Context | None, standing: Standing | None, written: Address
) -> tuple[Evidence, ...]:
    """Return what the context says about one of the two addresses, as far as it says anything."""
    if context is None or standing is None or not factors:
        return ()
    counts = context.counts(standing, known_key(written).key)
    return tuple(
        Evidence(f"{name}-{which}" if name in counts else f"never-{which}", counts.get(name, ()), round(value, DIGITS))
        for name, value in factors
        if abs(value) >= LEAST_FACTOR
    )


LEAST_FACTOR = 0.05
"""Log-odds below which a feature is not worth a line."""


def _reasons(
    hypothesis: Hypothesis, intended: Address, facts: Facts
) -> list[tuple[str, tuple[tuple[str, Scalar], ...]]]:
    """Return why the author would mean the intended address, the strongest reason first."""
    expected, domain = hypothesis.expected, intended.domain
    found = _written(facts.address(known_key(intended)), "intended", domain)
    if expected.relation == "own":
        found.append(("own-domain", (("domain", domain),)))
    if expected.relation == "partner":
        found.append(("partner", (("partner", expected.partner), ("domain", domain))))
    found += _written(facts.domain(domain), "domain", domain)
    if not found and hypothesis.slip.part != "domain":
        return [("known-person", (("domain", domain),))]
    return found or [("no-such-ending", (("ending", hypothesis.written.domain.rpartition(".")[2]),))]


def _written(history: History, what: str, domain: str) -> list[tuple[str, tuple[tuple[str, Scalar], ...]]]:
    """Return that the author, or the organisation where the author did not, wrote to an address or a domain."""
    for who, counts in (("author", history.author), ("organisation", history.organisation)):
        if counts.sent:
            return [(f"{who}-wrote-{what}", (("n", counts.sent), ("n_90d", counts.sent_90d), ("domain", domain)))]
    return []


def about_written(
    hypothesis: Hypothesis, facts: Facts, one_slip_in: int, context: Context | None = None
) -> tuple[Evidence, ...]:
    """Return what is known of the written address, and the base rate of slips (one message in `one_slip_in`)."""
    written, doubted = hypothesis.written, hypothesis.doubted
    history = facts.address(known_key(written))
    code, values = _acquaintance(history, written.domain)
    found = [
        Evidence("base-rate", (("one_in", one_slip_in),), -_log(one_slip_in)),
        Evidence(code, values, -_log(hypothesis.honest)),
    ]
    if history.author.released_by_sender or history.organisation.confirmed or history.organisation.released_by_reviewer:
        found.append(Evidence("cleared", (("domain", written.domain),)))
    elif doubted is not None and doubted.sent:
        pair: tuple[tuple[str, Scalar], ...] = (
            ("n", doubted.sent),
            ("domain", doubted.domain),
            ("instead", doubted.instead),
            ("n_instead", doubted.instead_sent),
        )
        found.append(Evidence("doubted", pair))
    found.extend(_experience(history, hypothesis.suspicion))
    found.extend(_of_context(hypothesis.for_written, "written", context, hypothesis.standing, written))
    country = country_of(written.domain)
    if hypothesis.intended and country.name and country != country_of(hypothesis.intended.domain):
        where: tuple[tuple[str, Scalar], ...] = (
            ("code", country.code),
            ("country", country.name),
            ("ending", country.suffix),
        )
        found.append(Evidence("country", where))
    return tuple(found)


def _acquaintance(history: History, domain: str) -> tuple[str, tuple[tuple[str, Scalar], ...]]:
    """Return what the author and the organisation have had to do with the written address."""
    if history.author.sent:
        return "author-wrote-written", (("n", history.author.sent), ("domain", domain))
    if history.organisation.sent:
        return "author-never-wrote-written", (("n", history.organisation.sent), ("domain", domain))
    return "first-contact", (("domain", domain),)


def _experience(history: History, suspicion: float) -> list[Evidence]:
    """Return the bad experience with an address; the first item carries the weight of all."""
    if suspicion <= 1.0:
        return []
    counts = history.organisation
    seen = (
        ("corrected-before", counts.corrected_away),
        ("disowned-before", counts.disowned),
        ("bounced-before", counts.bounced),
    )
    codes = [(code, n) for code, n in seen if n]
    return [Evidence(code, (("n", n),), _log(suspicion) if at == 0 else 0.0) for at, (code, n) in enumerate(codes)]
