"""`FactSource` over the database: what one decision may see, as of a moment, in one read transaction.

As of T: whole days before T's day from the counts, and of T's day only what happened before T, which the tail knows to
the microsecond. A live question is later than everything stored, so the counts alone answer it; otherwise the tail's
events of T's day from T on are taken away again. For days older than the tail only whole days before T's day count.

A popular target has a row a day for years. Its sums over the days before the tail's floor are remembered here for the day,
until `knowledge_state.past` says that the past was learned anew; what is left to sum is then a day or two.
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from nixie.core.address import canonical
from nixie.core.events import EventKind
from nixie.core.facts import NOTHING, Counts, Facts, History, Totals
from nixie.core.suffixes import public_suffix
from nixie.store import addresses, mail_lists
from nixie.store.db import reading
from nixie.store.knowledge import EPOCH, micros
from nixie.store.knowledge_counts import DAY_MICROSECONDS, NEW_ADDRESSES, NEW_DOMAINS, SENT_TOTAL, suffix_total
from nixie.store.past_mails import PastMails
from nixie.store.surroundings import Memory, surroundings

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from nixie.core.address import Address
    from nixie.core.facts import Expansion, FactQuery, SuggestQuery, Surroundings
    from nixie.core.mailing import PastMail
    from nixie.store.surroundings import NearAddresses

    class Near(Protocol):
        """The near index of domains."""

        def near(self, domain: str, limit: int) -> tuple[str, ...]:
            """Return known domains that could have been meant."""


RECENT_DAYS = 90
POPULAR_ROWS = 16
"""Days from which on a target's past is worth remembering."""
REMEMBERED = 16_384
LATEST_ASKED = 16
"""Mails read to each of `FactQuery.mails_of`."""
REMEMBER_AT_ONCE = 16
MANY = 6
MOST_SUFFIXES = 64
"""Domains of a question whose suffixes are counted; the first ones, of a message to very many."""
_REWRITTEN = re.compile(r"[+=]").search
_EPOCH_ORDINAL = EPOCH.toordinal()
_SENT = int(EventKind.SENT)
_FIRST_DAY = -1_000_000

_SUMS = (
    "SELECT {t}, scope, kind, SUM(n), MIN(day), MAX(day), COUNT(*)"
    " FROM {t}_day WHERE scope IN (?, ?) AND {t} IN ({many}){kinds} AND day >= ? AND day < ? GROUP BY scope, {t}, kind"
)
_LATELY = "SELECT SUM(n) FROM {t}_day WHERE scope = ? AND {t} = ? AND kind = 1 AND day >= ? AND day < ?"
_JSON = "SELECT value FROM json_each(?)"
# The key is (scope, target, kind, day): only with the kinds named does SQLite go straight to the last days.
_EACH_KIND = f" AND kind IN ({','.join(str(int(k)) for k in EventKind)})"
_STATEMENTS = {
    (target, n, recent): _SUMS.format(
        t=target, many=",".join("?" * n) if n else _JSON, kinds=_EACH_KIND if recent else ""
    )
    for target in ("address", "domain")
    for n in range(MANY + 1)
    for recent in (False, True)
}
_STATE = (
    "SELECT (SELECT value FROM knowledge_state WHERE name = 'past'), (SELECT value FROM knowledge_state WHERE name ="
    " 'floor'), EXISTS (SELECT 1 FROM tail WHERE at >= ? AND at < ?)"
)
_TOTALS = (
    "SELECT what, (SELECT upto FROM total_day t WHERE t.what = w.what AND day < ? ORDER BY day DESC LIMIT 1)"
    f" FROM (SELECT {SENT_TOTAL} what UNION ALL SELECT {NEW_ADDRESSES} UNION ALL SELECT {NEW_DOMAINS}) w"
)
_UPTO = "SELECT upto FROM total_day WHERE what = ? AND day < ? ORDER BY day DESC LIMIT 1"
_LATER_FIRSTS = (
    "SELECT COUNT(*) FROM (SELECT {key} target, COUNT(*) c FROM tail JOIN address a ON a.id = tail.other"
    " WHERE at >= ? AND at < ? AND kind = 1 GROUP BY {key})"
    " WHERE c = (SELECT n FROM {t}_day WHERE scope = 0 AND {t} = target AND kind = 1 AND day = ?)"
    " AND NOT EXISTS (SELECT 1 FROM {t}_day WHERE scope = 0 AND {t} = target AND kind = 1 AND day < ?)"
)


class Sum(NamedTuple):
    """One kind of event at one target: how often, how often lately, first and last day."""

    n: int
    lately: int
    first: int
    last: int

    def plus(self, other: Sum) -> Sum:
        """Return both together."""
        return Sum(
            self.n + other.n, self.lately + other.lately, min(self.first, other.first), max(self.last, other.last)
        )


_Sums = dict[tuple[int, int, int], Sum]
"""By (scope, target, kind)."""


class StoreFacts:
    """Answers of one read-only connection; `near` proposes domains. Not for two threads at once."""

    def __init__(
        self, db: sqlite3.Connection, near: Near | None = None, near_addresses: NearAddresses | None = None
    ) -> None:
        self._db = db
        self._near = near
        self._near_addresses = near_addresses
        self._valid = (-1, -1, -1)
        """What the remembered sums depend on: state of the past, floor, day of the question."""
        self._sums: dict[tuple[str, int, int], dict[int, Sum]] = {}
        """By (table, scope, target): sums by kind over all days before the floor."""
        self._domains: dict[str, int] = {}
        """Numbers of domains; they never change."""
        self._memory = Memory()

    def near(self, domain: str, limit: int) -> tuple[str, ...]:
        """Return what the near index proposes; nothing without one."""
        # Not by its truth: an index without a domain yet is false, and would never look again.
        return self._near.near(domain, limit) if self._near is not None else ()

    def expansions(self, addresses: tuple[Address, ...]) -> Mapping[str, Expansion]:
        """Return which learned lists and aliases lead to each address."""
        return mail_lists.expansions(self._db, addresses)

    def suggest(self, query: SuggestQuery) -> Surroundings:
        """Return who stands around a circle as of `query.as_of`, in one read transaction."""
        with reading(self._db):
            self._memory.refresh(self._db)
            return surroundings(self._db, query, self._memory, self._near_addresses)

    def know(self, query: FactQuery) -> Facts:
        """Return what is known as of `query.as_of`, in one read transaction."""
        with reading(self._db):
            return self._know(query)

    def _know(self, query: FactQuery) -> Facts:
        moment = micros(query.as_of)
        today = moment // DAY_MICROSECONDS
        past, floor, later = self._db.execute(_STATE, (moment, (today + 1) * DAY_MICROSECONDS)).fetchone()
        if (past, floor, today) != self._valid:
            self._valid = (past, floor, today)
            self._sums.clear()
            self._domains.clear()
        self._memory.renew(past)
        later = later and today >= floor
        end = today + 1 if today >= floor and not later else today
        scope, asked, numbers = self._numbers(query)
        domains = self._domain_numbers(query.domains)
        targets = list({numbers[name] for name in asked.values() if name in numbers})
        domain_targets = [*domains.values(), *((0,) if scope > 0 and query.totals else ())]
        by_address = self._all("address", scope, targets, end, today, floor)
        by_domain = self._all("domain", scope, domain_targets, end, today, floor) if domain_targets else {}
        totals = {SENT_TOTAL: 0, NEW_ADDRESSES: 0, NEW_DOMAINS: 0}
        if query.totals:
            totals.update((what, upto or 0) for what, upto in self._db.execute(_TOTALS, (end,)).fetchall())
        if later:
            self._until(moment, today, scope, by_address, by_domain, set(targets), set(domain_targets), totals)
        of_address = _histories(by_address)
        own = by_domain.pop((scope, 0, _SENT), None)
        of_domain = _histories(by_domain)
        return Facts(
            as_of=query.as_of,
            totals=Totals(own.n if own else 0, totals[SENT_TOTAL], totals[NEW_ADDRESSES], totals[NEW_DOMAINS]),
            addresses={
                key: of_address[number]
                for key, name in asked.items()
                if (number := numbers.get(name)) is not None and number in of_address
            },
            domains={name: of_domain[number] for name, number in domains.items() if number in of_domain},
            mails=self._mails(query, scope, moment) if query.mails_of and scope > 0 else {},
            suffixes=self._suffixes(query.domains, end) if query.totals else {},
        )

    def _suffixes(self, domains: Sequence[str], end: int) -> dict[str, int]:
        """Return how many domains under the suffixes of these the organisation wrote to before a day."""
        wanted = dict.fromkeys(map(public_suffix, domains[:MOST_SUFFIXES]))
        found = {}
        for suffix in wanted:
            row = self._db.execute(_UPTO, (suffix_total(suffix), end)).fetchone()
            if row is not None and row[0] > 0:
                found[suffix] = row[0]
        return found

    def _mails(self, query: FactQuery, scope: int, moment: int) -> dict[str, tuple[PastMail, ...]]:
        """Return the author's latest mails to those of `mails_of`."""
        numbers = self._memory.numbers(self._db, [a.key for a in query.mails_of if a.key])
        found = PastMails(self._db, moment).to(scope, numbers.values(), LATEST_ASKED)
        return {key: found[number] for key, number in numbers.items() if number in found}

    def _numbers(self, query: FactQuery) -> tuple[int, dict[str, str], dict[str, int]]:
        """Return the author's scope (-1: unknown), the canonical key by the key asked for, and numbers by canonical key."""
        asked = {a.key: canonical(a).key if _REWRITTEN(a.local) else a.key for a in query.addresses if a.key}
        author = canonical(query.author).key if query.author is not None else ""
        numbers = self._memory.numbers(self._db, dict.fromkeys((*asked.values(), author) if author else asked.values()))
        return numbers.get(author, -1), asked, numbers

    def _domain_numbers(self, names: Sequence[str]) -> dict[str, int]:
        """Return numbers of known domains by name."""
        known = self._domains
        missing = [name for name in names if name not in known]
        if missing:
            for name, number in addresses.find_domains(self._db, missing).items():
                _remember(known, name, number)
        return {name: known[name] for name in names if name in known}

    def _all(self, table: str, scope: int, targets: Sequence[int], end: int, today: int, floor: int) -> _Sums:
        """Return the sums of all targets over days before `end`, using what is remembered of popular ones."""
        found: _Sums = {}
        lately = today - RECENT_DAYS
        if end < floor:  # a question about the past: nothing is remembered for it
            self._range(found, table, 0, scope, targets, _FIRST_DAY, end, lately)
            return found
        remembered = self._sums
        old = [t for t in targets if (table, 0, t) in remembered]
        if not old:
            popular = self._range(found, table, 0, scope, targets, _FIRST_DAY, end, lately)
        else:
            # What is popular with everybody seldom is with one author, whose own rows are few.
            own = [t for t in old if (table, scope, t) in remembered]
            new = [t for t in targets if (table, 0, t) not in remembered]
            theirs = [t for t in old if (table, scope, t) not in remembered] if scope > 0 else []
            self._range(found, table, 0, 0, old, floor, end, lately)
            self._range(found, table, scope, scope, own, floor, end, lately)
            for s, some in ((0, old), (scope, own)):
                for target in some:
                    for kind, past in remembered[table, s, target].items():
                        key = (s, target, kind)
                        found[key] = past.plus(found[key]) if key in found else past
            popular = self._range(found, table, scope, scope, theirs, _FIRST_DAY, end, lately)
            popular += self._range(found, table, 0, scope, new, _FIRST_DAY, end, lately)
        if popular:
            self._remember(table, popular[:REMEMBER_AT_ONCE], floor, lately)
        return found

    def _range(
        self, found: _Sums, table: str, low: int, scope: int, targets: Sequence[int], start: int, end: int, lately: int
    ) -> list[tuple[int, int]]:
        """Add sums over [start, end) to `found`; return the (scope, target) that took many rows."""
        if not targets or start >= end:
            return []
        few = len(targets) if len(targets) <= MANY else 0
        bound = targets if few else (json.dumps(targets),)
        popular: list[tuple[int, int]] = []
        execute = self._db.execute
        for target, s, kind, n, first, last, days in execute(
            _STATEMENTS[table, few, start > _FIRST_DAY], (low, scope, *bound, start, end)
        ).fetchall():
            if kind != _SENT or last < lately:
                recent = 0
            elif first >= lately:
                recent = n
            else:
                (recent,) = execute(_LATELY.format(t=table), (s, target, lately, end)).fetchone()
            found[s, target, kind] = Sum(n, recent, first, last)
            if days >= POPULAR_ROWS:
                popular.append((s, target))
        return popular

    def _remember(self, table: str, popular: Sequence[tuple[int, int]], until: int, lately: int) -> None:
        """Remember the sums of popular targets, by (scope, target), over all days before `until`."""
        if len(self._sums) >= REMEMBERED:
            self._sums.clear()
        for scope in {s for s, _ in popular}:
            targets = list({target for s, target in popular if s == scope})
            past: _Sums = {}
            self._range(past, table, scope, scope, targets, _FIRST_DAY, until, lately)
            for target in targets:
                self._sums[table, scope, target] = {}
            for (s, target, kind), found in past.items():
                self._sums[table, s, target][kind] = found

    def _until(
        self,
        moment: int,
        today: int,
        scope: int,
        by_address: _Sums,
        by_domain: _Sums,
        targets: set[int],
        domains: set[int],
        totals: dict[int, int],
    ) -> None:
        """Add T's day as far as it lies before T: the day's counts less the tail's events from T on."""
        midnight = (today + 1) * DAY_MICROSECONDS
        addresses_today: _Sums = {}
        domains_today: _Sums = {}
        self._range(addresses_today, "address", 0, scope, list(targets), today, today + 1, today)
        self._range(domains_today, "domain", 0, scope, list(domains), today, today + 1, today)
        minus: dict[tuple[str, int, int, int], int] = {}
        sent_later = 0
        for kind, ours, other, domain, n in self._db.execute(
            "SELECT kind, ours, other, a.domain, COUNT(*) FROM tail JOIN address a ON a.id = tail.other"
            " WHERE at >= ? AND at < ? GROUP BY kind, ours, other",
            (moment, midnight),
        ):
            sent_later += n if kind == _SENT else 0
            hits = [("address", 0, other, kind), ("domain", 0, domain, kind)]
            if ours == scope:
                hits += [("address", scope, other, kind), ("domain", scope, domain, kind)]
                if kind == _SENT:
                    hits.append(("domain", scope, 0, kind))
            for hit in hits:
                minus[hit] = minus.get(hit, 0) + n
        for table, day, sums in (("address", addresses_today, by_address), ("domain", domains_today, by_domain)):
            for (s, target, kind), all_day in day.items():
                n = all_day.n - minus.get((table, s, target, kind), 0)
                if n > 0:
                    key, part = (s, target, kind), Sum(n, n, today, today)
                    sums[key] = sums[key].plus(part) if key in sums else part
        whole = dict(self._db.execute(_TOTALS, (today + 1,)).fetchall())
        totals[SENT_TOTAL] = (whole[SENT_TOTAL] or 0) - sent_later
        for what, table, column in ((NEW_ADDRESSES, "address", "other"), (NEW_DOMAINS, "domain", "a.domain")):
            sql = _LATER_FIRSTS.format(key=column, t=table)
            (first_later,) = self._db.execute(sql, (moment, midnight, today, today)).fetchone()
            totals[what] = (whole[what] or 0) - first_later


def _remember(known: dict[str, int], name: str, number: int) -> None:
    if len(known) >= REMEMBERED:
        known.clear()
    known[name] = number


def _histories(sums: _Sums) -> dict[int, History]:
    """Return what is known by target."""
    mine: dict[int, dict[int, Sum]] = {}
    everybody: dict[int, dict[int, Sum]] = {}
    for (s, target, kind), found in sums.items():
        side = everybody if s == 0 else mine
        if target in side:
            side[target][kind] = found
        else:
            side[target] = {kind: found}
    return {
        target: History(counts_from(mine[target]) if target in mine else NOTHING, counts_from(kinds))
        for target, kinds in everybody.items()
    }


def counts_from(kinds: Mapping[int, Sum]) -> Counts:
    """Return `Counts` from sums by kind."""
    # The fields stand in the order of the kinds, with `sent_90d` behind `sent`.
    n = [0] * 11
    for kind, found in kinds.items():
        n[kind if kind > _SENT else 0] = found.n
    if sent := kinds.get(_SENT):
        n[1] = sent.lately
    first, last = min(s.first for s in kinds.values()), max(s.last for s in kinds.values())
    days = date.fromordinal(_EPOCH_ORDINAL + first), date.fromordinal(_EPOCH_ORDINAL + last)
    return Counts(*n, *days)  # type: ignore[call-arg,arg-type]  # eleven numbers and two days


def counts_of(db: sqlite3.Connection, address: Address) -> Counts:
    """Return everything the organisation ever saw of an address, lately counted from its last day back."""
    found = addresses.find(db, [canonical(address).key])
    if not found:
        return NOTHING
    ((number, _),) = found.values()
    kinds = {
        kind: Sum(n, recent, first, last)
        for kind, n, recent, first, last in db.execute(
            "SELECT kind, SUM(n), SUM(CASE WHEN day > m - ? THEN n ELSE 0 END), MIN(day), MAX(day) FROM address_day,"
            " (SELECT MAX(day) m FROM address_day WHERE scope = 0 AND address = ?)"
            " WHERE scope = 0 AND address = ? GROUP BY kind",
            (RECENT_DAYS, number, number),
        )
    }
    return counts_from(kinds) if kinds else NOTHING
