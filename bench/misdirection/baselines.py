"""The baselines: what simpler means would catch of the same slips, walking forward over the same lines in the same order.

* `random`: a number from the copy's own key, the same in every run.
* `edit distance`: an address that the organisation never wrote to or heard from, within two edits of one that it did.
* `first contact (sender)`, `first contact (organisation)`: warn whenever somebody is written to for the first time.
* `frequency`: the rarer a recipient in the sender's mail, the more suspicious.
* `Knn-30`, with `+ frequency`, with `+ co-occurrence`: Carvalho & Cohen, "Preventing Information Leaks in Email", SDM 2007. Knn-30: over TF-IDF vectors of
  the sender's sent and received messages, a recipient's score is the sum of the cosine similarities of those of the 30 nearest
  that went to it (or came from it). Frequency: share of the sender's sent and of its received messages, and a
  mark for none of either. Co-occurrence: how much of the mail to a recipient also went to each of the others, on average.

Where the paper is followed with a change, it is to the baseline's advantage or for time. The combination is logistic regression
fitted on the tuning half (`learners`), once to kind A as in the paper and once to all kinds, where the paper trains a voted perceptron per user with Knn scores from ten folds: walking forward
gives scores of unseen messages without folds. It also sees the logarithms of the counts. Neighbours are looked for among the latest
`MAILBOX` messages of a sender; a message keeps its `neighbours.TERMS` strongest words, with weights as of its day. What the paper calls
3g features tells the model how slips are simulated and is left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from known import KnownAddresses
from learners import logistic, scored
from neighbours import Neighbours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from table import Table
    from values import OrgRun, Sample, Walked

FACTS = (
    "random",
    "edit distance",
    "first contact (sender)",
    "first contact (organisation)",
    "sent share",
    "received share",
    "never sent",
    "never received",
    "text",
    "together",
    "log sent",
    "log received",
    "log text",
)
"""What the walk notes of every copy, in this order."""

DIRECT = ("random", "edit distance", "first contact (sender)", "first contact (organisation)")
"""Facts that are a suspicion as they stand."""

_FREQUENCY = (
    "text",
    "log text",
    "sent share",
    "received share",
    "never sent",
    "never received",
    "log sent",
    "log received",
)
COMBINED = {
    "Knn-30 + frequency": (_FREQUENCY, "A"),
    "Knn-30 + frequency + co-occurrence": ((*_FREQUENCY, "together"), "A"),
    "the same, fitted to all kinds": ((*_FREQUENCY, "together"), ""),
}
"""The combinations: their columns, and the kind they are fitted to (as the paper does, to the 3g-addresses that it adds)."""

TEXT = "Knn-30"
NAMES = (*DIRECT, "frequency", TEXT, *COMBINED)
LARGEST_GROUP = 50
"""Messages to more people do not say who belongs together."""

ENOUGH = 200
"""Injected copies in a tuning half from which on an organisation has a fit of its own (`learners.scored`)."""

Facts = np.ndarray[tuple[int, int], np.dtype[np.float64]]


@dataclass(slots=True)
class Person:
    """What one sender sent and received so far."""

    sent: int = 0
    received: int = 0
    to: Counter[str] = field(default_factory=Counter)
    by: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)


def walk(run: OrgRun, table: Table) -> Facts:
    """Return `FACTS` of every copy of the table, a row each, noted before anything of its message is learned."""
    samples = {run.samples[n].line_id: run.samples[n] for n in table.kept.tolist()}
    rows: dict[str, list[tuple[float, ...]]] = {}
    people: defaultdict[str, Person] = defaultdict(Person)
    known, mail = KnownAddresses(), Neighbours()
    for line in run.walk():
        sample = samples.get(line.line_id) if line.judged else None
        if sample is not None:
            near = mail.scores(line.sender, line.original_id, line.subject, line.body)
            rows[line.line_id] = _facts(sample, people[line.sender], near, known)
        if line.learn:
            _learn(line, people, known, mail)
    kept = [row for n in table.kept.tolist() for row in rows[run.samples[n].line_id]]
    return np.array(kept, dtype=np.float64).reshape(-1, len(FACTS))


def _learn(line: Walked, people: defaultdict[str, Person], known: KnownAddresses, mail: Neighbours) -> None:
    """Take one line in: an incoming one belongs to the mailbox of its first recipient."""
    if line.incoming:
        for owner in line.recipients[:1]:
            people[owner].received += 1
            people[owner].by[line.sender] += 1
            mail.add(owner, line.original_id, line.subject, line.body, (line.sender,))
        known.add(line.sender)
        return
    person, recipients = people[line.sender], tuple(dict.fromkeys(line.recipients))
    person.sent += 1
    person.to.update(recipients)
    if len(recipients) <= LARGEST_GROUP:
        person.pairs.update(combinations(sorted(recipients), 2))
    mail.add(line.sender, line.original_id, line.subject, line.body, recipients)
    for address in recipients:
        known.add(address)


def _facts(sample: Sample, person: Person, near: dict[str, float], known: KnownAddresses) -> list[tuple[float, ...]]:
    circle = [r.address for r in sample.recipients][:LARGEST_GROUP]
    found: list[tuple[float, ...]] = []
    for r in sample.recipients:
        if not r.counted:
            continue
        sent, received, text = person.to[r.address], person.by[r.address], near.get(r.address, 0.0)
        found.append(
            (
                _lot(sample.line_id, r.address),
                known.suspicion(r.address),
                float(r.first_sender),
                float(r.first_org),
                sent / person.sent if person.sent else 0.0,
                received / person.received if person.received else 0.0,
                float(not sent),
                float(not received),
                text,
                _together(r.address, circle, person),
                float(np.log(sent + 0.5)),
                float(np.log(received + 0.5)),
                float(np.log(text + 0.05)),
            )
        )
    return found


def _together(address: str, circle: Sequence[str], person: Person) -> float:
    """Return how much of the mail to the address went to each of the others too, on average; 0 where there are none."""
    sent = person.to[address]
    if not sent or len(circle) < 2:
        return 0.0
    joint = sum(person.pairs[(address, e) if address < e else (e, address)] for e in circle if e != address)
    return joint / sent / (len(circle) - 1)


def _lot(line_id: str, address: str) -> float:
    digest = blake2b(f"{line_id}\0{address}".encode("utf-8", "surrogateescape"), digest_size=6).digest()
    return (int.from_bytes(digest, "big") + 1) / 2**48


def add_baselines(tables: Sequence[Table], facts: Sequence[Facts]) -> None:
    """Put the score of each baseline of `NAMES` into the tables; `facts` are those of `walk`, in the same order."""
    for table, noted in zip(tables, facts, strict=True):
        column = {name: noted[:, i] for i, name in enumerate(FACTS)}
        for name in DIRECT:
            table.detectors[name] = column[name].copy()
        table.detectors["frequency"] = 1.0 - column["sent share"]
        table.detectors[TEXT] = 1.0 / (1.0 + column["text"])
    for name, (columns, only) in COMBINED.items():
        pick = [FACTS.index(c) for c in columns]
        fitted = scored(tables, [f[:, pick] for f in facts], logistic, ENOUGH, only)
        for table, scores in zip(tables, fitted, strict=True):
            table.detectors[name] = scores
