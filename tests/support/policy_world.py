"""Predicates and checks for tests of the policy: a small world that does not change when real checks do."""

from datetime import UTC, datetime
from typing import Any

from nixie.core.policy import Policy, Predicate, parse_policy
from nixie.core.verdict import CopyVerdict

PREDICATES = {
    "misdirected.probability": Predicate(float, "How probable it is that another address was meant."),
    "misdirected.slip": Predicate(str, "The kind of slip.", ("tld", "typed", "dot")),
    "destination.listed": Predicate(bool, "Whether the country is on the list."),
    "crowd.strangers": Predicate(int, "How many recipients do not know one another."),
    "recipient.domain": Predicate(str, "The domain that was written."),
    "recipient.country": Predicate(str, "The country of the domain."),
    "sender.address": Predicate(str, "The author's address."),
}
CHECKS = ("misdirected", "destination", "crowd")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def policy(text: str) -> Policy:
    return parse_policy(text, "policy.toml", PREDICATES, CHECKS)


def rule(track: str = "slip", **keys: str) -> str:
    """Return the text of one rule; every argument is TOML."""
    usual = {"name": '"r"', "mode": '"enforce"', "when": '"always"', "then": '"hold-sender"'}
    return f"[[{track}.rule]]\n" + "".join(f"{key} = {value}\n" for key, value in {**usual, **keys}.items())


def exemption(**keys: str) -> str:
    usual = {
        "name": '"e"',
        "checks": '["misdirected"]',
        "when": '{ "recipient.domain" = { under = "partner.example" } }',
        "owner": '"Registry"',
        "reason": '"Both domains are in use until the move is over."',
        "until": "2027-03-31",
    }
    return "[[exemption]]\n" + "".join(f"{key} = {value}\n" for key, value in {**usual, **keys}.items())


def judged(text: str, **values: Any) -> CopyVerdict:
    """Return the verdict about one recipient; `misdirected__probability=0.9` gives a predicate its value."""
    subject = {name.replace("__", "."): value for name, value in values.items()}
    (copy,) = policy(text).judge([subject], NOW)
    return copy
