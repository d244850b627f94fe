"""The slips of a circle: somebody stands among the recipients who was not meant, and nothing in the address shows it.

Whoever is picked by mistake is taken from the author's book: half of the time anybody in it, half of the time one who is written
to often (a completer offers these first). What tells such a copy apart is the context alone (`core.context`): the others are
written to with somebody else, the thread never had this address, the words belong to another.

* `member_replaced`  another one who is usually there was meant
* `member_added`     nobody was: the address is one too many
* `new_contact`      the same, for an address that the author never wrote to, but that colleagues have to do with
* `stranger`         the same, for an address that nobody of ours ever had to do with
* `thread_outsider`  the same, in a reply to a thread in which neither the address nor its domain ever was
* `wrong_before`     the same, for an address that was found wrong earlier in this thread
"""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = (
    "Published studies of sent mail name a wrong person more often than a typing error (Carvalho and Cohen 2007; Zilberman"
    " et al. 2013); the division among these kinds is fitted on public mail (bench/misdirection/fit.py)"
)


@dataclass(frozen=True, slots=True)
class CircleKind:
    """One way in which a circle goes wrong: its word, its share of all slips, and a clause that says what is odd."""

    KIND: str
    SHARE: float
    WHAT: str
    PART: str = "circle"
    SOURCE: str = SOURCE


REPLACED = CircleKind("member_replaced", 0.10, "somebody else is usually written to together with the others")
ADDED = CircleKind("member_added", 0.03, "this address does not fit the rest of the message")
NEW_CONTACT = CircleKind("new_contact", 0.03, "the author never wrote to this address")
STRANGER = CircleKind("stranger", 0.06, "nobody in the organisation ever had to do with this address")
OUTSIDER = CircleKind("thread_outsider", 0.06, "nobody of this domain was in the thread that is answered")
WRONG_BEFORE = CircleKind("wrong_before", 0.02, "this address was found wrong earlier in this thread")

CIRCLE_SLIPS = (REPLACED, ADDED, NEW_CONTACT, STRANGER, OUTSIDER, WRONG_BEFORE)

ANYBODY = 0.5
"""How often a wrong pick falls on anybody in the book alike."""


def pick(mails: int, author_mails: int, contacts: int) -> float:
    """Return the chance that a wrong pick from the author's book is exactly an address that got so many of the mails."""
    return ANYBODY / max(1, contacts) + (1.0 - ANYBODY) * mails / max(1, author_mails, mails)
