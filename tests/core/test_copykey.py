"""The key of a copy: the same for a retry, different for everything else."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.address import Address
from nixie.core.copykey import copy_key, message_key, untraced
from nixie.core.message import Message

TEXT = st.text(max_size=20)
ADDRESS = st.builds(
    Address, st.text(alphabet="abcAB.+", min_size=1, max_size=8), st.sampled_from(["a.example", "b.example"])
)
MESSAGE = st.builds(Message, message_id=TEXT, body_digest=st.binary(max_size=4), subject=TEXT)
ANN = Address("ann", "ministry.example")
OPS = Address("ops", "army.example")


@settings(deadline=None)
@given(ADDRESS, MESSAGE, ADDRESS)
def test_a_retry_in_other_letters_has_the_same_key(sender: Address, message: Message, to: Address) -> None:
    again = copy_key(Address(sender.local.upper(), sender.domain), message, Address(to.local.lower(), to.domain))

    assert copy_key(sender, message, to) == again
    assert len(again) == 16


@settings(deadline=None)
@given(st.tuples(ADDRESS, MESSAGE, ADDRESS), st.tuples(ADDRESS, MESSAGE, ADDRESS))
def test_another_sender_content_or_recipient_is_another_copy(
    one: tuple[Address, Message, Address], other: tuple[Address, Message, Address]
) -> None:
    keys = [copy_key(sender, message, to) for sender, message, to in (one, other)]
    same = [(s.key, m.message_id, m.body_digest, m.subject, to.key) for s, m, to in (one, other)]

    assert (keys[0] == keys[1]) is (same[0] == same[1])


def test_a_message_id_that_is_used_again_does_not_stand_for_other_content() -> None:
    """Whoever writes the id chooses it: something harmless that was released must not carry a secret past."""
    harmless = Message(message_id="1@ministry.example", body_digest=b"1", subject="Lunch")

    assert copy_key(ANN, harmless, OPS) != copy_key(ANN, replace(harmless, body_digest=b"2"), OPS)
    assert copy_key(ANN, harmless, OPS) != copy_key(ANN, replace(harmless, subject="The plans"), OPS)


def test_without_an_id_the_header_counts_but_for_what_servers_add() -> None:
    first = b"Received: from a\r\n\tby b\r\nX-Alarm: 1\r\n\r\nbody"
    again = b"Received: from c\r\nReceived: from a\r\n\tby b\r\nX-Alarm: 1\r\n\r\nbody"
    other = b"X-Alarm: 2\r\n\r\nbody"

    assert untraced(first) == untraced(again) == b"X-Alarm: 1"
    assert copy_key(ANN, Message(), OPS, untraced(first)) != copy_key(ANN, Message(), OPS, untraced(other))


def test_all_transactions_of_one_message_share_its_key() -> None:
    first = Message(message_id="1@a.example", body_digest=b"1")
    second = Message(message_id="1@a.example", body_digest=b"2")
    sender = Address("a", "a.example")

    assert message_key(sender, first) == message_key(Address("A", "a.example"), second)
    assert message_key(sender, first) != message_key(sender, Message(body_digest=b"1"))


def test_keys_are_stored_and_must_never_change() -> None:
    key = copy_key(ANN, Message(message_id="1@ministry.example", body_digest=b"body", subject="Tides"), OPS)

    assert key.hex() == "899c6987cc70bf13573d8d2b86e271ee"
