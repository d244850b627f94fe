"""`./run --demo [DIR]`: an invented organisation learns from its mail, sends six messages, and sees what becomes of each copy.

Everything is real: an installation's home, `nixie learn`, `nixie serve`, mail through the SMTP door, the notice, the
decision page, the ledger. Only the people are invented. What is said to have gone on was found in the outbox.
"""

from __future__ import annotations

import fcntl
import json
import mailbox
import re
import shutil
import signal
import smtplib
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plain_browser import Page
from tidewatch import OWN_DOMAIN, correspondence, free_port, mbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else ROOT / "var" / "demo"
NIXIE = [sys.executable, "-m", "nixie.cli.main"]
WIDTH = 96
START_SECONDS, PATIENCE_SECONDS, STOP_SECONDS = 30.0, 20.0, 30.0


@dataclass(frozen=True)
class Telling:
    """One message of the demonstration, and what it is meant to tell."""

    why: str
    sender: str
    to: tuple[str, ...]
    subject: str


MESSAGES = (
    Telling("Ann writes to two people to whom she writes often.",
            "ann.marsh", ("ops@northfleet.mil", "harbour.master@portlight.org"), "Tide tables"),
    Telling("Ann writes to four people; one address ends in .ml instead of .mil.",
            "ann.marsh", ("ops@northfleet.ml", "j.reyes@northfleet.mil", "lab@saltmarsh-institute.edu", "k.brandt@brandt-marine.de"),
            "Roster for the week"),
    Telling("Ben writes to a colleague and forgets the country of the own domain; that needs no history.",
            "ben.okoro", ("carla.vidal@tidewatch.com",), "Pay slips"),
    Telling("Dev swaps two letters.",
            "dev.rao", ("harbour.master@protlight.org",), "Buoy 14"),
    Telling("The press office writes to a newspaper for the first time; new is not wrong.",
            "press", ("newsdesk@dailyharbour.example",), "Press day"),
    Telling("Ben writes to an embassy that really is in Mali.",
            "ben.okoro", ("visa@embassy-example.ml",), "Visa for the survey crew"),
)  # fmt: skip
TO_MALI = 1
MARK = "sent.mbox"
RECORDED = "Your answer is recorded"


class DemoError(Exception):
    """The demonstration cannot go on; the text says why."""


def main() -> int:
    """Tell the whole story and return the exit code; whatever was started is ended."""
    signal.signal(signal.SIGTERM, _terminated)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts us behind itself has it ignored
    try:
        _tell()
    except DemoError as error:
        print(f"\nThe demonstration stopped: {error}", file=sys.stderr)
        return 70
    except KeyboardInterrupt:
        print("\nThe demonstration was interrupted; the guard has been stopped.", file=sys.stderr)
        return 130
    return 0


def _terminated(*_: object) -> None:
    # Raised like Ctrl-C, so that the guard is ended on the way out.
    raise KeyboardInterrupt


def _tell() -> None:
    smtp = _make_home()
    say(f"The Tidewatch service ({OWN_DOMAIN}) is invented; the guard, the mail and the decisions below are real.")
    heading("1. Nixie learns from the mail that Tidewatch has sent")
    past = HOME / MARK
    past.write_text(mbox(correspondence(datetime.now(UTC))))
    block(nixie("learn", str(past)))
    with guard():
        heading("2. Six messages go through the guard's SMTP door")
        for number, telling in enumerate(MESSAGES):
            send(smtp, number, telling)
        show_copies()
        heading("3. The author of the second message is asked, by mail, within seconds")
        notice = wait_for("the notice", find_notice)
        block(notice)
        heading("4. She opens the link, in a browser without JavaScript")
        answer(notice)
        heading("5. The corrected copy leaves; nothing but the envelope and the Resent fields is new")
        block(wait_for("the corrected copy", find_corrected))
        heading("6. What the ledger tells about this message: nixie audit show")
        block(nixie("audit", "show", message_id(TO_MALI)))
        heading("7. What still waits for an answer: nixie holds list")
        block(nixie("holds", "list"))
        heading("8. The books are checked: nixie holds balance, nixie audit verify")
        block(nixie("holds", "balance") + nixie("audit", "verify"))
    place = HOME.relative_to(ROOT) if HOME.is_relative_to(ROOT) else HOME
    print()
    say(f"The guard has been stopped. All of it lies in {place}; go on from there with:")
    print(f"    ./run serve --home {place}\n    ./run holds list --home {place}")


def _make_home() -> int:
    """Make the home afresh and return the port of the SMTP door."""
    HOME.parent.mkdir(parents=True, exist_ok=True)
    if HOME.exists() and not (HOME / MARK).exists():
        raise DemoError(f"{HOME} is there already, and is not from an earlier demonstration; name another folder")
    lock = HOME / "var" / "serve.lock"
    if lock.exists():
        with lock.open() as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise DemoError(f"a guard is running on {HOME}; stop it first") from error
    shutil.rmtree(HOME, ignore_errors=True)
    smtp, http = free_port(), free_port()
    nixie("init", "--own-domain", OWN_DOMAIN, "--smtp", f"127.0.0.1:{smtp}", "--http", f"127.0.0.1:{http}",
          "--milter", f"127.0.0.1:{free_port()}", "--public-url", f"http://127.0.0.1:{http}")  # fmt: skip
    (HOME / MARK).touch()
    return smtp


def nixie(*arguments: str) -> str:
    """Run one command of the product on the demonstration's home and return what it printed. Raises `DemoError`."""
    done = subprocess.run([*NIXIE, *arguments, "--home", str(HOME)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DemoError(f"`nixie {' '.join(arguments[:2])}` ended with code {done.returncode}:\n{done.stderr}")
    return done.stdout


@contextmanager
def guard() -> Iterator[None]:
    """Serve while the block runs; the guard is ended by its own process id, whatever happens."""
    log, out = HOME / "serve.log", HOME / "serve.out"
    with log.open("wb") as errors, out.open("wb") as printed:
        command = [*NIXIE, "serve", "--home", str(HOME)]
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=printed, stderr=errors)
    try:
        end = time.monotonic() + START_SECONDS
        while "nixie is ready" not in out.read_text():
            if server.poll() is not None or time.monotonic() > end:
                raise DemoError(f"the guard did not start; the end of {log} says:\n{log.read_text()[-2000:]}")
            time.sleep(0.02)
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def message_id(number: int) -> str:
    return f"<demo-{number}@{OWN_DOMAIN}>"


def send(port: int, number: int, telling: Telling) -> None:
    """Hand one message to the SMTP door, as a mail server would."""
    message = EmailMessage()
    message["From"] = f"{telling.sender}@{OWN_DOMAIN}"
    message["To"] = ", ".join(telling.to)
    message["Subject"] = telling.subject
    message["Message-ID"] = message_id(number)
    message.set_content("Please find the matter below.\n")
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise DemoError(f"the SMTP door did not take message {number}: {error}") from error


def outbox() -> list[Any]:
    """Return what has left so far: messages as the next hop got them."""
    return [message_from_bytes(m.as_bytes(), policy=default) for m in mailbox.Maildir(HOME / "var" / "outbox")]


def wait_for(what: str, find: Any) -> str:
    """Ask until `find` returns something. Raises `DemoError`."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if found := find():
            return str(found)
        time.sleep(0.1)
    raise DemoError(f"{what} did not come within {PATIENCE_SECONDS:.0f} seconds; see {HOME}/serve.log")


def show_copies() -> None:
    """Say what became of every copy: held and why, or found in the outbox."""
    held = {h["recipient"]: h for h in json.loads(nixie("holds", "list", "--json"))["holds"]}
    left = {(m["Message-ID"], to) for m in outbox() for to in m.get_all("Delivered-To", ())}
    for number, telling in enumerate(MESSAGES):
        say(telling.why, "  ")
        for to in telling.to:
            if to not in held and (message_id(number), to) not in left:
                raise DemoError(f"the copy to {to} is neither held nor in the outbox; see {HOME}/serve.log")
            print(f"      {'held   ' if to in held else 'sent on'}  {to}")
            for reason in held[to]["reasons"] if to in held else ():
                say(f"- {reason}", " " * 15)
        print()


def find_notice() -> str:
    """Return the text of the notice about the copy to Mali."""
    for message in outbox():
        if message["X-Nixie-Notice"] and "northfleet.ml" in str(message["Subject"]):
            body = message.get_body(("plain",))
            head = "".join(f"{name}: {message[name]}\n" for name in ("From", "To", "Subject"))
            return f"{head}\n{body.get_content()}"
    return ""


def answer(notice: str) -> None:
    """Open the link of the notice, show the page, choose the suggested address, and show what the page says then."""
    link = re.search(r"http://\S+/d/[\w-]+", notice)
    if link is None:
        raise DemoError("the notice has no link")
    page = Page(link[0])
    block("\n".join(page.lines))
    choice = next((c for c in page.choices if c.startswith("correct:")), "")
    print()
    say(f"She presses the first button, {choice.partition(':')[2]}. The page answers:")
    print()
    done = page.submit(choice)
    if done.status != 200:
        raise DemoError(f"the page answered {done.status}")
    start = done.lines.index(RECORDED) if RECORDED in done.lines else 0
    block("\n".join(done.lines[start : start + 2]))


def find_corrected() -> str:
    """Return the head of the corrected copy once it has left."""
    for message in outbox():
        if message["Resent-To"]:
            shown = ("Return-Path", "Delivered-To", "Resent-From", "Resent-To", "From", "To", "Subject", "Message-ID")
            return "".join(f"{name}: {message[name]}\n" for name in shown if message[name])
    return ""


def say(text: str, indent: str = "") -> None:
    print(textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  " if indent else ""))


def heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}\n", flush=True)


def block(text: str) -> None:
    """Print the product's own words, indented; lines that are too long are folded."""
    for line in text.splitlines():
        lead = line[: len(line) - len(line.lstrip())]
        print(*_folded(line, lead), sep="\n")


def _folded(line: str, lead: str) -> Iterable[str]:
    inner = f"    {lead}  "
    return textwrap.wrap(f"    {line}", WIDTH, subsequent_indent=inner, break_on_hyphens=False) or [""]


if __name__ == "__main__":
    sys.exit(main())
