"""Start an installation: check everything, bind the sockets, hand them to the processes, say where everything is."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from nixie.service import logs
from nixie.service.installation import read_policy
from nixie.service.listen import name_of, open_listener, private_folder
from nixie.service.places import Places
from nixie.service.recorder_client import recorder_answers
from nixie.service.supervisor import Role, Supervisor, notify_systemd
from nixie.store.keys import load_keys

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import IO

    from nixie.config.settings import Settings


class ServeError(Exception):
    """The guard cannot start: the text says why and what to do."""


def serve(settings: Settings, say: Callable[[str], None]) -> int:
    """Run the guard until SIGTERM or SIGINT and return the exit code.

    Everything is validated before a socket is opened. Raises `ServeError`, `PolicyError`, `KeysError`, `ListenError`.
    """
    logs.configure(level=settings.log.level)
    policy = read_policy(settings.policy_file)
    load_keys(settings.keys_folder, settings.credentials)
    places = Places(private_folder(settings.var))
    told = {"milter": settings.milter.listen, "smtp": settings.smtp.listen, "http": settings.http.listen}
    with contextlib.ExitStack() as closing:
        closing.enter_context(_lock(places))
        sockets = {name: closing.enter_context(open_listener(address)) for name, address in told.items() if address}
        supervisor = Supervisor(_roles(settings, sockets), lambda: recorder_answers(places.recorder))

        def ready() -> None:
            for line in _where(settings, sockets, policy.title or "policy"):
                say(line)
            notify_systemd("READY=1")

        return supervisor.run(ready)


def _roles(settings: Settings, sockets: dict[str, socket.socket]) -> list[Role]:
    home = ("--home", str(settings.home))
    doors = tuple((name, sockets[name]) for name in ("milter", "smtp") if name in sockets)
    pages = tuple((name, sockets[name]) for name in ("http",) if name in sockets)
    count = settings.workers.count or os.cpu_count() or 1
    return [
        Role("recorder", "nixie.service.recorder_main", home),
        *(Role(f"worker-{n}", "nixie.service.worker", home, doors) for n in range(1, count + 1)),
        Role("courier", "nixie.service.courier_main", home),
        *([Role("pages", "nixie.web.main", home, pages)] if pages else []),
    ]


def _where(settings: Settings, sockets: dict[str, socket.socket], policy: str) -> list[str]:
    """Return what the administrator sees: where everything is, and one line to try it."""
    own = settings.organisation.known_domains()
    at = {name: name_of(sockets[name]) if name in sockets else "off" for name in ("milter", "smtp", "http")}
    lines = [
        f"home      {settings.home}",
        f"policy    {settings.policy_file} ({policy})",
        f"milter    {at['milter']}",
        f"smtp      {at['smtp']}",
        f"pages     {settings.http.public_url} (listening on {at['http']})",
        f"next hop  {settings.next_hop.address}",
    ]
    host, _, port = at["smtp"].rpartition(":")
    if host:
        lines.append(f"try it    {_one_line(host, port, own[0] if own else 'example.org')}")
    return [*lines, "nixie is ready"]


def _one_line(host: str, port: str, domain: str) -> str:
    """Return a command that sends a message with a slip through the SMTP door."""
    ann, bob = f"ann@{domain}", f"bob@{_slip_of(domain)}"
    header = f"From: {ann}\\nTo: {bob}\\nMessage-ID: <try@{domain}>\\nSubject: try"
    send = f"smtplib.SMTP('{host}', {port}).sendmail('{ann}', ['{bob}'], '{header}\\n\\nhello\\n')"
    return f'python3 -c "import smtplib; {send}"'


def _slip_of(domain: str) -> str:
    """Return a slip of the own domain: two letters in the middle of its longest label swapped."""
    labels = domain.split(".")
    longest = max(range(len(labels)), key=lambda i: len(labels[i]))
    label = labels[longest]
    at = next((i for i in range(max(1, len(label) // 2), len(label) - 1) if label[i] != label[i + 1]), 0)
    swapped = label[:at] + label[at + 1] + label[at] + label[at + 2 :] if len(label) > at + 1 else label
    return ".".join([*labels[:longest], swapped, *labels[longest + 1 :]])


def _lock(places: Places) -> IO[str]:
    """Lock the installation for this process. Raises `ServeError` when another guard runs on it."""
    lock = places.lock.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ServeError(f"{places.var}: another guard serves this installation; stop it first") from error
    return lock
