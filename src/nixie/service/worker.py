"""One worker: both doors, one pipeline, read-only knowledge. There are as many as cores, sharing the listening sockets."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from nixie.service import steps
from nixie.service.child import begin, prefer_throughput, run, settle, stop_event
from nixie.service.doors import milter_door, smtp_door
from nixie.service.installation import open_engine
from nixie.service.pipeline import Pipeline
from nixie.service.places import Places
from nixie.service.recorder_client import RecorderClient
from nixie.store.db import open_reader
from nixie.store.keys import load_keys
from nixie.store.spool import Spool

if TYPE_CHECKING:
    from nixie.service.child import Child

STOP_SECONDS = 15.0


async def work(child: Child) -> None:
    """Serve both doors until told to stop; then let begun messages come to their answer."""
    settings = child.settings
    places = Places(settings.var)
    keys = load_keys(settings.keys_folder, settings.credentials)
    stop = stop_event(child.life)
    recorder = RecorderClient(places.recorder)
    reader = open_reader(places.database)
    pipeline = Pipeline(
        engine=open_engine(settings, db=reader),
        settings=settings,
        reader=reader,
        recorder=recorder,
        spool=Spool(places.spool, keys.spool),
    )
    milter = milter_door(pipeline, settings)
    smtp = smtp_door(pipeline, settings)
    pipeline.company = lambda: milter.under_way
    for door, name in ((milter, "milter"), (smtp, "smtp")):
        if name in child.sockets:
            door.serve(child.sockets[name])
    settle()
    await stop.wait()
    await asyncio.gather(milter.stop(STOP_SECONDS), smtp.stop(STOP_SECONDS))
    await recorder.close()


if __name__ == "__main__":
    steps.arm(os.environ.get("NIXIE_CRASH_AT", ""))
    prefer_throughput()
    run(work(begin("milter", "smtp")))
