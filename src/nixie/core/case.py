"""Everything one decision looks at, as one frozen value: what came, who sent it, and what is known as of the moment.

A `Case` is all that a check may see. It holds no door, no store and no clock, so the same case gives the same findings
in the gateway, in `nixie check`, in a replay and in a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nixie.core.facts import NO_SURROUNDINGS
from nixie.core.reading import NOT_READ
from nixie.core.scales import UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixie.core.address import Address
    from nixie.core.direction import Origin
    from nixie.core.envelope import Envelope
    from nixie.core.facts import Facts, Surroundings
    from nixie.core.message import Message
    from nixie.core.organisation import Organisation
    from nixie.core.people import Suspect
    from nixie.core.reading import Reading
    from nixie.core.scales import Scales
    from nixie.core.verdict import Reached


@dataclass(frozen=True, slots=True)
class Case:
    """One message to be judged.

    `circle` is everybody whom the message shows or reaches (envelope, To and Cc together, each address once by key): a
    message that a mail server splits into five transactions has one circle. `proposals` maps a written domain to the
    domains that may have been meant. `settings` maps a check's id to its options from nixie.toml.
    `outside` are those of the circle whose copies leave the house, `around` is what knowledge says about the circle, `reading`
    what the message's words say about whom it is for, `suspects` whom the author's book offers instead.
    `reached` says how each envelope recipient was reached, in the envelope's order; `()` when nobody looked at the header.
    `scales` are the accepted factors of the slip kinds, `asked_from` the least probability about which the budget lets a rule ask
    this author (0.0: any).
    """

    message: Message
    envelope: Envelope
    origin: Origin
    organisation: Organisation
    circle: tuple[Address, ...]
    proposals: Mapping[str, tuple[str, ...]] = field(repr=False)
    facts: Facts = field(repr=False)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reached: tuple[Reached, ...] = ()
    outside: tuple[Address, ...] = ()
    around: Surroundings = field(default=NO_SURROUNDINGS, repr=False)
    reading: Reading = field(default=NOT_READ, repr=False)
    suspects: tuple[Suspect, ...] = field(default=(), repr=False)
    scales: Scales = UNCHANGED
    asked_from: float = 0.0
