"""The invented organisation of the gateway bench: a million known addresses with real skew, and the mail it sends.

A third of all addresses lie at three providers (30 % at the first), the rest at 100,000 domains by Zipf; first names by Zipf as
well; 2,000 people of ours write, the busy ones much more than the others. Each person writes mostly to whom they wrote before.
The home is made once and copied for each run.
"""

from __future__ import annotations

import base64
import fcntl
import json
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

import numpy as np

OWN = "own.example"
PROVIDERS = (("bigmail.example", 0.30), ("postbox.example", 0.05), ("letters.example", 0.03))
FIRST = [
    "james",
    "mary",
    "john",
    "linda",
    "robert",
    "emma",
    "david",
    "anna",
    "peter",
    "laura",
    "thomas",
    "julia",
    "paul",
    "sarah",
    "mark",
    "eva",
    "daniel",
    "lisa",
    "martin",
    "ida",
    "george",
    "nora",
    "simon",
    "clara",
    "henry",
    "alice",
    "oliver",
    "rosa",
    "felix",
    "hanna",
    "victor",
    "elena",
    "hugo",
    "maria",
    "leo",
    "sofia",
    "oscar",
    "grace",
    "adam",
    "ruth",
]
LAST_ONSETS = ["b", "br", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "v", "w", "sch", "gr", "kr"]
LAST_RHYMES = [
    "aker",
    "ell",
    "er",
    "ing",
    "ley",
    "man",
    "mond",
    "son",
    "ton",
    "wood",
    "berg",
    "feld",
    "ner",
    "ster",
    "ard",
    "ini",
    "ez",
    "ov",
    "ski",
    "sen",
]
WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "report",
    "agenda",
    "draft",
    "budget",
    "meeting",
    "please",
    "find",
    "attached",
    "regards",
    "tomorrow",
    "contract",
    "delivery",
    "review",
]
HEAD = (
    "Subject: =?utf-8?Q?Agenda_f=C3=BCr_Donnerstag?= and the draft\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
    "MIME-Version: 1.0\r\nUser-Agent: Mozilla Thunderbird\r\nContent-Language: en-GB\r\n"
    "References: <a.1@partner.example> <a.2@partner.example>\r\n"
)
DAYS = 300
PLACES = ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4")
PEOPLE = 2000
EVENTS_PER_ADDRESS = 2


@dataclass(frozen=True)
class Invented:
    """A made home (a folder to copy) and the file of "sender recipient" lines that its people send."""

    home: Path
    pairs: Path
    facts: dict[str, float]


def invented(folder: Path, known: int) -> Invented:
    """Return the organisation that knows so many addresses, made in `folder` unless it is there already."""
    place = folder / f"organisation-{known}"
    made = Invented(place / "home", place / "pairs.txt", {})
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "making.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "facts.json").exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            _make(made, place, known)
    return Invented(made.home, made.pairs, json.loads((place / "facts.json").read_text()))


def copy_home(made: Invented, to: Path, milter: str, ports: tuple[int, int], hop: str) -> Path:
    """Return a copy of the home that listens on these addresses (SMTP and HTTP on `ports`) and releases to `hop`."""
    shutil.rmtree(to, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", made.home, to], check=True)
    config = to / "nixie.toml"
    text = config.read_text()
    for word, address in zip(PLACES, (milter, *(f"127.0.0.1:{port}" for port in ports), hop), strict=True):
        text = text.replace(f'{word}"', f'{address}"')
    config.write_text(text)
    return to


def _init(home: Path) -> None:
    """Write a home with the shipped policy that enforces; its addresses are put in place in each copy."""
    command = [
        sys.executable,
        "-m",
        "nixie.cli.main",
        "init",
        "--home",
        str(home),
        "--own-domain",
        OWN,
        "--mode",
        "enforce",
    ]
    for option, word in zip(("--milter", "--smtp", "--http", "--next-hop"), PLACES, strict=True):
        command += [option, word]
    subprocess.run(command, check=True, capture_output=True)


def _make(made: Invented, place: Path, known: int) -> None:
    from nixie.service.places import Places
    from nixie.store.db import open_writer, writing
    from nixie.store.knowledge import fold
    from nixie.store.knowledge_batch import Batch, Numbers, learn_batch
    from nixie.store.knowledge_lists import domains_with_counts
    from nixie.store.near import build

    _init(made.home)
    places = Places(made.home / "var")
    places.var.mkdir(parents=True, exist_ok=True)
    dice = random.Random(7)
    rng = np.random.default_rng(7)
    started = time.perf_counter()
    outside = addresses(known, dice)
    people = [f"{dice.choice(FIRST)}.{n}@{OWN}" for n in range(PEOPLE)]
    keys = ["", *people, *outside]
    events = EVENTS_PER_ADDRESS * known
    first_outside = 1 + len(people)
    # Everybody outside was written to once; the rest of the mail goes to few of them.
    busy = first_outside + (known * rng.power(0.25, events - known)).astype(np.int64)
    other = np.concatenate((np.arange(first_outside, first_outside + known), busy))
    # Whom a person writes to: an address belongs to one of ours, with one in five copies from somebody else.
    ours = 1 + (other * 2654435761 % 2**32 % len(people) ** 2 // len(people)) % len(people)
    strangers = rng.random(events) < 0.2
    ours[strangers] = 1 + rng.integers(0, len(people), int(strangers.sum()))
    kind = np.where(rng.random(events) < 0.8, 1, 2)
    kind[:known] = 1
    now = int(time.time() * 1e6)
    at = np.sort(now - 3 * 86_400_000_000 - (rng.random(events) * DAYS * 86_400_000_000).astype(np.int64))
    key = rng.permutation(np.arange(1, events + 1, dtype=np.int64)) * 4_611_686_018_427 % (2**62)
    order = rng.permutation(events)
    other, ours, kind = other[order], ours[order], kind[order]
    db = open_writer(places.database)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -800000")
    fold(db, datetime.now(UTC))
    numbers = Numbers()
    for start in range(0, events, 250_000):
        part = slice(start, start + 250_000)
        with writing(db):
            learn_batch(db, Batch(keys, key[part], at[part], kind[part], ours[part], other[part]), numbers)
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("PRAGMA optimize")
    domains = build(places.near, ((d.name, d.sent) for d in domains_with_counts(db)))
    db.close()
    _write_pairs(made.pairs, keys, ours, other, rng, dice)
    facts = {
        "known_addresses": known,
        "known_domains": domains,
        "people": len(people),
        "events": events,
        "database_mb": round(places.database.stat().st_size / 1e6),
        "made_in_s": round(time.perf_counter() - started),
    }
    (place / "facts.json").write_text(json.dumps(facts))


def addresses(count: int, dice: random.Random) -> list[str]:
    """Return as many outside addresses, each once."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from lookalike import invent

    many = invent(max(100, count // 10), dice)
    rank = list(accumulate(1 / (n + 5) for n in range(len(many))))
    names = list(accumulate(1 / (n + 1) for n in range(len(FIRST))))
    shares = list(accumulate(s for _, s in PROVIDERS))
    found: dict[str, None] = {}
    domains = iter(dice.choices(many, cum_weights=rank, k=count * 2))
    firsts = dice.choices(FIRST, cum_weights=names, k=count * 2)
    for first in firsts:
        spot = dice.random()
        domain = next((name for (name, _), s in zip(PROVIDERS, shares, strict=True) if spot < s), "") or next(domains)
        last = dice.choice(LAST_ONSETS) + dice.choice(LAST_RHYMES)
        local = f"{first}.{last}"
        if f"{local}@{domain}" in found:
            local += str(len(found) % 9973)
        found[f"{local}@{domain}"] = None
        if len(found) == count:
            break
    return list(found)


def _write_pairs(
    path: Path, keys: list[str], ours: np.ndarray, other: np.ndarray, rng: np.random.Generator, dice: random.Random
) -> None:
    """Write what is sent: 84 % between pairs that know each other, 10 % of a colleague's, 5 % new at a known domain, 1 % new domains."""
    count = 60_000
    lines = []
    picks = rng.integers(0, len(ours), count)
    for n, pick in enumerate(picks.tolist()):
        sender, to = keys[int(ours[pick])], keys[int(other[pick])]
        spot = dice.random()
        if spot < 0.10:
            sender = keys[1 + dice.randrange(PEOPLE)]
        elif spot < 0.15:
            to = f"{dice.choice(FIRST)}.n{n}@{to.rpartition('@')[2]}"
        elif spot < 0.16:
            to = f"{dice.choice(FIRST)}.{n}@{dice.choice(LAST_ONSETS)}{dice.choice(LAST_RHYMES)}{n}.example"
        lines.append(f"{sender} {to}\n")
    path.write_text("".join(lines))


def message(size: int, kind: str, seed: int = 3) -> bytes:
    """Return the header (without Message-ID, From, To) and body of a realistic message, CRLF line ends, dot-stuffed.

    A `thread` is text and HTML of together about `size` bytes, an `attachment` a short text and a base64 file.
    """
    dice = random.Random(seed)
    text = size - 700 if kind == "thread" else 4_000
    plain, html = _prose(dice, text * 9 // 20), _prose(dice, text * 9 // 20)
    both = (
        'Content-Type: multipart/alternative; boundary="alt-1"\r\n\r\n'
        "--alt-1\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        f"{plain}\r\n--alt-1\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
        f"<html><body><p>{html.replace(chr(10) + '> ', chr(10) + '<br>')}</p></body></html>\r\n--alt-1--\r\n"
    )
    if kind == "thread":
        return (HEAD + both).encode()
    packed = base64.encodebytes(dice.randbytes((size - 6_000) * 3 // 4)).replace(b"\n", b"\r\n").decode()
    file = f'Content-Type: application/msword; name="draft.doc"\r\nContent-Transfer-Encoding: base64\r\n\r\n{packed}'
    mixed = 'Content-Type: multipart/mixed; boundary="mix-1"\r\n\r\n'
    return f"{HEAD}{mixed}--mix-1\r\n{both}--mix-1\r\n{file}--mix-1--\r\n".encode()


def _prose(dice: random.Random, length: int) -> str:
    """Return lines of words, most of them quoted from earlier mails."""
    lines: list[str] = []
    total = 0
    while total < length:
        line = ("> " if total > 800 else "") + " ".join(dice.choices(WORDS, k=10))
        lines.append(line)
        total += len(line) + 2
    return "\r\n".join(lines)
