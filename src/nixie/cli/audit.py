"""`nixie audit`: prove that the record is whole, and tell the story of a message or a held copy."""

from __future__ import annotations

from pathlib import Path

import click

from nixie.cli.common import EX_NO, Complaint, complaints, home_option, json_option, load_settings, print_json


@click.group()
def command() -> None:
    """Verify the ledger, sign its end, and tell stories from it."""


@command.command(short_help="Walk the whole chain and name any row that does not fit.")
@click.option("--head", "head_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A signed end of the ledger that was kept outside (one JSON line; the last line of a file counts).")  # fmt: skip
@home_option
@json_option
def verify(head_file: Path | None, home_option: Path | None, *, as_json: bool) -> int:
    """Walk the whole chain: an edited, removed or moved row is found and named.

    A chain cannot prove its own end. Give a head that was kept outside (see `nixie audit head`) to prove that nothing was
    cut off; without one the answer says that the end cannot be proven.

    \b
    Exit code 0 when every row fits, 1 when one does not, 2 when the head is not good.

    \b
        nixie audit verify --head /mnt/elsewhere/heads.jsonl
    """
    from nixie.service.places import Places
    from nixie.store.db import open_reader
    from nixie.store.heads import HeadError, check, last_head
    from nixie.store.keys import HEADS_PUBLIC, KeysError, load_heads_public
    from nixie.store.ledger import verify as walk

    settings = load_settings(home_option)
    head = None
    if head_file is not None:
        with complaints(HeadError, KeysError):
            head = last_head(head_file)
            check(head, load_heads_public(settings.keys_folder / HEADS_PUBLIC))
    _need_database(Places(settings.var).database)
    db = open_reader(Places(settings.var).database)
    found = walk(db, head)
    db.close()
    if as_json:
        print_json(
            {
                "ok": found.ok,
                "rows": found.rows,
                "first_bad": found.first_bad,
                "reason": found.reason,
                "tail_proven": found.tail_proven,
            }
        )
    else:
        click.echo(f"{found.rows} rows: {found.reason}", err=not found.ok)
    return 0 if found.ok else EX_NO


@command.command(short_help="Print the signed end of the ledger as one JSON line.")
@home_option
@json_option
def head(home_option: Path | None, *, as_json: bool) -> None:  # noqa: ARG001 - the line is JSON either way
    """Print the signed end of the ledger as one JSON line, to be kept where the guard cannot write.

    \b
        nixie audit head >> /mnt/elsewhere/heads.jsonl
    """
    import time

    from nixie.service.places import Places
    from nixie.store.db import open_reader
    from nixie.store.heads import current_head
    from nixie.store.keys import KeysError, load_keys

    settings = load_settings(home_option)
    _need_database(Places(settings.var).database)
    with complaints(KeysError):
        keys = load_keys(settings.keys_folder, settings.credentials)
    db = open_reader(Places(settings.var).database)
    click.echo(current_head(db, keys.heads, int(time.time() * 1000)).line().rstrip("\n"))
    db.close()


@command.command(short_help="Tell the whole story of a message or a held copy.")
@click.argument("what", metavar="MESSAGE-ID|HOLD-ID")
@home_option
@json_option
def show(what: str, home_option: Path | None, *, as_json: bool) -> int:
    """Tell everything that is recorded of a message (by Message-ID) or of one held copy (by hold id).

    \b
        nixie audit show '<20260301.1@example.org>'
        nixie audit show HQ3K7M2ZT5A4WXYCD
    """
    from nixie.render.story import story_json, story_lines
    from nixie.service.places import Places
    from nixie.service.stories import told
    from nixie.store.db import open_reader
    from nixie.store.ledger import story

    settings = load_settings(home_option)
    _need_database(Places(settings.var).database)
    db = open_reader(Places(settings.var).database)
    rows = story(db, hold_id=what) if "@" not in what else ()
    rows = rows or story(db, message_id=what)
    db.close()
    if not rows:
        raise Complaint(f"{what}: nothing is recorded of it", EX_NO)
    if as_json:
        print_json({"story": story_json(told(rows))})
    else:
        click.echo("\n".join(story_lines(told(rows))))
    return 0


def _need_database(path: Path) -> None:
    if not path.exists():
        raise Complaint(f"{path}: there is no record yet; it begins with `nixie serve` or `nixie learn`", EX_NO)
