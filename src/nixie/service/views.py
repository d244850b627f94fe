"""One held copy as a person sees it, the same on the page, in the letter and at the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nixie.render.evidence import Reader
from nixie.render.hold import choices_of, outcome_of, reasons_of, suggestions_of
from nixie.service.desk import CopyView, Suggestion
from nixie.service.records import verdict_of
from nixie.store.hold_states import State

if TYPE_CHECKING:
    from nixie.store.hold_views import Hold, HoldStory


def copy_view(story: HoldStory, reader: Reader = Reader.AUTHOR) -> CopyView:
    """Return one held copy as the reader sees it."""
    hold = story.hold
    verdict = verdict_of(story.verdict or {}, story.addresses)
    number = held_number(hold, story.addresses, story.verdict)
    return CopyView(
        hold=hold.id,
        recipient=hold.recipient,
        state=str(hold.state),
        open=hold.state is State.WAITING,
        reasons=reasons_of(verdict, number, reader),
        suggestions=tuple(Suggestion(address, p) for address, p in suggestions_of(verdict, number)),
        choices=choices_of(hold.disposition, hold.choices),
        outcome=outcome_of(str(hold.state), hold.corrected),
        blind=hold.blind,
    )


def held_number(hold: Hold, addresses: tuple[str, ...], body: Any) -> int:
    """Return the recipient's number in the envelope of the decision that held it; -1 when it cannot be told."""
    to = body.get("to", ()) if isinstance(body, dict) else ()
    return next((n for n, i in enumerate(to) if 0 <= i < len(addresses) and addresses[i] == hold.recipient), -1)
