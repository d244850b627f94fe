"""The process of the recorder."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nixie.service import steps
from nixie.service.child import begin, prefer_throughput, run, stop_event
from nixie.service.listen import private_folder
from nixie.service.places import Places
from nixie.service.recorder import Hooks, RecorderSettings, serve
from nixie.store.db import open_writer
from nixie.store.keys import load_keys
from nixie.store.knowledge import fold, forget_before
from nixie.store.knowledge_answers import settle_answers
from nixie.store.near_merge import merge
from nixie.store.near_write import NearWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nixie.service.child import Child
    from nixie.service.frames import Head
    from nixie.service.recording import Records


async def record(child: Child) -> None:
    """Serve the recorder until told to stop."""
    settings = child.settings
    places = Places(private_folder(settings.var))
    private_folder(places.spool)
    private_folder(places.near)
    keys = load_keys(settings.keys_folder, settings.credentials)
    near = NearWriter(places.near)

    def new_domains(names: Sequence[str]) -> None:
        near.append(names)

    async def night(database: Path) -> None:
        """Fold and forget through a writer of its own in short steps, and merge the index, while mail goes on."""
        await asyncio.to_thread(_fold, database, settings.knowledge.retention_days)
        if near.should_merge():
            upto = near.begin_merge()
            await asyncio.to_thread(merge, places.near, upto)
            near.end_merge()

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
    await serve(
        recorder,
        keys,
        Hooks(new_domains=new_domains, night=night, handlers={"domains": domains}),
        stop_event(child.life),
    )


def _fold(database: Path, retention_days: int) -> None:
    """Move old instants into the counts and forget what is past its retention."""
    now = datetime.now(UTC)
    db = open_writer(database)
    try:
        fold(db, now)
        settle_answers(db)
        forget_before(db, (now - timedelta(days=retention_days)).date())
    finally:
        db.close()


if __name__ == "__main__":
    steps.arm(os.environ.get("NIXIE_CRASH_AT", ""))
    prefer_throughput()
    run(record(begin()))
