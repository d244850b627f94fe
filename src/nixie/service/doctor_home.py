"""What the doctor looks at on the machine: keys, policy, recorder, the people who are told, the milter's socket, the hops.

Everything here only looks. Connections to other servers are made on request alone.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from nixie.config.consistency import is_loopback
from nixie.core.policy import PolicyError
from nixie.service.doctor import Point, advice, mistake, ok
from nixie.service.installation import read_policy
from nixie.service.milter_client import MilterClient
from nixie.service.places import Places
from nixie.service.recorder_client import recorder_answers
from nixie.store.keys import verify_keys
from nixie.wire.milter.errors import MilterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nixie.config.kinds import Hop
    from nixie.config.settings import Settings

CONNECT_SECONDS = 5.0


def examine_home(settings: Settings, *, connect: bool = False, mail_owner: str = "") -> tuple[Point, ...]:
    """Return the points about an installation.

    `connect` also talks to the next hop, the release hop and the milter door. `mail_owner` is the user whom Postfix runs as,
    whose way to the milter's UNIX socket is looked at; `""`: no Postfix here.
    """
    points = [
        *_policy(settings),
        *_keys(settings),
        *_people(settings),
        *_pages(settings),
        *_recorder(settings),
        *_socket(settings, mail_owner),
    ]
    if connect:
        points += [*_milter_door(settings), *_hop("next-hop", settings.next_hop.address)]
        if settings.release_hop != settings.next_hop.address:
            points += _hop("release-hop-answers", settings.release_hop)
    return tuple(points)


def _policy(settings: Settings) -> Iterator[Point]:
    try:
        policy = read_policy(settings.policy_file)
    except (PolicyError, OSError) as error:
        yield mistake("policy", str(error), "mend policy.toml; nixie policy check shows every mistake")
        return
    if not any(str(rule.mode) == "enforce" for rule in policy.rules):
        remedy = "set rules to enforce once you trust what they would have done"
        yield advice("policy", "no rule is enforced: slips are recorded and leave all the same", remedy)
    else:
        yield ok("policy", f"the policy can be used ({len(policy.rules)} rules)")


def _keys(settings: Settings) -> Iterator[Point]:
    troubles = verify_keys(settings.keys_folder, settings.credentials)
    for trouble in troubles:
        yield mistake(
            "keys", str(trouble), "restore the keys folder from its backup; nixie keys create makes missing keys"
        )
    if not troubles:
        yield ok("keys", "all keys are good")


def _people(settings: Settings) -> Iterator[Point]:
    who = settings.organisation
    if not who.own_domains:
        remedy = "name your domains in [organisation] own_domains"
        yield mistake("own-domains", "no own domains are named: every message only passes through", remedy)
    if not who.postmaster:
        remedy = "set [organisation] postmaster to an address of your own"
        yield mistake("postmaster", "no postmaster is named: what nobody can decide reaches nobody", remedy)
    elif not who.inside(who.postmaster.rpartition("@")[2]):
        remedy = "set [organisation] postmaster to an address of your own"
        yield mistake(
            "postmaster", "the postmaster's domain is none of yours, and the guard never writes outside", remedy
        )
    else:
        yield ok("postmaster", f"the postmaster is at {who.postmaster.rpartition('@')[2]}")
    if not settings.notice.reviewers:
        remedy = "name people in [notice] reviewers"
        yield advice(
            "reviewers", "no reviewers are named: a question that its author leaves open waits for the return", remedy
        )


def _pages(settings: Settings) -> Iterator[Point]:
    url = settings.http.public_url
    if not settings.http.listen:
        return
    host = url.partition("://")[2].partition("/")[0]
    if is_loopback(host) or host.startswith("localhost"):
        remedy = "set [http] public_url to how browsers reach the pages, and a reverse proxy with TLS in front of them"
        yield advice("public-url", f"links in notices begin with {url}, which only this machine reaches", remedy)
    elif url.startswith("http://"):
        yield advice("public-url", f"links in notices begin with {url}: who reads the network can decide", "use https")


def _recorder(settings: Settings) -> Iterator[Point]:
    if recorder_answers(Places(settings.var).recorder):
        yield ok("recorder", "the recorder answers and can write")
    else:
        yield mistake("recorder", "the recorder does not answer: no mail is taken", "start the guard: nixie serve")


def _socket(settings: Settings, mail_owner: str) -> Iterator[Point]:
    """Say whether Postfix may reach the milter's UNIX socket: each folder must be passable, the socket writable."""
    path = Path(settings.milter.listen.removeprefix("unix:"))
    if not settings.milter.listen.startswith("unix:") or not mail_owner or not path.exists():
        return
    try:
        user = pwd.getpwnam(mail_owner)
    except KeyError:
        return
    groups = set(os.getgrouplist(mail_owner, user.pw_gid))
    for place, bits in (*((folder, 0o1) for folder in reversed(path.parents)), (path, 0o2)):
        if not _may(place.stat(), user.pw_uid, groups, bits):
            text = f"the user {mail_owner} may not {'write to' if bits == 0o2 else 'pass through'} {place}"
            remedy = f"install -d -m 2750 -o {_owner(path)} -g {mail_owner} FOLDER, and let [milter] listen be in it"
            yield mistake("milter-socket", text, remedy)
            return
    yield ok("milter-socket", f"the user {mail_owner} reaches {path}")


def _may(status: os.stat_result, uid: int, groups: set[int], bits: int) -> bool:
    if uid in (0, status.st_uid):
        return uid == 0 or bool(stat.S_IMODE(status.st_mode) >> 6 & bits)
    return bool(stat.S_IMODE(status.st_mode) >> (3 if status.st_gid in groups else 0) & bits)


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:
        return str(path.stat().st_uid)


def _milter_door(settings: Settings) -> Iterator[Point]:
    async def greet() -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            client = await MilterClient.open(settings.milter.listen)
            await client.greet()
            await client.close()

    try:
        asyncio.run(greet())
    except (OSError, MilterError) as error:
        text = f"the milter door {settings.milter.listen} does not answer ({type(error).__name__})"
        yield mistake("milter-door", text, "start the guard: nixie serve")
    else:
        yield ok("milter-door", f"the milter door {settings.milter.listen} answers")


def _hop(name: str, hop: Hop) -> Iterator[Point]:
    if hop.path is not None:
        yield ok(name, f"{hop} is a folder on this machine")
        return
    try:
        with socket.create_connection((hop.host, hop.port), CONNECT_SECONDS) as connection:
            greeting = connection.recv(512)
    except OSError as error:
        remedy = "look whether it runs, and whether a firewall stands between"
        yield mistake(name, f"{hop} cannot be reached: {error.strerror or type(error).__name__}", remedy)
        return
    if greeting.startswith(b"220"):
        yield ok(name, f"{hop} answers")
    else:
        yield mistake(name, f"{hop} does not greet as a mail server does", "look whether the port is right")
