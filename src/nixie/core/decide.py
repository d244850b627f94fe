"""The engine: what to ask, the case that results, the checks over it, and the values a policy may compare.

Every face of Nixie calls these functions in this order and differs only in where message, facts and policy come from:

    domains = domains_to_ask(envelope, message, organisation)          # who could have been meant?
    near    = {domain: source.near(domain, NEAR_LIMIT) for domain in domains}
    reading = read_people(message)
    asked   = people_to_ask(message, envelope, origin, organisation, reading, as_of)
    people  = gather(asked, source.suggest(asked), reading)
    facts   = source.know(facts_to_ask(message, envelope, origin, organisation, near, as_of, people))
    case    = make_case(message, envelope, origin, organisation, near, facts, settings, people=people)
    result  = examine(case, checks)
    policy.judge(subjects(case, result), as_of)

A near index may know more than the moment. Where a bound left proposals out (`FactQuery.left_out`), the near domains are first
cut down to what the moment knows (`domains_to_admit`, `admitted`) and the question is made again: what came later must never
push out what was known then.

Nothing here waits or reads a clock. A check that breaks is a finding of its own (`Failed`), never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nixie.core.budget import WITHIN_BUDGET, within
from nixie.core.case import Case
from nixie.core.doubt import relation_of
from nixie.core.facts import NO_SURROUNDINGS, FactQuery, SuggestQuery
from nixie.core.finding import Failed, Finding, Scalar, Skipped
from nixie.core.greeting import greeting_tokens
from nixie.core.mailing import MOST_REFERENCES, mailing_key
from nixie.core.message import NOT_GIVEN, NotSeen
from nixie.core.people import mails_to_ask, suspects, without_mail
from nixie.core.person import tokens
from nixie.core.proposals import TOO_MANY, circle_of, known_key, outside, proposed, shortlist
from nixie.core.reached import reached
from nixie.core.reading import NOT_READ
from nixie.core.routed import routed
from nixie.core.scales import UNCHANGED
from nixie.core.tables import country_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from nixie.core.address import Address
    from nixie.core.direction import Origin
    from nixie.core.envelope import Envelope
    from nixie.core.facts import Expansion, Facts, Surroundings
    from nixie.core.message import Message
    from nixie.core.organisation import Organisation
    from nixie.core.people import Suspect
    from nixie.core.reading import Reading
    from nixie.core.scales import Scales

NEAR_LIMIT = 128
"""How many near domains a source is asked for; slip kinds choose among them."""


class Check(Protocol):
    """One reason to stop a copy. A module with these names is a check; `checks.registry` is the list of those in use."""

    @property
    def ID(self) -> str:  # noqa: N802 - a constant of a module
        """Its name in policies, exemptions, settings and records."""

    @property
    def VALUES(self) -> Mapping[str, type]:  # noqa: N802 - a constant of a module
        """What its findings carry, by name: str, int, float or bool."""

    def check(self, case: Case) -> tuple[Finding | Skipped, ...]:
        """Return what was found, and what could not be looked at. Pure: the same case gives the same answer."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What all checks found in one case, what they skipped, and which of them failed."""

    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failed: tuple[Failed, ...] = ()


class BadFindingError(ValueError):
    """A check returned a finding that its own table does not allow."""


def domains_to_ask(envelope: Envelope, message: Message, organisation: Organisation) -> tuple[str, ...]:
    """Return the outside domains of the circle, each once, for which near known domains are to be looked up."""
    found = dict.fromkeys(address.domain for address in outside(circle_of(message, envelope), organisation))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class People:
    """The people around a message: what knowledge says about its circle, what its words say, whom the author's book offers."""

    around: Surroundings = NO_SURROUNDINGS
    reading: Reading = NOT_READ
    suspects: tuple[Suspect, ...] = ()


NO_PEOPLE = People()


def people_to_ask(
    message: Message,
    envelope: Envelope,
    origin: Origin,
    organisation: Organisation,
    reading: Reading,
    as_of: datetime,
) -> SuggestQuery:
    """Return the question who stands around the circle, and who else could have been meant."""
    circle = circle_of(message, envelope)
    written = {
        known.key: (address, known) for address in outside(circle, organisation) for known in (known_key(address),)
    }
    few = list(written.values())[:MOST_WRITTEN]
    return SuggestQuery(
        origin.author,
        tuple({known.key: known for known in map(known_key, circle)}.values()),
        tuple(known for _, known in few),
        as_of,
        tokens={known.key: tokens(known, _names(reading.names.get(address.key, ""))) for address, known in few},
        greeted=greeting_tokens(reading.greeted),
        references=tuple(
            mailing_key(identity) for identity in dict.fromkeys((*message.references, *message.in_reply_to))
        )[-MOST_REFERENCES:],
        topic=reading.topic if reading.answers else 0,
    )


MOST_WRITTEN = 50
"""Most written addresses for which alike people are looked up; in a larger circle nobody is odd."""


def _names(name: str) -> tuple[str, ...]:
    return (name,) if name else ()


def gather(asked: SuggestQuery, around: Surroundings, reading: Reading, message_id: str = "") -> People:
    """Return the people around a message, with those who may have been meant; what was learned of it already is left out."""
    if message_id:
        around = without_mail(around, mailing_key(message_id))
    circle = {address.key: None for address in asked.circle}
    moment = int(asked.as_of.timestamp() * 1_000_000)
    return People(around, reading, suspects(asked.written, around, reading, circle, moment))


def facts_to_ask(
    message: Message,
    envelope: Envelope,
    origin: Origin,
    organisation: Organisation,
    near: Mapping[str, tuple[str, ...]],
    as_of: datetime,
    people: People = NO_PEOPLE,
) -> FactQuery:
    """Return the one question to the store: the outside circle, everybody who may have been meant, and their domains.

    Domains and totals are asked for only where there is a proposal; an ordinary recipient costs one address.
    """
    circle = circle_of(message, envelope)
    addresses = {known.key: known for known in map(known_key, outside(circle, organisation))}
    domains: dict[str, None] = {}
    listed = shortlist(circle, near, organisation)
    for proposal in listed.proposals:
        intended = known_key(proposal.intended)
        addresses.setdefault(intended.key, intended)
        domains[proposal.intended.domain] = domains[proposal.written.domain] = None
    for beside in people.around.beside.values():
        for one in beside:
            addresses.setdefault(one.address.key, one.address)
            domains[one.address.domain] = None
    for suspect in people.suspects:
        if suspect.slip.part == "person" and not people.around.mails.get(known_key(suspect.written).key):
            domains[suspect.written.domain] = None
    return FactQuery(
        origin.author,
        tuple(addresses.values()),
        tuple(domains),
        as_of,
        listed.left_out,
        bool(domains or people.suspects),
        mails_to_ask(people.suspects) if people.reading.words else (),
    )


def domains_to_admit(near: Mapping[str, tuple[str, ...]], organisation: Organisation, as_of: datetime) -> FactQuery:
    """Return the question which of all proposed domains are known at the moment; asked only where a bound bites."""
    return FactQuery(None, (), proposed(near, organisation), as_of)


def admitted(
    near: Mapping[str, tuple[str, ...]], facts: Facts, organisation: Organisation
) -> dict[str, tuple[str, ...]]:
    """Return the near domains that can be weighed at all: written to before the moment, or named by the configuration."""
    return {
        written: tuple(n for n in names if facts.domain(n).organisation.sent or relation_of(n, organisation)[0])
        for written, names in near.items()
    }


def make_case(
    message: Message,
    envelope: Envelope,
    origin: Origin,
    organisation: Organisation,
    near: Mapping[str, tuple[str, ...]],
    facts: Facts,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    expansions: Mapping[str, Expansion] | None = None,
    people: People = NO_PEOPLE,
    scales: Scales = UNCHANGED,
    asked_from: float = 0.0,
) -> Case:
    """Return the case: everything the checks may see. `expansions` are those of `core.reached.not_shown`, `scales` and
    `asked_from` those in force at the moment (`core.tuning.Tuning`).
    """
    circle = circle_of(message, envelope)
    return Case(
        message,
        envelope,
        origin,
        organisation,
        circle,
        near,
        facts,
        settings or {},
        reached(message, envelope, expansions or {}),
        outside(circle, organisation),
        people.around,
        people.reading,
        people.suspects,
        scales,
        asked_from,
    )


def examine(case: Case, checks: Iterable[Check]) -> Examination:
    """Return what the checks find. A check that raises, or whose findings break its table, becomes a `Failed`."""
    findings: list[Finding] = []
    skipped: list[Skipped] = []
    failed: list[Failed] = []
    for check in checks:
        try:
            results = check.check(case)
            for result in results:
                _validate(check, result, len(case.envelope.recipients))
        except Exception as error:  # noqa: BLE001 - the one edge where a broken check becomes a finding
            failed.append(Failed(check.ID, type(error).__name__))
            continue
        findings.extend(result for result in results if isinstance(result, Finding))
        skipped.extend(result for result in results if isinstance(result, Skipped))
    return Examination(tuple(findings), tuple(skipped), tuple(failed))


def _validate(check: Check, result: Finding | Skipped, recipients: int) -> None:
    """Raise `BadFindingError` unless the result is by this check, about a copy that exists, with values of its table."""
    if result.check != check.ID or (result.recipient is not None and not 0 <= result.recipient < recipients):
        raise BadFindingError("a result names another check, or a recipient that does not exist")
    if isinstance(result, Finding):
        for name, value in result.values:
            if type(value) is not check.VALUES.get(name):
                raise BadFindingError("a finding has a value of a name or type that its check does not declare")


def subjects(case: Case, examination: Examination) -> tuple[Mapping[str, Scalar], ...]:
    """Return, per envelope recipient, the values that rules may compare, by predicate name.

    What nobody found is missing. A finding about the whole message counts for every recipient.
    """
    everybody = _message_values(case)
    everybody["message.failed_checks"] = len(examination.failed)
    everybody.update(_found(examination, None))
    about: dict[int, dict[str, Scalar]] = {
        number: {"recipient.reached": str(way)} for number, way in enumerate(case.reached)
    }
    for skipped in examination.skipped:
        if skipped.recipient is not None and skipped.reason == TOO_MANY:
            # A policy sees it as something unread, because nobody looked at all of it.
            about.setdefault(skipped.recipient, {})["message.unread"] = skipped.reason
    for finding in examination.findings:
        if finding.recipient is not None:
            values = about.setdefault(finding.recipient, {})
            values.update((f"{finding.check}.{name}", value) for name, value in finding.values)
    for values in about.values():
        probability = values.get("misdirected.probability")
        if isinstance(probability, float):
            values[WITHIN_BUDGET] = within(probability, str(values.get("misdirected.slip", "")), case.asked_from)
    nothing: dict[str, Scalar] = {}
    return tuple(
        {
            **everybody,
            **_recipient_values(routed(recipient.address, case.organisation), case),
            **about.get(number, nothing),
        }
        for number, recipient in enumerate(case.envelope.recipients)
    )


def _found(examination: Examination, recipient: int | None) -> dict[str, Scalar]:
    """Return the values of the findings about one recipient number, or about the whole message."""
    return {
        f"{finding.check}.{name}": value
        for finding in examination.findings
        if finding.recipient == recipient
        for name, value in finding.values
    }


def _message_values(case: Case) -> dict[str, Scalar]:
    """Return the values that are the same for all recipients."""
    inside = case.organisation.inside
    domains: dict[str, bool] = {}
    ends = [routed(address, case.organisation).domain for address in case.circle]
    for domain in ends:
        if domain not in domains:
            domains[domain] = inside(domain)
    author = case.origin.author
    return {
        "message.recipients": len(case.circle),
        "message.outside_recipients": sum(not domains[domain] for domain in ends),
        "message.size": case.message.size,
        "message.unread": _unread(case.message),
        "sender.kind": str(case.origin.kind),
        "sender.domain": author.domain if author is not None else "",
        "sender.authenticated": case.origin.author_basis == "login",
    }


def _unread(message: Message) -> str:
    """Return why a part of the message that should be readable was not read, `""` when all of it was."""
    wanted: list[object] = [message.from_, message.to, message.cc, message.parts]
    if not isinstance(message.parts, NotSeen):
        # A container that was not opened hides whatever is in it; a leaf that holds no text hides nothing from a reader of text.
        wanted += [part.text for part in message.parts if part.content_type.startswith(_CONTAINERS)]
    reasons = (value.reason for value in wanted if isinstance(value, NotSeen) and value != NOT_GIVEN)
    return next(reasons, "")


_CONTAINERS = ("multipart/", "message/rfc822", "message/global")


def _recipient_values(address: Address, case: Case) -> dict[str, Scalar]:
    """Return the values of one recipient that need no check."""
    organisation, domain = case.organisation, address.domain
    history = case.facts.address(known_key(address))
    values: dict[str, Scalar] = {
        "recipient.domain": domain,
        "recipient.country": country_of(domain).code,
        "recipient.inside": organisation.inside(domain),
        "recipient.partner": organisation.partner_of(domain),
    }
    if not values["recipient.inside"]:
        # Nobody asked the store about inside addresses: not seen is not absent.
        values["recipient.first_contact"] = history.organisation.sent == 0 and history.author.sent == 0
        values["recipient.known_to_author"] = history.author.sent > 0
    return values
