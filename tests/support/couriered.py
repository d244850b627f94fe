"""A courier and a desk over an installation in one process, with a hop on a loopback port."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nixie.config.kinds import Hop
from nixie.service.courier import Courier
from nixie.service.letters import Letters
from nixie.service.store_desk import StoreDesk
from support.installed import NOW, Direct, Installation

if TYPE_CHECKING:
    from nixie.store.hold_views import Hold

START = int(NOW.timestamp() * 1000)
HOUR = 3_600_000


def couriered(house: Installation, port: int, **notice: Any) -> Courier:
    """Return a courier of this house that hands over to this port; `notice` are settings of notices."""
    settings = replace(
        house.settings,
        release=replace(house.settings.release, hop=Hop("127.0.0.1", port), tls="off"),
        notice=replace(house.settings.notice, **notice),
    )
    recorder: Any = Direct(house.recorder)
    letters = Letters(settings, house.reader, house.spool, house.keys.links)
    return Courier(settings, house.reader, recorder, house.spool, house.engine, letters)


def desk_of(house: Installation) -> StoreDesk:
    """Return the desk that the pages of this house ask."""
    recorder: Any = Direct(house.recorder)
    return StoreDesk(house.places, recorder, house.spool)


def rounds(house: Installation, courier: Courier, *hours: float) -> None:
    """Let the courier do what is due at each of these hours after the message came."""
    for hour in hours:
        house.run(courier.round(START + int(hour * HOUR)))


def only(house: Installation) -> Hold:
    """Return the one hold there is."""
    (hold,) = house.holds()
    return hold
