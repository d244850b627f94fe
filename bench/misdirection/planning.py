"""Which message gets which slip in which trial."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from books import World
from injections import MAKERS, Made, Recipients, starts
from typed import Letters, Observed
from values import KINDS, SINCE, Injection

if TYPE_CHECKING:
    from pathlib import Path

    from corpora import Corpus, Mail

SPLIT_LEAST = 50
"""Fewest messages of a sender for the 90/10 split to be made."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One injected copy: what is wrong, and the recipients with names as they then stand."""

    injection: Injection
    recipients: Recipients = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """All injected copies by the place of their original in the corpus; which mails are test mails of the 90/10 split; what came of it."""

    copies: dict[int, tuple[Planned, ...]] = field(repr=False)
    split: frozenset[int] = field(repr=False)
    nth: tuple[int, ...] = field(repr=False)
    facts: dict[str, object]


def plan(corpus: Corpus, data: Path, *, seed: int, trials: int, cap: int, kinds: tuple[str, ...] = KINDS) -> Plan:
    """Return the injections of a corpus: every sampled message gets one slip in each trial.

    There are four samples of messages, each so large for either half (tuning and test): a fourth of `cap` for A, from the 90/10 split; half of it,
    from all, for B, D and F; a fourth, from those that start a thread, for C and C2; a fourth, from those with three recipients, for E.
    Within a sample the kinds take turns over the trials; where one cannot be made of a message, the next that can takes its place.
    """
    dice = random.Random(f"{seed}-{corpus.org}")
    letters = Letters.read(data / "spelling_1edit_counts.tsv")
    world = World(corpus, dice, letters, Observed.read(data / "typo_address_pairs.csv", data / "spelling_birkbeck.tsv"))
    split, nth = _places(corpus)
    world.all_addresses = {a for m in corpus.mails for a, _ in m.recipients} | {m.sender for m in corpus.mails}
    world.newcomers = _newcomers(corpus)
    eligible = [i for i, m in enumerate(corpus.mails) if nth[i] >= SINCE and world.counted(m)]
    starting = [i for i in eligible if starts(corpus.mails[i])]
    grouped = [i for i in eligible if len(world.counted(corpus.mails[i])) > 2]
    samples = (
        (("A",), _sampled(corpus, [i for i in eligible if i in split], cap // 4, dice)),
        (("B", "D", "F"), _sampled(corpus, eligible, cap // 2, dice)),
        (("C", "C2"), _sampled(corpus, starting, cap // 4, dice)),
        (("E",), _sampled(corpus, grouped, cap // 4, dice)),
    )
    asked = [(turns, places) for names, places in samples if (turns := tuple(k for k in names if k in kinds))]
    copies: dict[int, tuple[Planned, ...]] = {}
    counts: Counter[str] = Counter()
    passed = 0
    for place, mail in enumerate(corpus.mails):
        while passed < len(world.newcomers) and world.newcomers[passed][0] <= place:
            passed += 1
        found: list[Planned] = []
        for turns, places in asked:
            if place in places:
                start = dice.randrange(len(turns))
                rounds = [tuple(turns[(start + t + k) % len(turns)] for k in range(len(turns))) for t in range(trials)]
                found += _trials(world, mail, rounds, passed, counts)
        if found:
            copies[place] = tuple(found)
        world.learn(mail)
    facts: dict[str, object] = {
        "injected": dict(sorted(counts.items())),
        "test_messages": {"+".join(turns): len(places) for turns, places in asked},
        "letter_edits": letters.shares(),
    }
    return Plan(copies, frozenset(split), nth, facts)


def _trials(
    world: World, mail: Mail, rounds: list[tuple[str, ...]], passed: int, counts: Counter[str]
) -> list[Planned]:
    found = []
    world.passed = passed
    for trial, kinds in enumerate(rounds):
        for kind in kinds:
            if (made := MAKERS[kind](world, mail)) is not None:
                found.append(Planned(_injection(world, mail, trial, kind, made), made.recipients))
                counts[kind] += 1
                break
    return found


def _injection(world: World, mail: Mail, trial: int, kind: str, made: Made) -> Injection:
    return Injection(
        trial=trial,
        kind=kind,
        subkind=made.subkind,
        org=world.corpus.org,
        line_id=f"{mail.id}.x.{kind}.{trial}",
        original_id=mail.id,
        sender=world.corpus.people.own(mail.sender),
        reply=mail.reply,
        n_recipients=len(world.counted(mail)) + (made.true is None),
        wrong=made.wrong,
        true=made.true,
        target_known=made.true is not None and made.true in world.met,
    )


def _places(corpus: Corpus) -> tuple[set[int], tuple[int, ...]]:
    """Return the places of the test mails of the 90/10 split, and for each mail the how-manieth of its sender it is (from 0)."""
    by_sender: dict[int, list[int]] = defaultdict(list)
    nth = []
    for place, mail in enumerate(corpus.mails):
        own = by_sender[corpus.people.person(mail.sender)]
        nth.append(len(own))
        own.append(place)
    split = {p for places in by_sender.values() if len(places) >= SPLIT_LEAST for p in places[-(len(places) // 10) :]}
    return split, tuple(nth)


def _newcomers(corpus: Corpus) -> list[tuple[int, str]]:
    """Return every address that is no list with the place of the mail it first occurs in, in that order."""
    first: dict[str, int] = {}
    for place, mail in enumerate(corpus.mails):
        for address in (mail.sender, *(a for a, _ in mail.recipients)):
            if address not in corpus.lists:
                first.setdefault(address, place)
    return [(place, address) for address, place in first.items()]


def _sampled(corpus: Corpus, places: list[int], cap: int, dice: random.Random) -> frozenset[int]:
    """Return at most `cap` places of each half, tuning and test."""
    halves: tuple[list[int], list[int]] = ([], [])
    cut = corpus.test_from
    line = len(corpus.mails) if cut is None else bisect_right([m.at for m in corpus.mails], cut)
    for place in places:
        halves[place >= line].append(place)
    return frozenset(p for half in halves for p in dice.sample(half, min(cap, len(half))))
