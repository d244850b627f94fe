"""Breaking a running guard, and the sums that must fit afterwards (docs/design.md, section 4, items 4 and 5).

`Traffic` is what mail servers do in front of the doors: each message is tried until it has a final answer. `Breakable` is a
guard whose processes can be ended or stopped one by one by their ids. `check_sums` asks the world, the database and the command line
whether every copy is in exactly one place.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

from nixie.service.milter_client import MilterClient
from nixie.service.places import Places
from nixie.service.recorder_client import RecorderRefusedError, RecorderUnavailableError, ask_once
from nixie.store import hold_views
from nixie.store.db import open_reader
from nixie.store.hold_states import LIVE, State
from nixie.store.hold_views import Hold
from nixie.store.keys import load_keys
from nixie.store.spool import Spool
from nixie.wire.milter import replies as milter_says
from nixie.wire.milter.errors import ProtocolError
from support.guard import Guard
from support.smtp_client import Dialogue
from support.world_sink import World
from support.world_sink import eventually as soon

QUIET = {
    "notice": {"wait": "0s"},
    "release": {"retry": ["200ms"]},
    "log": {"level": "warning"},
}
ROLES = {"recorder_main": "recorder", "worker": "worker", "courier_main": "courier", "main": "pages"}
EVERYTHING = 1_000_000
PATIENCE = 180.0
eventually = partial(soon, seconds=PATIENCE)
"""Waits for what must come; a machine with ten busy processes on two cores takes its time."""


@dataclass
class Breakable(Guard):
    """A guard with `world` as next hop and release hop, whose processes a test may end or stop by their ids."""

    world: World | None = None
    workers: int = 1

    def make(self) -> Self:
        fresh = not self.home.exists()
        super().make()
        if fresh:
            self.configure(QUIET)
            self.configure({"workers": {"count": self.workers}})
            if self.world is not None:
                self.configure({"next_hop": {"address": f"127.0.0.1:{self.world.port}"}})
            self.configure(self.settings)
        return self

    def restart(self, crash_at: str = "") -> Self:
        """Start again after everything was killed; the doors and the lock must be free at once."""
        self.stop()
        self.environment = {"NIXIE_CRASH_AT": crash_at}
        return self.start()

    @property
    def places(self) -> Places:
        return Places(self.home / "var")

    def children(self) -> dict[str, list[int]]:
        """Return the ids of the living processes below the supervisor by role, in the order of their start."""
        assert self.process is not None
        found: dict[str, list[int]] = {}
        for pid in _children_of(self.process.pid):
            command = _read(pid, "cmdline").split("\0")
            if "-m" in command and _state(pid) != "Z":
                module = command[command.index("-m") + 1].rpartition(".")[2]
                found.setdefault(ROLES[module], []).append(pid)
        return found

    def one(self, role: str, number: int = 0) -> int:
        """Return the id of a living process of this role, once there is one."""
        return eventually(lambda: self.children().get(role, [])[number:], f"a {role}")[0]

    def stopped(self) -> list[int]:
        """Return the ids of the processes that stand still at their step."""
        return [pid for pids in self.children().values() for pid in pids if _state(pid) == "T"]

    def wait_stopped(self, what: str, seconds: float = PATIENCE) -> int:
        return eventually(self.stopped, f"a process that stands at {what}", seconds=seconds)[0]

    def kill_all(self) -> None:
        """End the supervisor and all its processes as a power failure would, by their ids."""
        assert self.process is not None
        # It stands still meanwhile, so that it starts nobody again; once it is gone, its children are nobody's.
        kill(self.process.pid, signal.SIGSTOP)
        pids = _children_of(self.process.pid)
        for pid in (self.process.pid, *pids):
            kill(pid)
        self.process.wait()
        self.process = None
        eventually(lambda: not any(alive(pid) for pid in pids), "the end of all processes")

    def kill_supervisor(self) -> list[int]:
        """End the supervisor alone; return the ids of the children that it leaves behind."""
        assert self.process is not None
        pids = [pid for found in self.children().values() for pid in found]
        self.process.kill()
        self.process.wait()
        self.process = None
        return pids

    def ask(self, head: dict[str, Any], seconds: float = PATIENCE) -> dict[str, Any]:
        """Ask the recorder, again and again while nobody answers, as a person does who clicks twice."""
        end = time.monotonic() + seconds
        while True:
            try:
                return ask_once(self.places.recorder, {"at": round(time.time() * 1000), **head}, deadline=5)
            except RecorderUnavailableError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def decide(self, hold: str, action: str, **more: Any) -> str:
        """Let a reviewer decide; a decision that was taken but not heard counts as taken."""
        head = {"do": "act", "hold": hold, "action": action, "role": "reviewer", "name": "rita", "by": "cli", **more}
        try:
            return str(self.ask(head)["state"])
        except RecorderRefusedError as error:
            if error.code != "illegal":
                raise
            return "decided before"

    def stands(self, *states: State) -> tuple[Hold, ...]:
        """Return the holds in these states (default: all that are not void)."""
        if not self.places.database.exists():
            return ()
        db = open_reader(self.places.database)
        try:
            wanted = states or tuple(s for s in State if s is not State.VOID)
            return hold_views.find(db, states=wanted, limit=EVERYTHING)
        finally:
            db.close()

    def wait_settled(self, seconds: float = PATIENCE) -> None:
        """Wait until nothing is on its way and no notice is due."""
        on_the_way = (State.RELEASING, State.CORRECTING, State.RETURNING, State.PROVISIONAL)
        eventually(lambda: not self.stands(*on_the_way), "an end of all releases", seconds=seconds)
        eventually(lambda: not self._untold(), "an end of all notices", seconds=seconds)

    def _untold(self) -> int:
        db = open_reader(self.places.database)
        try:
            select = (
                "SELECT COUNT(DISTINCT q.id) FROM question q JOIN hold h ON h.question = q.id"
                " WHERE h.state = 'waiting' AND q.notice_done IS NULL"
            )
            return int(db.execute(select).fetchone()[0])
        finally:
            db.close()


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to one process that a test started; nothing happens when it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def alive(pid: int) -> bool:
    return _state(pid) not in ("", "Z")


def _state(pid: int) -> str:
    return _read(pid, "stat").rpartition(")")[2].strip()[:1]


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""


def _children_of(pid: int) -> list[int]:
    return [int(word) for word in _read(pid, f"task/{pid}/children").split()]


# What mail servers do


@dataclass
class Sent:
    """One message of a client: its door, recipients and, once it has a final answer, what the client knows of each copy."""

    id: str
    door: str
    recipients: tuple[str, ...]
    tries: int = 0
    answered: bool = False
    reply: int = 0
    passed: tuple[str, ...] = ()

    @property
    def content(self) -> bytes:
        head = f"From: ann@army.mil\r\nTo: {', '.join(self.recipients)}\r\nMessage-ID: <{self.id}>\r\n"
        return (head + "Subject: the figures\r\n\r\nplease find them below\r\n.\r\n").encode()


def shapes(number: int) -> tuple[str, ...]:
    """Return the recipients of the nth message: some held, all held, none held, in turn."""
    friend, slip, other = f"f{number}@friend.example", f"ops{number}@army.ml", f"crew{number}@army.ml"
    return ((friend, slip), (slip,), (friend,), (slip, friend, other))[number % 4]


@dataclass
class Traffic:
    """Clients at both doors, in a thread of their own; `with` begins it, `finish` waits for every final answer.

    With `count` 0 they go on until `enough`.
    """

    guard: Breakable
    count: int = 0
    prefix: str = "t"
    clients: int = 4
    pause: float = 0.0
    doors: Sequence[str] = ("smtp", "milter")
    sent: list[Sent] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._enough = threading.Event()
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def enough(self) -> None:
        """Begin no more messages."""
        self._enough.set()

    def finish(self, seconds: float = PATIENCE) -> list[Sent]:
        """Return the messages once all of them have their final answer."""
        if not self.count:
            self.enough()
        self._thread.join(seconds)
        open_ = [s.id for s in self.sent if not s.answered]
        assert not open_, (
            f"{len(open_)} of {len(self.sent)} without an answer, such as {open_[:3]}\n{self.guard.log[-3000:]}"
        )
        return self.sent

    @property
    def answered(self) -> int:
        return sum(s.answered for s in self.sent)

    async def _run(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(self.clients)))
        await asyncio.sleep(0.1)  # connections that broke are closed in the next turns of the loop

    def _next(self) -> Sent | None:
        number = next(self._numbers)
        if self._enough.is_set() or (self.count and number >= self.count):
            return None
        recipients = (f"{self.prefix}{number}.{r}" for r in shapes(number // len(self.doors)))
        one = Sent(f"{self.prefix}{number}@army.mil", self.doors[number % len(self.doors)], tuple(recipients))
        self.sent.append(one)
        return one

    async def _client(self) -> None:
        while (one := self._next()) is not None:
            while not one.answered and not self._over.is_set():
                with contextlib.suppress(OSError, EOFError, TimeoutError, ProtocolError):
                    await try_once(self.guard, one)
                await asyncio.sleep(self.pause if one.answered else 0.05)


async def try_once(guard: Breakable, one: Sent, seconds: float = 30) -> None:
    """Offer a message once, and note a final answer."""
    one.tries += 1
    async with asyncio.timeout(seconds):
        if one.door == "smtp":
            await _by_smtp(guard.smtp_port, one)
        else:
            await _by_milter(guard.milter_address, one)


async def _by_smtp(port: int, one: Sent) -> None:
    async with Dialogue(port) as client:
        await client.say("EHLO client.example")
        content = one.content.replace(b"\r\n.", b"\r\n..")
        reply = await client.send(*one.recipients, text=content, mail="MAIL FROM:<ann@army.mil>")
        if reply.code in (250, 550):
            one.answered, one.reply = True, reply.code
        with contextlib.suppress(OSError, EOFError):
            await client.say("QUIT")


async def _by_milter(address: str, one: Sent) -> None:
    client = await MilterClient.open(address)
    try:
        await client.greet()
        paths = [f"<{r}>".encode() for r in one.recipients]
        said = await client.message(b"<ann@army.mil>", paths, one.content)
        match said[-1]:
            case milter_says.Accept() | milter_says.Continue():
                gone = {r.path for r in said if isinstance(r, milter_says.DeleteRecipient)}
                one.passed = tuple(r for r, p in zip(one.recipients, paths, strict=True) if p not in gone)
                one.answered, one.reply = True, 250
            case milter_says.Discard():
                one.answered, one.reply = True, 250
            case milter_says.Reject():
                one.answered, one.reply = True, 550
            case milter_says.ReplyCode(code=code) if code >= 500:
                one.answered, one.reply = True, 550
    finally:
        await client.close()


# What must fit afterwards


def check_sums(
    guard: Breakable,
    world: World,
    sent: Iterable[Sent],
    *,
    twice: int = 0,
    notices_twice: int = 0,
    released_twice: int = 0,
) -> Counter[str]:
    """Assert that every copy is in exactly one place, and return how many there are of each kind.

    `twice` copies may have come to the next hop more than once (a crash between its 250 and ours), `notices_twice` questions may
    have been asked twice (a crash between a notice's 250 and its record), `released_twice` releases likewise.
    """
    sums: Counter[str] = Counter()
    holds: dict[tuple[str, str], list[Hold]] = {}
    for hold in guard.stands():
        holds.setdefault((hold.message_id, hold.recipient), []).append(hold)
    doubled: Counter[str] = Counter()
    came = Counter((a.field("Message-ID").strip("<>"), r) for a in world.arrived() for r in a.recipients)
    for one in sent:
        for recipient in one.recipients:
            held = holds.pop((one.id, recipient), [])
            assert len(held) <= 1, f"{one.id}: a copy is held {len(held)} times"
            passed = came[one.id, recipient] if one.door == "smtp" else one.passed.count(recipient)
            if held:
                passed = 0 if one.door == "smtp" else passed
                sums[held[0].state] += 1
                sums["held"] += 1
                delivered = came[one.id, recipient]
                expected = int(held[0].state is State.RELEASED)
                assert delivered >= expected, f"{one.id}: released, but it never came"
                assert expected or not delivered, f"{one.id}: {held[0].state}, but it came"
                doubled["released"] += delivered - expected
            if one.reply == 550:
                assert not held, f"{one.id}: refused and held"
                sums["refused"] += 1
            else:
                assert bool(held) + bool(passed) == 1, f"{one.id} ({one.door}): held {len(held)}, passed {passed}"
            sums["passed"] += bool(passed)
            doubled["passed"] += max(0, passed - 1)
            sums["in"] += 1
    assert not holds, f"{len(holds)} copies are held that nobody sent"
    assert sums["in"] == sums["passed"] + sums["held"] + sums["refused"]
    assert doubled["passed"] <= twice, f"{doubled['passed']} copies came twice, {twice} may"
    assert doubled["released"] <= released_twice, f"{doubled['released']} releases came twice, {released_twice} may"
    sums["passed twice"], sums["released twice"] = doubled["passed"], doubled["released"]
    sums["asked twice"] = _check_notices(guard, world, notices_twice)
    _check_records(guard)
    return sums


def _check_notices(guard: Breakable, world: World, twice: int) -> int:
    asked = notices(world)
    more = sum(count - 1 for count in asked.values())
    assert more <= twice, f"{more} notices were sent again, {twice} may"
    unasked = {h.question for h in guard.stands(State.WAITING)} - {question for question, _ in asked}
    assert not unasked, f"{len(unasked)} questions were never asked"
    return more


def notices(world: World) -> Counter[tuple[str, str]]:
    """Return how often each question was put to each reader."""
    letters = [(re.match(r"<(Q\w+)\.notice\.", a.field("Message-ID")), a.recipients[0]) for a in world.notices()]
    return Counter((found[1], to) for found, to in letters if found)


def _check_records(guard: Breakable) -> None:
    assert guard.json("audit", "verify")["ok"]
    balance = guard.json("holds", "balance")
    assert balance["ok"], balance
    assert balance["provisional"] == 0, balance
    heads = guard.home / "var" / "heads" / "heads.jsonl"
    if heads.exists() and heads.stat().st_size:
        assert guard.json("audit", "verify", "--head", str(heads))["ok"]
    spool = Spool(guard.places.spool, load_keys(guard.home / "keys").spool)
    needed = {h.spool for h in guard.stands(*LIVE)}
    # The files of sessions that died belong to nobody; the recorder sweeps them after an hour.
    spool.sweep(needed, time.time() + 10)
    assert set(spool.ids()) == needed
    assert spool.check(needed) == ()


WAYS = ("release", "return", "cancel", "release")


def decide_all(guard: Breakable, ways: Sequence[str] = WAYS) -> Counter[str]:
    """Decide every waiting copy, by these ways in turn, and return how many of each."""
    done: Counter[str] = Counter()
    for hold, action in zip(guard.stands(State.WAITING), itertools.cycle(ways), strict=False):
        done[guard.decide(hold.id, action, reason="sums")] += 1
    return done


def serve_fails(guard: Guard) -> str:
    """Start a second guard on the same home, which must refuse; return what it says."""
    command = [sys.executable, "-m", "nixie.cli.main", "serve", "--home", str(guard.home)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    return done.stderr
