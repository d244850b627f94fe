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
    from nixie.core.correspondence import Expected
    from nixie.core.doubt import Doubt
    from nixie.core.facts import Facts, History
    from nixie.core.finding import Scalar
    from nixie.core.proposals import Proposal


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One way in which one copy may have gone astray.

    `honest` is the probability that the address is written rightly, `suspicion` the factor that bad experience adds (from
    1.0), `doubted` says why its domain's counts carry no trust; `weight` is the lambda that follows of all this.
    """

    proposal: Proposal
    expected: Expected
    doubted: Doubt | None
    honest: float
    suspicion: float
    weight: float


def about_intended(hypothesis: Hypothesis, facts: Facts) -> tuple[Evidence, ...]:
    """Return what speaks for the intended address: the slip, and why the author would mean it."""
    proposal, expected = hypothesis.proposal, hypothesis.expected
    slip = proposal.slip
    values: tuple[tuple[str, Scalar], ...] = (
        ("kind", slip.kind),
        ("what", slip.what),
        ("written", proposal.written.domain),
        ("intended", proposal.domain),
    )
    reasons = list(_reasons(hypothesis, facts))
    code, named = reasons[0]
    explained = tuple(Evidence(more, its) for more, its in reasons[1:])
    return (
        Evidence("slip", values, log(slip.probability)),
        Evidence(code, named, log(expected.probability)),
        *explained,
    )


def _reasons(hypothesis: Hypothesis, facts: Facts) -> list[tuple[str, tuple[tuple[str, Scalar], ...]]]:
    """Return why the author would mean the intended address, the strongest reason first."""
    proposal, expected = hypothesis.proposal, hypothesis.expected
    domain = proposal.domain
    found = _written(facts.address(known_key(proposal.intended)), "intended", domain)
    if expected.relation == "own":
        found.append(("own-domain", (("domain", domain),)))
    if expected.relation == "partner":
        found.append(("partner", (("partner", expected.partner), ("domain", domain))))
    found += _written(facts.domain(domain), "domain", domain)
    return found or [("no-such-ending", (("ending", proposal.written.domain.rpartition(".")[2]),))]


def _written(history: History, what: str, domain: str) -> list[tuple[str, tuple[tuple[str, Scalar], ...]]]:
    """Return that the author, or the organisation where the author did not, wrote to an address or a domain."""
    for who, counts in (("author", history.author), ("organisation", history.organisation)):
        if counts.sent:
            return [(f"{who}-wrote-{what}", (("n", counts.sent), ("n_90d", counts.sent_90d), ("domain", domain)))]
    return []


def about_written(hypothesis: Hypothesis, facts: Facts, one_slip_in: int) -> tuple[Evidence, ...]:
    """Return what is known of the written address, and the base rate of slips (one message in `one_slip_in`)."""
    written, doubted = hypothesis.proposal.written, hypothesis.doubted
    history = facts.address(known_key(written))
    code, values = _acquaintance(history, written.domain)
    found = [
        Evidence("base-rate", (("one_in", one_slip_in),), -log(one_slip_in)),
        Evidence(code, values, -log(hypothesis.honest)),
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
    country = country_of(written.domain)
    if country.name and country != country_of(hypothesis.proposal.domain):
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
    return [Evidence(code, (("n", n),), log(suspicion) if at == 0 else 0.0) for at, (code, n) in enumerate(codes)]
