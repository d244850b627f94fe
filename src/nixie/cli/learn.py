"""`nixie learn`: read logs, mailboxes and lists, and count who is written to."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nixie.cli.common import Complaint, complaints, home_option, json_option, load_settings, print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nixie.service.learning import LearnReport
    from nixie.service.learning_lists import ListReport

    Progress = Callable[[int, int, str], None]


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH...", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--follow", metavar="FILE", type=click.Path(path_type=Path), help="Go on learning from a growing log until stopped."
)
@click.option("--lists", is_flag=True, help="Learn who is on which list, from CSV, LDIF and Postfix alias tables.")
@home_option
@json_option
def command(
    paths: tuple[Path, ...], follow: Path | None, home_option: Path | None, *, lists: bool, as_json: bool
) -> int:
    """Learn from Postfix logs (plain, .gz, .xz, .bz2, .zst, rotated sets), mbox, Maildir, .eml, JSON lines, people as CSV,
    LDIF or vCards, and partners as CSV. The format is told from the content.

    Each mail is counted once, however many logs and mailboxes show it. An interrupted run goes on where it stopped, and a
    file that has grown is read from where it ended. May run while the guard does.

    With --lists the files say who is on which list: a CSV with the columns list and member, an LDIF export with its groups,
    alias tables (aliases and virtual, the text and not the compiled map). Nobody types an expanded member, so none is asked
    about. What a run says of a list replaces what was known of it.

    \b
        nixie learn /var/log/mail.log*
        nixie learn Sent.mbox ~/Maildir people.ldif contacts.vcf
        nixie learn --lists /etc/aliases /etc/postfix/virtual groups.ldif
        nixie learn --follow /var/log/mail.log
    """
    from nixie.service.learning import follow as follow_log
    from nixie.service.learning import learn
    from nixie.service.learning_lists import ListReport, learn_lists
    from nixie.service.listen import private_folder
    from nixie.service.near_index import IndexForLearning
    from nixie.service.places import Places
    from nixie.service.recorder_client import RecorderUnavailableError
    from nixie.sources.detect import SourceError
    from nixie.store.db import StoreError, open_writer
    from nixie.store.knowledge import micros

    if lists and follow is not None:
        raise Complaint("either --lists or --follow: a table of lists does not grow as a log does")
    if not paths and follow is None:
        raise Complaint("name a log, a mailbox or a folder to learn from, or --follow FILE")
    settings = load_settings(home_option)
    places = Places(private_folder(settings.var))
    private_folder(places.near)
    organisation = settings.organisation
    with complaints(SourceError, StoreError, RecorderUnavailableError, OSError):
        db = open_writer(places.database)
        with IndexForLearning(places, db) as index:
            if lists:
                report: LearnReport | ListReport = learn_lists(
                    paths, organisation, db, micros(datetime.now(UTC)), on_domains=index.add
                )
            elif follow is not None:
                report = _until_interrupted(
                    lambda stopped: follow_log(follow, organisation, db, stopped, on_domains=index.add)
                )
            else:
                with _progress(as_json=as_json) as tell:
                    report = learn(paths, organisation, db, tell, on_domains=index.add)
        db.close()
    if as_json:
        print_json({**asdict(report), "unknown": dict(report.unknown)})
    else:
        for line in _list_lines(report) if isinstance(report, ListReport) else _lines(report):
            click.echo(line)
    return 0


def _list_lines(report: ListReport) -> Iterator[str]:
    yield (
        f"learned {_n(report.lists, 'list')} and {_n(report.aliases, 'alias', 'aliases')}"
        f" with {_n(report.members, 'member')} from {_n(report.files, 'file')}"
    )
    yield from _not_used(report)


def _lines(report: LearnReport) -> Iterator[str]:
    yield f"read {report.read:,} lines, mails and rows in {_n(report.files, 'file')}"
    if report.unchanged:
        yield f"passed over {_n(report.unchanged, 'file')}: nothing new in them since the last run"
    yield f"found {_n(report.joined, 'mail')}: {_n(report.counted, 'copy', 'copies')} counted now, {report.duplicates:,} known before"
    if report.replies:
        yield f"found {_n(report.replies, 'answer')} to mail of ours"
    if report.people or report.partners:
        yield f"found {_n(report.people, 'person', 'people')} and {_n(report.partners, 'domain')} of partners"
    yield f"learned {_n(report.new_domains, 'new domain')}"
    yield from _not_used(report)


def _not_used(report: LearnReport | ListReport) -> Iterator[str]:
    for reason, number in report.unknown.most_common(12):
        yield f"not used: {number:,} {reason}"
    for skipped in report.skipped[:20]:
        yield f"skipped: {skipped}"


def _n(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _until_interrupted(run: Callable[[Callable[[], bool]], LearnReport]) -> LearnReport:
    """Run until SIGINT or SIGTERM, finishing the step that is under way."""
    import signal

    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda n, _: stopped.append(n))
    return run(lambda: bool(stopped))


@contextmanager
def _progress(*, as_json: bool) -> Iterator[Progress | None]:
    """Show a bar on a terminal, nothing elsewhere."""
    if as_json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("learning", total=None)

        def tell(done: int, total: int, path: str) -> None:
            bar.update(task, completed=done, total=total, description=Path(path).name[:40])

        yield tell
