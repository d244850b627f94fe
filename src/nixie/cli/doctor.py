"""`nixie doctor`: look for the mistakes that an installation and the Postfix around it can have, and say the remedies."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixie.cli.common import EX_NO, Complaint, find_home, home_option, json_option, print_json

if TYPE_CHECKING:
    from nixie.config.settings import Settings
    from nixie.service.doctor import Point
    from nixie.service.doctor_postconf import Mailserver

_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
_MARKS = {"ok": "ok      ", "advice": "advice  ", "mistake": "MISTAKE "}


@click.command()
@click.option("--postconf", metavar="FILE", type=_FILE,
              help="The output of `postconf -n` (or a main.cf) from the mail server; default: run postconf here.")  # fmt: skip
@click.option("--master", metavar="FILE", type=_FILE,
              help="The output of `postconf -M` (or a master.cf) from the mail server.")  # fmt: skip
@click.option("--no-postfix", is_flag=True, help="Look at the installation only.")
@click.option("--connect", is_flag=True, help="Also connect to the milter door, the next hop and the release hop.")
@home_option
@json_option
def command(
    postconf: Path | None,
    master: Path | None,
    home_option: Path | None,
    *,
    no_postfix: bool,
    connect: bool,
    as_json: bool,
) -> int:
    """Look at the installation and at the Postfix in front of it, and report every mistake with its remedy.

    Nothing is changed, and nobody is connected to without --connect. Postfix is asked by `postconf` where it is on this
    machine; for one elsewhere bring its answers along:

    \b
        ssh mx postconf -n > main.txt; ssh mx postconf -M > master.txt
        nixie doctor --postconf main.txt --master master.txt
        nixie doctor --no-postfix --connect

    \b
    Exit code 0 when there is no mistake (advice may be left), 1 when there is one.
    """
    from nixie.config.loader import ConfigError, load
    from nixie.service.doctor import Level, mistake
    from nixie.service.doctor_home import examine_home

    home = find_home(home_option)
    points: list[Point] = []
    try:
        settings = load(home)
    except ConfigError as error:
        points += [mistake("configuration", str(problem), "mend that line") for problem in error.problems]
    else:
        server = _mailserver(postconf, master, no_postfix=no_postfix)
        here = server is not None and postconf is None
        owner = server.value("mail_owner") if server is not None and here else ""
        points += examine_home(settings, connect=connect, mail_owner=owner)
        points += _about_postfix(settings, server, no_postfix=no_postfix)
    mistakes = sum(p.level is Level.MISTAKE for p in points)
    if as_json:
        print_json({"ok": not mistakes, "points": [asdict(p) for p in points]})
    else:
        _show(points, mistakes)
    return EX_NO if mistakes else 0


def _mailserver(postconf: Path | None, master: Path | None, *, no_postfix: bool) -> Mailserver | None:
    """Return the mail server's configuration: from the files, else from postconf here, None where there is none."""
    from nixie.service.doctor_postconf import read_mailserver

    if no_postfix:
        return None
    if (postconf is None) != (master is None):
        raise Complaint("--postconf and --master belong together: the answers of postconf -n and of postconf -M")
    if postconf is not None and master is not None:
        return read_mailserver(_read(postconf), _read(master))
    program = shutil.which("postconf", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if program is None:
        return None
    return read_mailserver(_ask(program, "-n"), _ask(program, "-M"))


def _ask(program: str, flag: str) -> str:
    done = subprocess.run([program, flag], capture_output=True, timeout=30, check=False)  # noqa: S603 - Postfix's own
    if done.returncode:
        raise Complaint(f"{program} {flag} failed: {done.stderr.decode('utf-8', 'replace').strip()[:300]}")
    return done.stdout.decode("utf-8", "replace")


def _read(path: Path) -> str:
    with click.open_file(str(path), encoding="utf-8", errors="replace") as file:
        return str(file.read())


def _about_postfix(settings: Settings, server: Mailserver | None, *, no_postfix: bool) -> tuple[Point, ...]:
    from nixie.service.doctor import advice
    from nixie.service.doctor_postfix import Guard, examine

    if server is not None and settings.milter.listen:
        return examine(server, Guard.of(settings))
    if no_postfix or not settings.milter.listen:
        return ()
    remedy = "bring its answers along (--postconf, --master), or say --no-postfix"
    return (advice("postfix", "there is no postconf on this machine, so no Postfix was looked at", remedy),)


def _show(points: list[Point], mistakes: int) -> None:
    for point in points:
        click.echo(f"{_MARKS[point.level]} {point.text}")
        if point.remedy:
            click.echo(f"          -> {point.remedy}")
    some = f"{mistakes} mistake{'s' if mistakes > 1 else ''} to mend"
    click.echo(some if mistakes else "no mistake found")
