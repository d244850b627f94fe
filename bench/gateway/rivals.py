"""The contenders of the gateway bench, each as a milter on a socket: nothing, a no-op in C, Rspamd, Nixie.

A contender starts, names its milter address and the processes whose CPU counts, and ends by the ids it started.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / part) for part in ("src", "tests")]

from invented import Invented, copy_home

from support.postfix import free_port

HERE = Path(__file__).resolve().parent
# What asks DNS, Redis or other servers; every other module of Debian's package, phishing too, stays on.
NETWORK_MODULES = (
    "rbl", "spf", "dkim", "dmarc", "arc", "asn", "surbl", "fuzzy_check", "greylist", "ratelimit",
    "url_redirector", "external_services", "neural", "history_redis", "replies", "mx_check", "reputation", "hfilter",
)  # fmt: skip


@dataclass
class Contender:
    """One milter under test: `milter` is what Postfix is told, `""` for none."""

    name: str
    folder: Path
    milter: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start it; returns when its socket takes connections."""

    def pids(self) -> list[int]:
        """Return every process of the contender, children included."""
        found = [p.pid for p in self.processes]
        for pid in found:
            found += _children(pid)
        return found

    def stop(self) -> None:
        """End what was started."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def _run(self, *command: str, env: dict[str, str] | None = None) -> None:
        log = (self.folder / f"{self.name}.log").open("ab")
        self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env))
        log.close()


class NoMilter(Contender):
    """Postfix alone."""


class Noop(Contender):
    """A milter in C that answers once a message."""

    def start(self) -> None:
        binary = self.folder / "noop"
        if not binary.exists():
            subprocess.run(["cc", "-O2", "-o", binary, HERE / "noop.c", "-lmilter", "-lpthread"], check=True)
        path = self.folder / "noop.sock"
        path.unlink(missing_ok=True)
        self._run(str(binary), f"unix:{path}")
        wait_unix(path)
        self.milter = f"unix:{path}"


class Rspamd(Contender):
    """Rspamd as Debian packages it, scanning in its milter worker, without the modules that ask the network."""

    def start(self) -> None:
        local = self.folder / "rspamd"
        shutil.rmtree(local, ignore_errors=True)
        for name in ("override.d", "local.d", "db", "run", "log"):
            (local / name).mkdir(parents=True, exist_ok=True)
        path = local / "run" / "milter.sock"
        override = local / "override.d"
        (override / "worker-proxy.inc").write_text(
            f'bind_socket = "{path} mode=0666";\nmilter = yes;\ncount = 2;\nupstream "local" {{ default = yes; self_scan = yes; }}\n'
        )
        (override / "worker-normal.inc").write_text("enabled = false;\n")
        (override / "worker-controller.inc").write_text("enabled = false;\n")
        (override / "worker-fuzzy.inc").write_text("enabled = false;\n")
        (override / "logging.inc").write_text('type = "file";\nfilename = "$LOGDIR/rspamd.log";\nlevel = "error";\n')
        (override / "options.inc").write_text(
            f'pidfile = "{local}/run/rspamd.pid";\ndns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.05s; retransmits = 1; }}\n'
        )
        for module in NETWORK_MODULES:
            (override / f"{module}.conf").write_text("enabled = false;\n")
        subprocess.run(["chown", "-R", "_rspamd:_rspamd", local], check=True)
        variables = {"LOCAL_CONFDIR": local, "DBDIR": local / "db", "RUNDIR": local / "run", "LOGDIR": local / "log"}
        named = [f"--var={k}={v}" for k, v in variables.items()]
        self._run("rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", "/etc/rspamd/rspamd.conf", *named)
        wait_unix(path, 30)
        self.milter = f"unix:{path}"


@dataclass
class Nixie(Contender):
    """This project, with a copy of the invented organisation's home on disk; `tcp` puts the milter on a port."""

    made: Invented | None = None
    disk: Path = Path()
    hop: str = "127.0.0.1:9"
    tcp: bool = False
    started_in: float = 0.0
    home: Path = Path()

    def start(self) -> None:
        assert self.made is not None
        path = self.folder / f"{self.name}.sock"
        address = f"127.0.0.1:{free_port()}" if self.tcp else f"unix:{path}"
        if not self.home.is_dir() or self.home == Path():
            self.home = copy_home(self.made, self.disk / self.name, address, (free_port(), free_port()), self.hop)
        self.milter = f"inet:{address}" if self.tcp else address
        self.serve(path)

    def serve(self, path: Path | None = None) -> None:
        """Start the guard on its home; returns when it says that it is ready."""
        log = self.folder / f"{self.name}.log"
        log.unlink(missing_ok=True)
        began = time.monotonic()
        self._run(sys.executable, "-m", "nixie.cli.main", "serve", "--home", str(self.home))
        while "nixie is ready" not in (log.read_text() if log.exists() else ""):
            if self.processes[0].poll() is not None or time.monotonic() - began > 60:
                raise RuntimeError(f"nixie does not start; see {log}")
            time.sleep(0.01)
        if not self.tcp:
            socket_path = path or self.folder / f"{self.name}.sock"
            socket_path.chmod(0o666)
        self.started_in = time.monotonic() - began

    def roles(self) -> dict[int, str]:
        """Return what each process is, by its id."""
        names = {}
        for pid in self.pids():
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                names[pid] = next((w.removeprefix("nixie.") for w in words if w.startswith("nixie.")), "?")
        return names


def wait_unix(path: Path, seconds: float = 10) -> None:
    """Return once the socket takes connections."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as s, contextlib.suppress(OSError):
            s.connect(str(path))
            path.chmod(0o666)
            return
        time.sleep(0.02)
    raise RuntimeError(f"{path.name} takes no connections")


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(c) for t in Path(f"/proc/{pid}/task").iterdir() for c in (t / "children").read_text().split()]
    return []


def cpu_seconds(pids: list[int]) -> float:
    """Return user and system time of the processes so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(words[11]) + int(words[12])) / ticks
    return total
