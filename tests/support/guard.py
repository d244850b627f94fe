"""A running guard for tests: a home in a temporary folder and `nixie serve` as a real process, ended by its id.

The milter's socket lies in a folder with the group `postfix` and the set-group-id bit where there is such a group, the way
docs/behind-postfix.md sets it up; so Postfix, which is not root, reaches it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from nixie.cli.main import main
from nixie.config.sample import sample
from support.postfix import free_port

START_SECONDS = 60.0
STOP_SECONDS = 30.0

Given = Mapping[str, Mapping[str, Any]]


@dataclass
class Guard:
    """One installation. `with Guard(folder) as guard:` makes the home and serves; `make` only makes it.

    `settings` are keys of nixie.toml by section; `milter` is `unix` or `tcp`, `door` the folder of its socket; `partners` are domains of known partners.
    """

    folder: Path
    own_domains: tuple[str, ...] = ("army.mil",)
    settings: Given = field(default_factory=dict)
    partners: tuple[str, ...] = ()
    milter: str = "unix"
    door: Path | None = None
    mode: str = "enforce"
    environment: Mapping[str, str] = field(default_factory=dict)
    smtp_port: int = 0
    http_port: int = 0
    milter_address: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def postfix_milter(self) -> str:
        """Return the milter's address as Postfix writes it."""
        return self.milter_address if self.milter == "unix" else f"inet:{self.milter_address}"

    @property
    def log(self) -> str:
        path = self.folder / "serve.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def make(self) -> Self:
        """Write the home, once."""
        if self.home.exists():
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        self.smtp_port, self.http_port = free_port(), free_port()
        self.milter_address = (
            f"unix:{_door(self.door or self.folder / 'door')}/milter"
            if self.milter == "unix"
            else f"127.0.0.1:{free_port()}"
        )
        words = ["init", "--home", str(self.home), "--mode", self.mode, "--milter", self.milter_address]
        words += ["--smtp", f"127.0.0.1:{self.smtp_port}", "--http", f"127.0.0.1:{self.http_port}"]
        code, said = cli(*words, *(w for d in self.own_domains for w in ("--own-domain", d)))
        assert code == 0, said
        self.configure({"notice": {"wait": "1s"}, "workers": {"count": 2}})
        self.configure(self.settings)
        if self.partners:
            lines = "".join(f'[[partner]]\nname = "{d}"\ndomains = ["{d}"]\n' for d in self.partners)
            (self.home / "partners.toml").write_text(lines)
        return self

    def configure(self, more: Given) -> None:
        """Set keys of nixie.toml; a running guard reads them when it starts again."""
        path = self.home / "nixie.toml"
        given: dict[str, dict[str, Any]] = {k: dict(v) for k, v in tomllib.loads(path.read_text()).items()}
        for section, keys in more.items():
            given.setdefault(section, {}).update(keys)
        path.write_text(sample(given))

    def start(self) -> Self:
        """Serve; returns when every door is open."""
        self.make()
        with (self.folder / "serve.log").open("ab") as log, (self.folder / "serve.out").open("wb") as out:
            command = [sys.executable, "-m", "nixie.cli.main", "serve", "--home", str(self.home)]
            env = {**os.environ, **self.environment}
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, env=env)
        end = time.monotonic() + START_SECONDS
        while "nixie is ready" not in (self.folder / "serve.out").read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                code = self.process.poll()
                self.stop()
                raise AssertionError(f"the guard did not start ({code}):\n{self.log[-3000:]}")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """End the guard in order, by its id."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self, *words: str) -> str:
        """Run a command of this installation, which must succeed, and return what it printed."""
        code, said = self.try_(*words)
        assert code == 0, said
        return said

    def try_(self, *words: str) -> tuple[int, str]:
        """Run a command of this installation; return its exit code and what it printed."""
        return cli(*words, "--home", str(self.home))

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    def learn(self, *paths: Path) -> None:
        """Teach from logs and mailboxes."""
        self.make()
        self.run("learn", *map(str, paths))

    def holds(self, state: str = "all") -> list[dict[str, Any]]:
        """Return the held copies as `nixie holds list` tells them."""
        _, said = self.try_("holds", "list", "--state", state, "--json")
        return list(json.loads(said)["holds"]) if said.startswith("{") else []

    def holds_to(self, recipient: str, state: str = "all") -> list[dict[str, Any]]:
        return [h for h in self.holds(state) if h["recipient"] == recipient]

    def state_of(self, hold: str) -> str:
        return str(self.json("holds", "show", hold)["state"])

    def story(self, message_id: str) -> list[dict[str, Any]]:
        """Return the rows of one message's story, oldest first."""
        return list(self.json("audit", "show", message_id)["story"])

    def rows(self) -> int:
        """Return how many rows the ledger has; every one must fit the chain."""
        return int(self.json("audit", "verify")["rows"])


def cli(*words: str) -> tuple[int, str]:
    """Run the command line in this process: exit code, and what it printed on both streams."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        code = main(words)
    return code, printed.getvalue()


def write_mbox(path: Path, sender: str, recipients: Sequence[str], count: int, month: str = "Oct 2026") -> Path:
    """Write a mailbox of `count` invented mails from one person to the same people, one a day, and return its path."""
    mails = []
    for number in range(count):
        day = number % 28 + 1
        head = f"From: {sender}\nTo: {', '.join(recipients)}\nDate: {day:02} {month} 09:{number % 60:02}:00 +0000\n"
        mails.append(f"From {sender} Thu Oct  1 09:00:00 2026\n{head}Message-ID: <past{number}.{sender}>\n\nhello\n\n")
    path.write_text("".join(mails))
    return path


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a temporary folder that other users may pass through, and remove it in the end.

    pytest's own are closed to others, and closed again by every pytest that starts meanwhile.
    """
    with tempfile.TemporaryDirectory(prefix="nixie-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def _door(door: Path) -> Path:
    """Make the folder of the milter's socket, open to the group that Postfix runs as, and return it."""
    door.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0 and Path("/etc/postfix").exists():
        shutil.chown(door, group="postfix")
        door.chmod(0o2750)
    return door
