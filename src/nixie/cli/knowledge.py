"""`nixie knowledge`: ask what is known of an address, who is near it, and which learned addresses look like slips; budget and rates."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from nixie.cli.common import EX_NO, EX_UNAVAILABLE, Complaint, home_option, json_option, load_settings, print_json
from nixie.cli.knowledge_budget import budget, calibrate

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from nixie.config.settings import Settings
    from nixie.core.address import Address


@click.group()
def command() -> None:
    """Ask what is known, clear doubts, and see what questions cost.

    Knowledge is counts of events by day, never a judgement: what repetition is worth is decided when it is asked for.
    """


command.add_command(budget)
command.add_command(calibrate)


@command.command(short_help="Tell what is known of an address and of its domain.")
@click.argument("address")
@home_option
@json_option
def about(address: str, home_option: Path | None, *, as_json: bool) -> None:
    """Tell what is known of ADDRESS and of its domain: how often each kind of event was seen, and which lists it is on.

    \b
        nixie knowledge about ops@army.mil
    """
    from nixie.core.facts import NO_EXPANSION, FactQuery
    from nixie.store.knowledge_facts import StoreFacts

    settings = load_settings(home_option)
    asked = _address(address)
    db = _reader(settings)
    source = StoreFacts(db)
    facts = source.know(FactQuery(None, (asked,), (asked.domain,), datetime.now(UTC)))
    above = source.expansions((asked,)).get(asked.key, NO_EXPANSION)
    db.close()
    told = {
        "address": _counts(facts.address(asked).organisation),
        "domain": _counts(facts.domain(asked.domain).organisation),
        "organisation_sent": facts.totals.organisation_sent,
        "lists": sorted(above.lists),
        "aliases": sorted(above.aliases),
    }
    if as_json:
        print_json({"about": str(asked), **told})
        return
    for what, of in (("address", str(asked)), ("domain", asked.domain)):
        counts = told[what]
        click.echo(f"{of}:{'' if counts else ' nothing is known'}")
        for name, value in counts.items() if isinstance(counts, dict) else ():
            click.echo(f"  {name.replace('_', ' '):<22} {value}")
    for word, names in (("on the list", above.lists), ("behind the alias", above.aliases)):
        for name in sorted(names):
            click.echo(f"{word} {name}")


@command.command(short_help="List what may have been meant by an address.")
@click.argument("address")
@click.option("--limit", metavar="N", default=20, show_default=True, type=click.IntRange(1, 1000),
              help="List at most so many.")  # fmt: skip
@home_option
@json_option
def near(address: str, limit: int, home_option: Path | None, *, as_json: bool) -> None:
    """List what may have been meant by ADDRESS (or by a domain): known domains one slip away, the likeliest first.

    \b
        nixie knowledge near ops@army.ml
        nixie knowledge near army.ml
    """
    from nixie.core.facts import FactQuery
    from nixie.core.similarity import SmallIndex
    from nixie.core.slips import explain
    from nixie.render.plain import times
    from nixie.service.places import Places
    from nixie.store.knowledge_facts import StoreFacts
    from nixie.store.near import NearDomains

    settings = load_settings(home_option)
    domain = _address(address).domain if "@" in address else _domain(address)
    db = _reader(settings)
    source = StoreFacts(db, NearDomains(Places(settings.var).near))
    proposed = dict.fromkeys(
        (*SmallIndex(settings.organisation.known_domains()).near(domain, 128), *source.near(domain, 128))
    )
    facts = source.know(FactQuery(None, (), tuple(proposed), datetime.now(UTC)))
    db.close()
    found: list[dict[str, Any]] = []
    for other in proposed:
        slip = explain(other, domain)
        if slip is not None:
            sent = facts.domain(other).organisation.sent
            found.append({"domain": other, "slip": slip.kind, "probability": slip.probability, "sent": sent})
    found.sort(key=lambda f: (-f["probability"] * (f["sent"] + 1), f["domain"]))
    if as_json:
        print_json({"near": domain, "found": found[:limit]})
        return
    for one in found[:limit]:
        click.echo(f"{one['domain']:<40} {one['slip'].replace('_', ' '):<18} written to {times(one['sent'])}")
    if not found:
        click.echo(f"nothing known is one slip away from {domain}")


@command.command(short_help="List learned addresses that look like slips of others.")
@click.option("--limit", metavar="N", default=100, show_default=True, type=click.IntRange(1, 100_000),
              help="List at most so many.")  # fmt: skip
@home_option
@json_option
def doubt(limit: int, home_option: Path | None, *, as_json: bool) -> None:
    """List learned addresses that look like slips of others. They carry no trust until a person confirms them.

    Confirm what is right with `nixie knowledge confirm ADDRESS`; what is a slip needs nothing.

    \b
        nixie knowledge doubt --limit 20
    """
    from nixie.render.plain import counted, times
    from nixie.service.doubting import doubted_addresses
    from nixie.service.places import Places

    settings = load_settings(home_option)
    db = _reader(settings)
    found = doubted_addresses(db, Places(settings.var), settings.organisation)
    db.close()
    if as_json:
        print_json({"doubted": [asdict(d) for d in found[:limit]], "of": len(found)})
        return
    for one in found[:limit]:
        click.echo(
            f"{one.address:<40} written to {times(one.sent)}; {one.instead} {times(one.instead_sent)} ({one.slip.replace('_', ' ')})"
        )
    click.echo(
        f"{counted(len(found), 'learned address is', 'learned addresses are')} doubted"
        if found
        else "no learned address looks like a slip of another"
    )


@command.command(short_help="Say that doubted addresses are right.")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--as", "who", metavar="NAME", help="Who confirms; default: the user who runs the command.")
@home_option
@json_option
def confirm(addresses: tuple[str, ...], who: str | None, home_option: Path | None, *, as_json: bool) -> None:
    """Say that these addresses are right although they look like slips; it counts for the whole organisation.

    \b
        nixie knowledge confirm visa@embassy.example.ml
    """
    from nixie.service.confirming import confirm_addresses
    from nixie.service.recorder_client import RecorderRefusedError, RecorderUnavailableError

    settings = load_settings(home_option)
    asked = [_address(a) for a in addresses]
    name = who or getpass.getuser()
    try:
        confirm_addresses(settings, asked, name)
    except RecorderRefusedError as error:
        raise Complaint(str(error), EX_NO) from error
    except RecorderUnavailableError as error:
        raise Complaint(str(error), EX_UNAVAILABLE) from error
    if as_json:
        print_json({"confirmed": [str(a) for a in asked], "by": name})
    else:
        click.echo(f"confirmed {len(asked)} address{'es' if len(asked) > 1 else ''}")


def _reader(settings: Settings) -> sqlite3.Connection:
    from nixie.service.places import Places
    from nixie.store.db import open_reader

    path = Places(settings.var).database
    if not path.exists():
        raise Complaint(f"{path}: nothing is known yet; it begins with `nixie learn` or `nixie serve`", EX_NO)
    return open_reader(path)


def _address(text: str) -> Address:
    from nixie.core.address import parse_address

    address = parse_address(text)
    if address is None or not address.domain:
        raise Complaint(f"{text}: not an address; write it as name@example.org")
    return address


def _domain(text: str) -> str:
    from nixie.core.address import normal_domain

    return normal_domain(text)


def _counts(counts: Any) -> dict[str, Any]:
    return {name: str(value) if "day" in name else value for name, value in asdict(counts).items() if value}
