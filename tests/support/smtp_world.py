"""Opens an SMTP door on a loopback port for the length of a test."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from nixie.service.listen import open_listener
from nixie.service.smtp_door import SmtpDoor, hop_factory

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from nixie.service.ports import Judge
    from nixie.service.smtp_settings import SmtpSettings
    from nixie.service.smtp_upstream import UpstreamSettings


@asynccontextmanager
async def open_door(
    judge: Judge,
    address: str,
    settings: SmtpSettings | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    upstream: UpstreamSettings | None = None,
) -> AsyncIterator[int]:
    """Yield the port of a door in front of `address`."""
    async with door_of(judge, address, settings, tls=tls, upstream=upstream) as (_, port):
        yield port


@asynccontextmanager
async def door_of(
    judge: Judge,
    address: str,
    settings: SmtpSettings | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    upstream: UpstreamSettings | None = None,
) -> AsyncIterator[tuple[SmtpDoor, int]]:
    """Yield the door and its port."""
    door = SmtpDoor(judge, hop_factory(address, upstream), settings, tls)
    with open_listener("127.0.0.1:0") as listener:
        door.serve(listener)
        try:
            yield door, listener.getsockname()[1]
        finally:
            await door.stop(5)
