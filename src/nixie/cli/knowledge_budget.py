"""`nixie knowledge budget` and `nixie knowledge calibrate`: how often people are asked, and by which rates."""

from __future__ import annotations

import getpass
import time
from typing import TYPE_CHECKING, Any

import click

from nixie.cli.common import (
    EX_NO,
    EX_UNAVAILABLE,
    Complaint,
    complaints,
    home_option,
    json_option,
    load_settings,
    print_json,
)

if TYPE_CHECKING:
    from pathlib import Path

    from nixie.config.settings import Settings
    from nixie.core.calibration import Counts, Proposal
    from nixie.core.scales import Scales
    from nixie.core.what_if import Tally
    from nixie.service.budgeting import Account

days_option = click.option(
    "--days", metavar="N", default=90, show_default=True, type=click.IntRange(1, 3650),
    help="Look at the record of the last N days.",
)  # fmt: skip
as_option = click.option("--as", "who", metavar="NAME", help="Who does it; default: the user who runs the command.")


@click.command(short_help="Tell what each budget of questions would have asked and caught.")
@days_option
@click.option("--set", "set_", is_flag=True, help="Set the thresholds from the policy's budget now, not at night.")
@as_option
@home_option
@json_option
def budget(days: int, who: str | None, home_option: Path | None, *, set_: bool, as_json: bool) -> None:
    """Tell what each budget of questions would have asked and caught, from the recorded decisions and their outcomes.

    A policy states its budget under [budget]: questions_per_1000_messages (outside messages) and
    questions_per_sender_per_quarter. Each night a threshold follows from it: the least probability whose questions would have stayed
    within it. Nothing is counted while mail is sent, and what is at least 90 % probable is asked about whatever was spent.
    Confused endings (.mil for .ml), markings and listed countries are outside the budget.

    "caught" are messages that were corrected or cancelled, or that bounced or were disowned later; "in vain" those that their author
    released as they were. Of a message that nobody was asked about, nobody knows what it was.

    \b
        nixie knowledge budget
        nixie knowledge budget --days 28 --json
        nixie knowledge budget --set
    """
    settings = load_settings(home_option)
    _database(settings)
    from nixie.service.budgeting import account
    from nixie.service.installation import read_policy

    with complaints(OSError):
        policy = read_policy(settings.policy_file)
    changed = None
    if set_:
        if policy.budget is None:
            raise Complaint(
                f"{settings.policy_file}: it states no budget; write [budget] and questions_per_1000_messages = 0.5 into it"
            )
        changed = _set(settings, policy, who or getpass.getuser())
    told = account(settings, policy, days, _now())
    if as_json:
        print_json({**_account_json(told), **({"changed": changed} if changed is not None else {})})
        return
    if changed is not None:
        click.echo(
            f"set: {'nothing changed' if not changed else _counted(changed, 'threshold changed', 'thresholds changed')}"
        )
    _tell(told)


def _set(settings: Settings, policy: Any, name: str) -> int:
    from nixie.service.budgeting import set_now
    from nixie.service.recorder_client import RecorderRefusedError, RecorderUnavailableError

    try:
        return set_now(settings, policy, _now(), {"role": "administrator", "by": "cli", "login": name})[1]
    except RecorderRefusedError as error:
        raise Complaint(str(error), EX_NO) from error
    except RecorderUnavailableError as error:
        raise Complaint(str(error), EX_UNAVAILABLE) from error


def _account_json(told: Account) -> dict[str, Any]:
    found, allowed = told.what_if, told.budget
    return {
        "days": told.days,
        "budget": {
            "questions_per_1000_messages": allowed.per_1000_messages,
            "questions_per_sender_per_quarter": allowed.per_sender_per_quarter,
        }
        if allowed is not None
        else None,
        "asked_from": told.in_force.everybody,
        "since": _day(told.since),
        "senders_with_their_own": len(told.in_force.senders),
        "messages": found.messages,
        "suspected": found.suspected,
        "answered": found.answered,
        "not_asked": told.not_asked,
        "enough": not _too_little(told),
        "settings": [
            {
                "questions_per_1000_messages": one.per_1000,
                "asked_from": one.asked_from,
                **_tally_json(one.all),
                "kinds": {kind: _tally_json(tally) for kind, tally in one.kinds.items()},
            }
            for one in found.settings
        ],
        "outside_the_budget": {kind: _tally_json(tally) for kind, tally in found.outside.items()},
    }


def _tally_json(tally: Tally) -> dict[str, int]:
    return {
        "questions": tally.questions,
        "caught": tally.caught,
        "in_vain": tally.in_vain,
        "unknown": tally.unknown,
    }


def _tell(told: Account) -> None:
    found = told.what_if
    messages = _counted(found.messages, "outside message", "outside messages")
    click.echo(f"last {told.days} days: {messages}, {found.suspected} with a possible slip within the budget's reach")
    click.echo(_in_force(told))
    if told.not_asked:
        click.echo(f"not asked: budget: {_counted(told.not_asked, 'message', 'messages')} (`nixie holds digest`)")
    for line in _too_little(told):
        click.echo(line)
    click.echo()
    click.echo("questions per 1,000   asked from   questions   caught   in vain   unknown")
    for one in found.settings:
        t = one.all
        click.echo(
            f"{one.per_1000:>19g}   {one.asked_from:>10.3f}   {t.questions:>9}   {t.caught:>6}   {t.in_vain:>7}   {t.unknown:>7}"
        )
    kinds = list(dict.fromkeys(kind for one in reversed(found.settings) for kind in one.kinds))
    if kinds:
        click.echo()
        click.echo(f"{'caught / questions':<22}" + "".join(f"{one.per_1000:>9g}" for one in found.settings))
        for kind in kinds:
            row = "".join(f"{_pair(one.kinds.get(kind)):>9}" for one in found.settings)
            click.echo(f"{kind.replace('_', ' '):<22}{row}")
    for kind, tally in found.outside.items():
        words = _counted(tally.questions, "message", "messages")
        click.echo(
            f"outside the budget: {kind.replace('_', ' ')}: {words}, {tally.caught} caught, {tally.in_vain} in vain"
        )


def _pair(tally: Tally | None) -> str:
    return f"{tally.caught}/{tally.questions}" if tally is not None else "-"


def _in_force(told: Account) -> str:
    """Return which thresholds hold, in a sentence."""
    if told.budget is None:
        return "the policy states no budget: its rules ask by their own numbers"
    everybody, senders = told.in_force.everybody, len(told.in_force.senders)
    since = f", since {_day(told.since)}" if told.since is not None else ""
    words = (
        f"questions from a probability of {everybody:.3f} on{since}" if everybody else "all that the rules want to ask"
    )
    own = f"; {_counted(senders, 'sender has', 'senders have')} a higher threshold" if senders else ""
    return f"in force: {words}{own}"


def _too_little(told: Account) -> list[str]:
    """Return what there is too little of, as sentences; nothing when there is enough."""
    from nixie.core.budget import LEAST_MESSAGES, SPANS_DAYS

    found, lines = told.what_if, []
    if found.messages < LEAST_MESSAGES:
        lines.append(
            f"too little to go by: fewer than {LEAST_MESSAGES:,} outside messages; a threshold for everybody needs as many,"
            f" in up to {SPANS_DAYS[-1]} days"
        )
    if found.answered < FEW_ANSWERS:
        lines.append(
            f"too few answers to tell what would be caught: {found.answered} so far; below, unknown says how little is known"
        )
    return lines


FEW_ANSWERS = 10


@click.command(short_help="Propose scales of slips from what people answered.")
@days_option
@click.option("--accept", is_flag=True, help="Let the proposed scales hold from now on.")
@click.option("--reset", is_flag=True, help="Go back to the shipped rates: every scale is 1.")
@as_option
@home_option
@json_option
def calibrate(
    days: int, who: str | None, home_option: Path | None, *, accept: bool, reset: bool, as_json: bool
) -> None:
    """Propose by how much slips here differ from the shipped rates: one scale for all kinds and one for each kind.

    A scale multiplies the odds of a slip and lies between 0.25 and 4. It is estimated from questions that people answered, each
    weighted by the chance that such a copy was asked about, and drawn towards 1 while answers are few. Nothing changes until you
    accept; then your name and the scales stand in the ledger.

    \b
        nixie knowledge calibrate
        nixie knowledge calibrate --days 180 --accept --as "Rita Nunez"
    """
    if accept and reset:
        raise Complaint("either --accept or --reset")
    settings = load_settings(home_option)
    _database(settings)
    from nixie.core.scales import UNCHANGED
    from nixie.service.calibrating import proposal

    now = _now()
    proposed, in_force = proposal(settings, days, now)
    name = who or getpass.getuser()
    accepted = UNCHANGED if reset else proposed.scales
    if accept or reset:
        if accepted == in_force:
            raise Complaint("nothing to accept: these scales are in force", EX_NO)
        _accept(settings, accepted, now, name)
    if as_json:
        changed = {"accepted": accepted.to_json(), "by": name} if accept or reset else {}
        print_json({**_proposal_json(proposed, in_force, days), **changed})
        return
    _tell_proposal(proposed, in_force, days)
    if accept or reset:
        click.echo(f"in force from now on: {_scales(accepted)} (accepted by {name})")
    elif proposed.scales != in_force:
        click.echo("accept it with: nixie knowledge calibrate --accept")


def _accept(settings: Settings, scales: Scales, now: int, name: str) -> None:
    from nixie.service.calibrating import accept
    from nixie.service.recorder_client import RecorderRefusedError, RecorderUnavailableError

    try:
        accept(settings, scales, now, name)
    except RecorderRefusedError as error:
        raise Complaint(str(error), EX_NO) from error
    except RecorderUnavailableError as error:
        raise Complaint(str(error), EX_UNAVAILABLE) from error


def _proposal_json(proposed: Proposal, in_force: Scales, days: int) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "days": days,
        "in_force": in_force.to_json(),
        "proposed": proposed.scales.to_json(),
        "all": asdict(proposed.all),
        "kinds": [asdict(counts) for counts in proposed.kinds],
        "never_asked": proposed.never_asked,
        "found_later": proposed.found_later,
    }


def _tell_proposal(proposed: Proposal, in_force: Scales, days: int) -> None:
    from nixie.core.calibration import LEAST_ANSWERS, LEAST_ANSWERS_OF_KIND

    click.echo(f"last {days} days: {_counted(proposed.all.suspected, 'copy', 'copies')} with a possible slip")
    click.echo("kind                   suspected   answered   slips   stated   weighted: slips / stated   scale")
    for counts in (proposed.all, *proposed.kinds):
        click.echo(_counts_line(counts))
    click.echo()
    click.echo("stated: how many slips the answered copies' probabilities add up to, with the shipped rates.")
    click.echo(
        "weighted: each answer counts with the inverse of the chance that such a copy was asked about and answered."
    )
    if not proposed.all.enough:
        click.echo(f"too few answers: {proposed.all.answered} of the {LEAST_ANSWERS} that a scale for all kinds needs")
    few = [c.kind.replace("_", " ") for c in proposed.kinds if not c.enough]
    if few:
        click.echo(f"a kind of its own scale needs {LEAST_ANSWERS_OF_KIND} answers; too few of: {', '.join(few)}")
    if proposed.never_asked:
        copies = _counted(proposed.never_asked, "copy lies", "copies lie")
        click.echo(f"{copies} where nobody was ever asked; nothing is claimed about them")
    if proposed.found_later:
        copies = _counted(proposed.found_later, "copy", "copies")
        click.echo(f"{copies} that nobody was asked about bounced or reached the wrong reader")
    click.echo(f"in force: {_scales(in_force)}")
    same = " (the same)" if proposed.scales == in_force else ""
    click.echo(f"proposed: {_scales(proposed.scales)}{same}")


def _counts_line(counts: Counts) -> str:
    name = counts.kind.replace("_", " ") or "all kinds"
    weighted = f"{counts.weighted_slips:.1f} / {counts.weighted_stated:.1f}" if counts.answered else "-"
    scale = f"{counts.scale:.2f}" if counts.enough else "1"
    return (
        f"{name:<22} {counts.suspected:>9}   {counts.answered:>8}   {counts.slips:>5}   {counts.stated:>6.1f}"
        f"   {weighted:>24}   {scale:>5}"
    )


def _scales(scales: Scales) -> str:
    kinds = "".join(f", {kind.replace('_', ' ')} {scale:g}" for kind, scale in scales.kinds)
    return f"all {scales.all:g}{kinds}"


def _database(settings: Settings) -> None:
    from nixie.service.places import Places

    path = Places(settings.var).database
    if not path.exists():
        raise Complaint(f"{path}: nothing is recorded yet; it begins with `nixie serve`", EX_NO)


def _day(ms: int | None) -> str | None:
    return time.strftime("%Y-%m-%d", time.gmtime(ms / 1000)) if ms is not None else None


def _counted(number: int, one: str, many: str) -> str:
    from nixie.render.plain import counted

    return counted(number, one, many)


def _now() -> int:
    return round(time.time() * 1000)
