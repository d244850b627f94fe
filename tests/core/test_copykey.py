"""The key of a copy: the same for a retry, different for everything else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nixie.core.address import Address
from nixie.core.copykey import copy_key, message_key
from nixie.core.message import Message

TEXT = st.text(max_size=20)
ADDRESS = st.builds(
    Address, st.text(alphabet="abcAB.+", min_size=1, max_size=8), st.sampled_from(["a.example", "b.example"])
)


@settings(deadline=None)
@given(ADDRESS, TEXT, st.binary(max_size=32), ADDRESS)
def test_a_retry_in_other_letters_has_the_same_key(sender: Address, message_id: str, body: bytes, to: Address) -> None:
    again = copy_key(
        Address(sender.local.upper(), sender.domain), message_id, body, Address(to.local.lower(), to.domain)
    )

    assert copy_key(sender, message_id, body, to) == again
    assert len(again) == 16


@settings(deadline=None)
@given(st.tuples(ADDRESS, TEXT, ADDRESS), st.tuples(ADDRESS, TEXT, ADDRESS))
def test_another_sender_id_or_recipient_is_another_copy(
    one: tuple[Address, str, Address], other: tuple[Address, str, Address]
) -> None:
    keys = [copy_key(sender, message_id, b"", to) for sender, message_id, to in (one, other)]
    same = [(sender.key, message_id, to.key) for sender, message_id, to in (one, other)]

    assert (keys[0] == keys[1]) is (same[0] == same[1])


@settings(deadline=None)
@given(ADDRESS, st.binary(max_size=32), st.binary(max_size=32), ADDRESS)
def test_the_body_counts_only_without_a_message_id(sender: Address, body: bytes, body2: bytes, to: Address) -> None:
    assert copy_key(sender, "x@y", body, to) == copy_key(sender, "x@y", body2, to)
    assert (copy_key(sender, "", body, to) == copy_key(sender, "", body2, to)) is (body == body2)


def test_a_digest_is_never_taken_for_a_message_id() -> None:
    sender = Address("a", "a.example")

    assert copy_key(sender, "same", b"", sender) != copy_key(sender, "", b"same", sender)


def test_all_transactions_of_one_message_share_its_key() -> None:
    first = Message(message_id="1@a.example", body_digest=b"1")
    second = Message(message_id="1@a.example", body_digest=b"2")
    sender = Address("a", "a.example")

    assert message_key(sender, first) == message_key(Address("A", "a.example"), second)
    assert message_key(sender, first) != message_key(sender, Message(body_digest=b"1"))


def test_keys_are_stored_and_must_never_change() -> None:
    key = copy_key(Address("ann", "ministry.example"), "1@ministry.example", b"", Address("ops", "army.example"))

    assert key.hex() == "d49a98cf9f162226b9a6fbe81a9b8bdb"
