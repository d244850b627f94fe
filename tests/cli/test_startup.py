"""What a start costs: `nixie check` imports what it uses, and no process of the mail path imports the web."""

import resource
import subprocess
import sys

import pytest

from support.cli_world import FINE, make_home, nixie, write
from support.guard import write_mbox

WEB = {"starlette", "uvicorn", "jinja2", "anyio", "nixie.web"}
HEAVY = {*WEB, "numpy", "rich", "asyncio", "aiosmtplib", "structlog", "cryptography", "publicsuffixlist", "email"}
CPU_SECONDS = 0.8
"""Twice the goal (0.4 s from start to answer): processor time, as the wall clock belongs to whoever else runs here."""


def modules_after(code: str) -> set[str]:
    """Return the names of all modules that a new interpreter has imported after the code."""
    show = "import sys; print('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "module",
    [
        "service.worker",
        "service.recorder_main",
        "service.courier_main",
        "service.supervisor",
        "service.serve",
        "cli.serve",
    ],
)
def test_no_process_of_the_mail_path_imports_the_web(module) -> None:
    assert modules_after(f"import nixie.{module}") & WEB == set()


def test_the_pages_do_import_it() -> None:
    assert modules_after("import nixie.web.main") >= WEB


def test_a_check_in_a_new_installation_imports_what_it_uses(tmp_path) -> None:
    home, file = make_home(tmp_path), write(tmp_path / "fine.eml", FINE)

    found = modules_after(f"from nixie.cli.main import main; main(['check', {str(file)!r}, '--home', {str(home)!r}])")

    assert "nixie.service.engine" in found
    assert found & (HEAVY - {"email", "publicsuffixlist"}) == set()


def test_help_imports_no_command() -> None:
    found = modules_after("from nixie.cli.main import main; main(['--help'])")

    assert {m for m in found if m.startswith("nixie.cli.")} == {"nixie.cli.main"}
    assert found & HEAVY == set()


@pytest.mark.parametrize("learned", [False, True])
def test_a_check_answers_at_once(tmp_path, learned, record_property) -> None:
    home, file = make_home(tmp_path), write(tmp_path / "fine.eml", FINE)
    if learned:
        box = write_mbox(tmp_path / "s.mbox", "ann@army.mil", ["lab@saltmarsh.edu"], 300)
        assert nixie("learn", box, "--home", home).code == 0
    command = [sys.executable, "-m", "nixie.cli.main", "check", file, "--home", home]

    spent = min(cpu_seconds(command) for _ in range(5))

    record_property("cpu_seconds", spent)
    assert spent < CPU_SECONDS


def cpu_seconds(command: list[object]) -> float:
    """Return the processor time of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
