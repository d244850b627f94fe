"""The parent of all processes: what dies is started again, what stops stops in order, nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import os, signal, sys, time
folder = sys.argv[sys.argv.index("--folder") + 1]
name = sys.argv[sys.argv.index("--name") + 1]
life = int(sys.argv[sys.argv.index("--life-fd") + 1])
open(os.path.join(folder, f"{name}.{os.getpid()}"), "w").close()
def end(*_):
    open(os.path.join(folder, f"end.{time.monotonic_ns()}.{name}"), "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
if os.read(life, 1) == b"":
    end()
"""
PARENT = """
import sys
sys.path[:0] = [{src!r}, {folder!r}]
from nixie.service.supervisor import Role, Supervisor
roles = [Role(n, "child_of_test", ("--folder", {folder!r}, "--name", n)) for n in ("recorder", "worker")]
parent = Supervisor(roles, lambda: True)
sys.exit(parent.run(lambda: print("ready", flush=True)))
"""


def start(folder: Path) -> subprocess.Popen[str]:
    (folder / "child_of_test.py").write_text(CHILD)
    code = PARENT.format(src=str(ROOT / "src"), folder=str(folder))
    env = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT / 'src'}"}
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    return parent


def wait_for(folder: Path, pattern: str, count: int = 1, seconds: float = 20) -> list[Path]:
    end = time.monotonic() + seconds
    while len(found := sorted(folder.glob(pattern))) < count:
        assert time.monotonic() < end, f"{pattern}: {[p.name for p in folder.iterdir()]}"
        time.sleep(0.02)
    return found


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    parent = start(tmp_path)
    try:
        [first] = wait_for(tmp_path, "worker.*")
        os.kill(int(first.suffix[1:]), signal.SIGKILL)

        assert len(wait_for(tmp_path, "worker.*", 2)) == 2
    finally:
        parent.terminate()
        assert parent.wait(20) == 0
        assert parent.stdout is not None
        parent.stdout.close()


def test_the_recorder_is_the_last_to_stop(tmp_path: Path) -> None:
    parent = start(tmp_path)
    wait_for(tmp_path, "worker.*")
    wait_for(tmp_path, "recorder.*")
    parent.terminate()
    code = parent.wait(20)
    assert parent.stdout is not None
    parent.stdout.close()
    ends = [p.name.rpartition(".")[2] for p in sorted(tmp_path.glob("end.*"), key=lambda p: int(p.name.split(".")[1]))]

    assert (code, ends) == (0, ["worker", "recorder"])


def test_children_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    parent = start(tmp_path)
    pids = [int(wait_for(tmp_path, f"{name}.*")[0].suffix[1:]) for name in ("worker", "recorder")]
    parent.kill()
    parent.wait(20)
    assert parent.stdout is not None
    parent.stdout.close()
    end = time.monotonic() + 20
    while any(map(alive, pids)):
        assert time.monotonic() < end
        time.sleep(0.02)
