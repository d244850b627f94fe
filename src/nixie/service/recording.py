"""What the recorder does with each kind of request: a table of functions, all within the transaction of their group.

Each takes the recorder's `Records`, the head and the body of a frame, and returns what the answer says. Any error undoes
this request alone. What must not happen before the commit (removing a spool file) goes into `Records.afterwards`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nixie.core.address import NULL, Address, from_key
from nixie.core.budget import Thresholds
from nixie.core.events import Answer, Event, EventKind, event_key
from nixie.core.mailing_line import line_of
from nixie.core.organisation import Organisation
from nixie.core.scales import scales_of
from nixie.sources.mailings import mailing_of_record
from nixie.sources.records import Record, events_of
from nixie.store import holds, questions, tuning
from nixie.store.addresses import intern_keys
from nixie.store.hold_states import FINAL, Action, Role
from nixie.store.hold_views import gone_to, spool_needed
from nixie.store.ledger import Kind, Ledger, Tail, address_texts, lookup_key, payload_of
from nixie.store.questions import Deadlines
from nixie.store.retries import count_retry

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

    from nixie.service.frames import Head
    from nixie.store.heads import Head as SignedHead
    from nixie.store.spool import Spool

    Handler = Callable[["Records", Head, bytes], Head]

NOWHERE = Organisation(())
"""An organisation without domains: nothing is its mail, so a copy that leaves teaches nothing."""
PLAIN = frozenset({Kind.REPEATED, Kind.LEARNED, Kind.CONFIRMED, Kind.POLICY, Kind.KEY, Kind.SERVICE})
"""Rows that anybody may append; the others follow from what they tell of."""
TAUGHT = {
    (Action.RELEASE, Role.AUTHOR): EventKind.RELEASED_BY_SENDER,
    (Action.RELEASE, Role.REVIEWER): EventKind.RELEASED_BY_REVIEWER,
    (Action.CORRECT, Role.AUTHOR): EventKind.CORRECTED_AWAY,
    (Action.CORRECT, Role.REVIEWER): EventKind.CORRECTED_AWAY,
    (Action.CANCEL, Role.AUTHOR): EventKind.CANCELLED,
    (Action.CANCEL, Role.REVIEWER): EventKind.CANCELLED,
}
"""What a person's decision teaches about the pair of author and recipient."""


@dataclass(slots=True)
class Records:
    """What the requests work on, and what the group gathers.

    `sign` returns the signed head, `organisation` says whose mail teaches. `events` and `answers` are learned together at the end of
    the group, which costs a third of learning them one request at a time; `mailings`, as lines, only wait there
    (`store.mailing_queue`). `new_domains` and `afterwards` are used up after the commit.
    """

    db: sqlite3.Connection
    ledger: Ledger
    sign: Callable[[], SignedHead]
    spool: Spool | None = None
    organisation: Organisation = NOWHERE
    events: list[Event] = field(default_factory=list)
    mailings: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    new_domains: list[str] = field(default_factory=list)
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    known: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Address and domain numbers by key, as far as this group has asked for them."""

    def mark(self) -> tuple[Tail, tuple[int, ...]]:
        """Return where everything stands, for `rewind`."""
        return self.ledger.tail, tuple(len(gathered) for gathered in self._gathered())

    def rewind(self, mark: tuple[Tail, tuple[int, ...]]) -> None:
        """Forget what was gathered since `mark`, after the database was rolled back to it."""
        self.ledger.tail, lengths = mark
        for gathered, length in zip(self._gathered(), lengths, strict=True):
            del gathered[length:]
        self.known.clear()

    def clear(self) -> None:
        """Forget what was gathered, after it was used."""
        for gathered in self._gathered():
            gathered.clear()
        self.known.clear()

    def _gathered(self) -> tuple[list[Any], ...]:
        return self.events, self.answers, self.mailings, self.new_domains, self.afterwards

    def numbers(self, keys: Sequence[str]) -> list[int]:
        """Return the number of each address by its key, new ones made; 0 for the empty key."""
        known = self.known
        missing = [key for key in dict.fromkeys(keys) if key and key not in known]
        if missing:
            found, new = intern_keys(self.db, missing)
            known.update(found)
            self.new_domains += new
        return [known[key][0] if key else 0 for key in keys]

    def number(self, key: str) -> int | None:
        """Return the number of one address, None for the empty key."""
        return self.numbers((key,))[0] if key else None


def decision(r: Records, head: Head, body: bytes) -> Head:
    """Record a verdict; hold what it holds; teach what it shows. Answers `seq` and the ids of `holds` in order."""
    keys, at, message_id = head["a"], head["at"], head["message_id"]
    numbers = r.numbers(keys)
    lookup = lookup_key(message_id) if message_id else None
    seq = r.ledger.append(at, Kind.DECISION, payload_of(numbers, body), lookup)
    _learn(r, head)
    if "held" not in head:
        return {"seq": seq}
    if lookup is None:
        raise ValueError("a held copy needs a message id")
    message, copies = _held(head["held"], numbers, seq, message_id, lookup)
    ids = holds.hold(r.ledger, message, copies, at)
    _clean(r, message.spool)  # where every copy was held before, its first file stays and this one goes
    return {"seq": seq, "holds": ids}


def confirm(r: Records, head: Head, _: bytes) -> Head:
    """Make a session's provisional holds firm. Answers how many were."""
    return {"holds": holds.confirm(r.ledger, head["token"], head["at"])}


def void(r: Records, head: Head, _: bytes) -> Head:
    """Give up what a session claimed. Answers how many holds are void by it."""
    dropped = holds.void(r.ledger, head["token"], head["at"])
    for spool_id in {moved.spool for moved in dropped}:
        _clean(r, spool_id)
    return {"holds": len(dropped)}


def act(r: Records, head: Head, _: bytes) -> Head:
    """Do what a person decided, and teach it. Answers the new `state`."""
    action, role = Action(head["action"]), Role(head["role"])
    actor = holds.Actor(role, head.get("name", ""), head.get("by", ""), r.number(head.get("address", "")))
    moved = holds.act(
        r.ledger,
        head["hold"],
        action,
        actor,
        head["at"],
        reason=head.get("reason", ""),
        corrected=r.number(head.get("corrected", "")),
        generation=head.get("generation"),
    )
    kind = TAUGHT.get((action, role))
    if kind is not None:
        known = address_texts(r.db, (moved.author or 0, moved.recipient))
        other = known.get(moved.recipient, "")
        ours, at = known.get(moved.author or 0, ""), datetime.fromtimestamp(head["at"] / 1000, UTC)
        if not other.startswith("?@"):
            key = event_key(kind, moved.message_id, other)
            r.events.append(Event(kind, from_key(ours), from_key(other), at, key))
    if moved.state in FINAL:
        _clean(r, moved.spool)
    return {"state": moved.state}


def outcome(r: Records, head: Head, _: bytes) -> Head:
    """Record what became of a release, correction or return: `result` is done, failed or later (with `next_try`)."""
    hold_id, at, reply = head["hold"], head["at"], head.get("reply", "")
    if head["result"] == "later":
        return {"tries": holds.attempt(r.ledger, hold_id, at, head["next_try"], reply)}
    moved = holds.finish(r.ledger, hold_id, at, done={"done": True, "failed": False}[head["result"]], reply=reply)
    if (record := _left(r, moved, at)) is not None:
        r.events += events_of(record, r.organisation)
        if (mailing := mailing_of_record(record, r.organisation)) is not None:
            r.mailings.append(line_of(mailing))
    if moved.state in FINAL:
        _clean(r, moved.spool)
    return {"state": moved.state}


def _left(r: Records, moved: holds.Moved, at: int) -> Record | None:
    """Return the record of a copy that left after all, which teaches like every other mail; None where nobody is known."""
    to = gone_to(r.db, moved.id)
    if to is None or moved.author is None:
        return None
    known = address_texts(r.db, (moved.author, to))
    ours, other = known[moved.author], known[to]
    if ours.startswith("?@") or other.startswith("?@"):
        return None
    return Record(moved.message_id, datetime.fromtimestamp(at / 1000, UTC), from_key(ours), (from_key(other),))


def notice(r: Records, head: Head, body: bytes) -> Head:
    """Record that a step of a question was taken (a notice handed over, a reminder); `a` names who was told."""
    step = questions.Step(head["step"])
    question = questions.done(r.db, head["question"], step, head["at"])
    told = b'{"question":"%s","step":"%s","more":%s}' % (question.id.encode(), step.encode(), body or b"null")
    payload = payload_of(r.numbers(head.get("a", ())), told)
    return {"seq": r.ledger.append(head["at"], Kind.NOTICE, payload, question.lookup)}


def teach(r: Records, head: Head, _: bytes) -> Head:
    """Teach events without a decision. Answers how many came."""
    return {"events": _learn(r, head)}


def append(r: Records, head: Head, body: bytes) -> Head:
    """Append a plain row, such as a change of policy; `kind` by name."""
    kind = Kind[head["kind"].upper()]
    if kind not in PLAIN:
        raise ValueError(f"{kind.name} rows follow from what they tell of")
    lookup = lookup_key(head["message_id"]) if head.get("message_id") else None
    return {"seq": r.ledger.append(head["at"], kind, payload_of(r.numbers(head.get("a", ())), body), lookup)}


def thresholds(r: Records, head: Head, body: bytes) -> Head:
    """Let the thresholds of the budget hold; a row tells of it when any differs. Answers how many `changed`."""
    senders = {int(author): float(value) for author, value in head["senders"]}
    wanted = Thresholds(float(head["everybody"]), senders)
    changed = tuning.set_thresholds(r.db, wanted, head["at"])
    if changed:
        told = {**_actor(body), "asked_from": wanted.everybody, "senders": len(senders)}
        r.ledger.append(head["at"], Kind.BUDGET, payload_of((), _dumped(told)))
    return {"changed": changed}


def scales(r: Records, head: Head, body: bytes) -> Head:
    """Let the scales hold that somebody accepted. Raises ValueError for a scale out of bounds."""
    accepted = scales_of(head["scales"])
    tuning.accept_scales(r.db, accepted, head["at"])
    told = {**_actor(body), "scales": accepted.to_json()}
    return {"seq": r.ledger.append(head["at"], Kind.CALIBRATION, payload_of((), _dumped(told)))}


def digest(r: Records, head: Head, _: bytes) -> Head:
    """Record that the digest of a day went to those in `a`, or, with no `copies`, that there was nothing to tell."""
    tuning.digest_done(r.db, head["day"], head["at"], head["copies"])
    if not head["copies"]:
        return {}
    told = _dumped({"day": head["day"], "copies": head["copies"]})
    return {"seq": r.ledger.append(head["at"], Kind.DIGEST, payload_of(r.numbers(head.get("a", ())), told))}


def _actor(body: bytes) -> dict[str, Any]:
    return {"actor": json.loads(body)["actor"]}


def _dumped(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, separators=(",", ":")).encode("ascii")


def erase(r: Records, head: Head, _: bytes) -> Head:
    """Erase the payloads of rows, leaving a tombstone that names the actor and the reason."""
    actor = {"role": Role(head["role"]), "by": head.get("by", ""), "login": head.get("name", "")}
    told = {"actor": actor, "reason": head.get("reason", "")}
    return {"seq": r.ledger.erase(head["rows"], head["at"], (), told)}


def retry_count(r: Records, head: Head, _: bytes) -> Head:
    """Count one temporary answer to a message. Answers how many it had."""
    return {"count": count_retry(r.db, bytes.fromhex(head["key"]), head["at"])}


def ping(r: Records, _: Head, __: bytes) -> Head:
    """Answer with the number of the last row: the recorder can write, because the group commits."""
    return {"seq": r.ledger.tail.seq}


def signed_head(r: Records, _: Head, __: bytes) -> Head:
    """Answer with the signed head of the ledger as it stands, as a line for keeping elsewhere."""
    return {"line": r.sign().line()}


HANDLERS: Mapping[str, Handler] = {
    "decision": decision,
    "confirm": confirm,
    "void": void,
    "act": act,
    "outcome": outcome,
    "notice": notice,
    "teach": teach,
    "append": append,
    "thresholds": thresholds,
    "scales": scales,
    "digest": digest,
    "erase": erase,
    "retry-count": retry_count,
    "ping": ping,
    "head": signed_head,
}


def _learn(r: Records, head: Head) -> int:
    """Gather the events, answers and mailings of a request; return how many events and answers there are."""
    if not ("events" in head or "answers" in head or "mailings" in head):
        return 0
    keys = head["a"]
    addresses: dict[int, Address] = {-1: NULL}

    def address(index: int) -> Address:
        known = addresses.get(index)
        if known is None:
            known = addresses[index] = from_key(keys[index])
        return known

    def event(told: Sequence[int]) -> Event:
        kind, ours, other, at, key = told
        return Event(EventKind(kind), address(ours), address(other), datetime.fromtimestamp(at / 1000, UTC), key)

    events = [event(told) for told in head.get("events", ())]
    answers = [Answer(event(told), tuple(to)) for told, to in head.get("answers", ())]
    r.events += events
    r.answers += answers
    r.mailings += head.get("mailings", ())
    return len(events) + len(answers)


def _held(
    told: Mapping[str, Any], numbers: Sequence[int], seq: int, message_id: str, lookup: bytes
) -> tuple[holds.HeldMessage, list[holds.HeldCopy]]:
    message = holds.HeldMessage(
        decision=seq,
        lookup=lookup,
        message_id=message_id,
        spool=told["spool"],
        author=numbers[told["author"]] if told["author"] >= 0 else None,
        sender=numbers[told["sender"]] if told["sender"] >= 0 else 0,
        sender_raw=told["raw"].encode("latin-1"),
        sender_params=tuple(p.encode("latin-1") for p in told["params"]),
        token=told["token"],
        received=told.get("received", 0),
        deadlines=Deadlines(*told["deadlines"]),
    )
    copies = [
        holds.HeldCopy(
            copy_key=bytes.fromhex(c["key"]),
            recipient=numbers[c["recipient"]],
            disposition=c["disposition"],
            recipient_raw=c["raw"].encode("latin-1"),
            recipient_params=tuple(p.encode("latin-1") for p in c["params"]),
            choices=tuple(c["choices"]),
            blind=c["blind"],
        )
        for c in told["copies"]
    ]
    return message, copies


def _clean(r: Records, spool_id: str) -> None:
    """Remove a message from the spool once no copy needs it, after the commit that says so."""
    spool = r.spool
    if spool is None:
        return

    def remove() -> None:
        if not spool_needed(r.db, spool_id):
            spool.remove(spool_id)

    r.afterwards.append(remove)
