"""Whatever shows a mail, it counts once; a run that is killed goes on; a second run reads nothing."""

import dataclasses
import gzip
import random
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest
import zstandard

from nixie.core.address import Address
from nixie.core.facts import FactQuery
from nixie.core.organisation import Organisation
from nixie.service import learning
from nixie.service.learning import follow, learn
from nixie.sources.detect import SourceError
from nixie.sources.records import Record, answers_of, events_of
from nixie.store.db import open_writer, writing
from nixie.store.knowledge import fold, teach
from nixie.store.knowledge_answers import settle_answers
from nixie.store.knowledge_facts import StoreFacts
from nixie.store.knowledge_people import partner_domains, people

OURS = Organisation(own_domains=("navy.example", "*.navy.example"))
PEOPLE = [Address(n, "navy.example") for n in ("ann", "ben", "cleo")]
OTHERS = [Address(f"{n}.{i}", d) for i, n in enumerate(("kim", "lee")) for d in ("army.example", "mail.example")]
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def traffic(size=120, seed=1):
    """Invent mail between us and others: (number, sender, recipients, moment, number answered or None)."""
    rng = random.Random(seed)
    mails = []
    for n in range(size):
        at = START + timedelta(minutes=47 * n)
        ours, others = rng.choice(PEOPLE), rng.sample(OTHERS, rng.randint(1, 3))
        if rng.random() < 0.4:
            answered = rng.choice(mails)[0] if mails and rng.random() < 0.5 else None
            mails.append((n, others[0], [ours], at, answered))
        else:
            mails.append((n, ours, others, at, None))
    return mails


def mid(n):
    return f"{n}.abc@host.example"


def log_lines(mails):
    for n, sender, recipients, at, _ in mails:
        qid = f"{0xABC00 + n % 40:X}"
        stamp = at.isoformat(timespec="microseconds")

        def line(daemon, text, stamp=stamp):
            return f"{stamp} mx postfix/{daemon}[77]: {text}\n"

        yield line("smtpd", "connect from pc.navy.example[192.0.2.1]")
        yield line("smtpd", f"{qid}: client=pc.navy.example[192.0.2.1]")
        yield line("cleanup", f"{qid}: message-id=<{mid(n)}>")
        yield line("qmgr", f"{qid}: from=<{sender}>, size=1234, nrcpt={len(recipients)} (queue active)")
        for r in recipients:
            rest = "relay=mx.example[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
            yield line("smtp", f"{qid}: to=<{r}>, {rest}")
        yield line("qmgr", f"{qid}: removed")


def mail_text(n, sender, recipients, at, answered):
    refers = f"In-Reply-To: <{mid(answered)}>\n" if answered is not None else ""
    to = ", ".join(f'"Some One" <{r}>' for r in recipients)
    return (
        f"From: A Name <{sender}>\nTo: {to}\nDate: {at:%a, %d %b %Y %H:%M:%S +0000}\n"
        f"Message-ID: <{mid(n)}>\n{refers}Subject: x\n\nHello.\n"
    )


def mbox_text(mails):
    return "".join(f"From x Mon Mar  2 10:00:00 2026\n{mail_text(*m)}\n" for m in mails)


def record(n, sender, recipients, at, answered):
    return Record(mid(n), at, sender, tuple(recipients), references=(mid(answered),) if answered is not None else ())


def new_db(path, name="nixie.db"):
    return open_writer(path / name)


def run(db, *paths, **options):
    return learn(paths, OURS, db, now=NOW, zone=UTC, **options)


def known(db, at=NOW):
    domains = tuple({a.domain for a in OTHERS})
    found = {}
    for author in PEOPLE:
        facts = StoreFacts(db).know(FactQuery(author, tuple(OTHERS), domains, at))
        found[author.key] = (facts.totals, dict(facts.addresses), dict(facts.domains))
    return found


def sums(db, kind):
    return dict(
        db.execute("SELECT address, SUM(n) FROM address_day WHERE scope = 0 AND kind = ? GROUP BY address", (kind,))
    )


def live(db, mails):
    fold(db, NOW)
    for m in mails:
        r = record(*m)
        with writing(db):
            teach(db, events_of(r, OURS), answers_of(r, OURS))
    settle_answers(db)
    fold(db, NOW)


def without_replies(facts):
    """A log knows no references, so replies are the one thing it cannot teach."""

    def clean(history):
        parts = {s: dataclasses.replace(getattr(history, s), replied=0) for s in ("author", "organisation")}
        return dataclasses.replace(history, **parts)

    return {
        author: (totals, {k: clean(h) for k, h in a.items()}, {k: clean(h) for k, h in d.items()})
        for author, (totals, a, d) in facts.items()
    }


def test_live_log_and_mailbox_teach_the_same(tmp_path):
    mails = traffic()
    (tmp_path / "mail.log").write_text("".join(log_lines(mails)))
    (tmp_path / "box").write_text(mbox_text(mails))
    dbs = [new_db(tmp_path, f"{i}.db") for i in range(4)]
    live(dbs[0], mails)
    run(dbs[1], tmp_path / "box")
    from_log = run(dbs[2], tmp_path / "mail.log")
    both = run(dbs[3], tmp_path / "mail.log", tmp_path / "box")

    assert known(dbs[0]) == known(dbs[1]) == known(dbs[3])
    assert without_replies(known(dbs[0])) == without_replies(known(dbs[2]))
    assert sum(sums(dbs[1], 3).values()) == sum(sums(dbs[0], 3).values()) > 0
    assert from_log.unknown == {}
    assert both.counted == from_log.counted
    assert both.duplicates == from_log.counted
    assert known(dbs[0], START + timedelta(days=2)) == known(dbs[1], START + timedelta(days=2))


def test_a_second_run_reads_nothing_and_a_grown_file_only_its_new_part(tmp_path):
    mails = traffic()
    log = tmp_path / "mail.log"
    first, second = "".join(log_lines(mails[:70])), "".join(log_lines(mails[70:]))
    db, whole = new_db(tmp_path), new_db(tmp_path, "whole.db")
    log.write_text(first + second[:3000])
    run(db, log)
    again = run(db, log)
    log.write_text(first + second)
    grown = run(db, log)
    run(whole, log)

    assert (again.files, again.unchanged, again.read) == (0, 1, 0)
    assert 0 < grown.read < second.count("\n")
    assert grown.duplicates == 0
    assert known(db) == known(whole)


def test_a_killed_run_goes_on_without_counting_twice(tmp_path, monkeypatch):
    mails = traffic(400)
    (tmp_path / "mail.log").write_text("".join(log_lines(mails)))
    (tmp_path / "box").write_text(mbox_text(traffic(90, seed=2)))
    db, whole = new_db(tmp_path), new_db(tmp_path, "whole.db")
    run(whole, tmp_path)
    monkeypatch.setattr(learning, "BLOCK", 2000)
    monkeypatch.setattr(learning, "STEP_EVENTS", 20)
    save, calls = learning.knowledge_files.save, iter(range(10_000))

    def dies(db, file):
        save(db, file)
        if next(calls) % 3 == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(learning.knowledge_files, "save", dies)
    runs = 0
    while True:
        runs += 1
        try:
            run(db, tmp_path / "box", tmp_path / "mail.log")
            break
        except KeyboardInterrupt:
            pass

    assert runs > 5
    assert known(db) == known(whole)
    assert sums(db, 1) == sums(whole, 1)


def test_steps_are_small_while_somebody_else_writes(tmp_path, monkeypatch):
    (tmp_path / "mail.log").write_text("".join(log_lines(traffic(900))))
    monkeypatch.setattr(learning, "BLOCK", 4000)
    monkeypatch.setattr(learning, "STEP_EVENTS", 300)
    monkeypatch.setattr(learning, "STEP_EVENTS_SHARED", 30)
    monkeypatch.setattr(learning, "SHARED_SECONDS", 0.0)
    alone, shared, steps = new_db(tmp_path, "alone.db"), new_db(tmp_path, "shared.db"), []
    other = new_db(tmp_path, "shared.db")
    save = learning.knowledge_files.save
    monkeypatch.setattr(learning.knowledge_files, "save", lambda db, file: (steps.append(db), save(db, file)))

    def write(*_):
        with writing(other):
            other.execute("INSERT OR IGNORE INTO domain (name) VALUES (hex(randomblob(8)))")

    run(alone, tmp_path / "mail.log")
    run(shared, tmp_path / "mail.log", progress=write)

    assert known(alone) == known(shared)
    assert steps.count(shared) > 2 * steps.count(alone)


def test_a_rotated_set_is_one_log_whatever_its_compression(tmp_path):
    lines = "".join(log_lines(traffic())).splitlines(keepends=True)
    logs = tmp_path / "logs"
    logs.mkdir()
    cuts = [0, 151, 333, 480, len(lines)]
    parts = ["".join(lines[a:b]).encode() for a, b in pairwise(cuts)]
    (logs / "mail.log.3.gz").write_bytes(gzip.compress(parts[0]))
    (logs / "mail.log.2.zst").write_bytes(zstandard.ZstdCompressor().compress(parts[1]))
    (logs / "mail.log.1").write_bytes(parts[2])
    (logs / "mail.log").write_bytes(parts[3])
    (tmp_path / "whole.log").write_text("".join(lines))
    db, whole = new_db(tmp_path), new_db(tmp_path, "whole.db")

    report = run(db, logs)
    run(whole, tmp_path / "whole.log")
    (logs / "mail.log.4.gz").write_bytes(gzip.compress(parts[0]))
    (logs / "mail.log.3.gz").unlink()

    assert report.unknown == {}
    assert known(db) == known(whole)
    assert run(db, logs).counted == 0


def test_a_log_learned_while_the_set_grows_carries_open_mail_into_the_next_file(tmp_path):
    lines = "".join(log_lines(traffic(6))).splitlines(keepends=True)
    cut = next(i for i, text in enumerate(lines) if "to=<" in text and i > 8)
    (tmp_path / "mail.log").write_text("".join(lines[:cut]))
    db = new_db(tmp_path)
    run(db, tmp_path / "mail.log")
    (tmp_path / "mail.log").rename(tmp_path / "mail.log.1")
    (tmp_path / "mail.log").write_text("".join(lines[cut:]))

    report = run(db, tmp_path / "mail.log.1", tmp_path / "mail.log")

    assert report.unchanged == 1
    assert report.unknown == {}


def test_maildir_and_eml_folders_are_read_once(tmp_path):
    mails = traffic(30)
    for name in ("cur", "new", "tmp"):
        (tmp_path / "Mail" / name).mkdir(parents=True)
    (tmp_path / "eml").mkdir()
    for m in mails[:20]:
        (tmp_path / "Mail" / "new" / f"{m[0]}.host").write_text(mail_text(*m))
    for m in mails[10:]:
        (tmp_path / "eml" / f"{m[0]}.eml").write_bytes(mail_text(*m).replace("\n", "\r\n").encode())
    (tmp_path / "box").write_text(mbox_text(mails))
    db, whole = new_db(tmp_path), new_db(tmp_path, "whole.db")
    later = datetime.now(UTC) + timedelta(hours=1)

    learn([tmp_path / "Mail", tmp_path / "eml"], OURS, db, now=later)
    (tmp_path / "Mail" / "new" / "3.host").rename(tmp_path / "Mail" / "cur" / "3.host:2,S")
    moved = learn([tmp_path / "Mail"], OURS, db, now=later)
    again = learn([tmp_path / "Mail", tmp_path / "eml"], OURS, db, now=later)
    run(whole, tmp_path / "box")

    assert known(db) == known(whole)
    assert (moved.read, moved.counted) == (1, 0)
    assert (again.read, again.unchanged) == (0, 2)


def test_tables_of_people_and_partners_are_learned(tmp_path):
    (tmp_path / "staff.csv").write_text("Display Name;E-Mail;Department\nAnn A.;ann@navy.example;Fleet\nX;;\n")
    (tmp_path / "partners.csv").write_text("name,domain\nArmy,army.example\nMail,*.mail.example mail2.example\n")
    db = new_db(tmp_path)
    told = []

    report = run(db, tmp_path / "staff.csv", tmp_path / "partners.csv", on_domains=told.extend)

    assert (report.people, report.partners) == (1, 3)
    assert list(people(db)) == [("ann@navy.example", "Ann A.", "Fleet")]
    assert dict(partner_domains(db))["mail2.example"] == "Mail"
    assert "army.example" in told


def test_a_stream_of_json_lines_is_learned(tmp_path):
    (tmp_path / "s.jsonl").write_text(
        '{"id":"a1","date":"2026-03-01T10:00:00Z","sender":"Ann <ann@navy.example>","to":["kim@army.example"]}\n'
        '{"id":"a2","date":"2026-03-02T10:00:00Z","sender":"ann@navy.example","to":["kim@army.example"],"learn":false}\n'
        '{"id":"a1","kind":"outcome","outcome":"disowned","date":"2026-03-02T10:00:00Z","sender":"ann@navy.example",'
        '"to":"kim@army.example"}\nnonsense\n'
    )
    db = new_db(tmp_path)
    report = run(db, tmp_path / "s.jsonl")
    kim = Address("kim", "army.example")
    counts = StoreFacts(db).know(FactQuery(None, (kim,), (), NOW)).address(kim).organisation

    assert (counts.sent, counts.disowned) == (1, 1)
    assert report.read == 4
    assert report.unknown["not-json"] == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x00\x01\x02binary", "binary data"),
        (b"hello\nworld\n", "the format is not known"),
        (b'2026-03-01T00:00:00Z a b[1]: c\n{"id": 1}\n', "mix postfix and stream"),
    ],
)
def test_an_unknown_or_mixed_file_is_refused_by_name_before_anything_is_read(tmp_path, content, words):
    good, bad = tmp_path / "good.log", tmp_path / "bad"
    good.write_text("".join(log_lines(traffic(3))))
    bad.write_bytes(content)
    db = new_db(tmp_path)

    with pytest.raises(SourceError, match=words) as error:
        run(db, good, bad)
    assert str(bad) in str(error.value)
    assert sums(db, 1) == {}
    with pytest.raises(SourceError, match="no such file"):
        run(db, tmp_path / "gone")


def test_a_folder_passes_over_what_it_cannot_read_and_says_so(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "mail.log").write_text("".join(log_lines(traffic(3))))
    (folder / "noise").write_text("hello\nworld\n")

    report = run(new_db(tmp_path), folder)

    assert report.files == 1
    assert len(report.skipped) == 1
    assert "noise" in report.skipped[0]


def test_damage_in_a_compressed_log_keeps_what_came_before(tmp_path):
    packed = gzip.compress("".join(log_lines(traffic(3000))).encode())
    (tmp_path / "mail.log.gz").write_bytes(packed[: len(packed) // 2])
    db = new_db(tmp_path)

    report = run(db, tmp_path / "mail.log.gz")

    assert "damaged" in report.skipped[0]
    assert report.counted > 500
    assert run(db, tmp_path / "mail.log.gz").counted == 0


def test_progress_reaches_the_end(tmp_path):
    (tmp_path / "mail.log").write_text("".join(log_lines(traffic())))
    seen = []
    run(new_db(tmp_path), tmp_path / "mail.log", progress=lambda done, total, _: seen.append((done, total)))

    assert seen[-1][0] == seen[-1][1] > 0


def test_following_survives_rotation_by_renaming_and_by_cutting(tmp_path):
    lines = list(log_lines(traffic(60)))
    log = tmp_path / "mail.log"
    cuts = [0, 40, 100, 170, 260, len(lines)]
    parts = ["".join(lines[a:b]) for a, b in pairwise(cuts)]
    log.write_text(parts[0])
    db, whole = new_db(tmp_path), new_db(tmp_path, "whole.db")
    naps = iter(range(1000))

    def nap(_seconds):
        n = next(naps)
        if n == 1:
            with log.open("a") as f:
                f.write(parts[1])
        elif n == 2:
            log.rename(tmp_path / "mail.log.1")
            log.write_text(parts[2])
        elif n == 4:
            with log.open("a") as f:
                f.write(parts[3])
        elif n == 6:
            log.write_text(parts[4][:-1])
        elif n == 7:
            with log.open("a") as f:
                f.write("\n")

    looks = count()
    follow(log, OURS, db, lambda: next(looks) > 14, sleep=nap, zone=UTC)
    (tmp_path / "whole.log").write_text("".join(lines))
    run(whole, tmp_path / "whole.log")

    assert known(db) == known(whole)
