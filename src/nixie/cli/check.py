"""`nixie check`: judge message files as the gateway would, without any server."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nixie.cli.common import EX_BAD, EX_NO, Complaint, complaints, home_option, json_option, print_json

if TYPE_CHECKING:
    from nixie.core.address import Address
    from nixie.core.envelope import Envelope
    from nixie.core.message import Message
    from nixie.service.engine import Decision, Engine


@click.command()
@click.argument(
    "files", nargs=-1, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
)
@click.option("--from", "sender", metavar="A", help="The envelope sender; default: the From field.")
@click.option(
    "--to", "recipients", metavar="B", multiple=True, help="An envelope recipient; default: To, Cc and Bcc. Repeat it."
)
@click.option("--policy", "policy_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Judge by this policy instead of the installation's.")  # fmt: skip
@click.option(
    "--as-of", metavar="T", help="Judge by what was known at this moment (ISO 8601, UTC unless it says otherwise)."
)
@click.option("--stream", "stream_file", metavar="FILE.jsonl", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
              help="Judge many messages, one JSON object a line; prints one JSON line each and a summary last.")  # fmt: skip
@click.option(
    "--walk-forward", is_flag=True, help="With --stream: start from nothing and learn each message after judging it."
)
@click.option("--slack", metavar="SPAN", default="2d", show_default=True,
              help="With --stream: how far a date may go back, such as 12h or 2d.")  # fmt: skip
@click.option("--only-judged", is_flag=True, help="With --stream: print only the messages that were judged.")
@click.option("--report-from", metavar="P", type=click.FloatRange(0.0, 1.0),
              help="With --stream: report slips from this probability on, 0 for all.")  # fmt: skip
@click.option(
    "--own-domain",
    "own_domains",
    multiple=True,
    metavar="D",
    help="A domain of ours, to judge without an installation. Repeat it.",
)
@click.option("--explain", is_flag=True, help="Show every candidate with its factors.")
@home_option
@json_option
def command(
    files: tuple[Path, ...],
    *,
    sender: str | None,
    recipients: tuple[str, ...],
    policy_file: Path | None,
    as_of: str | None,
    stream_file: Path | None,
    walk_forward: bool,
    slack: str,
    only_judged: bool,
    report_from: float | None,
    own_domains: tuple[str, ...],
    explain: bool,
    home_option: Path | None,
    as_json: bool,
) -> int:
    """Judge message files (RFC 5322; - is standard input) and say what would become of each copy.

    \b
    Exit code 0 when all copies would be delivered, 1 when something would be held or refused,
    2 for bad input, 70 when Nixie itself failed.

    \b
        nixie check draft.eml
        nixie check draft.eml --from ann@example.org --to ops@army.ml --explain
        nixie check --stream mails.jsonl --walk-forward
    """
    from nixie.cli.checking import make_engine

    engine = make_engine(home_option, policy_file, own_domains, sender)
    if stream_file is not None:
        from nixie.cli.checking_stream import check_stream

        return check_stream(
            engine,
            stream_file,
            slack=slack,
            explain=explain,
            learning=walk_forward,
            only_judged=only_judged,
            report_from=report_from,
        )
    if not files:
        raise Complaint("name a message file, or - for standard input, or use --stream")
    moment = _moment(as_of)
    results = [_check_one(engine, f, sender, recipients, moment) for f in files]
    if as_json:
        print_json([_json(f, d, explain=explain) for f, d in zip(files, results, strict=True)])
    else:
        for file, decision in zip(files, results, strict=True):
            _show(file, decision, explain=explain)
    stopped = any(c.disposition.strictness for d in results for c in d.verdict.copies)
    return EX_NO if stopped else 0


def _check_one(
    engine: Engine, file: Path, sender: str | None, recipients: tuple[str, ...], as_of: datetime
) -> Decision:
    from nixie.core import mime
    from nixie.core.envelope import Client

    with complaints(OSError):
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    message = mime.read(raw)
    return engine.decide(message, envelope_of(message, sender, recipients, str(file)), Client(), as_of)


def envelope_of(message: Message, sender: str | None, recipients: tuple[str, ...], where: str) -> Envelope:
    """Return the envelope that the options say, else the one that the header shows. Raises `Complaint`."""
    from nixie.core.envelope import Envelope, Recipient
    from nixie.core.message import NotSeen

    from_ = message.from_ if not isinstance(message.from_, NotSeen) else ()
    author = _address(sender) if sender is not None else next((m.address for m in from_ if m.address), None)
    if author is None:
        raise Complaint(f"{where}: no From address; give one with --from", EX_BAD)
    if recipients:
        to = [_address(r) for r in recipients]
    else:
        fields = [f for f in (message.to, message.cc, message.bcc) if not isinstance(f, NotSeen)]
        to = list({m.address.key: m.address for f in fields for m in f if m.address is not None}.values())
    if not to:
        raise Complaint(f"{where}: no recipient in To, Cc or Bcc; give one with --to", EX_BAD)
    return Envelope(_path(author), author, tuple(Recipient(_path(a), a) for a in to))


def _path(address: Address) -> bytes:
    return b"<" + str(address).encode("utf-8", "surrogateescape") + b">"


def _address(text: str) -> Address:
    from nixie.core.address import NULL, parse_address

    if text in {"", "<>"}:
        return NULL
    address = parse_address(text)
    if address is None:
        raise Complaint(f"{text}: not an address; write it as name@example.org", EX_BAD)
    return address


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Complaint(
            f"--as-of {text}: not a moment; write it as 2026-03-01 or 2026-03-01T09:30:00Z", EX_BAD
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(file: Path, decision: Decision, *, explain: bool) -> dict[str, Any]:
    from nixie.render.decision import decision_json

    return {"file": str(file), **decision_json(decision.envelope, decision.origin, decision.verdict, explain=explain)}


def _show(file: Path, decision: Decision, *, explain: bool) -> None:
    from nixie.render.decision import decision_lines

    click.echo(f"{file}:")
    for line in decision_lines(decision.envelope, decision.origin, decision.verdict, explain=explain):
        click.echo(f"  {line}")
