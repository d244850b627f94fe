"""Every value that a rule of a policy may compare: name, type, and the sentence that `nixie policy` shows.

Names before the dot are checks, or the recipient, the sender, the message as such (`core.decide.subjects`).
"""

from __future__ import annotations

from nixie.checks.misdirected import RELATIONS
from nixie.core.budget import WITHIN_BUDGET
from nixie.core.condition import Predicate
from nixie.core.slips import WORDS
from nixie.core.verdict import Reached

PREDICATES: dict[str, Predicate] = {
    "misdirected.probability": Predicate(float, "How probable it is that another address was meant, 0 to 1."),
    "misdirected.slip": Predicate(str, "The kind of slip that explains it best.", WORDS),
    "misdirected.intended_known": Predicate(bool, "Somebody of ours has written to exactly the address that was meant."),
    "misdirected.intended_relation": Predicate(str, "What the domain that was meant is to us.", RELATIONS),
    WITHIN_BUDGET: Predicate(bool, "The budget of the policy lets a rule ask about it; true where there is no budget."),
    "destination.country": Predicate(str, "The listed country of the recipient's domain, two letters."),
    "destination.listed": Predicate(bool, "The recipient's domain is of a listed country and no exception."),
    "destination.generic": Predicate(bool, "The country's ending is sold to everybody, so that it says little."),
    "destination.government": Predicate(bool, "The domain lies in a zone of a government or its forces."),
    "recipient.domain": Predicate(str, "The recipient's domain."),
    "recipient.country": Predicate(str, "The country of the domain, two letters; empty when no table knows one."),
    "recipient.partner": Predicate(str, "The name of the partner that has the domain; empty when none has."),
    "recipient.inside": Predicate(bool, "The recipient is inside the organisation."),
    "recipient.first_contact": Predicate(bool, "Nobody of ours ever wrote to this outside address."),
    "recipient.known_to_author": Predicate(bool, "The author has written to this outside address before."),
    "recipient.reached": Predicate(str, "How it was reached: written in To or Cc, by a known list or alias there, or in Bcc alone.", tuple(map(str, Reached))),
    "sender.kind": Predicate(str, "What wrote the message.", ("person", "shared", "machine", "list", "forward", "bounce")),
    "sender.domain": Predicate(str, "The author's domain; empty when nobody can be named as the author."),
    "sender.authenticated": Predicate(bool, "The author logged in to the mail server."),
    "message.recipients": Predicate(int, "How many addresses the message shows or reaches."),
    "message.outside_recipients": Predicate(int, "How many of these are outside the organisation."),
    "message.size": Predicate(int, "The size of the message in bytes."),
    "message.unread": Predicate(str, "Why a part was not read, or a recipient not weighed; empty when all of it was."),
    "message.failed_checks": Predicate(int, "How many checks broke on this message."),
}  # fmt: skip
"""The registry handed to `core.policy` and to `config`."""
