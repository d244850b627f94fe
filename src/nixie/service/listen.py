"""Listening sockets: made once by the supervisor, shared by the workers.

`accept_one` takes one connection a wake-up instead of asyncio's hundred: with several workers on one socket the sessions of a
burst then spread over the workers instead of all going to the one that woke first.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BACKLOG = 512


class ListenError(Exception):
    """An address cannot be listened on: the text names it and the remedy."""


def open_listener(address: str) -> socket.socket:
    """Bind and listen on `host:port`, `[v6]:port` or `unix:/path`; the socket is not inheritable until it is passed on.

    Raises `ListenError`.
    """
    path = address.removeprefix("unix:") if address.startswith("unix:") else ""
    host, _, port = address.rpartition(":")
    family = socket.AF_UNIX if path else socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if path:
            _bind_unix(listener, path)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host.strip("[]"), int(port)))
        listener.listen(BACKLOG)
    except (OSError, ValueError) as error:
        listener.close()
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ListenError(
            f"cannot listen on {address}: {why}; stop what listens there, or give another address in nixie.toml"
        ) from error
    listener.setblocking(False)
    return listener


def _bind_unix(listener: socket.socket, path: str) -> None:
    """Bind to a path, in place of a socket that an earlier guard left there."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.stat(path).st_mode):  # noqa: PTH116 - a plain string from the configuration
            os.unlink(path)  # noqa: PTH108
    listener.bind(path)
    os.chmod(path, 0o660)  # noqa: PTH101


def name_of(listener: socket.socket) -> str:
    """Return the address in the form of the configuration; the port is the real one."""
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        return f"unix:{name}"
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def accept_one(listener: socket.socket, protocol: Callable[[], asyncio.BaseProtocol]) -> Callable[[], None]:
    """Serve `protocol` on every connection of the listener, one accept a wake-up; call what is returned to stop."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[object]] = set()

    def ready() -> None:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:
            # Out of descriptors: the connection stays in the backlog, and the next wake-up tries again.
            return
        connection.setblocking(False)
        task = asyncio.ensure_future(loop.connect_accepted_socket(protocol, connection))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_reader(listener, ready)

    def stop() -> None:
        loop.remove_reader(listener)

    return stop


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner may enter, and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
