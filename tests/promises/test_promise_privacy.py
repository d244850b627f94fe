"""What a message carries never shows: not in logs, errors, reprs or the index, and on disk only where a page says so."""

import asyncio
import dataclasses
import email
import gc
import io
import logging
import re
import smtplib
import sqlite3
import time
from email import policy as email_policy

import pytest
import structlog
import uvicorn

from nixie.cli.main import main
from nixie.core import mime
from nixie.core.message import NotSeen
from nixie.service import logs
from nixie.service.engine import Engine
from nixie.service.letters import Letters
from nixie.service.release import Parcel
from nixie.sources.records import answers_of, events_of
from nixie.sources.stream import read_item
from nixie.store import hold_views, questions
from nixie.store.questions import Step
from nixie.web.app import WebSettings, create_app
from support.guard import Guard
from support.installed import NOW, OURS, Installation, envelope, mail
from support.webserver import TableDesk

SECRET = ("zebrasubject", "quaggabody", "okapifile", "tapirname", "gnureference")
"""Marks in subject, body, file name, display name and a folded field."""

NAME = "tapirname"
"""The display name among them, which the store keeps beside the address that it names."""

LOCAL = ("lemurauthor", "axolotlrecipient", "ibisbystander")
"""Marks in local parts: these may stand in the store's table of addresses."""

QUICK = {"notice": {"wait": "0s"}, "workers": {"count": 1}}
AUTHOR, WRONG, OTHER = "lemurauthor@army.mil", "axolotlrecipient@army.ml", "ibisbystander@else.example"
MORE = (
    "Subject: zebrasubject =?utf-8?q?zebrasubject=C3=A9?=\r\nX-Note: gnureference\r\n gnureference\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
)
BODY = (
    "--b\r\nContent-Type: text/plain\r\n\r\nquaggabody quaggabody\r\n--b\r\n"
    'Content-Type: application/pdf; name="okapifile.pdf"\r\nContent-Disposition: attachment; filename="okapifile.pdf"\r\n'
    "\r\nquaggabody\r\n--b--\r\n"
)


def marked(message_id, to=(WRONG, OTHER)):
    named = [f'"tapirname" <{t}>' for t in to]
    return mail(message_id, AUTHOR, named, more=MORE, body=BODY).replace(b"From: Some One", b"From: tapirname")


def marks_in(text, marks=SECRET + LOCAL):
    if isinstance(text, bytes):
        return [m for m in marks if m.encode() in text.lower()]
    return [m for m in marks if m in text.lower()]


class Broken:
    """Facts that fail with everything a message told them."""

    def near(self, domain, limit):
        raise ValueError(f"cannot look for {domain} as {AUTHOR} asked: zebrasubject quaggabody")

    def know(self, query):
        raise AssertionError("never asked")


@pytest.fixture
def logged(monkeypatch):
    """Return what was logged, as the guard's processes log it."""
    handlers, level, told = logging.root.handlers[:], logging.root.level, io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr("sys.stderr", told)
        logs.configure(level="debug", tty=False)
    yield told.getvalue
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def values_of_a_run(house):
    """Take one message through everything in this process and return all values that were made of it."""
    raw = marked("m1@army.mil")
    decision = house.judged(AUTHOR, WRONG, OTHER)
    read = house.engine.decide(mime.read(raw), envelope(AUTHOR, [WRONG, OTHER]), OURS, NOW)
    answer = house.submit(raw, AUTHOR, [WRONG, OTHER])
    assert answer.held == (0,)
    (hold,) = house.holds()
    letters = Letters(house.settings, house.reader, house.spool, house.keys.links)
    asked = questions.due(house.reader, hold.held_at + 10**9)
    letter = [one for due in asked for one in letters.asking(due.question, Step.NOTICE, hold.held_at + 5000)]
    returned = letters.returned(hold, raw, hold.held_at + 5000)
    item = read_item(
        f'{{"id":"s1","date":"2026-03-01","sender":"{AUTHOR}","to":["{WRONG}"],"subject":"zebrasubject",'
        '"body":"quaggabody","attachments":["okapifile.pdf"]}'
    )
    from nixie.sources.stream import record_of_item

    record = record_of_item(item)
    taught = [*events_of(record, house.organisation), *answers_of(record, house.organisation)]
    parcel = Parcel(hold.sender_raw, hold.recipient_raw, raw, hold.sender_params, hold.recipient_params)
    shown = hold_views.show(house.reader, hold.id)
    return [decision, read, answer, hold, asked, letter, returned, item, record, taught, parcel, shown]


def test_no_repr_of_any_value_that_a_message_becomes_shows_what_it_carries(tmp_path):
    with Installation(tmp_path, own=("army.mil",)) as house:
        kept = values_of_a_run(house)
        made = [
            value
            for value in gc.get_objects()
            if dataclasses.is_dataclass(value)
            and not isinstance(value, type)
            and type(value).__module__.startswith("nixie.")
        ]
        told = {type(value): marks_in(repr(value)) for value in made}

    assert kept
    assert {kind.__qualname__: marks for kind, marks in told.items() if marks} == {}
    assert len(told) > 40
    assert {k.__name__ for k in told} >= {
        "Message",
        "Mailbox",
        "Envelope",
        "Finding",
        "Verdict",
        "Hold",
        "Letter",
        "Parcel",
    }
    assert marks_in(
        str([v.subject for v in made if type(v).__name__ == "Message" and not isinstance(v.subject, NotSeen)])
    )


def test_an_error_that_quotes_a_message_is_logged_without_its_text(tmp_path, logged):
    with Installation(tmp_path, own=("army.mil",)) as house:
        broken = house.pipeline_with(Engine(house.organisation, house.engine.policy, Broken()))
        answers = [house.submit(marked("m1@army.mil"), AUTHOR, [WRONG, OTHER], through=broken) for _ in range(4)]
        house.recorder.commit(
            [({"do": "decision", "at": AUTHOR, "a": [WRONG], "message_id": "zebrasubject"}, b"quaggabody")]
        )
        payloads = house.reader.execute("SELECT group_concat(CAST(payload AS TEXT)) FROM ledger").fetchone()[0]
    said = logged()

    assert [a.later for a in answers] == [True, True, True, False]
    assert '"error": "ValueError"' in said
    assert "request refused" in said
    assert (marks_in(said), marks_in(payloads)) == ([], [])


def test_what_libraries_log_comes_without_their_words(logged):
    async def forgotten():
        raise RuntimeError(f"{AUTHOR} zebrasubject")

    async def forget():
        task = asyncio.ensure_future(forgotten())
        await asyncio.sleep(0)
        del task
        gc.collect()
        asyncio.get_running_loop().call_exception_handler({"message": "quaggabody", "exception": RuntimeError(WRONG)})

    asyncio.run(forget())
    logging.getLogger("some.library").warning("about %s", AUTHOR)
    said = logged()

    assert said.count("RuntimeError") >= 2
    assert "some.library" in said
    assert marks_in(said) == []


def test_a_page_that_breaks_shows_and_logs_no_text(logged):
    class BrokenDesk(TableDesk):
        def healthy(self):
            raise RuntimeError(f"{AUTHOR} zebrasubject")

    async def ask():
        web = create_app(BrokenDesk({}), WebSettings(b"k" * 32), time.time)
        server = uvicorn.Server(
            uvicorn.Config(web, port=0, lifespan="off", ws="none", log_config=None, access_log=False)
        )
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        page = await reader.read()
        writer.close()
        server.should_exit = True
        await serving
        return page

    page, said = asyncio.run(ask()), logged()

    assert page.startswith(b"HTTP/1.1 500")
    assert "RuntimeError" in said
    assert marks_in(page) == marks_in(said) == []


def test_a_command_that_fails_names_the_place_and_nothing_of_the_message(tmp_path, capsys, monkeypatch):
    (tmp_path / "draft.eml").write_bytes(marked("m1@army.mil"))
    monkeypatch.setattr(Engine, "decide", lambda *_: Broken().near("army.ml", 1))
    code = main(["check", str(tmp_path / "draft.eml"), "--own-domain", "army.mil"])
    said = capsys.readouterr()

    assert code == 70
    assert "ValueError" in said.err
    assert marks_in(said.err + said.out) == []


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return a guard, stopped again, through which marked mail went that was held, released, corrected or refused, and a link."""
    guard = Guard(tmp_path_factory.mktemp("served"), own_domains=("army.mil",), settings=QUICK)
    with guard:
        for n in range(3):
            with smtplib.SMTP("127.0.0.1", guard.smtp_port, "client.example", timeout=30) as client:
                client.sendmail(AUTHOR, [WRONG.replace(".ml", ".mil") + f".{'x' * n}", OTHER, "axolotlrecipient@army.mi"],
                                marked(f"m{n}@army.mil"))  # fmt: skip
        hostile(guard.smtp_port)
        link = until(lambda: link_in(guard.home / "var" / "outbox"))
        pages(guard, link)
        first, second, *_ = guard.holds()
        guard.run("holds", "release", first["id"], "--reason", "it is right")
        guard.run("holds", "correct", second["id"], "--to", "lemurauthor2@army.example", "--reason", "it is right")
        until(lambda: not guard.holds("releasing") and not guard.holds("correcting"))
    return guard, link


def hostile(port):
    """Say what no server takes, with marks in it."""
    for words in (
        [f"MAIL FROM:<{AUTHOR}", f"RCPT TO:<{WRONG}>"],
        [f"MAIL FROM:<{AUTHOR}>", "RCPT TO:<axolotlrecipient@@army..ml>", "QUAGGABODY zebrasubject"],
        [f"MAIL FROM:<{AUTHOR}> ZEBRASUBJECT=1", "RCPT TO:<" + "axolotlrecipient" * 400 + "@army.ml>"],
    ):
        with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=30) as client:
            client.ehlo("lemurauthor.example")
            for word in words:
                try:
                    client.docmd(word)
                except smtplib.SMTPServerDisconnected:
                    break
    with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=30) as client:
        client.ehlo()
        client.docmd("MAIL", f"FROM:<{AUTHOR}>")
        client.docmd("RCPT", f"TO:<{WRONG}>")
        client.docmd("DATA")
        client.send(b"Subject: zebrasubject\nquaggabody\n.\n" + b"x" * 4000 + b"\r\n.\r\n")
        client.getreply()


def pages(guard, link):
    """Open the page with and without marks, and post what it refuses."""
    from support.webserver import Pages

    browser = Pages(guard.http_port)
    path = "/d/" + link.rpartition("/d/")[2]
    hold = guard.holds()[-1]["id"]
    assert browser.ask("GET", path)[0] == 200
    for target in ("/d/zebrasubject", path[:-3] + "xyz", "/axolotlrecipient", "/d/" + "quaggabody" * 900):
        assert browser.ask("GET", target)[0] >= 400
    for form in (
        {"hold": "axolotlrecipient", "choice": "zebrasubject"},
        {"hold": hold, "choice": "correct", "to": "lemurauthor@@"},
    ):
        assert browser.ask("POST", path, form)[0] >= 400
    assert browser.ask("POST", path, {"x": "quaggabody" * 5000})[0] >= 400


def link_in(outbox):
    """Return the link of the first notice in a Maildir, `""` while there is none."""
    for path in sorted((outbox / "new").glob("*")) if (outbox / "new").exists() else ():
        letter = email.message_from_bytes(path.read_bytes(), policy=email_policy.default)
        plain = letter.get_body(("plain",))
        found = re.search(r"http://\S+/d/\S+", plain.get_content()) if plain else None
        if found:
            return found[0]
    return ""


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
    return found


def test_the_log_of_a_guard_shows_nothing_of_any_message_and_no_link(served):
    guard, link = served
    said = guard.log + (guard.folder / "serve.out").read_text()

    assert "released" in said
    assert marks_in(said) == []
    assert link.rpartition("/d/")[2] not in said


def test_no_file_of_a_home_shows_a_subject_a_body_or_a_file_name_and_display_names_stand_in_the_store(served):
    guard, _ = served
    var = guard.home / "var"
    files = [p for p in var.rglob("*") if p.is_file() and "outbox" not in p.relative_to(var).parts]
    shown = {str(p.relative_to(var)): marks_in(p.read_bytes(), SECRET) for p in files}

    assert {"nixie.db"} <= set(shown)
    assert any(name.startswith("spool/") for name in shown)
    assert {mark for name, marks in shown.items() for mark in marks if name.startswith("nixie.db")} == {NAME}
    assert {name: marks for name, marks in shown.items() if marks and not name.startswith("nixie.db")} == {}


def test_local_parts_stand_in_the_store_and_in_its_index_of_addresses_alone(served):
    guard, _ = served
    var = guard.home / "var"
    files = [p for p in var.rglob("*") if p.is_file() and "outbox" not in p.relative_to(var).parts]
    shown = {p.relative_to(var).parts[0].partition("-")[0] for p in files if marks_in(p.read_bytes(), LOCAL)}

    assert shown - {"near"} == {"nixie.db"}


def test_people_stand_in_the_tables_of_addresses_and_names_and_in_envelopes_that_still_wait(served):
    guard, _ = served
    db = sqlite3.connect(guard.home / "var" / "nixie.db")
    db.text_factory = bytes
    found = set()
    for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        name = table.decode()
        columns = [c[1].decode() for c in db.execute(f"PRAGMA table_info('{name}')")]
        for row in db.execute(f"SELECT * FROM '{name}'"):
            found |= {f"{name}.{c}" for c, v in zip(columns, row, strict=True) if isinstance(v, bytes) and marks_in(v)}
    live = db.execute("SELECT COUNT(*) FROM hold WHERE state NOT IN ('waiting', 'provisional') AND sender_raw <> ''")

    assert found == {"address.key", "name.name", "hold.sender_raw", "hold.recipient_raw"}
    assert live.fetchone() == (0,)


def test_a_key_of_the_installation_is_in_no_other_file(served):
    guard, _ = served
    secrets = [p.read_bytes() for p in (guard.home / "keys").iterdir() if p.suffix == ".key"]
    rest = [p for p in guard.home.rglob("*") if p.is_file() and "keys" not in p.parts]

    assert secrets
    assert not [p.name for p in rest if any(s in p.read_bytes() for s in secrets)]
