"""Words about one held copy: why it is held, who may have been meant, what may be done, what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core.verdict import Choice, Disposition
from nixie.render.evidence import Reader, reasons, suggestions
from nixie.render.plain import address_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nixie.core.verdict import Verdict

_OUTCOMES = {
    "provisional": "It is being taken over from the mail server.",
    "waiting": "It waits for an answer.",
    "releasing": "It was released and is on its way.",
    "released": "It was sent to the address as it was written; the next mail server took it.",
    "correcting": "It is checked once more and then goes to {corrected}.",
    "corrected": "It was sent to {corrected} instead; the next mail server took it.",
    "cancelled": "It was cancelled and not sent.",
    "returning": "It comes back to its author, unsent.",
    "returned": "It came back to its author, unsent.",
    "void": "It was never held: the mail server that sent it kept it.",
}
"""Each state of a hold in a sentence."""
_NO_REASON = "A rule of your organisation holds it."


def reasons_of(verdict: Verdict, number: int, reader: Reader = Reader.AUTHOR) -> tuple[str, ...]:
    """Return why the copy with this number is held, as finished sentences; a general one when the record is gone."""
    found = reasons(verdict, number, reader) if 0 <= number < len(verdict.copies) else ()
    return found or (_NO_REASON,)


def suggestions_of(verdict: Verdict, number: int) -> tuple[tuple[str, float], ...]:
    """Return the addresses that may have been meant, each with its probability, the best first."""
    if not 0 <= number < len(verdict.copies):
        return ()
    return tuple((candidate.address, candidate.probability) for candidate in suggestions(verdict, number))


def choices_of(disposition: str, choices: Iterable[str]) -> tuple[Choice, ...]:
    """Return what the author may do; where a reviewer decides, sending is not among it. Unknown words are left out."""
    offered = set(choices)
    if disposition == Disposition.HOLD_REVIEWER:
        offered.discard(Choice.SEND)
    return tuple(choice for choice in Choice if choice in offered)


def outcome_of(state: str, corrected: str = "") -> str:
    """Return what became of a held copy in one sentence; `corrected` is the address that was meant, where one was given."""
    words = _OUTCOMES.get(state, "Its state is {state}.")
    return words.format(corrected=address_words(corrected) or "the corrected address", state=state)
