"""The next hop that is a Maildir: takes everything, and has it on disk before it says so.

For trying Nixie without a mail server (the outbox of a new installation) and for archives. The message's bytes are written
as they came, CRLF included; above them stand the trace fields that a delivery agent adds (RFC 5321, section 4.4):
`Return-Path:` with the envelope sender and one `Delivered-To:` for each recipient. One file a message, however many copies.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import time
from typing import TYPE_CHECKING

from nixie.service.smtp_hop import HopLostError
from nixie.wire.smtp import Mail, Rcpt, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nixie.wire.smtp import Keywords

_OK = Reply(250, (b"2.0.0 Ok",))
_GO_ON = Reply(354, (b"End data with <CR><LF>.<CR><LF>",))
_NO_SPACE = Reply(452, (b"4.3.1 The outbox could not be written",))
_KEYWORDS: Keywords = {b"SIZE": b"0", b"8BITMIME": b"", b"SMTPUTF8": b"", b"DSN": b"", b"PIPELINING": b""}

_numbers = itertools.count()


class MaildirHop:
    """A Maildir as next hop (`smtp_hop.Hop`); the folders are made when the first message comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sender = b"<>"
        self._recipients: list[bytes] = []
        self._open = False

    @property
    def alive(self) -> bool:
        """Whether `open` was called."""
        return self._open

    @property
    def keywords(self) -> Keywords:
        """What a Maildir can take: all that needs no answer from a server."""
        return _KEYWORDS

    async def open(self, forwarded: bytes = b"") -> None:  # noqa: ARG002 - a Maildir has no log
        """Begin."""
        self._clear()
        self._open = True

    async def flight(self, commands: Sequence[Mail | Rcpt], *, reset: bool = False) -> tuple[Reply, ...]:
        """Note the envelope and accept it."""
        if reset:
            self._clear()
        for command in commands:
            if isinstance(command, Mail):
                self._clear()
                self._sender = command.path
            else:
                self._recipients.append(command.path)
        return (_OK,) * (len(commands) + reset)

    async def reset(self) -> Reply:
        """Forget the envelope."""
        self._clear()
        return _OK

    async def data(self) -> Reply:
        """Say go on."""
        return _GO_ON

    async def text(self, text: bytes | memoryview) -> Reply:
        """Write the message durably; 452 when the disk does not take it."""
        if not self._open:
            raise HopLostError
        trace = [b"Return-Path: ", self._sender, b"\r\n"]
        for path in self._recipients:
            trace += (b"Delivered-To: ", path[1:-1], b"\r\n")
        self._clear()
        try:
            name = await asyncio.to_thread(deliver, self._folder, b"".join(trace), text)
        except OSError:
            return _NO_SPACE
        return Reply(250, (b"2.0.0 Ok: in the outbox as " + name.encode("ascii"),))

    async def quit(self) -> None:
        """End."""
        self.drop()

    def drop(self) -> None:
        """Forget the envelope and end."""
        self._clear()
        self._open = False

    def _clear(self) -> None:
        self._sender = b"<>"
        self._recipients = []


def deliver(folder: Path, trace: bytes, text: bytes | memoryview) -> str:
    """Write trace fields and text as one new message of the Maildir `folder`; return its file name.

    On return the file and its name are on disk. Raises OSError, and then nothing of the message is left in `new`.
    """
    for part in ("tmp", "new", "cur"):
        (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    now = time.time_ns()
    host = socket.gethostname().replace("/", "_").replace(":", "_").encode("ascii", "replace").decode("ascii")
    name = f"{now // 10**9}.M{now % 10**9 // 1000}P{os.getpid()}Q{next(_numbers)}.{host}"
    temporary = folder / "tmp" / name
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor has no path
            file.write(trace)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        temporary.rename(folder / "new" / name)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    directory = os.open(folder / "new", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return name
