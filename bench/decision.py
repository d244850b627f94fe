"""How long one whole decision takes, by what the message looks like: the engine alone, from a parsed message to its verdict.

    .venv/bin/python bench/decision.py [--mails N] [--addresses N] [--json OUT]

An invented organisation writes `--mails` mails (300 authors, groups of two to six out of sixty contacts each) that are learned into a
store on disk, and the near index of addresses holds `--addresses` more, of the skewed names of `bench/near.py`. Then messages are judged that
nobody learned. The machine's speed matters: read the figures beside those of `bench/near.py` of the same run.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from near import invent, weighed
from nixie.core.address import Address, Mailbox
from nixie.core.envelope import Client, Envelope, Recipient
from nixie.core.message import Message, Part
from nixie.core.organisation import Organisation
from nixie.service.engine import Engine
from nixie.service.installation import parse_shipped
from nixie.sources.mailings import mailing_of_message
from nixie.sources.records import events_of, record_of_message
from nixie.store.db import migrate, open_reader, open_writer, writing
from nixie.store.knowledge import teach
from nixie.store.knowledge_facts import StoreFacts
from nixie.store.mailings import learn_mailings
from nixie.store.near_addresses import NearAddresses, build_addresses

if TYPE_CHECKING:
    from collections.abc import Sequence

OURS = Organisation(own_domains=("harbour.example",))
AUTHORS, CONTACTS, FIRMS = 300, 60, 400
GIVEN = [
    "anna",
    "ben",
    "carl",
    "dora",
    "emil",
    "fay",
    "gus",
    "hana",
    "ivan",
    "jane",
    "karl",
    "lena",
    "mats",
    "nora",
    "otto",
    "pia",
    "quin",
    "rosa",
    "sven",
    "tina",
]
SURNAMES = [
    "arden",
    "birk",
    "crane",
    "dole",
    "ebner",
    "frost",
    "grove",
    "hale",
    "ibsen",
    "jarl",
    "kent",
    "lund",
    "moor",
    "nash",
    "oaks",
    "page",
    "ravn",
    "stone",
    "thorn",
    "vale",
]
WORDS = [
    "berth",
    "crane",
    "draft",
    "freight",
    "gauge",
    "harbour",
    "invoice",
    "jetty",
    "keel",
    "lading",
    "manifest",
    "notice",
    "order",
    "pilot",
    "quay",
    "rota",
]
NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def person(number: int, domain: str) -> Address:
    """Return the address of an invented person."""
    return Address(f"{GIVEN[number % 20]}.{SURNAMES[number // 20 % 20]}{number // 400 or ''}", domain)


def message(author: Address, to: Sequence[Address], identity: str, dice: random.Random) -> tuple[Message, Envelope]:
    """Return a message as the door would read it, and its envelope."""
    text = " ".join(dice.choices(WORDS, k=40))
    boxes = tuple(Mailbox("", one, str(one), "", 0, 0, ()) for one in to)
    part = Part((1,), "text/plain", "", "", len(text), text)
    read = Message(
        from_=(Mailbox("", author, str(author), "", 0, 0, ()),), to=boxes, subject=" ".join(dice.choices(WORDS, k=3)),
        message_id=identity, parts=(part,), body_digest=b"x" * 32, size=1_000,
    )  # fmt: skip
    recipients = tuple(Recipient(b"<%s>" % str(one).encode(), one) for one in to)
    return read, Envelope(b"<%s>" % str(author).encode(), author, recipients)


def build(folder: Path, mails: int, addresses: int, dice: random.Random) -> list[list[Address]]:
    """Learn the organisation's mail and index more addresses; return each author's contacts."""
    books = [
        [person(dice.randrange(8_000), f"firm{dice.randrange(FIRMS)}.example") for _ in range(CONTACTS)]
        for _ in range(AUTHORS)
    ]
    groups = [[dice.sample(book, dice.randint(2, 6)) for _ in range(12)] for book in books]
    db = open_writer(folder / "nixie.db")
    migrate(db, "bench")
    for start in range(0, mails, 2_000):
        with writing(db):
            for number in range(start, min(mails, start + 2_000)):
                which = dice.randrange(AUTHORS)
                author, to = person(which, "harbour.example"), dice.choice(groups[which])
                at = NOW - timedelta(days=360 * (1 - number / mails))
                read, _ = message(author, to, f"m{number}@harbour.example", dice)
                teach(db, tuple(events_of(record_of_message(read, author, tuple(to), at), OURS)))
                mailing = mailing_of_message(read, author, tuple(to), at, OURS)
                if mailing is not None:
                    learn_mailings(db, (mailing,))
    db.close()
    build_addresses(folder / "near", weighed(invent(addresses, 7)))
    return [[*book, *(one for group in own for one in group)] for book, own in zip(books, groups, strict=True)]


def main() -> None:
    """Build, judge, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mails", type=int, default=60_000)
    parser.add_argument("--addresses", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    dice = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="nixie-decision-") as name:
        folder = Path(name)
        began = time.monotonic()
        books = build(folder, options.mails, options.addresses, dice)
        print(f"built in {time.monotonic() - began:.0f} s", flush=True)
        near = NearAddresses(folder / "near")
        engine = Engine(OURS, parse_shipped("enforce"), StoreFacts(open_reader(folder / "nixie.db"), None, near))
        figures: dict[str, Any] = {}
        cases = (
            ("3 recipients with history, written to together", lambda b: b[CONTACTS : CONTACTS + 3]),
            ("3 recipients with history, never together", lambda b: dice.sample(b[:CONTACTS], 3)),
            (
                "one of 3 never seen",
                lambda b: [*b[CONTACTS : CONTACTS + 2], person(dice.randrange(8_000), "new.example")],
            ),
            ("100 recipients", lambda _: [person(dice.randrange(8_000), f"firm{n}.example") for n in range(100)]),
        )
        for label, choose in cases:
            rounds = 100 if label.startswith("100") else 600
            taken = []
            for number in range(rounds):
                which = dice.randrange(AUTHORS)
                to = list(dict.fromkeys(choose(books[which])))
                read, envelope = message(person(which, "harbour.example"), to, f"j{label}{number}", dice)
                start = time.perf_counter()
                engine.decide(read, envelope, Client(), NOW)
                taken.append(1000 * (time.perf_counter() - start))
            taken.sort()
            figures[label] = {"p50_ms": taken[len(taken) // 2], "p99_ms": taken[int(0.99 * len(taken))]}
            print(
                f"{label:<50} p50 {figures[label]['p50_ms']:.2f} ms, p99 {figures[label]['p99_ms']:.2f} ms", flush=True
            )
    if options.json:
        options.json.write_text(
            json.dumps({"mails": options.mails, "addresses": options.addresses, **figures}, indent=1)
        )


if __name__ == "__main__":
    main()
