"""A courier over a whole installation in one process, with the world as its hop and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from nixie.config.kinds import Hop
from nixie.service.courier import Courier
from nixie.service.letters import Letters
from nixie.service.pipeline import now_ms
from nixie.store.hold_states import State
from nixie.store.hold_views import Hold
from support.installed import Direct, Installation, mail
from support.postfix import free_port
from support.world_sink import Arrived, World

OWN = "ministry.example"
ANN = f"ann@{OWN}"
SLIP = "ops@ministyr.example"


@dataclass
class Carrying:
    """`with Carrying(folder) as it:`; `it.hold()` holds a copy at `it.now`, `it.round()` lets the courier do what is due."""

    folder: Path
    reviewers: tuple[str, ...] = (f"rita@{OWN}",)
    postmaster: str = f"postmaster@{OWN}"
    now: int = field(default_factory=now_ms)
    house: Installation = field(init=False)
    world: World = field(init=False)

    def __enter__(self) -> Self:
        self.world = World()
        self.world.__enter__()
        self.house = house = Installation(self.folder).open()
        self.settings = replace(
            house.settings,
            organisation=replace(house.organisation, postmaster=self.postmaster),
            notice=replace(house.settings.notice, reviewers=self.reviewers),
        )
        self.courier = self.new_courier()
        self.hop_up()
        return self

    def __exit__(self, *_: object) -> None:
        self.house.__exit__()
        self.world.__exit__()

    def new_courier(self) -> Courier:
        """Return a courier that knows what the store says and nothing else, as after a restart."""
        house, direct = self.house, Direct(self.house.recorder)
        recorder: Any = direct
        return Courier(
            settings=self.settings,
            reader=house.reader,
            recorder=recorder,
            spool=house.spool,
            engine=house.engine,
            letters=Letters(self.settings, house.reader, house.spool, house.keys.links),
        )

    def hop_up(self) -> None:
        self._hop(self.world.port)

    def hop_down(self) -> None:
        """Let the hop be where nobody listens."""
        self._hop(free_port())

    def _hop(self, port: int) -> None:
        release = replace(self.settings.release, hop=Hop("127.0.0.1", port))
        self.courier.settings = self.settings = replace(self.settings, release=release)

    def answers(self, *replies: str) -> None:
        """Let the world answer the next messages so."""
        self.world.hop.answers["END"] = list(replies)

    def hold(self, message_id: str = "m1@ministry.example", to: Sequence[str] = (SLIP,), sender: str = ANN) -> Hold:
        """Submit a message with a slip and return its first held copy."""
        self.house.submit(mail(message_id, sender, to), sender, to, at=datetime.fromtimestamp(self.now / 1000, UTC))
        return next(h for h in self.house.holds() if h.message_id == message_id)

    def act(self, hold: Hold, action: str, **more: Any) -> dict[str, Any]:
        head = {"do": "act", "hold": hold.id, "action": action, "role": "reviewer", "name": "rita", "by": "cli", **more}
        told: dict[str, Any] = self.ask({**head, "at": self.now})
        return told

    def ask(self, head: dict[str, Any]) -> Any:
        return self.house.run(Direct(self.house.recorder).ask(head))

    def round(self) -> bool:
        return bool(self.house.run(self.courier.round(self.now)))

    def pass_time(self, step: float = 60.0, **time: float) -> None:
        """Move the clock by `timedelta(**time)` in steps of so many seconds, with the courier at work all the while."""
        end = self.now + round(timedelta(**time).total_seconds() * 1000)
        while self.now < end:
            self.now = min(end, self.now + round(step * 1000))
            self.round()

    def state(self, hold: Hold) -> State:
        row = self.house.reader.execute("SELECT state FROM hold WHERE public = ?", (hold.id,)).fetchone()
        return State(row[0])

    def waiting(self) -> list[Hold]:
        return [h for h in self.house.holds() if h.state is State.WAITING]

    def letters(self, to: str = "") -> list[Arrived]:
        """Return what the guard wrote itself, oldest first."""
        return [a for a in self.world.notices() if not to or to in a.recipients]

    def steps(self, to: str = "") -> list[str]:
        """Return which steps the letters took, such as `notice` or `returned`, by their Message-IDs."""
        return [a.field("Message-ID").split(".")[1] for a in self.letters(to)]
