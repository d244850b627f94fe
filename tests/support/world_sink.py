"""The rest of the world: a mail server in a thread that takes everything and keeps commands and bytes as they came.

A `ScriptedHop` behind blocking words, for tests that run real processes. It offers DSN and the other extensions of a grown-up
server, so what a guard or Postfix passes on can be seen.
"""

from __future__ import annotations

import asyncio
import email.policy
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, TypeVar

from support.scripted_hop import ScriptedHop, Taken

T = TypeVar("T")


@dataclass(frozen=True)
class Arrived:
    """One message: the addresses of its envelope, the parameters of MAIL and RCPT, its bytes."""

    sender: str
    recipients: tuple[str, ...]
    mail_params: tuple[str, ...]
    rcpt_params: tuple[tuple[str, ...], ...]
    content: bytes

    def field(self, name: str) -> str:
        """Return the first header field of this name, unfolded; `""` when there is none."""
        head = self.content.partition(b"\r\n\r\n")[0]
        found = re.search(rb"(?im)^%s:[ \t]*((?:.*)(?:\r\n[ \t].*)*)" % name.encode(), head)
        return re.sub(r"\r\n[ \t]", " ", found[1].decode("utf-8", "replace")).strip() if found else ""

    @property
    def below_trace(self) -> bytes:
        """The message without the trace fields that mail servers put on top of it."""
        content = self.content
        while content.startswith((b"Received:", b"Return-Path:", b"Delivered-To:")):
            content = content.partition(b"\r\n")[2]
            while content.startswith((b" ", b"\t")):
                content = content.partition(b"\r\n")[2]
        return content

    @property
    def text(self) -> str:
        """What a mail program shows: the plain text part, decoded."""
        part = email.message_from_bytes(self.content, policy=email.policy.default).get_body(("plain",))
        return str(part.get_content()) if part is not None else ""


class World:
    """`with World() as world:` listens on `world.port`; `arrived()` is what came so far, `wait` what must come."""

    def __init__(self, answers: dict[str, list[str]] | None = None) -> None:
        self.hop = ScriptedHop(answers=answers or {})

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.hop.__aenter__(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.hop.__aexit__(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def port(self) -> int:
        return self.hop.port

    def arrived(self, message_id: str = "") -> list[Arrived]:
        """Return the messages so far; with a Message-ID those that carry it as their own."""
        everything = [_arrived(taken) for taken in list(self.hop.taken)]
        return [a for a in everything if not message_id or a.field("Message-ID") == message_id]

    def mails_to(self, recipient: str, message_id: str = "") -> list[Arrived]:
        return [a for a in self.arrived(message_id) if recipient in a.recipients]

    def notices(self, about: str = "") -> list[Arrived]:
        """Return what the guard wrote itself, optionally only what speaks of `about`."""
        automatic = [a for a in self.arrived() if a.field("Auto-Submitted").startswith("auto-") and a.sender == ""]
        return [a for a in automatic if about in a.text]

    def copies(self, message_id: str) -> list[str]:
        """Return the recipients of a message's copies, sorted, one for each time a copy came."""
        return sorted(r for a in self.arrived(message_id) for r in a.recipients)


def eventually(look: Callable[[], T], what: str, seconds: float = 60.0) -> T:
    """Return what `look` finds, once it finds something; a loaded machine may take its time."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.02)
    return found


def _arrived(taken: Taken) -> Arrived:
    sender, mail_params = _path(taken.mail)
    recipients = [_path(line) for line in taken.rcpts]
    return Arrived(sender, tuple(r for r, _ in recipients), mail_params, tuple(p for _, p in recipients), taken.text)


def _path(line: bytes) -> tuple[str, tuple[str, ...]]:
    """Split `MAIL FROM:<a@b> RET=HDRS` into the address and its parameters."""
    found = re.match(r"[^<]*<([^>]*)>(.*)$", line.decode("utf-8", "surrogateescape").strip())
    assert found is not None, line
    return found[1], tuple(found[2].split())
