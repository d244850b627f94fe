"""Both doors, one judgement: the same mail by milter and by SMTP gets the same verdicts, and no byte is lost at either."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from nixie.service.milter_client import MilterClient
from nixie.service.places import Places
from nixie.store.db import open_reader
from nixie.store.ledger import Kind, rows_after
from nixie.store.mailing_queue import waiting
from nixie.wire.milter import events as ev
from nixie.wire.milter.replies import Continue
from support.corpus import KNOWN, PARTNER, Case, corpus
from support.guard import Guard, write_mbox
from support.smtp_client import Dialogue
from support.world_sink import World

pytestmark = pytest.mark.system

DATA = Path(os.environ.get("NIXIE_DATA", Path(__file__).parents[3] / "shared" / "data"))
LANES = 6


async def by_milter(client: MilterClient, case: Case) -> str:
    """Hand a message to the milter door and return the name of its verdict."""
    macros = [(b"auth_authen", case.login.encode())] if case.login else []
    paths = [f"<{r}>".encode() for r in case.recipients]
    replies = await client.message(f"<{case.sender}>".encode(), paths, case.content, macros=macros)
    await client.say(ev.Abort())
    return type(replies[-1]).__name__


async def by_smtp(client: Dialogue, case: Case) -> int:
    """Hand a message to the SMTP door and return its last reply's code."""
    login = f" AUTH={case.login}" if case.login else ""
    stuffed = case.content.replace(b"\r\n.", b"\r\n..")
    text = (b"." if stuffed.startswith(b".") else b"") + stuffed
    if not text.endswith(b"\r\n"):
        text += b"\r\n"
    await client.say(f"MAIL FROM:<{case.sender}>{login}", *(f"RCPT TO:<{r}>" for r in case.recipients), "DATA")
    client.raw(text + b".\r\n")
    return (await client.hear(60)).code


def decisions(guard: Guard) -> list[dict[str, Any]]:
    """Return what the ledger says of each decision, without what names the door and the moment."""
    db = open_reader(Places(guard.home / "var").database)
    rows = [row for row in rows_after(db, 0, 10_000) if row.kind is Kind.DECISION]
    db.close()
    told = []
    for row in rows:
        assert isinstance(row.body, dict)
        body = {name: value for name, value in row.body.items() if name not in ("door", "queue")}
        told.append({**body, "addresses": row.addresses})
    return told


async def folded(guard: Guard) -> None:
    """Wait until what the last mail taught is what the next one is judged by: its circle is folded a moment after its answer."""
    db = open_reader(Places(guard.home / "var").database)
    while waiting(db):  # noqa: ASYNC110 - the fold is another process's
        await asyncio.sleep(0.02)
    db.close()


def test_the_same_corpus_gets_the_same_verdicts_at_both_doors(tmp_path: Path) -> None:
    """Each door has a guard of its own, begun from one home. The first round teaches both all that the second one mentions."""
    first = Guard(tmp_path / "milter", partners=(PARTNER,), milter="tcp")
    first.learn(write_mbox(tmp_path / "past.mbox", "ann@army.mil", KNOWN, 25))
    second = Guard(tmp_path / "smtp", partners=(PARTNER,), milter="tcp").make()
    shutil.rmtree(second.home / "var")
    shutil.copytree(first.home / "var", second.home / "var")

    async def milter(cases: list[Case]) -> None:
        client = await MilterClient.open(first.milter_address)
        await client.greet()
        for case in cases:
            await by_milter(client, case)
            await folded(first)
        await client.close()

    async def smtp(cases: list[Case]) -> None:
        async with Dialogue(second.smtp_port) as client:
            await client.say("EHLO localhost")
            for case in cases:
                assert (case.name, await by_smtp(client, case)) == (case.name, 250)
                await folded(second)

    async def both(cases: list[Case]) -> None:
        await asyncio.gather(milter(cases), smtp(cases))

    cases = corpus()
    with first, second:
        asyncio.run(both(cases + corpus(2)))
    told, other = (decisions(guard)[len(cases) :] for guard in (first, second))
    assert len(told) == len(cases)
    for case, a, b in zip(cases, told, other, strict=True):
        assert (case.name, a) == (case.name, b)
    held = sum(bool(t["verdict"].get("copies")) for t in told)
    assert 15 <= held < len(cases)  # the corpus says something


def raw_messages() -> Iterator[tuple[str, bytes]]:
    """Yield every file of the public raw mail sets, by name, with CRLF line ends."""
    files = sorted(DATA.glob("raw_eml_*.tar.zst"))
    if not files:
        pytest.skip(f"{DATA}: no raw_eml_*.tar.zst there (set NIXIE_DATA)")
    for path in files:
        plain = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            for member in tar:
                if member.isfile() and (file := tar.extractfile(member)) is not None:
                    yield f"{path.name}:{member.name}", _crlf(file.read())


def _crlf(raw: bytes) -> bytes:
    text = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def test_every_raw_message_passes_both_doors_without_loss(tmp_path: Path) -> None:
    """Judged as mail of ours to one stranger; a bare CR is refused at the SMTP door, and then the client still has the mail."""
    cases = [
        Case(name, "ann@army.mil", (f"r{number}@somewhere.example",), content, "ann@army.mil")
        for number, (name, content) in enumerate(raw_messages())
    ]
    verdicts: Counter[str] = Counter()
    codes: dict[str, int] = {}

    async def milter(guard: Guard, lane: list[Case]) -> None:
        client = await MilterClient.open(guard.milter_address)
        await client.greet()
        for case in lane:
            verdicts[await by_milter(client, case)] += 1
        await client.close()

    async def smtp(guard: Guard, lane: list[Case]) -> None:
        waiting = lane[::-1]
        while waiting:
            async with Dialogue(guard.smtp_port) as client:
                await client.say("EHLO localhost")
                code = 250
                while waiting and code != 550:  # the door ends the session after a bare CR
                    case = waiting.pop()
                    codes[case.recipients[0]] = code = await by_smtp(client, case)

    async def everything(guard: Guard) -> None:
        lanes = [cases[n::LANES] for n in range(LANES)]
        await asyncio.gather(*(milter(guard, lane) for lane in lanes))
        await asyncio.gather(*(smtp(guard, lane) for lane in lanes))

    with World() as world:
        settings = {"next_hop": {"address": f"127.0.0.1:{world.port}"}, "workers": {"count": 2}}
        with Guard(tmp_path / "g", settings=settings, milter="tcp") as guard:
            asyncio.run(everything(guard))
            arrived = {a.recipients[0]: a.content for a in world.arrived()}
            recorded = decisions(guard)

    assert verdicts == {Continue.__name__: len(cases)}
    for case in cases:
        if codes[case.recipients[0]] == 250:
            assert arrived[case.recipients[0]] == case.content, case.name
        else:
            assert b"\r" in case.content.replace(b"\r\n", b""), case.name
    assert len(arrived) == len([code for code in codes.values() if code == 250])
    assert len(recorded) >= len(cases)
