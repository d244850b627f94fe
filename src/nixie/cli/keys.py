"""`nixie keys`: make an installation's keys, and verify that what is held can still be opened with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nixie.cli.common import EX_NO, complaints, home_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def command() -> None:
    """Make and verify the installation's keys.

    Losing keys/spool.key loses every held message: keep a copy of the keys folder where the backups are not.
    """


@command.command(short_help="Make the keys of a home that has none yet.")
@home_option
@json_option
def create(home_option: Path | None, *, as_json: bool) -> None:
    """Make the keys of a home that has none yet; existing keys are never overwritten.

    \b
        nixie keys create --home /srv/nixie
    """
    from nixie.store.keys import KeysError, create_keys

    settings = load_settings(home_option)
    with complaints(KeysError):
        create_keys(settings.keys_folder)
    if as_json:
        print_json({"keys": str(settings.keys_folder)})
    else:
        click.echo(f"made the keys in {settings.keys_folder}")


@command.command()
@home_option
@json_option
def verify(home_option: Path | None, *, as_json: bool) -> int:
    """Check every key, and open every held message with them.

    \b
    Exit code 0 when all is well, 1 when something is not.

    \b
        nixie keys verify
    """
    from nixie.service.places import Places
    from nixie.store import hold_views
    from nixie.store.db import open_reader
    from nixie.store.keys import load_keys, verify_keys
    from nixie.store.spool import Spool

    settings = load_settings(home_option)
    troubles = [str(t) for t in verify_keys(settings.keys_folder, settings.credentials)]
    opened = 0
    if not troubles and Places(settings.var).database.exists():
        spool = Spool(Places(settings.var).spool, load_keys(settings.keys_folder, settings.credentials).spool)
        db = open_reader(Places(settings.var).database)
        held = sorted(hold_views.referenced_spools(db))
        db.close()
        damaged = spool.check(held)
        opened = len(held) - len(damaged)
        troubles += map(str, damaged)
    if as_json:
        print_json({"ok": not troubles, "held_messages_opened": opened, "troubles": troubles})
    else:
        for trouble in troubles:
            click.echo(trouble, err=True)
        told = "all keys are good" if not troubles else "NOT all is well with the keys or what they must open"
        click.echo(f"{told}; {opened} held message{'' if opened == 1 else 's'} could be opened")
    return EX_NO if troubles else 0
