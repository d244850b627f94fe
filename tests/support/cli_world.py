"""The command line in this process: exit code and both streams apart; and small homes and messages for it."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixie.cli.main import main
from support.guard import Guard

SLIP = """\
From: Ann <ann@army.mil>
To: ops@army.ml, bob@army.mil
Subject: Roster
Message-ID: <slip@army.mil>
Date: Mon, 02 Nov 2026 09:00:00 +0000

hello
"""
FINE = SLIP.replace("ops@army.ml", "lab@saltmarsh.edu").replace("slip@", "fine@")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Held:
    """A copy that a guard holds: its id, the message, to whom it was written and who was meant."""

    id: str
    message_id: str
    recipient: str
    meant: str


def nixie(*words: object, stdin: bytes = b"") -> Ended:
    """Run the command line as a shell would."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(word) for word in words])
    finally:
        sys.stdin = before
    return Ended(code, out.getvalue(), err.getvalue())


def make_home(folder: Path, *more: str, own: str = "army.mil") -> Path:
    """Make an installation and return its folder."""
    home = folder / "home"
    ended = nixie("init", "--home", home, "--own-domain", own, *more)
    assert ended.code == 0, ended.err
    return home


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.replace("\n", "\r\n").encode())
    return path


def wait_state(guard: Guard, hold: str, state: str) -> None:
    """Return when the hold is in this state; fail when it is not in time."""
    end = time.monotonic() + 60
    while guard.state_of(hold) != state:
        assert time.monotonic() < end, f"{guard.state_of(hold)} and not {state}:\n{guard.log[-2000:]}"
        time.sleep(0.05)
