"""The `nixie` command: nouns and verbs, loaded only when called, so that `nixie check` answers at once.

Exit codes: 0 done, 1 the answer is "no" (something would be held, a chain is broken), 2 bad input or usage, 69 a part that
is needed does not answer, 70 Nixie itself failed.
"""

from __future__ import annotations

import gc
import importlib
import sys
from typing import TYPE_CHECKING

import click

import nixie

if TYPE_CHECKING:
    from collections.abc import Sequence

GC_THRESHOLDS = (50_000, 20, 20)
"""Looking for cycles while modules load takes a tenth of the start of `nixie check`, and finds none."""

EX_NO = 1
EX_USAGE = 2
EX_UNAVAILABLE = 69
EX_SOFTWARE = 70

COMMANDS = {
    "init": ("nixie.cli.init", "Write an installation's home: one folder that serves at once."),
    "serve": ("nixie.cli.serve", "Run the guard: milter, SMTP proxy, decision pages."),
    "check": ("nixie.cli.check", "Judge message files without any server."),
    "learn": ("nixie.cli.learn", "Learn from logs, mailboxes and lists who is written to."),
    "holds": ("nixie.cli.holds", "List, show and decide held copies."),
    "policy": ("nixie.cli.policy", "Check a policy before it judges."),
    "knowledge": ("nixie.cli.knowledge", "Ask what is known, clear doubts, see what questions cost."),
    "audit": ("nixie.cli.audit", "Verify the ledger and tell a message's story."),
    "keys": ("nixie.cli.keys", "Make and verify the installation's keys."),
    "doctor": ("nixie.cli.doctor", "Look for mistakes in the installation and its mail server."),
}


class _Lazy(click.Group):
    """A group whose commands are imported when they are called, and described without being imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(nixie.__version__, prog_name="nixie")
def group() -> None:
    """Nixie, the outgoing-mail guard.

    Works out who the sender of each message meant, stops only the copies that go astray, asks the sender or a
    reviewer, delivers the others at once, and records everything.

    An installation is one folder: --home DIR, or NIXIE_HOME, or the working directory. Start with:

    \b
        nixie init --home /srv/nixie --own-domain example.org --next-hop mail.example.org:25
        nixie learn --home /srv/nixie /var/log/mail.log*
        nixie serve --home /srv/nixie
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; an unexpected error is 70 and names its class, never its text."""
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        code = group.main(
            args=list(arguments) if arguments is not None else None, prog_name="nixie", standalone_mode=False
        )
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        code = getattr(error, "code", error.exit_code)
        return code if isinstance(code, int) else EX_USAGE
    except BrokenPipeError:
        return 0
    except OSError as error:
        # A file or a socket of this machine: the text of the system names it, and nothing of anybody's mail.
        if not error.filename:
            return _failed(error)
        click.echo(f"nixie: {error.filename}: {error.strerror}", err=True)
        return EX_USAGE
    except Exception as error:  # noqa: BLE001 - the one edge of the command line
        return _failed(error)
    return code if isinstance(code, int) else 0


def _failed(error: Exception) -> int:
    """Say that Nixie failed, with the places but without values: an error's text may carry an address."""
    import traceback

    if type(error).__module__ == "sqlite3":
        # SQLite's own words ("file is not a database", "database is locked") name tables at most.
        click.echo(
            f"nixie: the database cannot be used: {error}; if it stays so, restore var/nixie.db from the backup",
            err=True,
        )
        return EX_UNAVAILABLE
    click.echo(
        f"nixie: failed: {type(error).__name__}; this is a fault in Nixie, please report the lines below", err=True
    )
    for frame in traceback.extract_tb(error.__traceback__):
        click.echo(f"  {frame.filename.rpartition('/nixie/')[2]}:{frame.lineno} in {frame.name}", err=True)
    return EX_SOFTWARE


if __name__ == "__main__":
    sys.exit(main())
