"""The SMTP door over real sockets: what clients and next hops see in the plain course of things."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from nixie.service.ports import Answer
from nixie.service.smtp_door import hop_factory
from nixie.service.smtp_settings import SmtpSettings
from nixie.wire.smtp import Reply
from support.scripted_hop import DROP, ScriptedHop, ScriptedJudge, Taken
from support.sink import Sink
from support.smtp_client import Dialogue
from support.smtp_world import door_of, open_door

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"Subject: tea\r\n\r\n.at four\r\n"
STUFFED = TEXT.replace(b".at", b"..at") + b".\r\n"
Work = Callable[[Dialogue, ScriptedHop, ScriptedJudge], Awaitable[None]]


def talk(
    work: Work, *, hop: ScriptedHop | None = None, judge: ScriptedJudge | None = None, **settings: object
) -> tuple[ScriptedHop, ScriptedJudge]:
    """Run a dialogue through a door; return hop and judge for a look at what they saw."""
    judge = judge or ScriptedJudge()
    hop = hop or ScriptedHop()

    async def run() -> None:
        async with hop, open_door(judge, hop.address, SmtpSettings(**settings)) as port, Dialogue(port) as client:  # type: ignore[arg-type]
            await work(client, hop, judge)

    asyncio.run(run())
    return hop, judge


def codes(replies: list[Reply]) -> list[int]:
    return [reply.code for reply in replies]


def test_a_message_by_smtplib_reaches_an_aiosmtpd_sink_byte_for_byte() -> None:
    judge = ScriptedJudge()
    with Sink() as sink:

        async def run() -> None:
            async with open_door(judge, f"127.0.0.1:{sink.port}") as port:
                await asyncio.to_thread(send, port)

        def send(port: int) -> None:
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                client.ehlo("client.example")
                assert not client.has_extn("chunking")
                client.sendmail("ann@x.example", ["b@y.example", "c@z.example"], TEXT, ["BODY=8BITMIME"])

        asyncio.run(run())

        assert [(one.sender, one.recipients, one.content) for one in sink.messages] == [
            ("ann@x.example", ("b@y.example", "c@z.example"), TEXT)
        ]
    assert judge.texts == [TEXT]


def test_the_judge_gets_envelope_client_and_provisional_word() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        await client.say(
            "EHLO c.example",
            "MAIL FROM:<Ann@X.example> RET=HDRS ENVID=q1",
            "RCPT TO:<b@y.example> NOTIFY=NEVER",
            "RCPT TO:<>",
        )
        await client.say("DATA")
        client.raw(STUFFED)
        await client.hear()

    _, judge = talk(work)
    submission = judge.submissions[0]
    envelope = submission.envelope

    assert (submission.door, submission.provisional, submission.client.ip, submission.client.helo) == (
        "smtp",
        True,
        "127.0.0.1",
        "c.example",
    )
    assert (envelope.sender_raw, envelope.params) == (b"<Ann@X.example>", (b"RET=HDRS", b"ENVID=q1"))
    assert [(r.raw, r.address.domain, r.params) for r in envelope.recipients] == [
        (b"<b@y.example>", "y.example", (b"NOTIFY=NEVER",))
    ]


def test_parameters_pass_verbatim() -> None:
    mail = "MAIL FROM:<ann@x.example> SIZE=30 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=QQ+3D AUTH=ann+40x.example"
    rcpt = "RCPT TO:<jos\u00e9@y.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bc@y.example"

    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example", mail, rcpt, "DATA")
        client.raw(STUFFED)
        await client.hear()

    hop, _ = talk(work)

    assert hop.taken == [Taken(mail.encode(), (rcpt.encode(),), TEXT)]


def test_keywords_are_the_allow_list_met_with_the_next_hops() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        (reply,) = await client.say("EHLO c.example")
        assert sorted(reply.lines[1:]) == [b"DSN", b"ENHANCEDSTATUSCODES", b"PIPELINING", b"SIZE 1000"]
        (reply,) = await client.say("HELO c.example")
        assert reply.lines == (b"localhost",)

    talk(
        work,
        hop=ScriptedHop(keywords=(b"DSN", b"SIZE 1000", b"CHUNKING", b"AUTH PLAIN", b"XYZ")),
        max_message_bytes=2000,
        trusted=(),
    )


def test_a_next_hop_that_knows_helo_only_is_enough() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        (reply,) = await client.say("EHLO c.example")
        assert sorted(reply.lines[1:]) == [b"ENHANCEDSTATUSCODES", b"PIPELINING"]
        assert (await client.send("b@y.example")).code == 250

    hop, _ = talk(work, hop=ScriptedHop({"EHLO": ["502 what"]}, keywords=()), trusted=())

    assert hop.said[:2] == ["EHLO", "HELO"]


@pytest.mark.parametrize("keywords", [(b"PIPELINING",), ()])
def test_a_pipelined_envelope_is_answered_in_order_with_the_next_hops_words(keywords: tuple[bytes, ...]) -> None:
    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example")
        replies = await client.say(
            "MAIL FROM:<a@x.example>", *(f"RCPT TO:<r{n}@y.example>" for n in range(3)), "NOOP", "DATA"
        )
        assert codes(replies) == [250, 250, 550, 250, 250, 354]
        assert replies[2].lines == (b"5.1.1 No such user",)
        client.raw(b".\r\n")
        assert (await client.hear()).code == 250

    hop, _ = talk(work, hop=ScriptedHop({"RCPT <r1@y.example>": ["550 5.1.1 No such user"]}, keywords=keywords))

    assert [len(one.rcpts) for one in hop.taken] == [2]
    assert hop.taken[0].text == b""


def test_many_messages_use_one_connection_and_commands_behind_the_text_are_answered() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example")
        await client.send("b@y.example")
        await client.say("MAIL FROM:<>", "RCPT TO:<c@y.example>")
        await client.say("DATA")
        client.raw(STUFFED + b"RSET\r\nVRFY x\r\nQUIT\r\n")
        assert [(await client.hear()).code for _ in range(4)] == [250, 250, 252, 221]
        assert await client.closed()

    hop, _ = talk(work)

    assert (len(hop.taken), hop.connections) == (2, 1)


def test_reset_and_a_second_hello_forget_the_transaction_on_both_sides() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>", "RSET")
        await client.say("MAIL FROM:<c@x.example>", "EHLO c.example")
        assert codes(await client.say("RCPT TO:<b@y.example>")) == [503]

    hop, _ = talk(work)

    assert hop.said.count("RSET") == 2


def test_an_idle_connection_that_the_next_hop_ended_is_opened_again() -> None:
    async def work(client: Dialogue, hop: ScriptedHop, *_: object) -> None:
        await client.say("EHLO c.example")
        hop.hang_up()
        assert (await client.send("b@y.example")).code == 250
        hop.answers["MAIL"] = ["421 4.4.2 idle too long"]
        assert (await client.send("b@y.example")).code == 250

    hop, _ = talk(work)

    assert (hop.connections, len(hop.taken)) == (3, 2)


def test_a_next_hop_that_cannot_be_reached_is_421_at_hello() -> None:
    async def run() -> None:
        async with ScriptedHop() as hop:
            address = hop.address
        async with open_door(ScriptedJudge(), address) as port, Dialogue(port) as client:
            assert codes(await client.say("EHLO c.example")) == [421]
            assert await client.closed()

    asyncio.run(run())


def test_a_next_hop_lost_within_a_transaction_is_451_until_the_next_one() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>")
        replies = await client.say("RCPT TO:<c@y.example>", "RCPT TO:<d@y.example>", "DATA")
        assert codes(replies) == [451, 451, 451]
        assert (await client.send("b@y.example")).code == 250

    hop, judge = talk(work, hop=ScriptedHop({"RCPT <c@y.example>": [DROP]}))

    assert len(hop.taken) == len(judge.submissions) == 1


def test_a_goodbye_of_the_next_hop_within_a_transaction_reaches_the_client() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example", "MAIL FROM:<a@x.example>")
        (reply,) = await client.say("RCPT TO:<c@y.example>")
        assert reply == Reply(421, (b"4.7.0 Too many of you",))
        assert await client.closed()

    talk(work, hop=ScriptedHop({"RCPT": ["421 4.7.0 Too many of you"]}))


def test_bare_line_ends_in_a_text_are_refused_and_nothing_goes_on() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example")
        reply = await client.send("b@y.example", text=b"a\n.\nMAIL FROM:<evil@x.example>\r\n")
        assert (reply.code, reply.lines[0][:5]) == (550, b"5.6.0")
        assert await client.closed()

    hop, judge = talk(work)

    assert (hop.taken, judge.submissions) == ([], [])
    assert "DATA" not in hop.said


def test_a_text_above_the_limit_is_refused_and_the_session_goes_on() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        (reply,) = await client.say("EHLO c.example")
        assert b"SIZE 1000" in reply.lines
        assert codes(await client.say("MAIL FROM:<a@x.example> SIZE=1001")) == [552]
        assert (await client.send("b@y.example", text=b"x" * 998 + b"\r\n")).code == 250
        assert (await client.send("b@y.example", text=b"x" * 999 + b"\r\n")).code == 552
        assert (await client.send("b@y.example")).code == 250

    hop, _ = talk(work, max_message_bytes=1000)

    assert len(hop.taken) == 2


def test_five_thousand_recipients_pass_and_one_of_them_is_held() -> None:
    rcpts = [f"r{n}@y.example" for n in range(5000)]

    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example")
        assert (await client.send(*rcpts)).code == 250

    answer = Answer(held=(4321,), token="t", hold_ids=("h",))
    hop, judge = talk(work, judge=ScriptedJudge([answer]))

    assert len(judge.submissions[0].envelope.recipients) == 5000
    assert len(hop.taken[0].rcpts) == 4999
    assert b"RCPT TO:<r4321@y.example>" not in hop.taken[0].rcpts


@pytest.mark.parametrize("size", [100_000, 10_000_000])
def test_large_texts_pass_byte_for_byte_also_through_a_file(size: int) -> None:
    text = (b"..dots and bytes \xff\x00\r\n." + b"x" * 5000 + b"\r\n") * (size // 5000)
    wire = text.replace(b"\r\n.", b"\r\n..").replace(b"..dots", b"...dots", 1)

    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example")
        assert (await client.send("a@y.example", "b@y.example", text=wire)).code == 250

    hop, judge = talk(work, judge=ScriptedJudge([Answer(held=(0,), token="t")]))

    assert hop.taken[0].text == text
    assert judge.texts == [text]


def test_sessions_run_side_by_side() -> None:
    judge = ScriptedJudge(pause=0.3)

    async def one(port: int, number: int) -> int:
        async with Dialogue(port) as client:
            await client.say("EHLO c.example")
            return (await client.send(f"r{number}@y.example")).code

    async def run() -> tuple[list[int], float]:
        async with ScriptedHop() as hop, open_door(judge, hop.address) as port:
            begun = asyncio.get_running_loop().time()
            answers = await asyncio.gather(*(one(port, number) for number in range(30)))
            assert len(hop.taken) == 30
            return answers, asyncio.get_running_loop().time() - begun

    answers, seconds = asyncio.run(run())

    assert answers == [250] * 30
    assert seconds < 3


def test_too_many_sessions_are_told_so() -> None:
    async def run() -> None:
        async with ScriptedHop() as hop, open_door(ScriptedJudge(), hop.address, SmtpSettings(max_sessions=1)) as port:
            async with Dialogue(port), Dialogue(port) as second:
                assert second.greeting.code == 421
                assert await second.closed()
            await asyncio.sleep(0.05)
            async with Dialogue(port) as third:
                assert third.greeting.code == 220

    asyncio.run(run())


@pytest.mark.parametrize("sent", [b"", b"EHLO c.exam", b"EHLO c.example\r\nMAIL FROM:<a@x.example>\r\n"])
def test_a_silent_client_is_disconnected(sent: bytes) -> None:
    async def work(client: Dialogue, *_: object) -> None:
        client.raw(sent)
        replies = [await client.hear(5)]
        while replies[-1].code != 421:
            replies.append(await client.hear(5))
        assert await client.closed()

    talk(work, idle_seconds=0.1)


def test_single_bytes_do_not_keep_a_connection_open() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        begun = asyncio.get_running_loop().time()
        answer = asyncio.create_task(client.hear())
        while not answer.done():
            client.raw(b"x")
            await asyncio.wait({answer}, timeout=0.03)
        assert (await answer).code == 421
        assert asyncio.get_running_loop().time() - begun < 2

    talk(work, idle_seconds=0.2)


def test_a_slow_text_is_given_up_and_nothing_goes_on() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>", "DATA")
        client.raw(b"Subject: ")
        assert (await client.hear(5)).code == 421

    hop, judge = talk(work, text_seconds=0.1)

    assert (judge.submissions, hop.taken) == ([], [])


def test_a_client_that_leaves_before_the_text_went_on_stops_it() -> None:
    judge = ScriptedJudge([Answer(held=(0,), token="t1")], pause=0.2)

    async def run() -> ScriptedHop:
        async with ScriptedHop() as hop, open_door(judge, hop.address) as port:
            async with Dialogue(port) as client:
                await client.say(
                    "EHLO c.example",
                    "MAIL FROM:<a@x.example>",
                    "RCPT TO:<b@y.example>",
                    "RCPT TO:<c@y.example>",
                    "DATA",
                )
                client.raw(STUFFED)
                await asyncio.sleep(0.1)
                leave_at_once = struct.pack("ii", 1, 0)
                client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, leave_at_once)
                client.writer.transport.abort()
            await asyncio.sleep(0.3)
            return hop

    hop = asyncio.run(run())

    assert hop.taken == []
    assert (judge.confirmed, judge.voided) == ([], ["t1"])


def test_a_client_that_ends_its_side_still_gets_its_answer() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>", "DATA")
        client.raw(STUFFED + b"QUIT\r\n")
        client.writer.write_eof()
        assert [(await client.hear()).code for _ in range(2)] == [250, 221]

    hop, _ = talk(work, judge=ScriptedJudge(pause=0.05))

    assert len(hop.taken) == 1


def test_a_client_that_talks_on_while_its_message_is_judged_has_to_wait() -> None:
    flood = (b"NOOP " + b"x" * 500 + b"\r\n") * 100_000

    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>", "DATA")
        client.raw(STUFFED + flood)
        await asyncio.sleep(0.3)
        assert client.writer.transport.get_write_buffer_size() > len(flood) // 2
        client.writer.transport.abort()

    talk(work, judge=ScriptedJudge(pause=0.4))


def test_a_full_disk_is_452_and_the_session_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example")
        with monkeypatch.context() as patch:
            patch.setattr("nixie.service.carried.tempfile.TemporaryFile", full)
            assert (await client.send("b@y.example", text=b"x" * 3_000_000 + b"\r\n")).code == 452
        assert (await client.send("b@y.example")).code == 250

    hop, _ = talk(work)

    assert len(hop.taken) == 1


def test_an_unexpected_error_is_451_and_its_text_stays_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("ann@x.example wrote a private word")

    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example")
        monkeypatch.setattr("nixie.service.smtp_session.Submission", broken)
        reply = await client.send("b@y.example")
        assert reply == Reply(451, (b"4.3.0 Try again later",))
        assert await client.closed()

    with capture_logs() as logs:
        hop, _ = talk(work)

    assert hop.taken == []
    assert [(entry["event"], entry["session"]) for entry in logs] == [("smtp session failed", 1)]


def test_stop_ends_idle_sessions_and_lets_a_message_finish() -> None:
    judge = ScriptedJudge(pause=0.3)

    async def run() -> None:
        async with (
            ScriptedHop() as hop,
            door_of(judge, hop.address) as (door, port),
            Dialogue(port) as idle,
            Dialogue(port) as busy,
        ):
            await idle.say("EHLO c.example")
            await busy.say("EHLO c.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>", "DATA")
            busy.raw(STUFFED)
            await asyncio.sleep(0.1)
            stopping = asyncio.create_task(door.stop(5))
            assert (await idle.hear()).code == 421
            assert (await busy.hear()).code == 250
            assert (await busy.hear()).code == 421
            await stopping
            assert (len(hop.taken), door.sessions) == (1, 0)

    asyncio.run(run())


def test_stop_gives_up_at_its_deadline_and_voids_what_was_provisional() -> None:
    judge = ScriptedJudge([Answer(held=(0,), token="t1")])

    async def run() -> None:
        async with (
            ScriptedHop(pause_before_end=30) as hop,
            door_of(judge, hop.address) as (door, port),
            Dialogue(port) as client,
        ):
            await client.say(
                "EHLO c.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>", "RCPT TO:<c@y.example>", "DATA"
            )
            client.raw(STUFFED)
            await asyncio.sleep(0.1)
            await door.stop(0.1)
            assert (await client.hear()).code == 421
            assert hop.taken == []

    asyncio.run(run())

    assert judge.voided == ["t1"]


def test_every_word_of_a_login_and_of_xforward_reaches_the_judge() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        (hello, *_) = await client.say("EHLO c.example", "XFORWARD NAME=pc.x.example ADDR=IPV6:2001:db8::7 IDENT=4ABC")
        assert b"XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE" in hello.lines
        await client.send("b@y.example", mail="MAIL FROM:<a@x.example> AUTH=ann+2Bone@x.example")

    _, judge = talk(work)
    submission = judge.submissions[0]

    assert submission.queue_id == "4ABC"
    assert (submission.client.ip, submission.client.name, submission.client.login) == (
        "2001:db8::7",
        "pc.x.example",
        "ann+one@x.example",
    )


@pytest.mark.parametrize(
    ("words", "ip"),
    [
        ("NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]", "unknown"),
        ("ADDR=[UNAVAILABLE] SOURCE=REMOTE", "unknown"),
        ("ADDR=[UNAVAILABLE] SOURCE=LOCAL", "127.0.0.1"),
        ("NAME=pc.x.example", "127.0.0.1"),
    ],
)
def test_a_client_whose_address_the_server_cannot_name_is_not_taken_for_the_server(words: str, ip: str) -> None:
    async def work(client: Dialogue, *_: object) -> None:
        await client.say("EHLO c.example", f"XFORWARD {words}")
        await client.send("b@y.example", mail="MAIL FROM:<a@x.example>")

    _, judge = talk(work)

    assert judge.submissions[0].client.ip == ip


def test_a_peer_that_is_not_trusted_has_no_login_and_no_xforward() -> None:
    async def work(client: Dialogue, *_: object) -> None:
        hello, forward = await client.say("EHLO c.example", "XFORWARD NAME=pc.x.example")
        assert (forward.code, [line for line in hello.lines if line.startswith(b"XF")]) == (502, [])
        await client.send("b@y.example", mail="MAIL FROM:<a@x.example> AUTH=boss@x.example")

    _, judge = talk(work, trusted=())

    assert judge.submissions[0].client.login == ""


def test_the_next_hop_is_told_who_the_client_is_if_it_wants_to_know() -> None:
    received = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as file:
            for answer in (b"220 hop", b"250-hop\r\n250 XFORWARD ADDR HELO", b"250 ok", b"221 bye"):
                file.write(answer + b"\r\n")
                file.flush()
                received.append(file.readline())

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=serve, args=(listener,))
            thread.start()
            async with (
                open_door(ScriptedJudge(), f"127.0.0.1:{listener.getsockname()[1]}") as port,
                Dialogue(port) as client,
            ):
                await client.say("EHLO c.example", "QUIT")
            await asyncio.to_thread(thread.join, 5)

    asyncio.run(run())

    assert received[1] == b"XFORWARD ADDR=127.0.0.1 HELO=c.example\r\n"


@pytest.mark.parametrize(
    "address", ["", "mx.example", "mx.example:", ":25", "mx.example:0", "mx.example:99999", "mx.example:x"]
)
def test_a_next_hop_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="host:port or maildir:PATH"):
        hop_factory(address)


def test_the_door_sends_into_a_maildir(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            open_door(ScriptedJudge([Answer(held=(1,), token="t")]), f"maildir:{tmp_path}/outbox") as port,
            Dialogue(port) as client,
        ):
            (hello,) = await client.say("EHLO c.example")
            assert {b"8BITMIME", b"SMTPUTF8", b"DSN"} < set(hello.lines)
            reply = await client.send("b@y.example", "c@z.example", text=b"Subject: x\r\n\r\n..dot\r\n")
            assert reply.code == 250

    asyncio.run(run())
    (file,) = (tmp_path / "outbox" / "new").iterdir()

    assert (
        file.read_bytes() == b"Return-Path: <ann@x.example>\r\nDelivered-To: b@y.example\r\nSubject: x\r\n\r\n.dot\r\n"
    )
    assert list((tmp_path / "outbox" / "tmp").iterdir()) == []
