"""`FactSource` over the database: what one decision may see, as of a moment, in one read transaction.

As of T: whole days before T's day from the counts, and of T's day only what happened before T, which the tail knows to
the microsecond. A live question is later than everything stored, so the counts alone answer it; otherwise the tail's
events of T's day from T on are taken away again. For days older than the tail only whole days before T's day count.

A popular target has a row a day for years. Its sum over the days that can no longer change cheaply is remembered here
until `knowledge_state.past` says that the past was learned anew; what is left to sum is then a hundred days.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from nixie.core.address import canonical
from nixie.core.events import EventKind
from nixie.core.facts import NOTHING, Counts, Facts, History, Totals
from nixie.store import addresses
from nixie.store.db import reading
from nixie.store.knowledge import EPOCH, micros
from nixie.store.knowledge_counts import DAY_MICROSECONDS, NEW_ADDRESSES, NEW_DOMAINS, SENT_TOTAL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from nixie.core.address import Address
    from nixie.core.facts import FactQuery

    class Near(Protocol):
        """The near index of domains."""

        def near(self, domain: str, limit: int) -> tuple[str, ...]:
            """Return known domains that could have been meant."""


RECENT_DAYS = 90
POPULAR_ROWS = 200
REMEMBERED = 4_096
MANY = 6
_FIELDS = {int(k): k.name.lower() for k in EventKind}
_SENT = int(EventKind.SENT)
_FIRST_DAY, _LAST_DAY = -1_000_000, 10_000_000

_SUMS = (
    "SELECT {t}, scope, kind, SUM(n), SUM(CASE WHEN day >= ? THEN n ELSE 0 END), MIN(day), MAX(day), COUNT(*)"
    " FROM {t}_day WHERE scope IN (0, ?) AND {t} IN ({many}) AND day >= ? AND day < ? GROUP BY scope, {t}, kind"
)
_JSON = "SELECT value FROM json_each(?)"
_STATEMENTS = {
    (target, n): _SUMS.format(t=target, many=",".join("?" * n) if n else _JSON)
    for target in ("address", "domain")
    for n in range(MANY + 1)
}
_TOTALS = (
    "SELECT what, (SELECT upto FROM total_day t WHERE t.what = w.what AND day < ? ORDER BY day DESC LIMIT 1)"
    f" FROM (SELECT {SENT_TOTAL} what UNION ALL SELECT {NEW_ADDRESSES} UNION ALL SELECT {NEW_DOMAINS}) w"
)
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

    def __init__(self, db: sqlite3.Connection, near: Near | None = None) -> None:
        self._db = db
        self._near = near
        self._past = -1
        self._sums: dict[tuple[str, int, int], tuple[int, dict[int, Sum]]] = {}
        """By (table, scope, target): first day not summed, sums by kind."""

    def near(self, domain: str, limit: int) -> tuple[str, ...]:
        """Return what the near index proposes; nothing without one."""
        return self._near.near(domain, limit) if self._near else ()

    def know(self, query: FactQuery) -> Facts:
        """Return what is known as of `query.as_of`, in one read transaction."""
        with reading(self._db):
            return self._know(query)

    def _know(self, query: FactQuery) -> Facts:
        db = self._db
        states = dict(db.execute("SELECT name, value FROM knowledge_state").fetchall())
        if states["past"] != self._past:
            self._past = states["past"]
            self._sums.clear()
        moment = micros(query.as_of)
        today = moment // DAY_MICROSECONDS
        floor = states["floor"]
        exact, later = today >= floor, False
        if exact:
            later = bool(
                db.execute(
                    "SELECT EXISTS (SELECT 1 FROM tail WHERE at >= ? AND at < ?)",
                    (moment, (today + 1) * DAY_MICROSECONDS),
                ).fetchone()[0]
            )
        end = today + 1 if exact and not later else today
        asked = {a.key: canonical(a).key for a in query.addresses if a.key}
        author = canonical(query.author).key if query.author and query.author.key else ""
        wanted = list({*asked.values(), *((author,) if author else ())})
        numbers = addresses.find(db, wanted)
        scope = numbers[author][0] if author in numbers else -1
        targets = [numbers[k][0] for k in set(asked.values()) if k in numbers]
        domains = addresses.find_domains(db, list(dict.fromkeys(query.domains)))
        domain_targets = [*domains.values(), *((0,) if scope > 0 else ())]
        by_address = self._all("address", scope, targets, end, today, floor)
        by_domain = self._all("domain", scope, domain_targets, end, today, floor)
        totals = {what: upto or 0 for what, upto in db.execute(_TOTALS, (end,)).fetchall()}
        if later:
            self._until(moment, today, scope, by_address, by_domain, set(targets), set(domain_targets), totals)
        of_address = _histories(by_address, scope)
        of_domain = _histories(by_domain, scope)
        own = by_domain.get((scope, 0, _SENT)) if scope > 0 else None
        return Facts(
            as_of=query.as_of,
            totals=Totals(own.n if own else 0, totals[SENT_TOTAL], totals[NEW_ADDRESSES], totals[NEW_DOMAINS]),
            addresses={
                key: of_address[number[0]]
                for key, name in asked.items()
                if (number := numbers.get(name)) and number[0] in of_address
            },
            domains={name: of_domain[number] for name, number in domains.items() if number in of_domain},
        )

    def _all(self, table: str, scope: int, targets: Sequence[int], end: int, today: int, floor: int) -> _Sums:
        """Return the sums of all targets over days before `end`, using what is remembered of popular ones."""
        found: _Sums = {}
        lately = today - RECENT_DAYS
        plain = []
        popular: list[tuple[int, int]] = []
        for target in targets:
            remembered = [(s, self._sums.get((table, s, target))) for s in (0, scope)]
            if not any(r and r[0] <= min(lately, end) for _, r in remembered):
                plain.append(target)
                continue
            for s, r in remembered:
                start, sums = r if r and r[0] <= min(lately, end) else (_FIRST_DAY, {})
                popular += self._range(found, table, s, s, [target], start, end, lately)
                for kind, past in sums.items():
                    key = (s, target, kind)
                    found[key] = past.plus(found[key]) if key in found else past
        popular += self._range(found, table, 0, scope, plain, _FIRST_DAY, end, lately)
        for s, target in popular:
            self._remember(table, s, target, min(lately, floor))
        return found

    def _range(
        self, found: _Sums, table: str, low: int, scope: int, targets: Sequence[int], start: int, end: int, lately: int
    ) -> list[tuple[int, int]]:
        """Add sums over [start, end) to `found`; return each (scope, target) that took many rows."""
        if not targets:
            return []
        few = len(targets) if len(targets) <= MANY else 0
        bound = tuple(targets) if few else (json.dumps(targets),)
        sql = _STATEMENTS[table, few]
        if low == scope:  # one scope alone
            sql = sql.replace("scope IN (0, ?)", "scope = ?")
        popular = []
        for target, s, kind, n, recent, first, last, rows in self._db.execute(sql, (lately, scope, *bound, start, end)):
            found[s, target, kind] = Sum(n, recent, first, last)
            if rows >= POPULAR_ROWS:
                popular.append((s, target))
        return popular

    def _remember(self, table: str, scope: int, target: int, until: int) -> None:
        """Remember a popular target's sums over all days before `until`."""
        if len(self._sums) >= REMEMBERED:
            self._sums.pop(next(iter(self._sums)))
        past: _Sums = {}
        self._range(past, table, scope, scope, [target], _FIRST_DAY, until, _LAST_DAY)
        self._sums[table, scope, target] = (until, {kind: s for (_, _, kind), s in past.items()})

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
        for what, table, key in ((NEW_ADDRESSES, "address", "other"), (NEW_DOMAINS, "domain", "a.domain")):
            sql = _LATER_FIRSTS.format(key=key, t=table)
            (first_later,) = self._db.execute(sql, (moment, midnight, today, today)).fetchone()
            totals[what] = (whole[what] or 0) - first_later


def _histories(sums: _Sums, scope: int) -> dict[int, History]:
    """Return what is known by target."""
    kinds: dict[tuple[int, int], dict[int, Sum]] = {}
    for (s, target, kind), found in sums.items():
        kinds.setdefault((s, target), {})[kind] = found
    histories = {}
    for target in {t for _, t in kinds}:
        mine, all_of_us = kinds.get((scope, target)), kinds.get((0, target))
        histories[target] = History(
            author=counts_from(mine) if mine else NOTHING, organisation=counts_from(all_of_us) if all_of_us else NOTHING
        )
    return histories


def counts_from(kinds: Mapping[int, Sum]) -> Counts:
    """Return `Counts` from sums by kind."""
    fields: dict[str, int] = {_FIELDS[kind]: found.n for kind, found in kinds.items()}
    sent = kinds.get(_SENT)
    return Counts(
        **fields,  # type: ignore[arg-type]  # the names of EventKind are the names of the fields
        sent_90d=sent.lately if sent else 0,
        first_day=_day(min(s.first for s in kinds.values())),
        last_day=_day(max(s.last for s in kinds.values())),
    )


def _day(number: int) -> date:
    return EPOCH.date() + timedelta(days=number)


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
