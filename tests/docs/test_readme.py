"""The README's commands run, and print what it shows (times, ids and counts apart)."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from nixie.cli.main import group
from support.cli_world import nixie

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
MORE = "..."


def shown(command: str) -> list[str]:
    """Return the lines that the README shows under a command of a console block."""
    for kind, text in BLOCKS:
        parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
        for said, lines in zip(parts[::2], parts[1::2], strict=True):
            if kind == "console" and said == command:
                return str(lines).splitlines()
    raise AssertionError(f"the README does not show {command!r}")


def without_numbers(line: str) -> str:
    return re.sub(r"\d+", "0", line.rstrip())


def test_it_is_short_and_begins_with_one_sentence() -> None:
    first = README.split("\n\n")[1]

    assert len(README.splitlines()) < 120
    assert first.count(". ") == 0
    assert first.endswith(".")


def test_a_check_prints_exactly_what_is_shown(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "draft.eml").write_text("\n".join(shown("cat draft.eml")) + "\n")

    ended = nixie("check", "draft.eml", "--own-domain", "army.mil")

    assert ended.code == 1
    assert ended.out.splitlines() == shown("./run check draft.eml --own-domain army.mil")


def test_the_demonstration_prints_what_is_shown_in_that_order(tmp_path) -> None:
    command = [sys.executable, ROOT / "tools" / "demo.py", tmp_path / "demo"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    printed = [without_numbers(line) for line in done.stdout.splitlines()]

    at = 0
    for line in shown("./run --demo"):
        if line != MORE:
            assert without_numbers(line) in printed[at:], f"not printed from line {at} on: {line!r}"
            at = printed.index(without_numbers(line), at) + 1


def test_the_demonstration_leaves_no_process_behind(tmp_path) -> None:
    """It is interrupted in the middle, as by Ctrl-C, and ends what it has started."""
    import signal
    import time

    home = tmp_path / "demo"
    command = [sys.executable, ROOT / "tools" / "demo.py", home]
    demo = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not (home / "serve.out").exists() or "ready" not in (home / "serve.out").read_text():
        assert demo.poll() is None, "the demonstration ended by itself"
        assert time.monotonic() < end
        time.sleep(0.02)
    demo.send_signal(signal.SIGINT)
    _, said = demo.communicate(timeout=60)

    left = subprocess.run(["pgrep", "-f", str(home)], capture_output=True, text=True, check=False).stdout
    assert (demo.returncode, left) == (130, "")
    assert "interrupted" in said


COMMANDS = [
    line.partition("#")[0].strip()
    for kind, text in BLOCKS
    for line in text.splitlines()
    if kind == "sh" or line.startswith("$ ")
]
PRODUCT = [c.removeprefix("$ ") for c in COMMANDS if re.match(r"(\$ )?(\./run|nixie) [a-z]", c)]


@pytest.mark.parametrize("line", PRODUCT)
def test_every_command_of_the_readme_exists_with_its_options(line) -> None:
    command: click.Command = group
    _, *words = shlex.split(line)
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, line
        command = found

    known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)} | {"--help"}
    assert {w for w in words if w.startswith("--")} <= known


def test_scripts_of_the_readme_exist_and_can_be_run() -> None:
    for script in {c.split()[0] for c in COMMANDS if c.startswith("./")}:
        assert (ROOT / script).stat().st_mode & 0o111, script
