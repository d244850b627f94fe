"""What every command shares: where the installation is, how answers are printed, how errors end."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nixie.core.problems import ProblemsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nixie.config.settings import Settings

EX_NO = 1
EX_BAD = 2
EX_UNAVAILABLE = 69


class Complaint(click.ClickException):
    """An error that the person at the command line can mend; ends with its own exit code."""

    def __init__(self, message: str, code: int = EX_BAD) -> None:
        super().__init__(message)
        self.code = code

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - click's signature
        """Print the text as it is, every line of it."""
        click.echo(f"nixie: {self.format_message()}", err=True)


home_option = click.option(
    "--home", "home_option", metavar="DIR", type=click.Path(path_type=Path),
    help="The installation's folder; default: NIXIE_HOME, else the working directory.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")


def find_home(option: Path | None) -> Path:
    """Return the installation's folder. Raises `Complaint` when there is none."""
    home = (option or Path(os.environ.get("NIXIE_HOME") or ".")).absolute()
    if not (home / "nixie.toml").is_file():
        raise Complaint(
            f"{home}: no nixie.toml there; make one with: nixie init --home {home}, or name another with --home"
        )
    return home


def load_settings(option: Path | None) -> Settings:
    """Return the settings of the installation. Raises `Complaint` with every mistake of its files."""
    from nixie.config.loader import load

    home = find_home(option)
    with complaints():
        return load(home)


@contextmanager
def complaints(*kinds: type[Exception]) -> Iterator[None]:
    """Turn errors that a person can mend into a `Complaint` with their own text."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, (ProblemsError, *kinds)):
            raise
        if isinstance(error, OSError) and error.filename:
            raise Complaint(f"{error.filename}: {error.strerror}") from error
        raise Complaint(str(error)) from error


def print_json(value: object) -> None:
    """Print one JSON document, indented on a terminal, on one line elsewhere."""
    indent = 2 if sys.stdout.isatty() else None
    click.echo(json.dumps(value, indent=indent, ensure_ascii=False, default=str))


lines: Callable[[str], None] = partial(click.echo)
