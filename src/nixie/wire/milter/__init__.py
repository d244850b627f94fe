"""The milter protocol, versions 2 to 6, both sides, without any input or output.

`FilterSession` is the filter: feed it bytes, act on what `step` returns, send what `outgoing` and `answer` give.
`MtaSession` is the mail server. Below them: `commands` and `answers` (values <-> packets), `framing` (packets <-> bytes),
`law` (what may follow what), `negotiation`, and `draft` (a message while it arrives).
"""

from nixie.wire.milter.answers import ReplyDecoder, pack_reply
from nixie.wire.milter.commands import EventDecoder, pack_event
from nixie.wire.milter.constants import Action, Letter, Stage, Step
from nixie.wire.milter.draft import Draft, Limits, Sink, Trouble
from nixie.wire.milter.errors import LocalError, MilterError, ProtocolError
from nixie.wire.milter.law import State
from nixie.wire.milter.mta import MtaSession, split_message
from nixie.wire.milter.session import FilterSession, Happening, MessageReceived, SessionEnded

__all__ = [
    "Action",
    "Draft",
    "EventDecoder",
    "FilterSession",
    "Happening",
    "Letter",
    "Limits",
    "LocalError",
    "MessageReceived",
    "MilterError",
    "MtaSession",
    "ProtocolError",
    "ReplyDecoder",
    "SessionEnded",
    "Sink",
    "Stage",
    "State",
    "Step",
    "Trouble",
    "pack_event",
    "pack_reply",
    "split_message",
]
