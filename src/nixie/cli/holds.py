"""`nixie holds`: what waits, why, and what a reviewer does about it."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING, Any

import click

from nixie.cli.common import EX_NO, EX_UNAVAILABLE, Complaint, home_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

    from nixie.service.views import Judged
    from nixie.store.hold_views import Hold


@click.group()
def command() -> None:
    """List, show and decide held copies.

    A copy that waits is released, corrected, cancelled or returned by a person; silence returns it to its author in the end.
    It is never sent and never dropped without a decision. Every answer is recorded with the name of who gave it.
    """


reason_option = click.option("--reason", metavar="TEXT", default="", help="Why, in a few words; kept in the ledger.")
as_option = click.option(
    "--as",
    "reviewer",
    metavar="NAME",
    help="Who decides; default: the user who runs the command. That user stands in the record too.",
)


@command.command("list")
@click.option(
    "--state", "states", metavar="STATE", multiple=True,
    help="Only copies in this state, such as waiting or released; default: waiting. `all` for every state. Repeat it.",
)  # fmt: skip
@click.option("--author", metavar="ADDRESS", default="", help="Only copies of this author.")
@click.option("--text", metavar="TEXT", default="", help="Only copies whose id or addresses contain this.")
@click.option("--limit", metavar="N", default=100, show_default=True, type=click.IntRange(1, 100_000),
              help="List at most so many.")  # fmt: skip
@home_option
@json_option
def list_(
    home_option: Path | None, *, states: tuple[str, ...], author: str, text: str, limit: int, as_json: bool
) -> None:
    """List held copies, the oldest first.

    \b
        nixie holds list
        nixie holds list --author ann@example.org --state all --json
    """
    from nixie.service.views import judged
    from nixie.store import hold_views
    from nixie.store.hold_states import State

    db = _reader(home_option)
    try:
        wanted = tuple(State) if "all" in states else tuple(State(s) for s in states) or (State.WAITING,)
    except ValueError as error:
        raise Complaint(f"{error}; states are: {', '.join(State)}, all") from error
    holds = hold_views.find(db, states=wanted, author=author.lower(), text=text, limit=limit)
    decisions = judged(db, holds)
    told = [_told(decisions, h) for h in holds]
    db.close()
    if as_json:
        print_json({"holds": told})
        return
    for one in told:
        click.echo(f"{one['id']}  {one['held_at'][:16]}Z  {one['state']:<10} {one['author']} -> {one['recipient']}")
        for reason in one["reasons"][:2]:
            click.echo(f"    {reason}")
    if not told:
        click.echo("nothing is held")


@command.command(short_help="List copies that went on because the budget let nobody ask.")
@click.option("--days", metavar="N", default=1, show_default=True, type=click.IntRange(1, 3650),
              help="Copies of the last N days.")  # fmt: skip
@home_option
@json_option
def digest(days: int, home_option: Path | None, *, as_json: bool) -> None:
    """List copies that a rule would have asked about but for the budget of the policy: *not asked: budget*.

    They have left. The reviewers get the same list by mail each day that has any.

    \b
        nixie holds digest
        nixie holds digest --days 7 --json
    """
    import time

    from nixie.render.plain import address_words, share
    from nixie.service.digests import not_asked

    db = _reader(home_option)
    now = round(time.time() * 1000)
    found: list[dict[str, Any]] = [
        {
            "at": one.at.isoformat(),
            "row": one.row,
            "author": address_words(one.author),
            "recipient": address_words(one.recipient),
            "blind": one.blind,
            "probability": one.probability,
            "suggestions": [address_words(s) for s in one.suggestions],
            "rule": one.rule,
            "not_asked": "budget",
            "reasons": list(one.reasons),
        }
        for one in not_asked(db, now - days * 86_400_000, now + 1)
    ]
    db.close()
    if as_json:
        print_json({"days": days, "not_asked": found})
        return
    for told in found:
        meant = f"; perhaps meant: {told['suggestions'][0]}" if told["suggestions"] else ""
        click.echo(
            f"{told['at'][:16]}Z  {share(told['probability']):>8}  {told['author']} -> {told['recipient']}{meant}"
        )
        click.echo(f"    not asked: budget (rule {told['rule']}, row {told['row']})")
    if not found:
        click.echo("nothing was kept from being asked")


@command.command(short_help="Show one held copy: why it is held, what may be done.")
@click.argument("hold")
@home_option
@json_option
def show(hold: str, home_option: Path | None, *, as_json: bool) -> None:
    """Show one held copy (by its id from `nixie holds list`): why it is held, what may be done, what happened to it.

    \b
        nixie holds show HQ3K7M2ZT5A4WXYCD
    """
    from nixie.render.plain import share
    from nixie.render.story import story_json, story_lines
    from nixie.service.stories import told as rows_told
    from nixie.service.views import judged
    from nixie.store import hold_views
    from nixie.store.hold_states import UnknownHoldError

    db = _reader(home_option)
    try:
        found = hold_views.show(db, hold)
    except UnknownHoldError as error:
        raise Complaint(str(error), EX_NO) from error
    told = _told(judged(db, (found.hold,)), found.hold)
    db.close()
    if as_json:
        print_json({**told, "story": story_json(rows_told(found.rows))})
        return
    click.echo(f"{told['id']} is {told['state']} since {told['changed_at'][:19]}Z")
    click.echo(f"  author     {told['author']}")
    click.echo(f"  recipient  {told['recipient']}" + ("  (not in To or Cc)" if told["blind"] else ""))
    for suggestion in told["suggestions"]:
        click.echo(f"  meant?     {suggestion['address']} ({share(suggestion['probability'])})")
    for reason in told["reasons"]:
        click.echo(f"  why        {reason}")
    if told["state"] == "waiting":
        may = [_MAY[choice] for choice in told["choices"]]
        click.echo(f"  answers    {f'its author may {_either(may)}' if may else 'its author may not decide'}")
        click.echo(f"             {_REVIEWER.get(told['disposition'], _REVIEWER[''])}")
    click.echo("\n".join(story_lines(rows_told(found.rows))))


@command.command()
@click.argument("hold")
@reason_option
@as_option
@home_option
@json_option
def release(hold: str, reason: str, reviewer: str | None, home_option: Path | None, *, as_json: bool) -> None:
    """Send a held copy on as it is. A reason is demanded. What needs a reviewer is never released by
    its own author.

    \b
        nixie holds release HQ3K7M2ZT5A4WXYCD --reason "the embassy confirmed the address by telephone"
    """
    if not reason:
        raise Complaint("say why with --reason; it is kept in the ledger")
    _act(home_option, hold, "release", reviewer, as_json=as_json, reason=reason)


@command.command(short_help="Send a held copy to the address that was meant.")
@click.argument("hold")
@click.option("--to", required=True, metavar="ADDRESS", help="The address that was meant.")
@reason_option
@as_option
@home_option
@json_option
def correct(hold: str, to: str, reason: str, reviewer: str | None, home_option: Path | None, *, as_json: bool) -> None:
    """Send a held copy to the address that was meant; it is judged again before it leaves.

    \b
        nixie holds correct HQ3K7M2ZT5A4WXYCD --to ops@army.mil --reason "typing mistake"
    """
    from nixie.core.address import parse_address

    address = parse_address(to)
    if address is None or not address.domain:
        raise Complaint(f"{to}: not an address; write it as name@example.org")
    _act(home_option, hold, "correct", reviewer, as_json=as_json, reason=reason, corrected=address.key)


@command.command(short_help="Drop a held copy; the ledger keeps that it was.")
@click.argument("hold")
@reason_option
@as_option
@home_option
@json_option
def cancel(hold: str, reason: str, reviewer: str | None, home_option: Path | None, *, as_json: bool) -> None:
    """Drop a held copy; the ledger keeps that it was, and who dropped it.

    \b
        nixie holds cancel HQ3K7M2ZT5A4WXYCD --reason "sent twice"
    """
    _act(home_option, hold, "cancel", reviewer, as_json=as_json, reason=reason)


@command.command("return", short_help="Give a held copy back to its author.")
@click.argument("hold")
@reason_option
@as_option
@home_option
@json_option
def return_(hold: str, reason: str, reviewer: str | None, home_option: Path | None, *, as_json: bool) -> None:
    """Give a held copy back to its author: it is attached to a mail that says why.

    \b
        nixie holds return HQ3K7M2ZT5A4WXYCD --reason "please ask the registry for the address"
    """
    _act(home_option, hold, "return", reviewer, as_json=as_json, reason=reason)


@command.command(short_help="Count all held copies, and check that none is missing.")
@home_option
@json_option
def balance(home_option: Path | None, *, as_json: bool) -> int:
    """Count all held copies: held = released + corrected + cancelled + returned + waiting + in progress.

    The ledger is counted too and must tell the same.

    \b
    Exit code 0 when the sums fit, 1 when they do not.

    \b
        nixie holds balance --json
    """
    from dataclasses import asdict

    from nixie.store import hold_views
    from nixie.store.db import reading

    db = _reader(home_option)
    with reading(db):
        sums = hold_views.balance(db)
    db.close()
    if as_json:
        print_json({**asdict(sums), "ok": sums.ok})
    else:
        told = asdict(sums)
        agrees = told.pop("ledger_agrees")
        for name, number in told.items():
            click.echo(f"{name.replace('_', ' '):<12} {number:>6}")
        wrong = "THE SUMS DO NOT FIT" if agrees else "THE LEDGER DOES NOT AGREE with the table of holds"
        click.echo("the sums fit, and the ledger agrees" if sums.ok else wrong)
    return 0 if sums.ok else EX_NO


def _reader(home_option: Path | None) -> sqlite3.Connection:
    from nixie.service.places import Places
    from nixie.store.db import open_reader

    places = Places(load_settings(home_option).var)
    if not places.database.exists():
        raise Complaint(f"{places.database}: there is no record yet; it begins with `nixie serve`", EX_NO)
    return open_reader(places.database)


def _told(decisions: Mapping[int, Judged], hold: Hold) -> dict[str, Any]:
    """Return one hold as JSON-ready values, the same for list and show."""
    from datetime import UTC, datetime

    from nixie.render.evidence import Reader
    from nixie.service.views import copy_view

    view = copy_view(hold, decisions, Reader.OTHER)

    def moment(ms: int) -> str:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat()

    return {
        "id": hold.id,
        "state": str(hold.state),
        "disposition": hold.disposition,
        "author": hold.author,
        "recipient": hold.recipient,
        "corrected": hold.corrected,
        "blind": hold.blind,
        "held_at": moment(hold.held_at),
        "changed_at": moment(hold.changed_at),
        "reasons": list(view.reasons),
        "suggestions": [{"address": s.address, "probability": s.probability} for s in view.suggestions],
        "choices": [str(c) for c in view.choices],
        "tries": hold.tries,
        "question": hold.question,
    }


def _act(home_option: Path | None, hold: str, action: str, reviewer: str | None, *, as_json: bool, **more: str) -> None:
    """Ask the recorder to do it, and say what it did."""
    from nixie.render.hold import outcome_of
    from nixie.service.pipeline import now_ms
    from nixie.service.places import Places
    from nixie.service.recorder_client import (
        RecorderRefusedError,
        RecorderUnavailableError,
        ask_once,
    )

    settings = load_settings(home_option)
    user = _user()
    name = reviewer or user
    head = {
        "do": "act",
        "hold": hold,
        "action": action,
        "role": "reviewer",
        "name": name,
        "by": f"cli as {user}" if reviewer else "cli",
        "at": now_ms(),
        **more,
    }
    try:
        answer = ask_once(Places(settings.var).recorder, head)
    except RecorderRefusedError as error:
        raise Complaint(str(error), EX_NO) from error
    except RecorderUnavailableError as error:
        raise Complaint(str(error), EX_UNAVAILABLE) from error
    if as_json:
        print_json({"id": hold, "state": answer["state"], "by": name})
    else:
        click.echo(f"{hold}: {outcome_of(str(answer['state']), more.get('corrected', ''))}")


def _user() -> str:
    """Return the account that runs the command; its number where it has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as containers have
        return f"uid {os.getuid()}"


_REVIEWER = {
    "": "a reviewer may release, correct, cancel or return it",
    "refuse": "the policy lets nobody send it; a reviewer may correct, cancel or return it",
}
"""What a reviewer may do with a copy, by its disposition."""
_MAY = {"correct": "correct the address", "send": "send it as it is", "cancel": "cancel it"}


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
