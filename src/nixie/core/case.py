"""Everything one decision looks at, as one frozen value: what came, who sent it, and what is known as of the moment.

A `Case` is all that a check may see. It holds no door, no store and no clock, so the same case gives the same findings
in the gateway, in `nixie check`, in a replay and in a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixie.core.address import Address
    from nixie.core.direction import Origin
    from nixie.core.envelope import Envelope
    from nixie.core.facts import Facts
    from nixie.core.message import Message
    from nixie.core.organisation import Organisation


@dataclass(frozen=True, slots=True)
class Case:
    """One message to be judged.

    `circle` is everybody whom the message shows or reaches (envelope, To and Cc together, each address once by key): a
    message that a mail server splits into five transactions has one circle. `proposals` maps a written domain to the
    domains that may have been meant. `settings` maps a check's id to its options from nixie.toml.
    """

    message: Message
    envelope: Envelope
    origin: Origin
    organisation: Organisation
    circle: tuple[Address, ...]
    proposals: Mapping[str, tuple[str, ...]] = field(repr=False)
    facts: Facts = field(repr=False)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
