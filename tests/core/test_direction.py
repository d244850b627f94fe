"""Direction, author and kind of sender, as a table of messages that an organisation sees."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import pytest

from nixie.core.address import parse_address, parse_path
from nixie.core.direction import Origin, origin_of
from nixie.core.envelope import Client, Envelope, Recipient
from nixie.core.message import NOT_GIVEN, Message
from nixie.core.mime import read
from nixie.core.organisation import Organisation

US = Organisation(
    own_domains=("ministry.example", "*.ministry.example"),
    internal_domains=("contractor.example",),
    trusted_networks=(ip_network("192.0.2.0/24"),),
)
OUTSIDE = "ops@army.example"
TRUSTED, STRANGER = "192.0.2.7", "198.51.100.9"


@dataclass(frozen=True)
class Mail:
    """One message: envelope, client, and header lines."""

    header: str = "From: Ann <ann@ministry.example>"
    sender: str = "ann@ministry.example"
    to: tuple[str, ...] = (OUTSIDE,)
    login: str = ""
    ip: str = TRUSTED


def origin(mail: Mail, organisation: Organisation = US) -> Origin:
    recipients = tuple(Recipient(t.encode(), parse_path(t.encode())) for t in mail.to)
    envelope = Envelope(mail.sender.encode(), parse_path(mail.sender.encode()), recipients)
    message = read(mail.header.replace("\n", "\r\n").encode() + b"\r\n\r\nHello\r\n")
    return origin_of(message, envelope, Client(ip=mail.ip, login=mail.login), organisation)


ANN = "ann@ministry.example"
FROM_BOB = "From: bob@elsewhere.example"
REPORT = "Content-Type: multipart/report; report-type=delivery-status; boundary=b"

CASES: dict[str, tuple[Mail, str, str, str]] = {
    # name: (mail, direction, author, kind)
    "a person writes out from a trusted client": (Mail(), "outgoing", ANN, "person"),
    "a person writes inside": (Mail(to=("bob@ministry.example",)), "inside", ANN, "person"),
    "a domain inside that is not ours counts as inside": (Mail(to=("x@contractor.example",)), "inside", ANN, "person"),
    "one recipient outside is enough": (Mail(to=("bob@ministry.example", OUTSIDE)), "outgoing", ANN, "person"),
    "a subdomain by wildcard is ours": (Mail(to=("x@navy.ministry.example",)), "inside", ANN, "person"),
    "a local recipient without a domain is inside": (Mail(to=("<Postmaster>",)), "inside", ANN, "person"),
    "a stranger writes to us": (Mail(FROM_BOB, "bob@elsewhere.example", (ANN,), ip=STRANGER), "incoming", "", "person"),
    "neither side is ours": (Mail(FROM_BOB, "bob@elsewhere.example", ip=STRANGER), "through", "", "forward"),
    "a login is the author": (Mail(login="ann@Ministry.Example", ip=STRANGER), "outgoing", ANN, "person"),
    "a bare login is found in From": (Mail(login="ANN", ip=STRANGER), "outgoing", ANN, "person"),
    "a Windows login loses its domain": (Mail(login="MIN\\ann", ip=STRANGER), "outgoing", ANN, "person"),
    "a bare login is found in the envelope": (
        Mail("From: press@ministry.example", "ann@navy.ministry.example", login="ann"),
        "outgoing",
        "ann@navy.ministry.example",
        "shared",
    ),
    "a bare login that nobody has names nobody among several domains": (
        Mail(login="x117", ip=STRANGER),
        "outgoing",
        "",
        "person",
    ),
    "a bare login is not believed in a foreign domain": (
        Mail("From: ann@elsewhere.example", "ann@elsewhere.example", login="ann"),
        "outgoing",
        "",
        "person",
    ),
    "a login of blanks is none": (Mail(login=" \t ", ip=STRANGER), "outgoing", "", "person"),
    "a percent sign in an address of ours leads out": (
        Mail(to=("ops%army.ml@ministry.example",)),
        "outgoing",
        ANN,
        "person",
    ),
    "a bang in an address of ours leads out": (Mail(to=("army.ml!ops@ministry.example",)), "outgoing", ANN, "person"),
    "a percent sign that leads to us stays inside": (
        Mail(to=("bob%ministry.example@ministry.example",)),
        "inside",
        ANN,
        "person",
    ),
    "a login that writes as another mailbox shares it": (
        Mail("From: press@ministry.example", "press@ministry.example", login=ANN),
        "outgoing",
        ANN,
        "shared",
    ),
    "Sender differs from From": (
        Mail(f"From: press@ministry.example\nSender: {ANN}", "press@ministry.example"),
        "outgoing",
        ANN,
        "shared",
    ),
    "a tag makes no other person": (
        Mail("From: ann+news@ministry.example"),
        "outgoing",
        "ann+news@ministry.example",
        "person",
    ),
    "forged: our From from a stranger's client": (Mail(ip=STRANGER), "outgoing", "", "person"),
    "forged: our From in a foreign envelope": (Mail(sender="bob@elsewhere.example"), "outgoing", "", "forward"),
    "forged: our From comes in to us": (Mail(to=(ANN,), ip=STRANGER), "incoming", "", "person"),
    "forged: our From in a foreign envelope behind our relay": (
        Mail(sender="bob@elsewhere.example", to=(ANN,)),
        "incoming",
        "",
        "forward",
    ),
    "a bounce of ours leaves": (
        Mail(f"From: MAILER-DAEMON@ministry.example\n{REPORT}", "<>"),
        "outgoing",
        "",
        "bounce",
    ),
    "a bounce comes back": (
        Mail(f"From: postmaster@elsewhere.example\n{REPORT}", "<>", (ANN,), ip=STRANGER),
        "incoming",
        "",
        "bounce",
    ),
    "a report with a sender is a bounce": (
        Mail(f"{FROM_BOB}\n{REPORT}", "bob@elsewhere.example", (ANN,), ip=STRANGER),
        "incoming",
        "",
        "bounce",
    ),
    "a notice of ours comes back": (
        Mail("From: nixie@ministry.example\nAuto-Submitted: auto-generated", "<>", (ANN,), ip=STRANGER),
        "incoming",
        "",
        "bounce",
    ),
    "a notice of ours goes to its author": (
        Mail("From: nixie@ministry.example\nAuto-Submitted: auto-generated", "<>", (ANN,)),
        "inside",
        "",
        "bounce",
    ),
    "an automatic reply": (Mail(f"From: {ANN}\nAuto-Submitted: auto-replied"), "outgoing", ANN, "machine"),
    "Auto-Submitted: no is a person": (Mail(f"From: {ANN}\nAuto-Submitted: no"), "outgoing", ANN, "person"),
    "a list post": (
        Mail(f"{FROM_BOB}\nList-Id: Talk <talk.ministry.example>", "talk-bounces@ministry.example"),
        "outgoing",
        "",
        "list",
    ),
    "bulk precedence": (Mail(f"From: {ANN}\nPrecedence: bulk"), "outgoing", ANN, "list"),
    "VERP alone is a machine": (
        Mail("From: news@ministry.example", "news-bounce+ops=army.example@ministry.example"),
        "outgoing",
        "news@ministry.example",
        "machine",
    ),
    "SRS is a forward, and its sender a stranger": (
        Mail(FROM_BOB, "SRS0=ab1c=XX=elsewhere.example=bob@ministry.example"),
        "through",
        "",
        "forward",
    ),
    "a rule that forwards under our envelope": (Mail(FROM_BOB), "outgoing", "", "forward"),
    "a message without From has its envelope": (Mail("Subject: x"), "outgoing", ANN, "person"),
    "a released message passes again": (
        Mail(f"From: {ANN}\nResent-From: {ANN}\nResent-To: ops@army.example\nX-Nixie-Hold: 7"),
        "outgoing",
        ANN,
        "person",
    ),
    "a header alone never makes a machine of a login": (
        Mail(f"From: {ANN}\nAuto-Submitted: auto-replied", login=ANN),
        "outgoing",
        ANN,
        "person",
    ),
    "a header alone never makes a list of a login": (
        Mail(f"From: {ANN}\nList-Id: <x.example>\nPrecedence: bulk", login=ANN),
        "outgoing",
        ANN,
        "person",
    ),
    "a login without envelope sender is a person": (Mail(sender="<>", login=ANN), "outgoing", ANN, "person"),
    "a read receipt of a login is a report": (
        Mail(f"From: {ANN}\n{REPORT}", "<>", login=ANN),
        "outgoing",
        ANN,
        "bounce",
    ),
    "a login that redirects a stranger's mail typed the recipient": (
        Mail(f"{FROM_BOB}\nResent-From: {ANN}", login=ANN),
        "outgoing",
        ANN,
        "person",
    ),
}


@pytest.mark.parametrize(("mail", "direction", "author", "kind"), CASES.values(), ids=CASES)
def test_a_message_has_direction_author_and_kind(mail: Mail, direction: str, author: str, kind: str) -> None:
    found = origin(mail)

    assert (str(found.direction), str(found.author or ""), str(found.kind)) == (direction, author, kind)
    assert found.author_basis == ("login" if mail.login.strip() else "from" if author else "none")


@pytest.mark.parametrize(
    ("mail", "note"),
    [
        (Mail(ip=STRANGER), "client-untrusted"),
        (Mail(sender="bob@elsewhere.example"), "envelope-foreign"),
        (Mail(sender="<>"), "null-sender"),
        (Mail(login="x117"), "login-unmatched"),
        (Mail(login="a\x01b"), "login-unreadable"),
        (Mail("From: ann@ministry.example, bob@ministry.example"), "several-from"),
        (Mail(f"From: {ANN}\nX-Nixie-Hold: 7"), "nixie-field"),
        (Mail(f"From: {ANN}\nAuto-Submitted: auto-replied", login=ANN), "ignored-auto-submitted"),
        (Mail(f"From: {ANN}\nList-Id: <x.example>", login=ANN), "ignored-list-field"),
        (Mail(f"From: {ANN}\nPrecedence: list", login=ANN), "ignored-precedence"),
    ],
)
def test_what_was_odd_is_noted(mail: Mail, note: str) -> None:
    assert note in origin(mail).notes


def test_mailbox_and_envelope_sender_are_kept_apart_from_the_author() -> None:
    found = origin(Mail("From: press@ministry.example", "press-desk@ministry.example", login=ANN))

    assert str(found.author) == ANN
    assert str(found.mailbox) == "press@ministry.example"
    assert str(found.envelope_sender) == "press-desk@ministry.example"


def test_nothing_private_shows_in_the_repr() -> None:
    assert "ann" not in repr(origin(Mail(login=ANN)))


@pytest.mark.parametrize(
    ("domains", "author"),
    [
        ((), None),
        (("a.example",), "anna@a.example"),
        (("*.a.example",), None),
        (("a.example", "b.example"), None),
    ],
)
def test_a_bare_login_becomes_an_address_only_where_no_namesake_can_be_meant(
    domains: tuple[str, ...], author: str | None
) -> None:
    found = origin(Mail("From: info@b.example", "info@b.example", login="anna"), Organisation(own_domains=domains))

    assert (found.author and str(found.author), found.author_basis) == (author, "login")


@pytest.mark.parametrize("field", ["from_", "sender"])
def test_people_whom_nobody_looked_at_are_no_author(field: str) -> None:
    unseen: dict[str, Any] = {field: NOT_GIVEN}
    address = parse_address(ANN)
    assert address is not None
    envelope = Envelope(b"", address, (Recipient(b"", parse_path(OUTSIDE.encode())),))

    assert origin_of(Message(**unseen), envelope, Client(ip=TRUSTED), US).author == address
