"""A small invented house whose mail is walked forward line by line, and what is said about one more mail of it.

What is asked about is not learned, so that one house serves many questions. Every copy is reported, however small its
probability: tests look at who is most suspect first, and only then at what the shipped policy does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from nixie.cli.checking_stream import Walk, reporting_from, span
from nixie.core.address import parse_address
from nixie.core.organisation import Organisation
from nixie.service.engine import Engine
from nixie.service.installation import parse_shipped
from nixie.service.nothing import NothingKnown
from nixie.store.db import writing
from nixie.store.mail_lists import save_list

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
OWN = "harbour.example"
ANN, BEN, CARA, DORA = (f"{name}@{OWN}" for name in ("ann.lee", "ben.carter", "cara.holm", "dora.finch"))
JOHN, MARY, PETER = "john.smith@vantor.com", "mary.jones@vantor.com", "peter.hill@vantor.com"
KARL, NORA = "karl.weber@kellwig.de", "nora.lang@kellwig.de"
NAMESAKE, JOHANNA, TOM = "john.smith@zenor.org", "johanna.roe@deltis.nl", "tom.gray@ostbank.ch"
PRIVATE_PETER, PRIVATE_BEN, LUCY = "peter.hill@gmail.com", "ben.carter@gmail.com", "lucy.brown82@gmail.com"
STRANGER, GONE = "vera.neu@presswerk.it", "kurt.mayer@kellwig.de"
NAMES = {
    JOHN: "John Smith", MARY: "Mary Jones", PETER: "Peter Hill", KARL: "Karl Weber", NORA: "Nora Lang", NAMESAKE: "John Smith",
    JOHANNA: "Johanna Roe", TOM: "Tom Gray", PRIVATE_PETER: "Peter Hill", LUCY: "Lucy Brown", BEN: "Ben Carter", CARA: "Cara Holm",
}  # fmt: skip
CRANE = {
    "subject": "Crane contract",
    "body": "The warranty of the gantry crane and the penalty clause of the contract.",
}
BERTH = {"subject": "Berth plan", "body": "Mooring of the training ship at the eastern berth, tides and pilotage."}
FERRY = {"subject": "Ferry timetable", "body": "Summer departures of the island ferry, and the printed timetable."}
LOAN = {"subject": "Loan instalment", "body": "Interest and instalment of the loan for the quay, and the guarantee."}
GARDEN = {"subject": "Planting list", "body": "Shrubs and lavender for the yard behind the harbour office."}
WATCH = {"subject": "Night watch", "body": "Nobody is to know yet that the watch will be halved and the shed closed."}
ROTA = {"subject": "Weekend rota", "body": "Who stands in for the watch on Saturday and Sunday night."}


@dataclass(frozen=True)
class Told:
    """What was said about one mail."""

    line: dict[str, Any]

    def about(self, address: str) -> dict[str, Any]:
        (found,) = (one for one in self.line["recipients"] if one["address"] == address)
        return dict(found)

    def probability(self, address: str) -> float:
        return float(self.about(address)["probability"] or 0.0)

    def slip(self, address: str) -> str:
        return str(self.about(address)["slip"])

    def held(self, address: str) -> bool:
        return str(self.about(address)["disposition"]) != "deliver"

    @property
    def suspect(self) -> str:
        """Return the address of the copy that most probably went astray."""
        return str(max(self.line["recipients"], key=lambda one: one["probability"] or 0.0)["address"])

    def meant(self, address: str) -> str | None:
        """Return the likeliest candidate's address, None where nobody was meant."""
        candidates = self._factors(address)["candidates"]
        return candidates[0]["address"] if candidates else None

    def codes(self, address: str) -> set[str]:
        """Return the codes of the evidence about an address and its likeliest candidate."""
        factors = self._factors(address)
        return {one["code"] for one in (*factors["evidence"], *factors["candidates"][0]["evidence"])}

    def evidence(self, address: str, code: str) -> dict[str, Any]:
        factors = self._factors(address)
        found = (*factors["evidence"], *factors["candidates"][0]["evidence"])
        return next(dict(one) for one in found if one["code"] == code)

    def _factors(self, address: str) -> dict[str, Any]:
        (found,) = (one for one in self.about(address)["factors"] if one["check"] == "misdirected")
        return dict(found)

    @property
    def skipped(self) -> set[tuple[int | None, str]]:
        return {(one["recipient"], one["reason"]) for one in self.line["skipped"]}

    @property
    def text(self) -> str:
        """Return everything that was found, for a failing test."""
        rows = []
        for one in self.line["recipients"]:
            rows.append(f"{one['address']} {one['disposition']} p={one['probability'] or 0.0:.4f} {one['slip']}")
            for factors in one["factors"]:
                rows += [f"    {e['weight']:+6.2f} {e['code']} {e['text']}" for e in factors["evidence"]]
                for c in factors["candidates"]:
                    rows.append(f"    {c['probability']:.4f} {c['address']} {c['slip']}")
                    rows += [f"        {e['weight']:+6.2f} {e['code']} {e['text']}" for e in c["evidence"]]
        return "\n".join(rows)


class House:
    """One house from its first mail on. Each mail comes a few hours after the one before."""

    def __init__(self, own: str = OWN, *, mode: str = "enforce") -> None:
        engine = Engine(Organisation((own,)), parse_shipped(mode), NothingKnown())
        self.own = own
        self.walk = Walk(reporting_from(engine, 0.0), span("2d"), learning=True)
        self.at = START
        self.talks: dict[str, str] = {}
        self.lines: list[dict[str, Any]] = []
        """What was learned, as lines of a stream."""
        self._number = 0

    def mail(self, sender: str, *to: str, **more: Any) -> str:
        """Let one mail pass and be learned; return its id."""
        return str(self._line(sender, to, {"judge": False, **more})["id"])

    def mails(self, times: int, sender: str, *to: str, **more: Any) -> None:
        for _ in range(times):
            self.mail(sender, *to, **more)

    def bounce(self, identity: str, sender: str, *to: str) -> None:
        """Let the mail `identity` be refused for good by these."""
        self._line(sender, to, {"kind": "bounce", "id": identity})

    def ask(self, sender: str, *to: str, **more: Any) -> Told:
        """Return what is said about a mail that is not learned."""
        return Told(self._line(sender, to, {"learn": False, **more}))

    def passes(self, days: float) -> None:
        self.at += timedelta(days=days)

    def learn_list(self, name: str, *members: str) -> None:
        """Teach the members of a list, as `nixie learn --lists` does."""
        db = self.walk._db
        assert db is not None
        with writing(db):
            addresses = [a for a in map(parse_address, (name, *members)) if a is not None]
            save_list(db, addresses[0], addresses[1:], 1)

    def _line(self, sender: str, to: tuple[str, ...], more: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        self.at += timedelta(hours=5)
        shown = [{"addr": one, "name": NAMES.get(one, "")} for one in to]
        line = {"id": f"{self._number}@{self.own}", "date": self.at.isoformat(), "sender": sender, "to": shown, **more}
        if line.get("learn", True):
            self.lines.append(line)
        (told,) = self.walk.answers([json.dumps(line).encode()], explain=True)
        return told


@cache
def harbour() -> House:
    """Return the house that most questions are asked of; nothing more is to be learned in it."""
    return build()


def build() -> House:
    """Return a new house after seven months of Ann's mail and some of her colleagues'."""
    house = House()
    for week in range(30):
        house.mail(ANN, JOHN, MARY, KARL, **CRANE)
        house.mail(ANN, TOM, **LOAN)
        house.mail(BEN, TOM, NORA, **LOAN)
        house.mail(ANN, BEN, CARA, **ROTA)
        if week % 2 == 0:
            house.mail(ANN, JOHN, **CRANE)
            house.mail(ANN, PETER, MARY, **CRANE)
            house.mail(ANN, LUCY, **GARDEN)
            house.mail(CARA, JOHANNA, NORA, **FERRY)
        if week % 4 == 0:
            house.mail(ANN, NAMESAKE, **BERTH)
            house.mail(ANN, JOHANNA, **FERRY)
            house.mail(ANN, f"new{week}@guild{week}.org", **FERRY)
        house.passes(4)
    house.mail(ANN, PRIVATE_PETER, subject="Sailing", body="Shall we sail on Sunday?")
    house.mail(ANN, PRIVATE_BEN, subject="Sailing", body="Shall we sail on Sunday?")
    _conversations(house)
    house.passes(3)
    return house


def _conversations(house: House) -> None:
    """Three conversations: inside the house alone, with two people of Vantor, and one in which an address proved wrong."""
    first = house.mail(BEN, ANN, CARA, **WATCH)
    house.talks["inside"] = house.mail(CARA, ANN, BEN, **WATCH, in_reply_to=f"<{first}>")
    house.talks["crane"] = house.mail(JOHN, ANN, MARY, KARL, **CRANE)
    wrong = house.mail(ANN, KARL, GONE, **CRANE)
    house.bounce(wrong, ANN, GONE)
    house.talks["gone"] = house.mail(KARL, ANN, **CRANE, in_reply_to=f"<{wrong}>")


def answering(talk: str, content: dict[str, str]) -> dict[str, str]:
    """Return what makes a mail an answer in one of the harbour's conversations."""
    return {**content, "in_reply_to": f"<{harbour().talks[talk]}>"}
