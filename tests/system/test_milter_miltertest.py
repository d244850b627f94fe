"""Dialogues by miltertest, a mail server that is not ours: what we think of the protocol, somebody else thinks too."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from nixie.service.listen import name_of, open_listener
from nixie.service.milter_door import MilterDoor
from nixie.service.ports import Answer, Submission

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system


class WordJudge:
    """Answers as the first label of a recipient's domain says; keeps what it saw."""

    def __init__(self) -> None:
        self.seen: list[tuple[Submission, bytes]] = []

    async def judge(self, submission: Submission) -> Answer:
        self.seen.append((submission, bytes(submission.carried.view())))
        words = [recipient.address.domain.partition(".")[0] for recipient in submission.envelope.recipients]
        if "later" in words:
            return Answer(later=True, reply="451 4.3.0 100% later")
        return Answer(
            held=tuple(n for n, word in enumerate(words) if word == "hold"),
            refused=tuple(n for n, word in enumerate(words) if word == "refuse"),
            reply="550 5.7.1 100% refused" if set(words) == {"refuse"} else "",
        )

    async def confirm(self, token: str) -> bool:
        return False

    async def void(self, token: str) -> None:
        pass


class Served:
    """A door in a thread of its own, and miltertest scripts against it."""

    def __init__(self, address: str, folder: Path) -> None:
        self.judge = WordJudge()
        self._listener = open_listener(address)
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._loop.call_soon_threadsafe(self._serve)

    def _serve(self) -> None:
        self._door = MilterDoor(self.judge)
        self._door.serve(self._listener)

    def tell(self, script: str) -> None:
        """Run a Lua script; `conn` is connected and negotiated, `want(value, wanted)` compares."""
        name = name_of(self._listener)
        where = name if name.startswith("unix:") else "inet:{1}@{0}".format(*name.rpartition(":")[::2])
        path = self._folder / "script.lua"
        path.write_text(PRELUDE.replace("WHERE", where) + script)
        done = subprocess.run(["miltertest", "-s", str(path)], capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._door.stop(1.0), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._listener.close()


PRELUDE = """
function want(value, wanted)
  if value ~= wanted then error("got " .. tostring(value) .. ", wanted " .. tostring(wanted), 2) end
end
conn = mt.connect("WHERE", 40, 0.05)
if conn == nil then error("no connection") end
"""

CLIENT = """
want(mt.negotiate(conn, nil, nil, nil), nil)
want(mt.conninfo(conn, "client.example.org", "192.0.2.1"), nil)
want(mt.helo(conn, "client.example.org"), nil)
"""

CONTENT = """
want(mt.data(conn), nil)
want(mt.header(conn, "Subject", "tea"), nil)
want(mt.eoh(conn), nil)
want(mt.bodystring(conn, "at four\\r\\n"), nil)
want(mt.eom(conn), nil)
"""


@pytest.fixture(params=["tcp", "unix"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    if shutil.which("miltertest") is None:
        if os.environ.get("NIXIE_REQUIRE") == "all":
            pytest.fail("missing: miltertest (Debian package miltertest)")
        pytest.skip("missing: miltertest (Debian package miltertest)")
    door = Served("127.0.0.1:0" if request.param == "tcp" else f"unix:{tmp_path}/milter", tmp_path)
    yield door
    door.close()


def test_a_message_passes_with_its_bytes_and_its_client(served: Served) -> None:
    served.tell(
        CLIENT
        + """
want(mt.test_action(conn, SMFIF_DELRCPT), true)
want(mt.test_action(conn, SMFIF_CHGBODY), false)
want(mt.test_option(conn, SMFIP_NR_HDR), true)
mt.macro(conn, SMFIC_MAIL, "{auth_authen}", "anna", "i", "Q123")
want(mt.mailfrom(conn, "<anna@example.org>", "SIZE=100"), nil)
want(mt.rcptto(conn, "<bob@example.com>", "NOTIFY=NEVER"), nil)
"""
        + CONTENT
        + "want(mt.getreply(conn), SMFIR_CONTINUE)\nmt.disconnect(conn)"
    )
    ((submission, content),) = served.judge.seen
    assert content == b"Subject: tea\r\n\r\nat four\r\n"
    assert (submission.client.ip, submission.client.login, submission.queue_id) == ("192.0.2.1", "anna", "Q123")
    assert submission.envelope.params == (b"SIZE=100",)
    assert submission.envelope.recipients[0].params == (b"NOTIFY=NEVER",)


def test_a_held_recipient_is_deleted_as_it_was_written(served: Served) -> None:
    served.tell(
        CLIENT
        + """
want(mt.mailfrom(conn, "<anna@example.org>"), nil)
want(mt.rcptto(conn, "<bob@example.com>"), nil)
want(mt.rcptto(conn, '<"A b"@Hold.Example.ORG>'), nil)
"""
        + CONTENT
        + """
want(mt.getreply(conn), SMFIR_CONTINUE)
want(mt.eom_check(conn, MT_RCPTDELETE, '<"A b"@Hold.Example.ORG>'), true)
want(mt.eom_check(conn, MT_RCPTDELETE, "<bob@example.com>"), false)
mt.disconnect(conn)
"""
    )


@pytest.mark.parametrize(
    "word, check",
    [
        ("hold", "want(mt.getreply(conn), SMFIR_DISCARD)"),
        (
            "refuse",
            'want(mt.getreply(conn), SMFIR_REPLYCODE)\nwant(mt.eom_check(conn, MT_SMTPREPLY, "550", "5.7.1", "100%% refused"), true)',
        ),
        (
            "later",
            'want(mt.getreply(conn), SMFIR_REPLYCODE)\nwant(mt.eom_check(conn, MT_SMTPREPLY, "451", "4.3.0", "100%% later"), true)',
        ),
    ],
)
def test_a_message_that_does_not_go_on_gets_the_right_verdict(served: Served, word: str, check: str) -> None:
    envelope = f"""
want(mt.mailfrom(conn, "<anna@example.org>"), nil)
want(mt.rcptto(conn, "<bob@{word}.example>"), nil)
"""
    served.tell(CLIENT + envelope + CONTENT + check + "\nmt.disconnect(conn)")


def test_messages_follow_one_another_with_aborts_between(served: Served) -> None:
    one = 'want(mt.mailfrom(conn, "<anna@example.org>"), nil)\nwant(mt.rcptto(conn, "<bob@{}.example>"), nil)\n'
    served.tell(
        CLIENT
        + one.format("hold")
        + CONTENT
        + "want(mt.getreply(conn), SMFIR_DISCARD)\nmt.abort(conn)\nmt.abort(conn)\n"
        + one.format("hold")
        + "want(mt.data(conn), nil)\nwant(mt.header(conn, 'X', ' y'), nil)\nmt.abort(conn)\n"
        + one.format("pass")
        + CONTENT
        + "want(mt.getreply(conn), SMFIR_CONTINUE)\nmt.disconnect(conn)"
    )
    assert [len(submission.envelope.recipients) for submission, _ in served.judge.seen] == [1, 1]


def test_a_version_2_server_gets_a_continue_at_every_step(served: Served) -> None:
    step = "want(mt.getreply(conn), SMFIR_CONTINUE)\n"
    served.tell(
        "want(mt.negotiate(conn, 2, 0x3f, 0x7f), nil)\n"
        'want(mt.conninfo(conn, "client.example.org", "192.0.2.1"), nil)\n'
        + step
        + 'want(mt.helo(conn, "client.example.org"), nil)\n'
        + step
        + 'want(mt.unknown(conn, "FOO"), nil)\n'
        + step
        + 'want(mt.mailfrom(conn, "<anna@example.org>"), nil)\n'
        + step
        + 'want(mt.rcptto(conn, "<bob@example.com>"), nil)\n'
        + step
        + 'want(mt.header(conn, "Subject", "tea"), nil)\n'
        + step
        + "want(mt.eoh(conn), nil)\n"
        + step
        + 'want(mt.bodystring(conn, "at four\\r\\n"), nil)\n'
        + step
        + "want(mt.eom(conn), nil)\n"
        + step
        + "mt.disconnect(conn)"
    )
    assert [content for _, content in served.judge.seen] == [b"Subject: tea\r\n\r\nat four\r\n"]


def test_a_large_random_body_arrives(served: Served) -> None:
    served.tell(
        CLIENT
        + """
want(mt.mailfrom(conn, "<anna@example.org>"), nil)
want(mt.rcptto(conn, "<bob@example.com>"), nil)
want(mt.data(conn), nil)
want(mt.header(conn, "Subject", "tea"), nil)
want(mt.eoh(conn), nil)
want(mt.bodyrandom(conn, 3000000), nil)
want(mt.eom(conn), nil)
want(mt.getreply(conn), SMFIR_CONTINUE)
mt.disconnect(conn)
"""
    )
    assert len(served.judge.seen[0][1]) >= 3_000_000
