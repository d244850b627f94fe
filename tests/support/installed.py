"""A whole installation in one process: real store, recorder, near index, spool, engine and pipeline, on a clock of the test.

Only the sockets between the processes are left out: the pipeline asks the recorder by a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from unittest import mock

from nixie.config.settings import Settings
from nixie.core import mime
from nixie.core.address import NULL, Address, parse_path
from nixie.core.envelope import Client, Envelope, Recipient
from nixie.core.events import Event, EventKind, event_key
from nixie.core.organisation import Organisation, Partner
from nixie.service import pipeline, requests
from nixie.service.carried import Carried
from nixie.service.engine import Decision, Engine
from nixie.service.frames import Decoder, encode
from nixie.service.installation import parse_shipped
from nixie.service.pipeline import Pipeline
from nixie.service.places import Places
from nixie.service.ports import Answer, Submission
from nixie.service.recorder import Hooks, Recorder, RecorderSettings
from nixie.service.recorder_client import RecorderRefusedError, RecorderUnavailableError
from nixie.store import hold_views
from nixie.store.db import open_reader
from nixie.store.hold_states import State
from nixie.store.hold_views import Hold
from nixie.store.keys import create_keys
from nixie.store.knowledge_facts import StoreFacts
from nixie.store.near import NearDomains
from nixie.store.near_write import NearWriter
from nixie.store.spool import Spool

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
OURS = Client()
EVERYTHING = 100_000


class Direct:
    """The recorder without a socket between, refusing and failing as its client does."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def ask(self, head: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        ((head, body),) = Decoder().feed(encode(head, body))
        (answer,) = self._recorder.commit([(head, body)])
        self._recorder.fold_all()
        if answer.get("error") == "store":
            raise RecorderUnavailableError("the recorder could not write")
        if "error" in answer:
            raise RecorderRefusedError(answer["error"], answer.get("text", ""))
        return answer


@dataclass
class Installation:
    """One house's guard. `with Installation(folder) as house:`; times pass only as a test says."""

    folder: Path
    own: tuple[str, ...] = ("ministry.example",)
    partners: tuple[str, ...] = ()
    mode: str = "enforce"
    settings: Settings = field(init=False)

    def __enter__(self) -> Self:
        return self if self.__dict__.get("pipeline") else self.open()

    def open(self) -> Self:
        """Make the folder and open everything in it."""
        partners = tuple(Partner(name, (name,)) for name in self.partners)
        self.organisation = Organisation(self.own, partners=partners, postmaster=f"postmaster@{self.own[0]}")
        self.settings = Settings(self.folder, self.organisation)
        self.places = places = Places(self.settings.var)
        for path in (places.spool, places.near):
            path.mkdir(parents=True)
        self.keys = create_keys(self.settings.keys_folder)
        self.near = NearWriter(places.near)
        heads = self.settings.var / "heads.jsonl"
        where = RecorderSettings(places.database, places.recorder, heads, places.spool, organisation=self.organisation)
        self.recorder = Recorder(where, self.keys, Hooks(new_domains=self.near.append))
        self.writer.execute("PRAGMA synchronous = OFF")  # no test here ends a process
        self.reader = open_reader(places.database)
        self.spool = Spool(places.spool, self.keys.spool)
        facts = StoreFacts(open_reader(places.database), NearDomains(places.near, fresh_for=0.0))
        self.engine = Engine(self.organisation, parse_shipped(self.mode), facts)
        self.pipeline = self.pipeline_with(self.engine)
        self._runner = asyncio.Runner()
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()
        self.recorder.close()
        self.near.close()

    @property
    def writer(self) -> Any:
        """Return the recorder's own connection, for what happens at night."""
        return self.recorder._db

    def pipeline_with(self, engine: Engine) -> Pipeline:
        """Return a pipeline of this house that judges by another engine."""
        direct: Any = Direct(self.recorder)
        return Pipeline(engine, self.settings, self.reader, direct, self.spool)

    def run(self, coroutine: Any) -> Any:
        return self._runner.run(coroutine)

    def submit(
        self,
        raw: bytes,
        sender: str,
        to: Iterable[str],
        *,
        at: datetime = NOW,
        client: Client = OURS,
        through: Pipeline | None = None,
    ) -> Answer:
        """Take one message through the pipeline at a moment."""
        carried = Carried()
        carried.append(raw)
        clock = mock.Mock(wraps=datetime)
        clock.now.side_effect = at.astimezone
        try:
            with mock.patch.object(pipeline, "datetime", clock):
                submission = Submission("test", client, envelope(sender, to), carried, "4QUEUEID")
                answer: Answer = self.run((through or self.pipeline).judge(submission))
                return answer
        finally:
            carried.close()

    def judged(self, sender: str, *to: str, at: datetime = NOW, shown: Sequence[str] | None = None) -> Decision:
        """Return the decision about a first message to these, without recording it."""
        raw = mail("probe@ministry.example", sender, to if shown is None else shown)
        return self.engine.decide(mime.read(raw), envelope(sender, to), OURS, at)

    def probability(self, sender: str, to: str, at: datetime = NOW) -> float:
        """Return how probable a slip is in a message to one recipient; 0.0 where nothing was found."""
        findings = self.judged(sender, to, at=at).verdict.findings
        return max((float(dict(f.values).get("probability", 0.0)) for f in findings), default=0.0)

    def teach(self, kind: EventKind, ours: str, other: str, times: int, start: datetime) -> None:
        """Teach that something happened so often, an hour apart, by the recorder."""
        one, two = address(ours), address(other)
        moments = [datetime.fromtimestamp(start.timestamp() + 3600 * n, UTC) for n in range(times)]
        ids = [f"past{n}.{ours}.{start:%y%m%d}" for n in range(times)]
        events = [Event(kind, one, two, t, event_key(kind, i, two.key)) for t, i in zip(moments, ids, strict=True)]
        self.run(Direct(self.recorder).ask(requests.teach(events)))

    def holds(self) -> tuple[Hold, ...]:
        """Return all holds there ever were, the oldest first."""
        return hold_views.find(self.reader, states=tuple(State), limit=EVERYTHING)

    def disposition(self, hold_id: str) -> str:
        return hold_views.show(self.reader, hold_id).hold.disposition

    def act(self, hold_id: str, action: str, role: str, who: str, at: datetime = NOW) -> str:
        head = {"do": "act", "hold": hold_id, "action": action, "role": role, "address": who, "by": "test"}
        told = self.run(Direct(self.recorder).ask({**head, "reason": "right", "at": int(at.timestamp() * 1000)}))
        return str(told["state"])


def address(text: str) -> Address:
    return parse_path(text.encode("utf-8", "surrogateescape")) if text else NULL


def envelope(sender: str, to: Iterable[str]) -> Envelope:
    recipients = tuple(Recipient(f"<{r}>".encode(), address(r)) for r in to)
    return Envelope(f"<{sender}>".encode(), address(sender), recipients)


def mail(message_id: str, sender: str, to: Iterable[str], *, more: str = "", body: str = "Hello.\r\n") -> bytes:
    """Return an invented message with CRLF line ends; `more` are further header lines."""
    head = f"From: Some One <{sender}>\r\nTo: {', '.join(to)}\r\nMessage-ID: <{message_id}>\r\n"
    return f"{head}Date: Fri, 20 Mar 2026 12:00:00 +0000\r\nSubject: figures\r\n{more}\r\n{body}".encode()
