"""The Maildir as next hop: whole files, on disk before the reply, or a reply that says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nixie.service.maildir_hop import MaildirHop, deliver
from nixie.service.smtp_hop import HopLostError
from nixie.wire.smtp import Mail, Rcpt, Reply

if TYPE_CHECKING:
    from pathlib import Path


def send(hop: MaildirHop, *rcpts: bytes, text: bytes = b"x\r\n") -> Reply:
    async def run() -> Reply:
        await hop.open()
        replies = await hop.flight((Mail(b"<>"), *(Rcpt(path) for path in rcpts)), reset=True)
        assert [reply.code for reply in replies] == [250] * (len(rcpts) + 2)
        assert (await hop.data()).code == 354
        return await hop.text(text)

    return asyncio.run(run())


def test_a_message_is_one_file_with_trace_fields_above_its_bytes(tmp_path: Path) -> None:
    reply = send(MaildirHop(tmp_path / "box"), b"<a@y.example>", b"<b@y.example>", text=b"\xff\x00\r\n")
    (file,) = (tmp_path / "box" / "new").iterdir()

    assert reply == Reply(250, (b"2.0.0 Ok: in the outbox as " + file.name.encode(),))
    assert (
        file.read_bytes()
        == b"Return-Path: <>\r\nDelivered-To: a@y.example\r\nDelivered-To: b@y.example\r\n\xff\x00\r\n"
    )
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_reset_forgets_the_recipients(tmp_path: Path) -> None:
    hop = MaildirHop(tmp_path)
    asyncio.run(hop.open())
    asyncio.run(hop.flight([Mail(b"<a@x.example>"), Rcpt(b"<gone@y.example>")]))
    send(hop, b"<b@y.example>")
    (file,) = (tmp_path / "new").iterdir()

    assert b"gone@" not in file.read_bytes()


def test_a_folder_that_cannot_be_written_is_452(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(b"a file stands in the way")

    assert send(MaildirHop(tmp_path / "box"), b"<a@y.example>").code == 452


def test_nothing_is_left_of_a_message_that_did_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nixie.service.maildir_hop.os.fsync", fails)
    with pytest.raises(OSError, match="No space"):
        deliver(tmp_path, b"", b"x\r\n")

    assert list((tmp_path / "tmp").iterdir()) == list((tmp_path / "new").iterdir()) == []


def test_names_never_meet(tmp_path: Path) -> None:
    names = {deliver(tmp_path, b"", b"x\r\n") for _ in range(50)}

    assert len(names) == len(list((tmp_path / "new").iterdir())) == 50


def test_a_hop_that_was_dropped_takes_no_text(tmp_path: Path) -> None:
    hop = MaildirHop(tmp_path)

    with pytest.raises(HopLostError):
        asyncio.run(hop.text(b"x\r\n"))
