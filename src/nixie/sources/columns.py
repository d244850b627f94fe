"""Events on their way to the store, in columns: a log of millions of lines is a few arrays, never a list of objects.

Readers append; `service.learning` hands the columns to the store and empties them. Addresses stand once in `keys` and
rows refer to their place; place 0 is nobody. When `keys` has grown past its bound the columns begin anew, so memory does
not depend on the size of a source.
"""

from __future__ import annotations

from array import array
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixie.core.events import Answer, Event
    from nixie.core.mailing import Mailing

MAX_KEYS = 150_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Columns:
    """Five columns of one length (event key, microseconds since 1970, kind, places of ours and other), answers and mailings.

    A log shows mailings a recipient at a time: five columns of another length (mailing key, microseconds, places of sender and
    recipient, who is ours: 1 the sender, 2 the recipient), in which the rows of one mail stand in any order. `mailings` are those of mails that were seen whole.
    """

    __slots__ = (
        "answers", "at", "generation", "key", "keys", "kind", "mail", "mail_at", "mail_from", "mail_ours", "mail_to", "mailings",
        "other", "ours", "places",
    )  # fmt: skip

    def __init__(self) -> None:
        self.generation = 0
        self._begin()

    def _begin(self) -> None:
        self.keys: list[str] = [""]
        self.places: dict[str, int] = {"": 0}
        self._rows()

    def _rows(self) -> None:
        self.answers: list[Answer] = []
        self.mailings: list[Mailing] = []
        self.key = array("q")
        self.at = array("q")
        self.kind = array("q")
        self.ours = array("q")
        self.other = array("q")
        self.mail = array("q")
        self.mail_at = array("q")
        self.mail_from = array("q")
        self.mail_to = array("q")
        self.mail_ours = array("q")

    @property
    def size(self) -> int:
        """Return how much has gathered, in events and what costs as much to store."""
        return max(len(self.key), len(self.mail)) + len(self.answers) + len(self.mailings)

    def __len__(self) -> int:
        return len(self.key)

    def place(self, key: str) -> int:
        """Return the place of an address key."""
        found = self.places.get(key)
        if found is None:
            found = self.places[key] = len(self.keys)
            self.keys.append(key)
        return found

    def add(self, event: Event) -> None:
        """Append one event."""
        self.key.append(event.key)
        self.at.append((event.at - _EPOCH) // _MICROSECOND)
        self.kind.append(event.kind)
        self.ours.append(self.place(event.ours.key))
        self.other.append(self.place(event.other.key))

    def empty(self) -> None:
        """Drop the rows, which are stored; begin anew (a new `generation`) when too many addresses have gathered."""
        if len(self.keys) > MAX_KEYS:
            self.generation += 1
            self._begin()
        else:
            self._rows()
