"""Invented mail between a house and the outside, as each witness shows it: a message, a Postfix log, a mailbox."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

PEOPLE = tuple(f"{name}@navy.example" for name in ("ann", "ben", "cleo"))
OTHERS = (
    "kim@army.example", "Lee.Ng@army.example", "kim@mail.example", "ops+night@mail.example", "info@xn--kontr-mua.example",
    "o'brien@army.exmaple", "kim@armyy.example",
)  # fmt: skip
TOPICS = ("x", "Dredging contract", "Harbour figures")
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Mail:
    """One mail; `answers` is the number of the one it refers to."""

    number: int
    sender: str
    recipients: tuple[str, ...]
    at: datetime
    answers: int | None = None

    @property
    def id(self) -> str:
        return message_id(self.number)

    @property
    def outgoing(self) -> bool:
        return self.sender in PEOPLE

    @property
    def raw(self) -> bytes:
        """Return the message with CRLF line ends."""
        refers = f"In-Reply-To: <{message_id(self.answers)}>\r\n" if self.answers is not None else ""
        to = ", ".join(f'"Some One" <{r}>' for r in self.recipients)
        head = f"From: A Name <{self.sender}>\r\nTo: {to}\r\nDate: {self.at:%a, %d %b %Y %H:%M:%S +0000}\r\n"
        return f"{head}Message-ID: <{self.id}>\r\n{refers}Subject: {TOPICS[self.number % 3]}\r\n\r\nHello.\r\n".encode()


def message_id(number: int) -> str:
    return f"{number}.abc@host.example"


def invent(count: int, seed: int = 1, step: int = 47) -> list[Mail]:
    """Return mails in the order of their time, `step` minutes apart; a part of them answers what was sent before."""
    rng = random.Random(seed)
    mails: list[Mail] = []
    for n in range(count):
        at, ours, others = (
            START + timedelta(minutes=step * n),
            rng.choice(PEOPLE),
            rng.sample(OTHERS, rng.randint(1, 3)),
        )
        if rng.random() < 0.4:
            sent = [m for m in mails if m.outgoing]
            answered = rng.choice(sent) if sent and rng.random() < 0.6 else None
            outside = rng.choice(answered.recipients) if answered else others[0]
            mails.append(Mail(n, outside, (answered.sender if answered else ours,), at, answered and answered.number))
        else:
            mails.append(Mail(n, ours, tuple(others), at))
    return mails


def split(mail: Mail) -> Iterator[Mail]:
    """Yield a mail as a mail server that opens a transaction for each recipient hands it over."""
    for recipient in mail.recipients:
        yield replace(mail, recipients=(recipient,))


def postfix_log(mails: Iterable[Mail]) -> str:
    """Return the log of a Postfix that had these transactions."""
    return "".join(line for number, mail in enumerate(mails) for line in _lines(number, mail))


def _lines(number: int, mail: Mail) -> Iterator[str]:
    queue, stamp = f"{0xABC00 + number % 40:X}", mail.at.isoformat(timespec="microseconds")
    rest = "relay=mx.example[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
    size = f"size=1234, nrcpt={len(mail.recipients)} (queue active)"
    told = [
        ("smtpd", f"{queue}: client=pc.navy.example[192.0.2.1]"),
        ("cleanup", f"{queue}: message-id=<{mail.id}>"),
        ("qmgr", f"{queue}: from=<{mail.sender}>, {size}"),
        *(("smtp", f"{queue}: to=<{r}>, {rest}") for r in mail.recipients),
        ("qmgr", f"{queue}: removed"),
    ]
    for daemon, text in told:
        yield f"{stamp} mx postfix/{daemon}[77]: {text}\n"


def mbox(mails: Sequence[Mail]) -> bytes:
    """Return a mailbox that holds these mails."""
    return b"".join(b"From x Mon Mar  2 10:00:00 2026\n" + m.raw.replace(b"\r\n", b"\n") + b"\n" for m in mails)
