"""Forty invented messages that touch everything a verdict depends on: slips, kinds of sender, directions, odd addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

PARTNER = "forces.example"
KNOWN = [f"officer{n}@army.mil" for n in range(4)] + ["j.smith@forces.example", "press@bbc.example"]
SLIPS = [
    "ops@army.ml", "ops@arny.mil", "ops@amry.mil", "ops@armyy.mil", "ops@rmy.mil", "ops@army.nil", "ops@army.mil.example",
    "j.smith@force.example", "j.smith@forcse.example", "j.smith@forces.exmaple", "press@bbcc.example", "ops@xn--rmy-5cd.mil",
]  # fmt: skip
HONEST = [
    "new@somewhere.example",
    "kate@bbc.example",
    "bob@mailw.example",
    "officer1@army.mil",
    "a.b+tag@forces.example",
]
ODD = ['"two words"@army.ml', "ops@[192.0.2.1]", "a=b%c@army.ml", "OPS@ARMY.ML"]


@dataclass(frozen=True)
class Case:
    """One message with its envelope; `login` is who authenticated, if anybody."""

    name: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    login: str = ""


def corpus(round_: int = 1) -> list[Case]:
    """Return the cases in a fixed order; those of another round are other messages that say the same."""
    return [replace(case, content=case.content.replace(b"ROUND", b"%d" % round_)) for case in _cases()]


def _cases() -> Iterator[Case]:
    for number, slip in enumerate(SLIPS):
        yield _case(f"slip{number}", (KNOWN[number % len(KNOWN)], slip))
    for number, address in enumerate(HONEST + ODD):
        yield _case(f"address{number}", (address,))
    yield _case("everybody", (*KNOWN, *SLIPS, *HONEST))
    yield _case("login", ("ops@army.ml",), login="ann@army.mil")
    yield _case("inside", ("bob@army.mil",))
    yield _case("incoming", ("ann@army.mil",), sender="j.smith@forces.example")
    yield _case("through", ("a@other.example",), sender="b@third.example")
    yield _case("bounce", ("ops@army.ml",), sender="", more="Auto-Submitted: auto-replied\r\n")
    yield _case("list", ("ops@army.ml",), more="List-Id: <staff.army.mil>\r\nPrecedence: list\r\n")
    yield _case("forged", ("ops@army.ml",), author="general@army.mil", sender="x@third.example")
    yield _case("blind", ("ops@army.ml", "officer1@army.mil"), shown=("officer1@army.mil",))
    yield _case("split", ("ops@army.ml",), shown=("officer1@army.mil", "officer2@army.mil", "ops@army.ml"))
    yield _case("reply", ("j.smith@force.example",), more="In-Reply-To: <x@forces.example>\r\n")
    yield _case("twice", ("ops@army.ml", "ops@army.ml", "OPS@army.ml"))
    yield _case("latin", ("ops@army.ml",), body="caf\xe9 \x00 null".encode("latin-1"))
    yield _case("long", ("ops@army.ml",), body=b"x" * 5000 + b"\r\n")
    yield _case("dots", ("ops@army.ml",), body=b".\r\n..\r\n.x\r\n")
    yield _case("empty", ("ops@army.ml",), body=b"")
    yield _case("folded", ("ops@army.ml",), more="X-Long: a\r\n\tb\r\n  c\r\n")
    yield Case("no-head", "ann@army.mil", ("ops@army.ml",), b"\r\njust a body, ROUND\r\n")
    yield Case(
        "no-id", "ann@army.mil", ("ops@army.ml",), b"From: ann@army.mil\r\nTo: ops@army.ml\r\n\r\nhello ROUND\r\n"
    )


def _case(
    name: str,
    recipients: tuple[str, ...],
    *,
    sender: str = "ann@army.mil",
    author: str = "",
    login: str = "",
    shown: tuple[str, ...] = (),
    more: str = "",
    body: bytes = b"See attached.\r\n",
) -> Case:
    head = f"From: {author or sender or 'ann@army.mil'}\r\nTo: {', '.join(shown or recipients)}\r\nSubject: {name}\r\n"
    head += f"Message-ID: <{name}.ROUND@corpus.example>\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\n{more}\r\n"
    return Case(name, sender, recipients, head.encode() + body, login)
