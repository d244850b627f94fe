"""A mail server that takes everything and remembers it, byte for byte (aiosmtpd, a test part only)."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from support.postfix import free_port


@dataclass(frozen=True)
class Taken:
    """One message as it arrived."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    mail_options: tuple[str, ...] = ()


@dataclass
class Sink:
    """`with Sink() as sink:` listens on a loopback port; `messages` grows; `answers` are replies to give first."""

    answers: list[str] = field(default_factory=list)
    messages: list[Taken] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Condition()
        self._controller: Controller | None = None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        with self._lock:
            if self.answers:
                answer = self.answers.pop(0)
                if not answer.startswith("2"):
                    self._lock.notify_all()
                    return answer
            content = envelope.original_content
            assert content is not None
            self.messages.append(
                Taken(envelope.mail_from or "", tuple(envelope.rcpt_tos), content, tuple(envelope.mail_options))
            )
            self._lock.notify_all()
        return "250 2.0.0 Ok: taken"

    def __enter__(self) -> Self:
        sink = self

        class Lenient(Controller):
            def factory(self) -> Any:
                return SMTP(sink, enable_SMTPUTF8=True, decode_data=False, data_size_limit=100_000_000, hostname="sink")

        self.port = free_port()
        self._controller = Lenient(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._controller is not None:
            self._controller.stop()

    def wait(self, count: int, seconds: float = 15.0) -> list[Taken]:
        """Return the messages once there are at least `count`."""
        end = time.monotonic() + seconds
        with self._lock:
            while len(self.messages) < count:
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{len(self.messages)} of {count} messages after {seconds} s")
                self._lock.wait(left)
        return list(self.messages)
