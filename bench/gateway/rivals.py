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

HERE = Path(__file__).resolve().parent
NETWORK_MODULES = (
    "rbl", "spf", "dkim", "dkim_signing", "dmarc", "arc", "asn", "surbl", "fuzzy_check", "greylist", "ratelimit", "phishing",
    "url_redirector", "external_services", "neural", "history_redis", "replies", "mx_check", "reputation",
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


class Nixie(Contender):
    """This project, from a home that `prepare` made; `tcp` puts the milter on a port instead of a UNIX socket."""

    tcp = False

    def start(self) -> None:
        home = self.folder / "home"
        path = home / "var" / "milter.sock"
        self._run(sys.executable, "-m", "nixie.cli.main", "serve", "--home", str(home))
        wait_unix(path, 30)
        self.milter = f"unix:{path}"


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
