"""The process of the recorder."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from nixie.service import steps
from nixie.service.address_feed import AddressFeed, StoppedError
from nixie.service.budgeting import NIGHT, set_now
from nixie.service.child import begin, prefer_throughput, run, settle, stop_event
from nixie.service.installation import read_policy
from nixie.service.listen import private_folder
from nixie.service.places import Places
from nixie.service.recorder import Hooks, RecorderSettings, serve
from nixie.store.db import open_writer, writing
from nixie.store.keys import load_keys
from nixie.store.knowledge import fold, forget_before
from nixie.store.knowledge_answers import settle_answers
from nixie.store.near_merge import merge
from nixie.store.near_write import NearWriter
from nixie.store.tuning import forget_thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nixie.config.settings import Settings
    from nixie.service.child import Child
    from nixie.service.frames import Head
    from nixie.service.recording import Records


log = structlog.get_logger("nixie.recorder")

FEED_SECONDS = 0.25
"""Between two looks for new addresses; readers look as often, so a new one is found within a second."""
FEED_AGAIN_SECONDS = 30.0


async def record(child: Child) -> None:
    """Serve the recorder until told to stop."""
    settings = child.settings
    places = Places(private_folder(settings.var))
    private_folder(places.spool)
    private_folder(places.near)
    keys = load_keys(settings.keys_folder, settings.credentials)
    near = NearWriter(places.near)
    feed = AddressFeed(places)

    def new_domains(names: Sequence[str]) -> None:
        near.append(names)

    async def night(database: Path) -> None:
        """Fold and forget through a writer of its own in short steps, and merge the index, while mail goes on."""
        await asyncio.to_thread(_fold, database, settings.knowledge.retention_days)
        if near.should_merge():
            upto = near.begin_merge()
            await asyncio.to_thread(merge, places.near, upto)
            near.end_merge()
        with suppress(StoppedError):
            await asyncio.to_thread(feed.tidy)
        await asyncio.to_thread(_set_thresholds, settings)

    def domains(_: Records, head: Head, __: bytes) -> Head:
        """Take domains that `nixie learn` met in a process of its own."""
        near.append(head["names"])
        return {}

    heads = private_folder(settings.ledger.heads) / "heads.jsonl"
    recorder = RecorderSettings(
        database=places.database,
        socket=places.recorder,
        heads=heads,
        spool=places.spool,
        sign_seconds=settings.ledger.head_interval,
        organisation=settings.organisation,
    )
    feeding = asyncio.create_task(_feed(feed))
    settle()
    try:
        await serve(
            recorder,
            keys,
            Hooks(new_domains=new_domains, night=night, handlers={"domains": domains}),
            stop_event(child.life),
        )
    finally:
        feeding.cancel()
        await asyncio.to_thread(feed.close)


async def _feed(feed: AddressFeed) -> None:
    """Take new addresses into their near index, again and again, in a thread."""
    while True:
        pause = FEED_SECONDS
        try:
            await asyncio.to_thread(feed.take)
        except StoppedError:
            return
        except Exception as error:  # noqa: BLE001 - the recorder must live on; the index follows later
            log.error("new addresses are not in the near index yet", error=error)
            pause = FEED_AGAIN_SECONDS
        await asyncio.sleep(pause)


def _set_thresholds(settings: Settings) -> None:
    """Let the budget of the policy as it is now lead to the thresholds of the day that begins."""
    try:
        now = round(datetime.now(UTC).timestamp() * 1000)
        wanted, changed = set_now(settings, read_policy(settings.policy_file), now, NIGHT)
    except Exception as error:  # noqa: BLE001 - those of yesterday stay in force
        log.error("the budget's thresholds stay as they were", error=error)
    else:
        log.info("thresholds set", asked_from=wanted.everybody, senders=len(wanted.senders), changed=changed)


def _fold(database: Path, retention_days: int) -> None:
    """Move old instants into the counts and forget what is past its retention."""
    now = datetime.now(UTC)
    db = open_writer(database)
    try:
        fold(db, now)
        settle_answers(db)
        oldest = now - timedelta(days=retention_days)
        forget_before(db, oldest.date())
        with writing(db):
            forget_thresholds(db, round(oldest.timestamp() * 1000))
    finally:
        db.close()


if __name__ == "__main__":
    steps.arm(os.environ.get("NIXIE_CRASH_AT", ""))
    prefer_throughput()
    run(record(begin()))
