"""One invented ministry: 18 months of outgoing mail, 55 of it to Mali's `.ml`, of which 15 were meant for `.mil`.

Everything comes from the seed: who there is, who writes to whom, when. The shape is always the same. Some 30 authors in six
units write some 2,000 mails to 60 organisations, whose people come back by Zipf's law; one unit in three works with
forces under `.mil`. Nine in ten mails go to people whom the author or his unit know, one goes to somebody new.

The 15 slips have 11 wrong addresses: a completion list remembers one and offers it four times, a colleague copies one. Of the people who
were meant, four were known to the author, two to colleagues only, four to nobody: only others at their domain were.
The 40 right mails go to some 20 people in Mali, to most of them several times, by one author or by colleagues of one unit. Most are at
domains without a relative; one is at the twin of a known `.mil` domain, two are at names one letter from one, two at the
Malian domain of a house that is known under another ending (`_PARENTS`).

They begin after `SETTLED` days: that is how long a gateway of this size watches before it has the 200 copies from which on domains
known by counts alone are weighed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

from nixie.cli.checking_stream import Walk, span
from nixie.core.organisation import Organisation
from nixie.service.engine import Engine
from nixie.service.installation import parse_shipped
from nixie.service.nothing import NothingKnown

T = TypeVar("T")
Line = dict[str, object]
OWN = "ministry.example"
START = datetime(2025, 1, 6, tzinfo=UTC)
DAYS = 548
SETTLED = 45.0
MAILS = 2_000
AUTHORS, UNITS = 30, 6
HOUSES, FORCES = 54, 6
SLIPS, RIGHT = 15, 40

_NAMES = """anna ben clara david elena frank greta hugo ines jonas karla leo maria nils olga paul rosa simon tessa victor wanda xaver
    yara zeno amadou fatou ibrahim mariam oumar awa"""
_SYLLABLES = (
    "b br d dr f fl g gr h k kl l m n p pr r s st t tr v w z",
    "a e i o u ai ea ou",
    "l n r s t ck ld ling mar nor ven dal berg rup tis lar",
)
_OFTEN = "com com com org org net de de fr nl nl be int gov ch dk eu it es pl se co.uk"
_MALI = "ml ml ml ml gouv.ml gouv.ml org.ml com.ml net.ml"
_GIVEN, _ENDINGS, _MALIAN = _NAMES.split(), _OFTEN.split(), _MALI.split()
_START, _MIDDLE, _END = (some.split() for some in _SYLLABLES)
_PARENTS = ("com", "org", "fr", "nl")


@dataclass(frozen=True)
class Mail:
    """One mail: days from the start, who wrote it, to whom; `slip` is the address that was meant for the last of them."""

    day: float
    author: str
    to: tuple[str, ...]
    kind: str = "ordinary"
    meant: str = ""
    known_to: str = ""


@dataclass
class Ministry:
    """The invented people of one seed, and the mail that they write."""

    seed: int
    settled: float = SETTLED
    mails: list[Mail] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._names: set[str] = set()
        self._units: list[list[str]] = [[] for _ in range(UNITS)]
        for n in range(AUTHORS):
            self._units[n % UNITS].append(self._person(OWN))
        self.forces = [f"{self._word()}.mil" for _ in range(FORCES)]
        houses = [f"{self._word()}.{self._random.choice(_ENDINGS)}" for _ in range(HOUSES)]
        self._houses = [self._house(domain, self._random.randint(2, 7)) for domain in houses]
        self._military = [self._house(domain, self._random.randint(4, 8)) for domain in self.forces]
        # A unit works with some of the houses; every third one with the forces too.
        self._circles = [self._random.sample(self._houses, 16) for _ in range(UNITS)]
        self._ordinary()
        self._slips()
        self._to_mali()
        self.mails.sort(key=lambda mail: mail.day)

    def lines(self, *, replies: bool = False) -> Iterator[Line]:
        """Yield the mail as a log shows it: moment, sender, recipients, nothing else; with `replies` what came back too."""
        found: list[tuple[float, Line]] = []
        for number, mail in enumerate(self.mails):
            identity = f"{number}.{mail.kind}@{OWN}"
            found.append((mail.day, {"id": identity, "sender": mail.author, "to": list(mail.to)}))
            if replies:
                found += self._answers(number, identity, mail)
        for day, line in sorted(found, key=lambda f: f[0]):
            yield {**line, "date": (START + timedelta(days=day)).isoformat()}

    def _answers(self, number: int, identity: str, mail: Mail) -> Iterator[tuple[float, Line]]:
        """Yield what comes back: half of all people answer; where a mail went astray, a third bounce, others have machines."""
        chance = Random(f"{self.seed}.{mail.to[-1]}") if mail.kind == "slip" else Random(f"{self.seed}.{number}")
        for other in mail.to:
            if other.endswith(OWN):
                continue
            day = mail.day + 0.02 + 3.0 * chance.random() ** 3
            answer: Line = {
                "id": f"re.{identity}",
                "sender": other,
                "to": [mail.author],
                "in_reply_to": f"<{identity}>",
            }
            if mail.kind != "slip" or other != mail.to[-1]:
                if chance.random() < 0.5:
                    yield day, answer
            elif (fate := chance.random()) < 0.33:
                yield mail.day + 0.01, {"id": identity, "kind": "bounce", "sender": mail.author, "to": [other]}
            elif fate < 0.66:
                yield mail.day + 0.01, {**answer, "auto_submitted": "auto-replied"}

    def _word(self) -> str:
        while True:
            parts = (self._random.choice(s) for s in (_START, _MIDDLE, _START, _MIDDLE, _END))
            word = "".join(parts)
            if word not in self._names:
                self._names.add(word)
                return word

    def _person(self, domain: str) -> str:
        given, surname = self._random.choice(_GIVEN), self._word()
        form = sum(map(ord, domain)) % 4
        return (f"{given}.{surname}", f"{given[0]}.{surname}", f"{given[0]}{surname}", f"{surname}.{given}")[
            form
        ] + f"@{domain}"

    def _house(self, domain: str, people: int) -> list[str]:
        found = [self._person(domain) for _ in range(people)]
        return [f"info@{domain}", *found] if self._random.random() < 0.3 else found

    def _unit_of(self, author: str) -> int:
        return next(n for n, unit in enumerate(self._units) if author in unit)

    def _often(self, some: Sequence[T]) -> T:
        """Return one of some, the first ones more often (Zipf)."""
        return self._random.choices(some, [1.0 / (n + 1) for n in range(len(some))])[0]

    def _ordinary(self) -> None:
        """Write the ordinary mail, in the order of time; who was written to before is written to again."""
        chance = self._random
        books: dict[str, list[str]] = {author: [] for unit in self._units for author in unit}
        groups: dict[int, list[tuple[str, ...]]] = {n: [] for n in range(UNITS)}
        for day in sorted(chance.uniform(0, DAYS) for _ in range(MAILS)):
            unit = chance.randrange(UNITS)
            author = self._often(self._units[unit])
            book = books[author]
            if groups[unit] and chance.random() < 0.2:
                to = self._often(groups[unit])
            else:
                size = chance.choices((1, 2, 3, 4), (70, 16, 9, 5))[0]
                to = tuple(dict.fromkeys(self._correspondent(unit, book) for _ in range(size)))
                if len(to) > 2 and chance.random() < 0.5:
                    groups[unit].append(to)
            colleagues = [c for c in self._units[unit] if c != author]
            cc = (chance.choice(colleagues),) if chance.random() < 0.25 else ()
            book += [one for one in to if one not in book]
            self.mails.append(Mail(day, author, (*to, *cc)))

    def _correspondent(self, unit: int, book: list[str]) -> str:
        chance = self._random
        if book and chance.random() < 0.75:
            return self._often(book)
        if chance.random() < 0.1:
            # Somebody new at a domain that nobody knows.
            return self._person(f"{self._word()}.{chance.choice(_ENDINGS)}")
        military = unit % 3 == 0 and chance.random() < 0.4
        return self._often(chance.choice(self._military if military else self._circles[unit]))

    def _dates(self, number: int) -> list[float]:
        return sorted(self._random.uniform(self.settled, DAYS) for _ in range(number))

    def _slips(self) -> None:
        """Write the 15 that were meant for `.mil`, to 11 wrong addresses."""
        for known_to, times in (("author", 4), *(("author", 1),) * 3, ("colleagues", 2), *(("colleagues", 1),) * 2):
            dates, author, meant = self._somebody(times, known_to)
            while any(mail.meant == meant for mail in self.mails):
                dates, author, meant = self._somebody(times, known_to)
            for number, day in enumerate(dates):
                again = self._colleague(author) if known_to == "colleagues" and number else author
                self._slip(day, again, meant, known_to)
        for _ in range(4):
            (day,) = self._dates(1)
            author, other = self._meant(day, "author" if self._random.random() < 0.5 else "colleagues")
            self._slip(day, author, self._person(other.partition("@")[2]), "nobody")

    def _slip(self, day: float, author: str, meant: str, known_to: str) -> None:
        wrong = f"{meant.removesuffix('.mil')}.ml"
        before = [m for m in self.mails if m.author == author and m.day < day and m.kind == "ordinary"]
        with_others = self._random.choice(before).to[:2] if before and self._random.random() < 0.4 else ()
        others = tuple(one for one in with_others if one != meant)
        self.mails.append(Mail(day, author, (*others, wrong), "slip", meant, known_to))

    def _somebody(self, times: int, known_to: str) -> tuple[list[float], str, str]:
        """Return as many dates, and whom an author may have meant from the first one on."""
        dates = self._dates(times)
        return dates, *self._meant(dates[0], known_to)

    def _meant(self, day: float, known_to: str) -> tuple[str, str]:
        """Return an author and an address under `.mil` that he knew by that day, or that only colleagues knew."""
        earlier = [m for m in self.mails if m.day < day and m.kind == "ordinary"]
        pairs = [(m.author, to) for m in earlier for to in m.to if to.endswith(".mil")]
        author, meant = self._random.choice(pairs)
        if known_to == "author":
            return author, meant
        knowing = {one for one, to in pairs if to == meant}
        unit = [one for one in self._units[self._unit_of(author)] if one not in knowing]
        everybody = [one for some in self._units for one in some if one not in knowing]
        return self._random.choice(unit or everybody), meant

    def _colleague(self, author: str) -> str:
        return self._random.choice([c for c in self._units[self._unit_of(author)] if c != author])

    def _to_mali(self) -> None:
        """Write the 40 that are right: embassies, offices, firms and partners in Mali."""
        chance = self._random
        name = chance.choice(self.forces).removesuffix(".mil")
        relatives = [h[0].partition("@")[2].rpartition(".") for h in self._houses]
        national = [stem for stem, _, ending in relatives if ending in _PARENTS]
        domains = [
            f"{name}.ml",
            *(f"{near}.ml" for near in self._near(chance.choice(self.forces).removesuffix(".mil"))),
            *(f"{stem}.ml" for stem in chance.sample(national, 1)),
            *(f"embassy-{self._word()}.ml" for _ in range(3)),
            *(f"{self._word()}.{chance.choice(_MALIAN)}" for _ in range(9)),
        ]
        people = [self._person(domain) for domain in domains]
        people += [self._person(domain) for domain in chance.choices(domains[4:], k=4)]
        times = [2, 1, 1, 2, *(1 for _ in people[4:])]
        for _ in range(RIGHT - sum(times)):
            times[4 + min(len(people) - 5, int(chance.expovariate(0.15)))] += 1
        for person, number in zip(people, times, strict=True):
            unit = chance.randrange(UNITS)
            author = self._often(self._units[unit])
            for day in self._dates(number):
                # Every third mail is a colleague's: the address is passed on within a unit.
                by = author if chance.random() < 0.67 else self._colleague(author)
                colleague = (self._colleague(by),) if chance.random() < 0.3 else ()
                self.mails.append(Mail(day, by, (*colleague, person), "right"))

    def _near(self, name: str) -> tuple[str, str]:
        """Return two names one letter from a name of the forces."""
        at = self._random.randrange(1, len(name) - 1)
        return name[:at] + name[at + 1 :], name[:at] + self._random.choice("aeklnrst") + name[at:]


@dataclass(frozen=True)
class Outcome:
    """What became of one seed's mail: missed slips and asked right ones as (mail, recipient as told), ordinary questions."""

    seed: int
    missed: tuple[tuple[Mail, Line], ...]
    asked: tuple[tuple[Mail, Line], ...]
    questions: int
    ordinary: int

    @property
    def held(self) -> int:
        return SLIPS - len(self.missed)


def judge(ministry: Ministry, *, replies: bool = False, all_mail: bool = False, explain: bool = False) -> Outcome:
    """Walk a ministry's mail forward under the shipped enforce policy; ordinary mail is judged only with `all_mail`."""
    engine = Engine(Organisation((OWN,)), parse_shipped("enforce"), NothingKnown())
    walk = Walk(engine, span("2d"), learning=True)
    by_id = {f"{number}.{mail.kind}@{OWN}": mail for number, mail in enumerate(ministry.mails)}
    lines = (_judged(line, all_mail=all_mail) for line in ministry.lines(replies=replies))
    missed, asked, questions, ordinary = [], [], 0, 0
    for told in walk.answers(_written(lines), explain=explain, only_judged=True):
        mail = by_id.get(told["id"])
        if mail is None:
            continue
        stopped = [one for one in told["recipients"] if one["disposition"] != "deliver"]
        if mail.kind == "ordinary":
            ordinary += 1
            questions += bool(stopped)
            continue
        (about,) = (one for one in told["recipients"] if one["address"] == mail.to[-1])
        if mail.kind == "slip" and about not in stopped:
            missed.append((mail, about))
        elif mail.kind == "right" and stopped:
            asked.append((mail, about))
    return Outcome(ministry.seed, tuple(missed), tuple(asked), questions, ordinary)


def _judged(line: Line, *, all_mail: bool) -> Line:
    return line if all_mail or ".ordinary@" not in str(line["id"]) else {**line, "judge": False}


def _written(lines: Iterable[Line]) -> Iterator[bytes]:
    return (json.dumps(line).encode() for line in lines)
