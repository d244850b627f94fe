"""A corpus as the mail of one invented organisation: the double view.

Nixie judges outgoing mail and keeps what it knows about addresses outside; in these corpora everybody writes to everybody. So each mail becomes

* one *outgoing* line, which is judged and learned: its sender in own form (a number at own.example, without a name), its recipients in their real, outside form.
  A copy to the sender's own addresses goes to the own form, as mail inside the house;
* one *incoming* line (never judged) for each recipient who writes mail in this corpus: the sender in outside form, that recipient in own form,
  the other recipients in outside form. So each person's own knowledge sees the mail it got. Its id is the mail's with `.in.` and the place of the
  recipient; a reply refers to both lines of each mail that it answers. A mail that went to a list and to nobody else who writes comes in once, to a
  mailbox of ours that reads lists, and who answers a mail that he read on the list refers to copies of others.

What somebody is to Nixie as a colleague and as a contact are two addresses that have nothing in common.
Injected copies stand right before their original, are judged and never learned. A sender's first `SINCE` mails are learned without
being judged, but for the few with a label of `natural`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from natural import marked
from values import OWN, SINCE, Walked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from corpora import Corpus, Mail
    from planning import Plan, Planned

ANCESTORS = 4
"""How many mails of its thread a reply refers to; References fields are longer, but nobody reads so far."""

LIST_COPY, LIST_READER = 999, f"list-reader@{OWN}"
"""The line and the mailbox of ours that show a mail which only a list got."""

INCOMING_BODY = 800
"""Characters of the body that an incoming line repeats; only its first words are ever learned."""


@dataclass(slots=True)
class Stream:
    """All lines of one organisation, in order, as often as wanted and always the same."""

    corpus: Corpus
    plan: Plan
    _by_id: dict[str, Mail] = field(default_factory=dict, repr=False)
    _writers: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        """Know who writes, and find mails by id."""
        self._by_id = {m.id: m for m in self.corpus.mails}
        self._writers = frozenset(self.corpus.people.person(m.sender) for m in self.corpus.mails)

    def lines(self) -> Iterator[Walked]:
        """Yield the injected copies of a mail, the mail, and what each recipient of ours sees of it; then the next mail."""
        for place, mail in enumerate(self.corpus.mails):
            outgoing = self._outgoing(mail, place, None)
            for planned in self.plan.copies.get(place, ()):
                yield self._outgoing(mail, place, planned)
            yield outgoing
            yield from self._incoming(mail, outgoing)

    def _outgoing(self, mail: Mail, place: int, planned: Planned | None) -> Walked:
        people = self.corpus.people
        me = people.person(mail.sender)
        boxes = planned.recipients if planned else mail.recipients
        shown = {people.own(a) if people.person(a) == me else a: "" if people.person(a) == me else n for a, n in boxes}
        after = self.plan.nth[place] >= SINCE
        return Walked(
            line_id=planned.injection.line_id if planned else mail.id,
            original_id=mail.id,
            org=self.corpus.org,
            at=mail.at,
            incoming=False,
            judged=planned is not None or after or marked(mail.id, shown),
            learn=planned is None,
            sender=people.own(mail.sender),
            sender_name="",
            recipients=tuple(shown),
            names=tuple(shown.values()),
            subject=mail.subject,
            body=mail.body,
            references=self._references(mail, me),
            reply=mail.reply,
            clean=planned is None and after,
            tuning=is_tuning(self.corpus, mail.at),
            split_90_10=place in self.plan.split,
            injected=planned.injection if planned else None,
        )

    def _incoming(self, mail: Mail, outgoing: Walked) -> Iterator[Walked]:
        people = self.corpus.people
        for place in tuple(self._readers(mail)) or self._list_copy(mail):
            address = mail.recipients[place][0] if place != LIST_COPY else LIST_READER
            reader = people.person(address) if place != LIST_COPY else -1
            others = {a: n for a, n in mail.recipients if people.person(a) != reader}
            yield Walked(
                line_id=incoming_id(mail.id, place),
                original_id=mail.id,
                org=self.corpus.org,
                at=mail.at,
                incoming=True,
                judged=False,
                learn=True,
                sender=mail.sender,
                sender_name=mail.sender_name,
                recipients=(people.own(address) if place != LIST_COPY else LIST_READER, *others),
                names=("", *others.values()),
                subject=mail.subject,
                body=mail.body[:INCOMING_BODY],
                references=self._references(mail, reader),
                reply=mail.reply,
                clean=False,
                tuning=outgoing.tuning,
                split_90_10=False,
            )

    def _references(self, mail: Mail, reader: int) -> tuple[str, ...]:
        """Return the ids of lines that this mail answers as `reader` saw them, oldest first."""
        found: list[str] = []
        parent = mail.in_reply_to
        seen = {mail.id}
        while parent and parent not in seen and len(seen) <= ANCESTORS:
            seen.add(parent)
            above = self._by_id.get(parent)
            if above is None:
                found.insert(0, parent)
                break
            found[:0] = [parent, *self._copies(above, reader)]
            parent = above.in_reply_to
        return tuple(found)

    def _copies(self, mail: Mail, reader: int) -> list[str]:
        """Return the ids of the incoming lines from which a reader knows a mail: his own copy, or, for who read it on the list,
        two copies of others, which together show everybody. Who wrote the mail knows his own line.
        """
        people = self.corpus.people
        if people.person(mail.sender) == reader:
            return []
        places = list(self._readers(mail))
        mine = [place for place in places if people.person(mail.recipients[place][0]) == reader]
        return [incoming_id(mail.id, place) for place in (mine or places[:2] or self._list_copy(mail))]

    def _list_copy(self, mail: Mail) -> tuple[int, ...]:
        """Return the place that stands for readers of a list, if the mail went to one."""
        return (LIST_COPY,) if any(a in self.corpus.lists for a, _ in mail.recipients) else ()

    def _readers(self, mail: Mail) -> Iterator[int]:
        """Yield the places of the recipients who see a mail as incoming: each person who writes here once, no lists."""
        people = self.corpus.people
        done = {people.person(mail.sender)}
        for place, (address, _) in enumerate(mail.recipients):
            reader = people.person(address)
            if reader not in done and reader in self._writers and address not in self.corpus.lists:
                done.add(reader)
                yield place


def incoming_id(mail_id: str, place: int) -> str:
    """Return the id of the line that shows a mail as its recipient at `place` got it."""
    return f"{mail_id}.in.{place}"


def is_tuning(corpus: Corpus, at: datetime) -> bool:
    """Return whether a moment belongs to the tuning half of the organisation."""
    return corpus.test_from is not None and at < corpus.test_from


def as_json(line: Walked) -> str:
    """Return a line as `nixie check --stream` reads it."""
    row: dict[str, Any] = {
        "id": line.line_id,
        "date": line.at.isoformat(),
        "sender": _box(line.sender, line.sender_name),
        "to": [_box(a, n) for a, n in zip(line.recipients, line.names, strict=True)],
        "subject": line.subject,
        "body": line.body,
    }
    if line.references:
        row["references"] = list(line.references)
    if not line.judged:
        row["judge"] = False
    if not line.learn:
        row["learn"] = False
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _box(address: str, name: str) -> dict[str, str]:
    return {"addr": address, "name": name} if name else {"addr": address}
