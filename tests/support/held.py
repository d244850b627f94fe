"""A house whose copies are held: a database with a ledger, people, and a short way to hold and to act."""

from nixie.store.addresses import intern_keys
from nixie.store.db import open_writer, writing
from nixie.store.hold_states import (
    Action,
    Role,
)
from nixie.store.holds import Actor, HeldCopy, HeldMessage, act, hold
from nixie.store.ledger import Kind, Ledger, lookup_key, payload_of
from nixie.store.questions import Deadlines

AT = 1_790_000_000_000
MINUTE = 60_000
ASKED = Deadlines(notice=AT + 5000, remind=AT + 60 * MINUTE, escalate=AT + 120 * MINUTE, return_=AT + 600 * MINUTE)


class House:
    """A database with a ledger, an author, and a short way to hold copies."""

    def __init__(self, path):
        self.db = open_writer(path)
        self.db.execute("PRAGMA synchronous = OFF")  # no test here ends a process
        self.ledger = Ledger(self.db)
        keys = ["ann@ours.example", "bob@ours.example", "rita@ours.example", *(f"r{n}@army.ml" for n in range(20))]
        self.number = {key: number for key, (number, _) in intern_keys(self.db, keys)[0].items()}
        self.ann = Actor(Role.AUTHOR, by="link", address=self.number["ann@ours.example"])
        self.bob = Actor(Role.AUTHOR, by="link", address=self.number["bob@ours.example"])
        self.rita = Actor(Role.REVIEWER, by="console", address=self.number["rita@ours.example"])

    def hold(self, message_id="m1@ours.example", copies=1, first=0, *, token="", disposition="hold-sender", at=AT):
        author = self.number["ann@ours.example"]
        with writing(self.db):
            lookup = lookup_key(message_id)
            decision = self.ledger.append(at, Kind.DECISION, payload_of((author,), b'{"v":1}'), lookup)
            message = HeldMessage(
                decision, lookup, message_id, "a" * 20, author, author, b"<Ann@ours.example>", (b"RET=HDRS", b"ENVID=x"),
                token, ASKED,
            )  # fmt: skip
            held = [
                HeldCopy(
                    f"{message_id}{n}".encode().ljust(16, b".")[-16:], self.number[f"r{n}@army.ml"], disposition,
                    f"<R{n}@army.ml>".encode(), (b"NOTIFY=NEVER",), ("correct", "send", "cancel"),
                )
                for n in range(first, first + copies)
            ]  # fmt: skip
            return hold(self.ledger, message, held, at)

    def act(self, hold_id, action, actor, **more):
        if action is Action.CORRECT:
            more.setdefault("corrected", self.number["r9@army.ml"])
        with writing(self.db):
            return act(self.ledger, hold_id, action, actor, AT + 1, **more)
