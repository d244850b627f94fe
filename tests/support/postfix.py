"""A private Postfix for tests: own configuration, queue, log and ports; the machine's own one is never touched.

Needs root, because Postfix's master does. Everything lies under one folder and ends with `stop`.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SERVICES = """
postlog   unix-dgram n  -       n       -       1       postlogd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       20      smtp
relay     unix  -       -       n       -       20      smtp
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
showq     unix  n       -       n       -       -       showq
scache    unix  -       -       n       -       1       scache
anvil     unix  -       -       n       -       1       anvil
"""


def free_port() -> int:
    """Return a loopback port that was free a moment ago, below those that clients get (ip_local_port_range)."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def need(*programs: str) -> None:
    """Skip loudly when a program (or root) is missing; fail where everything is required."""
    missing = [p for p in programs if shutil.which(p) is None and not Path("/usr/sbin", p).exists()]
    if os.geteuid() != 0:
        missing.append("root")
    if missing:
        if os.environ.get("NIXIE_REQUIRE") == "all":
            pytest.fail(f"missing: {', '.join(missing)}")
        pytest.skip(f"missing: {', '.join(missing)} (./test --system installs what it can)")


@dataclass
class PrivatePostfix:
    """One Postfix instance: `port` takes mail; `settings` are main.cf lines, `services` further master.cf lines."""

    folder: Path
    settings: dict[str, str]
    services: str = ""
    smtpd_options: dict[str, str] = field(default_factory=dict)
    port: int = 0

    @property
    def log(self) -> Path:
        """The instance's mail log."""
        return self.folder / "mail.log"

    def start(self) -> PrivatePostfix:
        """Write the configuration and start; about a second."""
        need("postfix", "postconf")
        self.port = self.port or free_port()
        config, queue, data = (self.folder / n for n in ("etc", "queue", "data"))
        for path in (config, queue, data):
            path.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        parent = self.folder
        while parent != parent.parent and parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)  # pytest's folders are closed to the postfix user
            parent = parent.parent
        shutil.chown(data, "postfix", "postfix")
        main = {
            "compatibility_level": "3.6",
            "queue_directory": str(queue),
            "data_directory": str(data),
            "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin",
            "maillog_file": str(self.log),
            "maillog_file_prefixes": str(self.folder),
            "myhostname": "mx.example.org",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "local_transport": "error:no local mail here",
            "alias_maps": "",
            "alias_database": "",
            "default_transport": "error:nowhere",
            "smtpd_relay_restrictions": "permit_mynetworks,reject",
            "smtpd_recipient_restrictions": "",
            "smtputf8_enable": "yes",
            "in_flow_delay": "0",
            "smtpd_peername_lookup": "no",
            "disable_dns_lookups": "yes",
            "smtp_tls_security_level": "none",
            "biff": "no",
            **self.settings,
        }
        (config / "main.cf").write_text("".join(f"{k} = {v}\n" for k, v in main.items()))
        options = "".join(f"  -o {k}={v}\n" for k, v in self.smtpd_options.items())
        smtpd = f"127.0.0.1:{self.port} inet n - n - - smtpd\n{options}"
        (config / "master.cf").write_text(smtpd + SERVICES + self.services)
        env = {**os.environ, "MAIL_CONFIG": str(config)}
        done = subprocess.run(
            ["/usr/sbin/postfix", "-c", str(config), "start"], env=env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"postfix start: {done.stdout}{done.stderr}{self.text()}")
        self._wait_port()
        return self

    def _wait_port(self) -> None:
        end = time.monotonic() + 15
        while time.monotonic() < end:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"postfix did not listen: {self.text()}")

    def text(self) -> str:
        """Return the log so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_log(self, needle: str, seconds: float = 15.0) -> str:
        """Return the log once it contains the needle; fail when it does not in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if needle in (text := self.text()):
                return text
            time.sleep(0.05)
        raise AssertionError(f"not in the log within {seconds} s: {needle!r}\n{self.text()[-3000:]}")

    def run(self, program: str, *arguments: str, input_: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run a Postfix command (postqueue, sendmail, postconf) against this instance."""
        env = {**os.environ, "MAIL_CONFIG": str(self.folder / "etc")}
        command = [
            f"/usr/sbin/{program}",
            "-c" if program != "sendmail" else "-C",
            str(self.folder / "etc"),
            *arguments,
        ]
        return subprocess.run(command, env=env, input=input_, capture_output=True, check=False)

    def stop(self) -> None:
        """End the instance by the process id that it wrote."""
        pid_file = self.folder / "queue" / "pid" / "master.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text())
        try:
            os.kill(pid, signal.SIGTERM)
            end = time.monotonic() + 10
            while time.monotonic() < end:
                os.kill(pid, 0)
                time.sleep(0.02)
        except ProcessLookupError:
            pass
