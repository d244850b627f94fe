"""Maildir: which files of a folder are mail, and how a file is known after it moved (D. J. Bernstein, 1995).

Only names are looked at here; who opens them is `service.learning`. A mail moves from `new` to `cur` and its flags
change; what stays is the name before the colon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAIL_FOLDERS = ("cur", "new")


def is_maildir(names: Iterable[str]) -> bool:
    """Return whether a folder with these entries is a Maildir."""
    return {"cur", "new", "tmp"} <= set(names)


def unique_name(file_name: str) -> str:
    """Return what stays of a file's name when the mail moves or its flags change."""
    return file_name.partition(":")[0]
