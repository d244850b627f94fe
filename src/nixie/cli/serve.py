"""`nixie serve`: run the guard until it is told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nixie.cli.common import complaints, home_option, load_settings

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@home_option
def command(home_option: Path | None) -> int:
    """Run the guard: recorder, workers with both doors, courier, decision pages.

    Stops on SIGTERM or SIGINT after what was begun is done. Under systemd it reports readiness (Type=notify). Where it
    listens stands in nixie.toml; it prints all addresses, and one line that sends a mail to try it.

    \b
        nixie serve --home /srv/nixie
    """
    from nixie.core.policy import PolicyError
    from nixie.service.listen import ListenError
    from nixie.service.serve import ServeError, serve
    from nixie.store.db import StoreError
    from nixie.store.keys import KeysError

    settings = load_settings(home_option)
    with complaints(ListenError, ServeError, StoreError, KeysError, PolicyError):
        return serve(settings, click.echo)
