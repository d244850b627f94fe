"""The front door on a fresh machine: `./run` from a copy of the tree, with python3 and a folder of wheels and nothing else."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.postfix import free_port

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_CONFIG_FILE": os.devnull,
}
SECOND_START_SECONDS = 2.0


def skip_loudly(text: str) -> None:
    if os.environ.get("NIXIE_REQUIRE") == "all":
        pytest.fail(text)
    pytest.skip(text)


def copy_tree(folder: Path) -> Path:
    """Copy what a clone would have, with what is not committed yet; the path has a blank in it."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        skip_loudly("not a git working tree: there is nothing to copy")
    clone = folder / "a fresh clone"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    return clone


def run(clone: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run(
        ["sh", "./run", *words], cwd=clone, env=env, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A copy whose environment was made without a network, and whose home listens on free ports."""
    folder = tmp_path_factory.mktemp("front")
    clone = copy_tree(folder)
    wheels = folder / "wheels"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--require-hashes",
        "-r",
        clone / "requirements" / "runtime.txt",
    ]
    got = subprocess.run([*command, "-d", wheels], capture_output=True, text=True, check=False)
    if got.returncode != 0:
        skip_loudly(f"the packages cannot be had here: {got.stderr[-300:]}")
    ports = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    words = ["--smtp", ports[0], "--milter", ports[1], "--http", ports[2], "--own-domain", "example.org"]
    made = run(clone, "init", "--home", str(clone / "home"), *words, WHEELHOUSE=str(wheels), **NOWHERE)
    assert made.returncode == 0, made.stderr
    return clone


@contextmanager
def serving(clone: Path, environment: Mapping[str, str]) -> Iterator[tuple[list[str], float]]:
    """Run `./run` until the block ends; yield what it printed until it was ready, and after how many seconds."""
    began = time.monotonic()
    with (clone / "serve.log").open("w") as log:
        guard = subprocess.Popen(
            ["sh", "./run"], cwd=clone, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert guard.stdout is not None
        lines = []
        for line in guard.stdout:
            lines.append(line.rstrip())
            if lines[-1] == "nixie is ready":
                break
        assert lines, (clone / "serve.log").read_text()
        assert lines[-1] == "nixie is ready", (clone / "serve.log").read_text()
        yield lines, time.monotonic() - began
    finally:
        guard.send_signal(signal.SIGTERM)
        guard.communicate(timeout=60)


def test_it_starts_answers_mail_and_holds_the_slip_of_its_own_line_to_try(clone) -> None:
    home = {"NIXIE_HOME": str(clone / "home")}
    with serving(clone, home) as (lines, _):
        told = dict(line.split(None, 1) for line in lines[:-1] if line.split(None, 1)[0] != "try")
        (line,) = [line.partition("try it")[2].strip() for line in lines if line.startswith("try it")]
        tried = subprocess.run(line, shell=True, cwd=clone, capture_output=True, text=True, check=False)
        held = run(clone, "holds", "list", **home).stdout

    assert {"home", "policy", "milter", "smtp", "pages"} <= set(told)
    assert told["home"] == home["NIXIE_HOME"]
    assert tried.returncode == 0, tried.stderr
    assert re.search(r"ann@example\.org -> bob@\S+\.org", held)


def test_a_second_start_takes_less_than_two_seconds(clone) -> None:
    took = []
    for _ in range(3):
        with serving(clone, {"NIXIE_HOME": str(clone / "home")}) as (_, seconds):
            took.append(seconds)

    assert min(took) < SECOND_START_SECONDS


def test_two_guards_do_not_serve_one_home(clone) -> None:
    home = {"NIXIE_HOME": str(clone / "home")}
    with serving(clone, home):
        second = run(clone, **home)

    assert second.returncode == 2
    assert "another guard serves this installation" in second.stderr


def test_alone_it_makes_a_home_on_the_usual_ports(clone) -> None:
    for port in (8893, 2525, 8025):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                pytest.skip(f"port {port} is in use on this machine")
    with serving(clone, {"NIXIE_HOME": ""}) as (lines, _):
        assert f"home      {clone}/var/home" in lines
        assert "smtp      127.0.0.1:2525" in lines


def test_the_demonstration_ends_well(clone) -> None:
    ended = run(clone, "--demo")

    assert ended.returncode == 0, ended.stderr
    assert "Delivered-To: ops@northfleet.mil" in ended.stdout
    assert "the sums fit, and the ledger agrees" in ended.stdout


def test_a_folder_that_was_moved_gets_its_environment_anew(clone) -> None:
    before = (clone / ".venv" / ".nixie-runtime").read_text()

    assert before.endswith(f"{clone}\n")


@pytest.mark.parametrize(
    ("case", "python", "environment", "said"),
    [
        ("no python that is new enough", "#!/bin/sh\nexit 1\n", {}, "no Python 3.11 or newer"),
        (
            "no venv module",
            f'#!/bin/sh\n[ "$2" = venv ] && {{ echo "No module named venv" >&2; exit 1; }}\nexec {sys.executable} "$@"\n',
            {},
            "apt-get install python3-venv",
        ),
        (
            "no such folder of wheels",
            None,
            {"WHEELHOUSE": "/no/such/folder"},
            "WHEELHOUSE=/no/such/folder is not a folder",
        ),
        ("an empty folder of wheels", None, {"WHEELHOUSE": "."}, "could not be installed"),
    ],
)
def test_what_is_missing_is_said_with_the_remedy(tmp_path, case, python, environment, said) -> None:
    clone = tmp_path / "bare"
    for name in ("run", "tools/bootstrap.sh", "requirements/runtime.txt", "pyproject.toml"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, clone / name)
    interpreter = tmp_path / "python"
    interpreter.write_text(python or f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    interpreter.chmod(0o755)

    ended = run(clone, "--version", PYTHON=str(interpreter), **{**NOWHERE, **environment})

    assert ended.returncode == 69, case
    assert said in ended.stderr
    assert not (clone / ".venv" / ".nixie-runtime").exists()
