"""`nixie init`: write an installation's home, one folder that serves at once."""

from __future__ import annotations

from pathlib import Path

import click

from nixie.cli.common import Complaint, complaints, json_option, print_json


@click.command()
@click.option("--home", "home_option", metavar="DIR", required=True, envvar="NIXIE_HOME", type=click.Path(path_type=Path),
              help="The folder to make; default: NIXIE_HOME.")  # fmt: skip
@click.option("--milter", metavar="ADDR", help="Listen for mail servers here: HOST:PORT or unix:PATH.")
@click.option("--smtp", metavar="ADDR", help="Take mail by SMTP here: HOST:PORT.")
@click.option("--http", metavar="ADDR", help="Serve the decision pages here: HOST:PORT.")
@click.option(
    "--next-hop", metavar="HOST:PORT|maildir:PATH", help="Where mail goes on to; default: a Maildir in the home."
)
@click.option(
    "--own-domain",
    "own_domains",
    metavar="D",
    multiple=True,
    help="A domain of yours; *.D for all below it. Repeat it.",
)
@click.option("--mode", type=click.Choice(["observe", "enforce"]), default="enforce", show_default=True,
              help="Start with the policy that only records what it would do, or with the one that holds.")  # fmt: skip
@click.option("--public-url", metavar="URL", help="How links in notices begin, as browsers reach the pages.")
@click.option("--notice-from", metavar="ADDR", help="Who notices are from; default: the postmaster.")
@click.option(
    "--postmaster",
    metavar="ADDR",
    help="Who gets what nobody else can decide; default: postmaster@ the first own domain.",
)
@json_option
def command(home_option: Path, *, as_json: bool, own_domains: tuple[str, ...], mode: str, **named: str | None) -> None:
    """Write a home: nixie.toml, policy.toml, partners.toml, keys. What exists is never overwritten.

    \b
        nixie init --home /srv/nixie --own-domain example.org --next-hop mail.example.org:25
    """
    from nixie.config.home import HomeExistsError, write_home
    from nixie.config.loader import load
    from nixie.store.keys import KeysError, create_keys

    if not own_domains:
        raise Complaint("say which domains are yours: --own-domain example.org (repeat it for each)")
    home = home_option.absolute()
    with complaints(HomeExistsError, KeysError, OSError):
        write_home(home, own_domains=own_domains, mode=mode, **named)
        create_keys(home / "keys")
        settings = load(home)
        settings.var.mkdir(mode=0o700, exist_ok=True)
    if as_json:
        print_json({"home": str(home), "mode": mode, "own_domains": list(own_domains)})
        return
    click.echo(
        f"{home} is ready; it will {'hold what goes astray' if mode == 'enforce' else 'only record what it would hold'}"
    )
    click.echo(f"  learn:  nixie learn --home {home} /var/log/mail.log*")
    click.echo(f"  serve:  nixie serve --home {home}")
