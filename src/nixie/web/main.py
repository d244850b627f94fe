"""The process of the decision pages: uvicorn on the socket that the supervisor made."""

from __future__ import annotations

import asyncio
import time

import uvicorn

from nixie.service.child import begin, run, stop_event
from nixie.service.places import Places
from nixie.service.recorder_client import RecorderClient
from nixie.service.store_desk import StoreDesk
from nixie.store.keys import load_keys
from nixie.store.spool import Spool
from nixie.web.app import WebSettings, create_app


async def pages() -> None:
    """Serve the pages until told to stop."""
    child = begin("http")
    settings = child.settings
    places = Places(settings.var)
    keys = load_keys(settings.keys_folder, settings.credentials)
    recorder = RecorderClient(places.recorder)
    desk = StoreDesk(places, recorder, Spool(places.spool, keys.spool))
    web = WebSettings(
        links_key=keys.links,
        proxies=settings.http.trusted_proxies,
        demand_user=settings.http.demand_remote_user,
        public_url=settings.http.public_url,
    )
    config = uvicorn.Config(
        create_app(desk, web, time.time),
        lifespan="off",
        ws="none",
        log_config=None,  # our own log takes what it says, without an error's text
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    stop = stop_event(child.life)
    serving = asyncio.create_task(server.serve([child.sockets["http"]]))
    # uvicorn hears signals itself; what it cannot know is that the supervisor is gone.
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    stopping.cancel()
    await recorder.close()


if __name__ == "__main__":
    run(pages())
