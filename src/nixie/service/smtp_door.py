"""The SMTP door: a proxy in front of the next hop, for every mail server that has a smart-host setting.

It never owns mail. A client's commands are tried at the next hop as they come, the text is kept here until it is judged, and
the client hears "yes" only when the next hop has said it, or when the copies are on disk as holds. Protocol: `wire.smtp`;
one connection: `smtp_session`; what goes on after the decision: `smtp_forward` and `docs/smtp-door.md`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from nixie.service.listen import accept_one
from nixie.service.maildir_hop import MaildirHop
from nixie.service.smtp_peers import check_listener, peer_of
from nixie.service.smtp_pipe import Pipe
from nixie.service.smtp_session import Session
from nixie.service.smtp_settings import SmtpSettings
from nixie.service.smtp_upstream import SmtpHop, UpstreamSettings
from nixie.wire.smtp import Reply

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from nixie.service.ports import Judge
    from nixie.service.smtp_hop import Hop, HopFactory

log = structlog.get_logger("nixie.smtp")

TOO_MANY = Reply(421, (b"4.3.2 Too many connections",))


class SmtpDoor:
    """Serves any number of listening sockets with one judge and one kind of next hop, in one event loop."""

    def __init__(
        self, judge: Judge, hops: HopFactory, settings: SmtpSettings | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._judge = judge
        self._hops = hops
        self._settings = settings or SmtpSettings()
        self._tls = tls
        self._numbers = itertools.count(1)
        self._sessions: dict[Session, asyncio.Task[None]] = {}
        self._stop_accepting: list[Callable[[], None]] = []
        self._stopping = False

    @property
    def sessions(self) -> int:
        """Return how many clients are connected."""
        return len(self._sessions)

    def serve(self, listener: socket.socket) -> None:
        """Accept on a socket that listens already, TCP or UNIX; call it in a running loop.

        Raises ListenerError for a socket that everybody could reach.
        """
        name = listener.getsockname()
        if isinstance(name, tuple):
            check_listener(name[0], self._settings.networks, self._tls)
        listener.setblocking(False)
        self._stop_accepting.append(accept_one(listener, lambda: Pipe(self._opened)))

    async def stop(self, seconds: float = 10.0) -> None:
        """Accept nobody more, let begun transactions come to their answer for at most `seconds`, end the others.

        The listening sockets stay open: they belong to whoever made them.
        """
        self._stopping = True
        for stop in self._stop_accepting:
            stop()
        self._stop_accepting.clear()
        for session in self._sessions:
            session.stop()
        tasks = set(self._sessions.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _opened(self, pipe: Pipe) -> None:
        if self._stopping or len(self._sessions) >= self._settings.max_sessions:
            pipe.write(TOO_MANY.encode())
            pipe.close()
            return
        peer = peer_of(pipe.transport.get_extra_info("peername"), self._settings, self._tls)
        session = Session(
            next(self._numbers), pipe, peer, self._hops(), judge=self._judge, settings=self._settings, tls=self._tls
        )
        task = asyncio.get_running_loop().create_task(session.run(), name=f"smtp-{session.number}")
        self._sessions[session] = task
        task.add_done_callback(lambda _: self._left(session))

    def _left(self, session: Session) -> None:
        task = self._sessions.pop(session)
        with contextlib.suppress(asyncio.CancelledError):
            error = task.exception()
            if error is not None:
                log.error("smtp session ended badly", session=session.number, error=error)


def hop_factory(address: str, settings: UpstreamSettings | None = None, home: Path = Path()) -> HopFactory:
    """Return what makes next hops of `host:port`, `[v6]:port` or `maildir:PATH` (relative to `home`).

    `settings` gives times, TLS and our name; host and port are taken from `address`. Raises ValueError for other texts.
    """
    if address.startswith("maildir:"):
        folder = home / address.removeprefix("maildir:")
        return lambda: MaildirHop(folder)
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("a next hop is host:port or maildir:PATH")
    upstream = replace(settings or UpstreamSettings("", 0), host=host.strip("[]"), port=int(port))

    def make() -> Hop:
        return SmtpHop(upstream)

    return make
