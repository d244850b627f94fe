"""A copy whose hold exists: a client that tries again gets the recorded answer, a released copy on its way goes on."""

from __future__ import annotations

import pytest

from nixie.service.answering import Arrival, known_answer
from nixie.store.hold_states import State
from nixie.store.hold_views import Existing

RETRY = Arrival("client.army.mil", 1)
BACK_BY_NAME = Arrival("habcdef.release.army.mil", 1)
BACK_BY_TRACE = Arrival("relay.army.mil", 2)


@pytest.mark.parametrize(
    ("state", "arrival", "goes_on"),
    [
        (State.WAITING, RETRY, False),
        (State.WAITING, BACK_BY_NAME, False),
        (State.WAITING, BACK_BY_TRACE, False),
        (State.RELEASING, RETRY, False),
        (State.RELEASING, BACK_BY_NAME, True),
        (State.RELEASED, RETRY, False),
        (State.RELEASED, BACK_BY_NAME, True),
        (State.RELEASED, BACK_BY_TRACE, True),
        (State.CORRECTED, BACK_BY_TRACE, False),
        (State.CANCELLED, RETRY, False),
        (State.RETURNED, BACK_BY_NAME, False),
    ],
)
def test_only_a_released_copy_that_shows_where_it_comes_from_goes_on(
    state: State, arrival: Arrival, goes_on: bool
) -> None:
    answer = known_answer([Existing("HABCDEF", state, received=1)], arrival)

    assert (answer.held == ()) is goes_on


def test_the_name_of_another_hold_opens_nothing() -> None:
    answer = known_answer([Existing("HABCDEF", State.RELEASED, received=1)], Arrival("hxyz.release.army.mil", 1))

    assert answer.held == (0,)
