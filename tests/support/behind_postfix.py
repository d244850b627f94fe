"""The whole chain on loopback: client -> Postfix with the guard as milter -> the world, and the guard's release hop.

The release hop is a second port of the same Postfix without the guard, as docs/behind-postfix.md sets it up, unless a test wants
the world itself there to see what the guard says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from support.guard import Given, Guard, open_folder, write_mbox
from support.mail import submit
from support.postfix import PrivatePostfix, free_port, need
from support.world_sink import World, eventually

RELEASE = """127.0.0.1:{port} inet n - n - - smtpd
  -o syslog_name=postfix/release
  -o smtpd_milters=
  -o mynetworks=127.0.0.0/8
  -o smtpd_relay_restrictions=permit_mynetworks,reject
  -o always_bcc=
"""


@dataclass
class Chain:
    """`with Chain() as chain:` starts all of it. Everybody in `known` was written to by ann@army.mil for weeks."""

    known: Sequence[str] = ()
    settings: Given = field(default_factory=dict)
    postfix_settings: Mapping[str, str] = field(default_factory=dict)
    services: str = ""
    milter: str = "unix"
    partners: tuple[str, ...] = ()
    milters: Callable[[str], str] = lambda address: address
    release_by_postfix: bool = True
    folder: Path = Path()

    def __enter__(self) -> Self:
        need("postfix", "postconf")
        self._stack = ExitStack()
        self.release_port = free_port()
        try:
            self.folder = self._stack.enter_context(open_folder())
            self.world = self._stack.enter_context(World())
            hop = self.release_port if self.release_by_postfix else self.world.port
            release: dict[str, Any] = {"hop": f"127.0.0.1:{hop}", "retry": ["1s"]}
            given = {**self.settings, "release": {**release, **self.settings.get("release", {})}}
            self.guard = Guard(self.folder / "g", settings=given, milter=self.milter, partners=self.partners).make()
            if self.known:
                self.guard.learn(write_mbox(self.folder / "past.mbox", "ann@army.mil", self.known, 20))
            self._stack.enter_context(self.guard)
            self.postfix = PrivatePostfix(
                self.folder / "p",
                {
                    "smtpd_milters": self.milters(self.guard.postfix_milter),
                    "milter_default_action": "tempfail",
                    "default_transport": f"smtp:[127.0.0.1]:{self.world.port}",
                    "minimal_backoff_time": "2s",
                    "queue_run_delay": "2s",
                    **self.postfix_settings,
                },
                services=RELEASE.format(port=self.release_port) + self.services,
            )
            self._stack.callback(self.postfix.stop)
            self.postfix.start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def submit(self, content: bytes, to: Sequence[str], **more: Any) -> tuple[int, str]:
        """Hand a message to Postfix's guarded port."""
        return submit(self.postfix.port, content, to, **more)

    def send(self, content: bytes, to: Sequence[str], **more: Any) -> None:
        """Hand a message over that must be taken."""
        code, text = self.submit(content, to, **more)
        assert code == 250, (code, text)

    def wait_copies(self, message_id: str, count: int) -> list[str]:
        """Return who got copies of a message, once `count` came."""
        eventually(lambda: len(self.world.copies(message_id)) >= count, f"{count} copies of {message_id}")
        return self.world.copies(message_id)

    def wait_notice(self, about: str = "") -> None:
        eventually(lambda: self.world.notices(about), f"a notice about {about or 'anything'}")
