"""Single figures of a running guard: notice, click, a message to 5,000, restart, memory, what processes import, one check."""

from __future__ import annotations

import re
import smtplib
import socket
import statistics
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from invented import OWN

from nixie.store.addresses import intern_keys
from nixie.store.db import open_writer, writing
from nixie.store.holds import HeldCopy, HeldMessage, hold
from nixie.store.ledger import Kind, Ledger, lookup_key, payload_of
from nixie.store.questions import Deadlines

if TYPE_CHECKING:
    from rivals import Nixie

    from support.world_sink import World

WRONG = "owm.example"
"""One letter beside the own domain."""
WEB = ("starlette", "uvicorn", "jinja2", "nixie/web")
RECIPIENTS = 5_000
OPEN_HOLDS = 10_000


def question(port: int, world: World, number: int) -> dict[str, float]:
    """Send a slip; return the seconds from the final dot to the notice, and from the click to the corrected copy's arrival."""
    message_id, local = f"<notice.{number}.{time.time_ns()}@{OWN}>", f"kim.{number}"
    sent = f"From: author@{OWN}\r\nTo: {local}@{WRONG}\r\nMessage-ID: {message_id}\r\nSubject: test {number}\r\n\r\nhello\r\n"
    before = len(world.notices())
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail(f"author@{OWN}", [f"{local}@{WRONG}"], sent)
        dot = time.monotonic()
    notice = _wait(lambda: world.notices()[before:], 30)[-1]
    noticed = time.monotonic() - dot
    link = re.search(r"http://127\.0\.0\.1:\d+/d/\S+", notice.text)
    assert link is not None
    page = urllib.request.urlopen(link[0], timeout=30).read().decode()
    form = {name: re.search(rf'name="{name}" value="([^"]+)"', page)[1] for name in ("hold", "generation")}  # type: ignore[index]
    clicked = time.monotonic()
    urllib.request.urlopen(link[0], urlencode({**form, "choice": f"correct:{local}@{OWN}"}).encode(), timeout=30).read()
    _wait(lambda: world.mails_to(f"{local}@{OWN}", message_id), 30)
    return {"notice_s": noticed, "release_s": time.monotonic() - clicked}


def crowd(port: int, pairs: Path, first: int) -> float:
    """Send one message to 5,000 outside recipients; return the seconds from the final dot to the reply."""
    lines = pairs.read_text().splitlines()
    to = list(dict.fromkeys(line.partition(" ")[2] for line in lines[first:]))[:RECIPIENTS]
    with smtplib.SMTP("127.0.0.1", port, timeout=120) as client:
        client.ehlo()
        client.mail(f"author@{OWN}")
        for start in range(0, len(to), 100):
            part = to[start : start + 100]
            client.send("".join(f"RCPT TO:<{a}>\r\n" for a in part))
            for _ in part:
                code, text = client.getreply()
                assert code == 250, text
        client.docmd("DATA")
        client.send(
            f"From: author@{OWN}\r\nTo: everybody:;\r\nMessage-ID: <crowd.{first}@{OWN}>\r\n\r\nhello\r\n".encode()
        )
        dot = time.monotonic()
        client.send(b".\r\n")
        code, text = client.getreply()
        assert code == 250, text
        return time.monotonic() - dot


def memory(nixie: Nixie) -> dict[str, Any]:
    """Return megabytes a process by role: private, and how much of the near index is in each worker's private memory."""
    found: dict[str, Any] = {"workers_mb": [], "index_private_mb": 0.0, "index_mapped": 0, "web_in_mail_path": []}
    for pid, role in nixie.roles().items():
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        private = sum(int(n) for n in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+)", rollup, re.MULTILINE)) / 1024
        anonymous = int(re.findall(r"^Anonymous:\s+(\d+)", rollup, re.MULTILINE)[0]) / 1024
        if role.endswith("worker"):
            found["workers_mb"].append(round(private, 1))
            found.setdefault("workers_anonymous_mb", []).append(round(anonymous, 1))
            maps = Path(f"/proc/{pid}/smaps").read_text().split("VmFlags")
            base = [m for m in maps if ".near" in m]
            found["index_mapped"] += len(base)
            found["index_private_mb"] += (
                sum(int(n) for m in base for n in re.findall(r"Private_Dirty:\s+(\d+)", m)) / 1024
            )
        else:
            found[role.split(".")[-1] + "_mb"] = round(private, 1)
        if "web" not in role:
            mapped = Path(f"/proc/{pid}/maps").read_text()
            found["web_in_mail_path"] += [w for w in WEB if f"/{w}" in mapped]
    return found


def imports_web(module: str) -> list[str]:
    """Return what a process's module imports of the web."""
    code = f"import sys, {module}; print(*sorted(m for m in sys.modules if m.startswith(('starlette', 'uvicorn', 'jinja2', 'nixie.web'))))"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


def open_holds(home: Path, count: int = OPEN_HOLDS) -> None:
    """Hold copies in a home that nobody serves, as they stand when their authors were asked long ago."""
    at = round(time.time() * 1000)
    far = at + 30 * 86_400_000
    db = open_writer(home / "var" / "nixie.db")
    ledger = Ledger(db)
    with writing(db):
        keys = [f"author.{n}@{OWN}" for n in range(count)] + [f"kim.{n}@{WRONG}" for n in range(count)]
        numbers = [number for number, _ in intern_keys(db, keys)[0].values()]
        for n in range(count):
            message_id = f"old.{n}@{OWN}"
            lookup, author, wrong = lookup_key(message_id), numbers[n], numbers[count + n]
            row = ledger.append(at, Kind.DECISION, payload_of((author, wrong), b'{"door":"milter"}'), lookup)
            asked = Deadlines(remind=far, escalate=far, return_=far)
            message = HeldMessage(row, lookup, message_id, f"{n:032x}", author, author, b"<a@b>", (), "", asked)
            hold(ledger, message, [HeldCopy(f"{n:016x}".encode(), wrong, "hold-sender", b"<a@b>", (), ("cancel",))], at)
    db.close()


def check_seconds(home: Path, folder: Path, times: int) -> float:
    """Return how long `nixie check` of one small file takes, start to end: the median."""
    file = folder / "one.eml"
    file.write_bytes(
        f"From: a@{OWN}\r\nTo: kim@{WRONG}\r\nMessage-ID: <1@{OWN}>\r\nSubject: x\r\n\r\nhello\r\n".encode()
    )
    command = [str(Path(sys.executable).parent / "nixie"), "check", str(file), "--home", str(home)]
    took = []
    for _ in range(times):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=False)
        took.append(time.perf_counter() - began)
        assert done.returncode == 1, done.stderr.decode()
    return statistics.median(took)


def _wait(look: Any, seconds: float) -> Any:
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise RuntimeError(f"not within {seconds:.0f} s")
        time.sleep(0.01)
    return found


OPTNEG = struct.pack(">IcIII", 13, b"O", 6, 0x1FF, 0x1FFFFF)


def until_it_answers(nixie: Nixie) -> float:
    """Start a guard that was stopped; return the seconds until its milter door answers a negotiation."""
    began = time.monotonic()
    nixie.serve()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(nixie.milter.removeprefix("unix:"))
        s.sendall(OPTNEG)
        assert s.recv(64)
    return time.monotonic() - began
