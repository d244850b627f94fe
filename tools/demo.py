"""`./run --demo`: an invented organisation learns from its mail, sends a handful of messages, and sees what becomes of each copy.

Everything is real: an installation's home, `nixie learn`, `nixie serve`, mail through the SMTP door, the notice, the
decision page, the ledger. Only the people are invented.
"""

from __future__ import annotations

import json
import mailbox
import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tidewatch import OWN_DOMAIN, correspondence, mbox

ROOT = Path(__file__).resolve().parent.parent
NIXIE = [sys.executable, "-m", "nixie.cli.main"]


@dataclass(frozen=True)
class Telling:
    """One message of the demonstration, and what it is meant to tell."""

    why: str
    sender: str
    to: tuple[str, ...]
    subject: str


MESSAGES = (
    Telling("an everyday mail to people who are written to often", "ann.marsh", ("ops@northfleet.mil", "harbour.master@portlight.org"), "Tide tables"),
    Telling("four readers, one of them in Mali: northfleet.ml instead of northfleet.mil", "ann.marsh",
            ("ops@northfleet.ml", "j.reyes@northfleet.mil", "lab@saltmarsh-institute.edu", "k.brandt@brandt-marine.de"), "Roster for the week"),
    Telling("the own domain without its country, a slip that needs no history", "ben.okoro", ("carla.vidal@tidewatch.com",), "Pay slips"),
    Telling("two neighbours swapped: protlight.org", "dev.rao", ("harbour.master@protlight.org",), "Buoy 14"),
    Telling("a first letter to somebody new: no slip, so no question", "press", ("newsdesk@dailyharbour.example",), "Press day"),
    Telling("an embassy that really is in Mali", "ben.okoro", ("visa@embassy-example.ml",), "Visa for the survey crew"),
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def nixie(home: Path, *arguments: str) -> str:
    """Run one command of the product and return what it printed."""
    command = [*NIXIE, *arguments, "--home", str(home)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> int:
    home = ROOT / "var" / "demo"
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(exist_ok=True)
    smtp, http = free_port(), free_port()
    nixie(home, "init", "--own-domain", OWN_DOMAIN, "--mode", "enforce", "--smtp", f"127.0.0.1:{smtp}",
          "--milter", f"unix:{home}/var/milter.sock", "--http", f"127.0.0.1:{http}",
          "--public-url", f"http://127.0.0.1:{http}", "--postmaster", f"postmaster@{OWN_DOMAIN}")  # fmt: skip
    past = home / "sent.mbox"
    past.write_text(mbox(correspondence(datetime.now(UTC))))
    print(f"The Tidewatch service ({OWN_DOMAIN}) learns from the mail it has sent:\n")
    print(indent(nixie(home, "learn", str(past))))
    server = subprocess.Popen([*NIXIE, "serve", "--home", str(home)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        for line in server.stdout:
            if "ready" in line:
                break
        send_all(smtp)
        show_copies(home)
        notice = wait_notice(home)
        show_notice(notice)
        answer(notice)
        show_outbox(home)
        print("The record of the message to Mali (nixie audit show):\n")
        print(indent(nixie(home, "audit", "show", f"demo-1@{OWN_DOMAIN}")))
        print(
            f"All of it lies in {home.relative_to(ROOT)}; look around with: ./run holds list --home {home.relative_to(ROOT)}"
        )
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    return 0


def send_all(port: int) -> None:
    print("Six messages go through the real SMTP door:\n")
    for number, telling in enumerate(MESSAGES):
        message = EmailMessage()
        message["From"] = f"{telling.sender}@{OWN_DOMAIN}"
        message["To"] = ", ".join(telling.to)
        message["Subject"] = telling.subject
        message["Message-ID"] = f"<demo-{number}@{OWN_DOMAIN}>"
        message.set_content("Please find the matter below.\n")
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.send_message(message)


def show_copies(home: Path) -> None:
    holds = json.loads(nixie(home, "holds", "list", "--json"))
    held = {h["recipient"]: h for h in holds["holds"]}
    for telling in MESSAGES:
        print(f"  {telling.why}")
        for to in telling.to:
            hold = held.get(to)
            print(f"    {'HELD ' if hold else 'sent '} {to}")
            for reason in hold["reasons"] if hold else ():
                print(f"            {reason}")
        print()


def wait_notice(home: Path) -> bytes:
    """Return the notice about the message to Mali, as it lies in the outbox."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for _, message in mailbox.Maildir(home / "var" / "outbox", create=True).iteritems():
            raw = message.as_bytes()
            if b"X-Nixie-Notice" in raw and b"northfleet.ml" in raw:
                return raw
        time.sleep(0.2)
    raise SystemExit("no notice came within 20 seconds")


def text_of(raw: bytes) -> str:
    from email import message_from_bytes

    body = message_from_bytes(raw, policy=default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def show_notice(raw: bytes) -> None:
    print("Within seconds the author of the second one is asked:\n")
    print(indent(text_of(raw)))


def answer(raw: bytes) -> None:
    """Open the link like a browser without JavaScript and choose the suggested address."""
    found = re.search(r"http://\S+/d/[\w-]+", text_of(raw))
    assert found is not None
    page = urlopen(found[0], timeout=10).read().decode()
    fields = dict(re.findall(r'name="(hold|generation)" value="([^"]+)"', page))
    fields["choice"] = re.findall(r'value="(correct:[^"]+)"', page)[0]
    urlopen(Request(found[0], urlencode(fields).encode(), method="POST"), timeout=10).read()
    print(f"She opens the link and clicks: send it to {fields['choice'].partition(':')[2]} instead.\n")


def show_outbox(home: Path) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if any(m["Resent-To"] for m in mailbox.Maildir(home / "var" / "outbox")):
            print("The corrected copy was judged again and left.\n")
            return
        time.sleep(0.2)
    raise SystemExit("the corrected copy did not leave within 20 seconds")


def indent(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    sys.exit(main())
