"""The recorder behind its socket: clients that wait, break off, come again, or talk nonsense."""

import asyncio
import socket
import time
from contextlib import asynccontextmanager

import pytest

from nixie.service import recorder as recorder_module
from nixie.service.recorder import Hooks, Recorder, RecorderError, serve
from nixie.service.recorder_client import RecorderClient, RecorderRefusedError, RecorderUnavailableError, ask_once
from nixie.store.keys import create_keys, load_keys
from support.recording import act, plain, settings_of


@pytest.fixture
def home(tmp_path):
    create_keys(tmp_path / "keys")
    return tmp_path


@pytest.fixture
def keys(home):
    return load_keys(home / "keys")


@asynccontextmanager
async def serving(home, keys, hooks=None, **more):
    stop = asyncio.Event()
    task = asyncio.create_task(serve(settings_of(home, **more), keys, hooks or Hooks(), stop))
    client = RecorderClient(home / "r.sock", deadline=3.0)
    try:
        yield client
    finally:
        await client.close()
        stop.set()
        await task


def test_clients_are_answered_each_their_own(home, keys):
    async def main():
        async with serving(home, keys) as client:
            return await asyncio.gather(*(client.ask(plain(f"m{n}@x"), b"{}") for n in range(200)))

    answers = asyncio.run(main())

    assert sorted(a["seq"] for a in answers) == list(range(1, 201))


def test_what_waits_together_shares_a_commit(home, keys, monkeypatch):
    groups = []
    commit = Recorder.commit
    monkeypatch.setattr(Recorder, "commit", lambda self, group: groups.append(len(group)) or commit(self, group))

    async def main():
        async with serving(home, keys) as client:
            await client.ask({"do": "ping"})
            await asyncio.gather(*(client.ask(plain(f"m{n}@x"), b"{}") for n in range(100)))

    asyncio.run(main())

    assert len(groups) < 20


def test_a_commit_waits_for_company_that_is_on_its_way(home, keys, monkeypatch):
    groups = []
    commit = Recorder.commit
    monkeypatch.setattr(Recorder, "commit", lambda self, group: groups.append(len(group)) or commit(self, group))
    monkeypatch.setattr(recorder_module, "COMPANY_SECONDS", 30.0)

    async def main():
        async with serving(home, keys) as client:
            async with asyncio.timeout(2.5):  # all ten have come: nobody waits for the time to pass
                asked = []
                for n in range(10):
                    asked.append(asyncio.create_task(client.ask({**plain(f"m{n}@x"), "company": 10}, b"{}")))
                    await asyncio.sleep(0.01)
                await asyncio.gather(*asked)
            together = [size for size in groups if size]
            await client.ask(plain("alone@x"), b"{}")
            return together

    assert asyncio.run(main()) == [10]


def test_a_commit_waits_no_longer_than_company_may_take(home, keys):
    async def main():
        async with serving(home, keys) as client:
            began = time.monotonic()
            await client.ask({**plain("m@x"), "company": 500}, b"{}")
            return time.monotonic() - began

    assert asyncio.run(main()) < 2.0


def test_a_refusal_is_an_error_with_its_code(home, keys):
    async def main():
        async with serving(home, keys) as client:
            with pytest.raises(RecorderRefusedError) as refused:
                await client.ask(act("HNOTHERE", "cancel"))
            return refused.value.code

    assert asyncio.run(main()) == "unknown"


def test_nobody_there_is_unavailable_within_the_deadline(tmp_path):
    client = RecorderClient(tmp_path / "none.sock", deadline=0.2)
    start = time.monotonic()
    with pytest.raises(RecorderUnavailableError):
        asyncio.run(client.ask({"do": "ping"}))
    with pytest.raises(RecorderUnavailableError, match="nixie serve"):
        ask_once(tmp_path / "none.sock", {"do": "ping"}, deadline=0.2)

    assert time.monotonic() - start < 2


def test_a_recorder_that_does_not_answer_is_unavailable(tmp_path):
    """The socket listens, nobody accepts."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "r.sock"))
        silent.listen()

        async def main():
            client = RecorderClient(tmp_path / "r.sock", deadline=0.2)
            with pytest.raises(RecorderUnavailableError):
                await client.ask({"do": "ping"})
            await client.close()

        asyncio.run(main())


def test_the_client_finds_a_recorder_that_was_started_again(home, keys):
    async def main():
        async with serving(home, keys) as client:
            await client.ask(plain("m1@x"), b"{}")
        async with serving(home, keys):
            answer = await client.ask(plain("m2@x"), b"{}")
            await client.close()
            return answer["seq"]

    assert asyncio.run(main()) == 2


def test_a_stranger_who_sends_rubbish_is_cut_off_and_hurts_nobody(home, keys):
    async def main():
        async with serving(home, keys) as client:
            await client.ask({"do": "ping"})
            reader, writer = await asyncio.open_unix_connection(home / "r.sock")
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            assert await reader.read() == b""
            writer.close()
            return await client.ask(plain("m1@x"), b"{}")

    assert asyncio.run(main())["seq"] == 1


def test_a_second_recorder_is_refused(home, keys):
    async def main():
        async with serving(home, keys) as client:
            await client.ask({"do": "ping"})
            with pytest.raises(RecorderError, match="another recorder"):
                await serve(settings_of(home), keys, Hooks(), asyncio.Event())
            return await client.ask({"do": "ping"})

    assert asyncio.run(main())["seq"] == 0


def test_the_nights_work_runs_beside_the_traffic(home, keys, monkeypatch):
    began = []

    async def night(database):
        began.append(database)
        await asyncio.sleep(60)

    monkeypatch.setattr(Recorder, "chores", lambda _: True)

    async def main():
        async with serving(home, keys, Hooks(night=night), chores_seconds=0.02) as client:
            await client.ask({"do": "ping"})
            await asyncio.sleep(0.2)
            return await client.ask(plain("m1@x"), b"{}")

    assert asyncio.run(main())["seq"] == 1
    assert began == [home / "nixie.db"]


def test_one_turn_takes_a_bounded_group(home, keys, monkeypatch):
    monkeypatch.setattr(recorder_module, "GROUP", 3)

    async def main():
        async with serving(home, keys) as client:
            return await asyncio.gather(*(client.ask(plain(f"m{n}@x"), b"{}") for n in range(10)))

    assert len(asyncio.run(main())) == 10
