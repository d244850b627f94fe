"""Every command of the tree: it teaches with `--help`, names its options in words, and answers in JSON."""

import contextlib
import re
import shlex

import click
import pytest

from nixie.cli.main import COMMANDS, group
from support.cli_world import nixie

WITHOUT_JSON = {"serve": "it prints where it listens, and runs until it is stopped"}


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        return [(path, command)]
    context = click.Context(command)
    found = []
    for name in command.list_commands(context):
        # A command that cannot be imported is one failing test below, not a collection that breaks.
        with contextlib.suppress(ModuleNotFoundError):
            sub = command.get_command(context, name)
            assert sub is not None
            found += leaves(sub, (*path, name))
    return found


LEAVES = leaves(group)
EACH = pytest.mark.parametrize(("path", "command"), LEAVES, ids=[" ".join(p) for p, _ in LEAVES])


def examples(path: tuple[str, ...]) -> list[str]:
    text = nixie(*path, "--help").out.partition("Options:")[0]
    return [line.strip() for line in text.splitlines() if re.match(r"\s{6,}nixie ", line)]


def test_every_noun_of_the_product_is_there() -> None:
    nouns = {"init", "serve", "check", "learn", "holds", "policy", "knowledge", "audit", "keys", "doctor"}
    assert nouns == set(COMMANDS)
    assert nouns == {path[0] for path, _ in LEAVES}


@EACH
def test_help_begins_with_a_sentence_and_ends_well(path, command) -> None:
    ended = nixie(*path, "--help")

    assert ended.code == 0
    assert (command.help or "").split("\n\n")[0].rstrip().endswith("."), "the first paragraph is a sentence"


@EACH
def test_every_option_is_described_in_words(path, command) -> None:
    options = [p for p in command.params if isinstance(p, click.Option)]
    silent = [o.opts[0] for o in options if len((o.help or "").split()) < 3 or not (o.help or "").endswith(".")]

    assert silent == []


@EACH
def test_help_shows_examples_that_the_command_understands(path, command) -> None:
    shown = examples(path)

    assert shown, "an example, as one would type it"
    for line in shown:
        words = shlex.split(line.partition(" >> ")[0])
        assert tuple(words[1 : 1 + len(path)]) == path
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
        assert {w for w in words if w.startswith("--")} <= known


@EACH
def test_every_answer_can_be_had_as_json(path, command) -> None:
    has = any("--json" in p.opts for p in command.params)

    assert has is (" ".join(path) not in WITHOUT_JSON)


@pytest.mark.parametrize("noun", [(), *[(n,) for n in COMMANDS if len([p for p, _ in LEAVES if p[0] == n]) > 1]])
def test_the_list_of_commands_is_not_cut_off(noun) -> None:
    listed = nixie(*noun, "--help").out.partition("Commands:")[2]

    assert listed.strip()
    assert "..." not in listed


def test_a_word_that_is_no_command_is_a_mistake_of_usage() -> None:
    ended = nixie("chekc")

    assert ended.code == 2
    assert "chekc" in ended.err


def test_an_option_that_does_not_exist_is_named_with_the_nearest() -> None:
    ended = nixie("check", "--explian", "x.eml")

    assert ended.code == 2
    assert "--explain" in ended.err
