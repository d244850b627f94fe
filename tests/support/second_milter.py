"""Another milter in the chain, such as a spam or virus filter: says what it is told, then lets everything pass."""

from __future__ import annotations

import asyncio
import threading
from typing import Self

from nixie.service.listen import name_of, open_listener
from nixie.service.milter_door import MilterDoor
from nixie.service.ports import Answer
from support.scripted_hop import ScriptedJudge

LATER = Answer(later=True, reply="451 4.7.1 greylisted by another filter")
REFUSED = Answer(refused=tuple(range(10)), reply="550 5.7.1 a virus")
"""Refuses a message of ten recipients."""


class SecondMilter:
    """`with SecondMilter() as other:` listens on `other.address`; `other.judge.answers` are given first."""

    def __enter__(self) -> Self:
        self.judge = ScriptedJudge()
        self._listener = open_listener("127.0.0.1:0")
        self.address = f"inet:{name_of(self._listener)}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._loop.call_soon_threadsafe(self._serve)
        return self

    def _serve(self) -> None:
        self._door = MilterDoor(self.judge)
        self._door.serve(self._listener)

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._door.stop(1.0), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._listener.close()
