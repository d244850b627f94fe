"""The guard is down: what Postfix does then, for each action, on a relay port and on a submission port.

`ROWS` is the table of docs/behind-postfix.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.behind_postfix import PAGE, Chain
from support.mail import message, submit
from support.postfix import free_port
from support.world_sink import eventually

pytestmark = pytest.mark.system

ROWS = [
    ("tempfail", "relay", 451, "stays"),
    ("tempfail", "submission", 451, "stays"),
    ("accept", "relay", 250, "leaves"),
    ("accept", "submission", 250, "leaves"),
    ("quarantine", "relay", 250, "waits"),
    ("quarantine", "submission", 250, "waits"),
]
PORTS = {(action, kind): free_port() for action, kind, *_ in ROWS}
SERVICE = {
    "relay": "127.0.0.1:{port} inet n - n - - smtpd\n  -o milter_default_action={action}\n",
    "submission": "127.0.0.1:{port} inet n - n - - smtpd\n  -o milter_default_action={action}\n"
    "  -o smtpd_client_restrictions=permit_mynetworks,reject\n  -o milter_macro_daemon_name=ORIGINATING\n",
}


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    services = "".join(SERVICE[kind].format(port=port, action=action) for (action, kind), port in PORTS.items())
    with Chain(services=services) as chain:
        for row, port in PORTS.items():  # while the guard runs, every port is guarded
            code, _ = submit(port, message(f"<up-{port}@army.mil>", ["up@army.ml"]), ["up@army.ml"])
            assert (row, code) == (row, 250)
        assert chain.world.mails_to("up@army.ml") == []
        chain.guard.stop()
        yield chain


def hand_over(action: str, kind: str) -> tuple[str, str, int]:
    """Submit a slip at a port; return the Message-ID, the recipient and the reply's code."""
    message_id, to = f"<{kind}-{action}@army.mil>", f"{kind}-{action}@army.ml"
    code, _ = submit(PORTS[action, kind], message(message_id, [to]), [to])
    return message_id, to, code


def queue_id(chain: Chain, message_id: str) -> str:
    log = chain.postfix.wait_log(f"message-id={message_id}")
    return next(line for line in log.splitlines() if message_id in line).split(": ")[1]


def on_hold(chain: Chain, message_id: str) -> bool:
    queue = chain.postfix.run("postqueue", "-j").stdout.decode().splitlines()
    return any('"queue_name": "hold"' in line and queue_id(chain, message_id) in line for line in queue)


@pytest.mark.parametrize(("action", "kind", "code", "fate"), ROWS, ids=[f"{a} {k}" for a, k, *_ in ROWS])
def test_each_row_of_the_table(chain: Chain, action: str, kind: str, code: int, fate: str) -> None:
    message_id, to, heard = hand_over(action, kind)
    assert heard == code
    if fate == "leaves":
        assert chain.wait_copies(message_id, 1) == [to]
    elif fate == "waits":
        eventually(lambda: on_hold(chain, message_id), "the hold queue")
        assert chain.world.arrived(message_id) == []
    else:
        assert f"message-id={message_id}" not in chain.postfix.text()


def test_the_page_shows_the_same_rows() -> None:
    lines = re.findall(r"^\| (tempfail|accept|quarantine) \| (\w+) \| (\d+) \| (\w+) ", PAGE.read_text(), re.MULTILINE)
    assert [(action, kind, int(code), fate) for action, kind, code, fate in lines] == ROWS


def test_when_the_guard_is_back_sessions_are_guarded_but_the_hold_queue_is_a_persons_work(
    chain: Chain, tmp_path: Path
) -> None:
    waiting = [hand_over("quarantine", kind)[0] for kind in ("relay", "submission")]
    eventually(lambda: all(on_hold(chain, message_id) for message_id in waiting), "the hold queue")
    chain.guard.start()
    message_id, to, code = hand_over("tempfail", "relay")
    assert (code, len(chain.guard.holds_to(to))) == (250, 1)
    assert chain.world.arrived(message_id) == []

    requeued, released = waiting
    (tmp_path / "held.eml").write_bytes(chain.postfix.run("postcat", "-hbq", queue_id(chain, requeued)).stdout)
    assert chain.guard.try_("check", str(tmp_path / "held.eml"))[0] == 1
    chain.postfix.run("postsuper", "-r", queue_id(chain, requeued))
    chain.postfix.run("postsuper", "-H", queue_id(chain, released))
    # Requeued mail waits for pickup, which looks once a minute, or when something new comes.
    chain.postfix.run("sendmail", "-f", "ann@army.mil", "wake@army.mil", input_=b"Subject: wake\n\nup\n")
    chain.postfix.run("postqueue", "-f")
    for message_id in waiting:
        eventually(lambda: chain.world.arrived(message_id), f"{message_id}, unseen by the guard")  # noqa: B023
