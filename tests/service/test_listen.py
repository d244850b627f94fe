"""Listening sockets: addresses as the configuration writes them, and one connection a wake-up."""

from __future__ import annotations

import asyncio
import socket
import stat

import pytest

from nixie.service.listen import ListenError, accept_one, name_of, open_listener


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0"])
def test_a_tcp_listener_says_its_real_port(address: str) -> None:
    listener = open_listener(address)
    try:
        host, _, port = name_of(listener).rpartition(":")

        assert host == address.rpartition(":")[0]
        assert int(port) > 0
    finally:
        listener.close()


def test_a_unix_listener_takes_the_place_of_a_dead_one_and_is_closed_to_others(tmp_path) -> None:
    path = tmp_path / "milter.sock"
    open_listener(f"unix:{path}").close()
    listener = open_listener(f"unix:{path}")
    try:
        assert name_of(listener) == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
    finally:
        listener.close()


def test_an_address_in_use_is_named_with_a_remedy() -> None:
    first = open_listener("127.0.0.1:0")
    try:
        with pytest.raises(ListenError, match="stop what listens there") as error:
            open_listener(name_of(first))
        assert name_of(first) in str(error.value)
    finally:
        first.close()


def test_a_burst_is_taken_one_by_one_until_the_taker_stops() -> None:
    """What a stopped taker leaves stays in the backlog, where another worker on the same socket finds it."""

    class Greeter(asyncio.Protocol):
        def __init__(self, name: bytes) -> None:
            self.name = name

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(self.name)

    async def burst() -> None:
        listener = open_listener("127.0.0.1:0")
        stop = accept_one(listener, lambda: Greeter(b"1"))
        host, _, port = name_of(listener).rpartition(":")
        clients = [await asyncio.open_connection(host, int(port)) for _ in range(20)]
        heard = [await asyncio.wait_for(reader.read(1), 5) for reader, _ in clients]
        stop()
        late = await asyncio.open_connection(host, int(port))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(late[0].read(1), 0.1)
        clients.append(late)
        for _, writer in clients:
            writer.close()
        listener.close()

        assert heard == [b"1"] * 20

    asyncio.run(burst())


def test_a_listener_is_not_inherited_unless_it_is_passed_on() -> None:
    listener = open_listener("127.0.0.1:0")
    try:
        assert not listener.get_inheritable()
        assert listener.family == socket.AF_INET
    finally:
        listener.close()
