"""The process of the courier."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nixie.service import steps
from nixie.service.child import begin, run, stop_event
from nixie.service.courier import Courier
from nixie.service.installation import open_engine
from nixie.service.letters import Letters
from nixie.service.places import Places
from nixie.service.recorder_client import RecorderClient
from nixie.store.db import open_reader
from nixie.store.keys import load_keys
from nixie.store.spool import Spool

if TYPE_CHECKING:
    from nixie.service.child import Child


async def carry(child: Child) -> None:
    """Do what is due until told to stop."""
    settings = child.settings
    places = Places(settings.var)
    keys = load_keys(settings.keys_folder, settings.credentials)
    reader = open_reader(places.database)
    spool = Spool(places.spool, keys.spool)
    recorder = RecorderClient(places.recorder)
    courier = Courier(
        settings=settings,
        reader=reader,
        recorder=recorder,
        spool=spool,
        engine=open_engine(settings),
        letters=Letters(settings, reader, spool, keys.links),
    )
    await courier.run(stop_event(child.life))
    await recorder.close()


if __name__ == "__main__":
    steps.arm(os.environ.get("NIXIE_CRASH_AT", ""))
    run(carry(begin()))
