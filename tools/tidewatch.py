"""The mail of an invented organisation, the Tidewatch service: who writes to whom, for a demonstration and for tests.

Everything follows from a seed and an end date; no name or address is a real one (domains are reserved or invented).
"""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN_DOMAIN = "tidewatch.com.au"
PEOPLE = ("ann.marsh", "ben.okoro", "carla.vidal", "dev.rao", "press")
OUTSIDE = (
    ("ops", "northfleet.mil", 60),
    ("j.reyes", "northfleet.mil", 25),
    ("harbour.master", "portlight.org", 35),
    ("lab", "saltmarsh-institute.edu", 18),
    ("k.brandt", "brandt-marine.de", 22),
    ("orders", "ropeworks.co.uk", 12),
    ("m.ferreira", "atlantica.pt", 9),
    ("visa", "embassy-example.ml", 4),
)
SUBJECTS = ("Tide tables", "Roster for the week", "Invoice", "Buoy 14", "Meeting on Thursday", "Chart corrections")


@dataclass(frozen=True, slots=True)
class Mail:
    """One sent message of the past, ready to be written into an mbox or a log."""

    message_id: str
    at: datetime
    sender: str
    to: tuple[str, ...]
    subject: str

    def lines(self) -> list[str]:
        """Return header and body as an mbox shows them, with its `From ` line."""
        return [
            f"From {self.sender} {self.at:%a %b %d %H:%M:%S %Y}",
            f"From: {self.sender}",
            f"To: {', '.join(self.to)}",
            f"Subject: {self.subject}",
            f"Date: {format_datetime(self.at)}",
            f"Message-ID: <{self.message_id}>",
            "",
            "Please find the matter below.",
            "",
        ]


def correspondence(end: datetime, *, seed: int = 7, days: int = 120, count: int = 400) -> Iterator[Mail]:
    """Yield `count` sent messages of the `days` before `end`, the oldest first."""
    rng = random.Random(seed)
    weights = [w for _, _, w in OUTSIDE]
    moments = sorted(end - timedelta(seconds=rng.uniform(3600, days * 86400)) for _ in range(count))
    for number, at in enumerate(moments):
        picked = {rng.choices(OUTSIDE, weights)[0] for _ in range(rng.choice((1, 1, 1, 2)))}
        sender = f"{rng.choice(PEOPLE)}@{OWN_DOMAIN}"
        to = tuple(sorted(f"{local}@{domain}" for local, domain, _ in picked))
        stamped = at.astimezone(UTC).replace(microsecond=0)
        yield Mail(f"{seed}.{number}@{OWN_DOMAIN}", stamped, sender, to, rng.choice(SUBJECTS))


def mbox(mails: Iterator[Mail]) -> str:
    """Return the messages as one mbox file."""
    return "\n".join(line for mail in mails for line in mail.lines())


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port
