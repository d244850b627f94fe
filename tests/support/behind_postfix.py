"""The whole chain on loopback: client -> Postfix with the guard as milter -> the world, and the guard's release hop.

Postfix runs with the very lines that docs/behind-postfix.md gives to copy; what a test says itself comes on top of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from support.guard import Given, Guard, open_folder, write_mbox
from support.mail import submit
from support.postfix import PrivatePostfix, free_port, need
from support.world_sink import World, eventually

PAGE = Path(__file__).parents[2] / "docs" / "behind-postfix.md"


def page_lines(name: str) -> str:
    """Return the lines of docs/behind-postfix.md that belong into the named file."""
    found = re.search(rf"^{re.escape(name)}[^\n]*:\n\n```\w*\n(.*?)```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None, f"{PAGE.name} has no lines for {name}"
    return found[1]


def page_main() -> dict[str, str]:
    """Return the parameters that docs/behind-postfix.md sets in main.cf."""
    return dict(line.split(" = ", 1) for line in page_lines("main.cf").splitlines())


@dataclass
class Chain:
    """`with Chain() as chain:` starts all of it. Everybody in `known` was written to by ann@army.mil for weeks."""

    known: Sequence[str] = ()
    settings: Given = field(default_factory=dict)
    postfix_settings: Mapping[str, str] = field(default_factory=dict)
    services: str = ""
    milter: str = "unix"
    milters: Callable[[str], str] = lambda address: address
    folder: Path = Path()

    def __enter__(self) -> Self:
        need("postfix", "postconf")
        self._stack = ExitStack()
        self.release_port = free_port()
        try:
            self.folder = self._stack.enter_context(open_folder())
            self.world = self._stack.enter_context(World())
            release: dict[str, Any] = {"hop": f"127.0.0.1:{self.release_port}", "retry": ["1s"]}
            given = {**self.settings, "release": {**release, **self.settings.get("release", {})}}
            door = self.folder / "p" / "queue" / "nixie"
            self.guard = Guard(self.folder / "g", settings=given, milter=self.milter, door=door).make()
            if self.known:
                self.guard.learn(write_mbox(self.folder / "past.mbox", "ann@army.mil", self.known, 20))
            self._stack.enter_context(self.guard)
            self.postfix = PrivatePostfix(
                self.folder / "p",
                {
                    **page_main(),
                    "smtpd_milters": self.milters(self._guard_as_postfix_writes_it()),
                    "default_transport": f"smtp:[127.0.0.1]:{self.world.port}",
                    "minimal_backoff_time": "2s",
                    "queue_run_delay": "2s",
                    **self.postfix_settings,
                },
                services=page_lines("master.cf").replace("10026", str(self.release_port)) + self.services,
            )
            self._stack.callback(self.postfix.stop)
            self.postfix.start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _guard_as_postfix_writes_it(self) -> str:
        return page_main()["smtpd_milters"] if self.milter == "unix" else self.guard.postfix_milter

    def submit(self, content: bytes, to: Sequence[str], **more: Any) -> tuple[int, str]:
        """Hand a message to Postfix's guarded port."""
        return submit(self.postfix.port, content, to, **more)

    def send(self, content: bytes, to: Sequence[str], **more: Any) -> None:
        """Hand a message over that must be taken; "later" is tried again, as on a loaded machine it may come."""
        for _ in range(3):
            code, text = self.submit(content, to, **more)
            if code // 100 != 4:
                break
        assert code == 250, (code, text)

    def wait_copies(self, message_id: str, count: int) -> list[str]:
        """Return who got copies of a message, once `count` came."""
        eventually(lambda: len(self.world.copies(message_id)) >= count, f"{count} copies of {message_id}")
        return self.world.copies(message_id)

    def wait_notice(self, about: str = "") -> None:
        eventually(lambda: self.world.notices(about), f"a notice about {about or 'anything'}")
