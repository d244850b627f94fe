"""`nixie policy`: look at a policy before it judges anything."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nixie.cli.common import EX_BAD, home_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from nixie.core.budget import Budget


@click.group()
def command() -> None:
    """Check a policy before it judges."""


@command.command(short_help="Read a policy and report every mistake in it.")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@home_option
@json_option
def check(file: Path | None, home_option: Path | None, *, as_json: bool) -> int:
    """Read FILE (default: the installation's policy.toml) and report every mistake.

    A mistake is named with file, line, key and the nearest valid name. Exemptions that have ended are reported too.

    \b
    Exit code 0 when the policy can be used, 2 when not.

    \b
        nixie policy check
        nixie policy check draft-policy.toml
    """
    from nixie.core.policy import PolicyError
    from nixie.service.installation import read_policy

    path = file or load_settings(home_option).policy_file
    try:
        policy = read_policy(path)
    except PolicyError as error:
        problems = [{"file": p.source, "line": p.line, "key": p.key, "text": p.text} for p in error.problems]
        if as_json:
            print_json({"ok": False, "problems": problems})
        else:
            click.echo(str(error), err=True)
        return EX_BAD
    ended = policy.expired(datetime.now(UTC).date())
    if as_json:
        rules = [
            {"track": r.track, "name": r.name, "mode": str(r.mode), "then": str(r.disposition)} for r in policy.rules
        ]
        allowed = asdict(policy.budget) if policy.budget is not None else None
        told = {"ok": True, "digest": policy.digest, "budget": allowed, "rules": rules}
        print_json({**told, "ended_exemptions": [e.name for e in ended]})
        return 0
    click.echo(f"{path}: {policy.title or 'policy'} {policy.digest[:16]} can be used")
    for rule in policy.rules:
        click.echo(f"  {rule.track:<12} {rule.mode:<8} {rule.name} -> {rule.disposition}")
    if policy.budget is not None:
        click.echo(f"  budget       {_allowed(policy.budget)}")
    for exemption in ended:
        click.echo(f"  exemption {exemption.name} of {exemption.owner} ended on {exemption.until}: remove it")
    return 0


def _allowed(budget: Budget) -> str:
    said = []
    if budget.per_1000_messages is not None:
        said.append(f"{budget.per_1000_messages:g} questions per 1,000 outside messages")
    if budget.per_sender_per_quarter is not None:
        said.append(f"{budget.per_sender_per_quarter} per sender and quarter")
    return ", ".join(said)
