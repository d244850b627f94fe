"""The data side of the misdirection harness, on invented mail."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("pyarrow")

from corpora import Corpus, Mail, invented
from people import People, own_form
from planning import plan
from streams import Stream, as_json
from typed import Letters, Observed, typed_slip

from nixie.core.address import canonical, parse_address

ANN, BEN, EVA, DAN = "ann.lee@firm.example", "ben.low@works.example", "eva.lark@firm.example", "dan.lee@other.example"
NAMES = {ANN: "Ann Lee", BEN: "Ben Low", EVA: "Eva Lark", DAN: "Dan Lee"}
MORNING = datetime(2024, 1, 1, 8, tzinfo=UTC)


def _mail(number: int, sender: str, *to: str, **more) -> Mail:
    boxes = tuple((a, NAMES.get(a, "")) for a in to)
    at = MORNING + timedelta(hours=number)
    return Mail(f"m{number}@x", at, sender, NAMES.get(sender, ""), boxes, f"Matter {number}", "Good morning", **more)


@pytest.fixture
def data(tmp_path):
    """A folder with the three small tables that slips of typing come from."""
    (tmp_path / "spelling_1edit_counts.tsv").write_text("typed|intended\tcount\ne|a\t5\nt|te\t3\naa|a\t2\nea|ae\t1\n")
    (tmp_path / "typo_address_pairs.csv").write_text(
        "observed,intended,edit,source\nx@fimr.example,x@firm.example,swap,a\n"
    )
    (tmp_path / "spelling_birkbeck.tsv").write_text("intended\ttyped\nwork\twrok\n")
    return tmp_path


def _corpus() -> Corpus:
    dice = random.Random(7)
    mails = []
    for number in range(160):
        sender, *others = dice.sample([ANN, BEN, EVA, DAN], 4)
        to = others if number % 2 else others[:1]
        mails.append(_mail(number, sender, *to))
    mails += [_mail(500 + n, ANN, f"new{n}.comer@late{n}.example") for n in range(30)]
    return invented("made-up", mails)


def _stream(corpus: Corpus, data, **options) -> Stream:
    return Stream(corpus, plan(corpus, data, seed=1, trials=3, cap=200, **options))


def test_addresses_under_one_name_are_one_person_and_namesakes_elsewhere_are_not():
    people = People()
    for address, name in (
        ("ann.lee@firm.example", "Ann Lee"),
        ("alee@home.example", "Lee, Ann"),
        ("ann.b.lee@firm.example", ""),
        ("root@firm.example", "Ann Lee"),
        ("ann.lee@other.example", "Ann Leeward"),
    ):
        people.see(address, name)
    people.settle()

    one = people.person("ann.lee@firm.example")
    assert one == people.person("alee@home.example") == people.person("ann.b.lee@firm.example")
    assert one not in {people.person("root@firm.example"), people.person("ann.lee@other.example")}


@pytest.mark.parametrize(
    "address",
    [
        "ann.lee@firm.example",
        "a+b@x.example",
        "c..d@x.example",
        "list-bounce-9@x.example",
        "prvs=1@x.example",
        "ö@x.example",
    ],
)
def test_an_own_form_is_an_address_that_no_rewriting_is_seen_in(address):
    form = parse_address(own_form(address))

    assert form is not None
    assert form.domain == "own.example"
    assert canonical(form) == form


def test_every_mail_goes_out_once_and_comes_in_once_for_each_recipient_who_writes(data):
    mails = [_mail(0, ANN, BEN, "quiet@far.example"), _mail(1, BEN, ANN, in_reply_to="m0@x", reply=True)]
    stream = _stream(invented("made-up", mails), data)

    out, seen, back, back_seen = stream.lines()

    assert (out.sender, out.recipients) == (own_form(ANN), (BEN, "quiet@far.example"))
    assert (seen.line_id, seen.sender, seen.recipients) == ("m0@x.in.0", ANN, (own_form(BEN), "quiet@far.example"))
    assert seen.incoming
    assert not seen.judged
    assert back.references == ("m0@x", "m0@x.in.0")
    assert back_seen.references == ("m0@x",)


def test_a_copy_to_oneself_stays_inside(data):
    stream = _stream(invented("made-up", [_mail(0, ANN, ANN, BEN)]), data)

    assert next(stream.lines()).recipients == (own_form(ANN), BEN)


def test_injected_lines_stand_before_their_original_and_are_never_learned(data):
    lines = [line for line in _stream(_corpus(), data).lines() if not line.incoming]
    waiting: set[str] = set()
    seen: set[str] = set()
    for line in lines:
        if line.injected:
            assert line.original_id not in seen
            assert not line.learn
            assert line.judged
            waiting.add(line.original_id)
        else:
            waiting.discard(line.line_id)
            seen.add(line.line_id)

    assert not waiting
    assert any(line.injected for line in lines)


def test_lines_are_the_same_every_time(data):
    stream = _stream(_corpus(), data)

    assert list(stream.lines()) == list(stream.lines()) == list(_stream(_corpus(), data).lines())


def test_every_kind_puts_exactly_the_wrong_address_in_and_takes_the_true_one_out(data):
    corpus = _corpus()
    stream = _stream(corpus, data)
    by_id = {m.id: m for m in corpus.mails}
    kinds: Counter[str] = Counter()
    for line in stream.lines():
        if (put := line.injected) is None:
            continue
        kinds[put.kind] += 1
        before = {a for a, _ in by_id[put.original_id].recipients}
        after = set(line.recipients)
        assert after - before == {put.wrong}
        assert before - after == ({put.true} if put.true else set())
        assert corpus.people.person(put.wrong) not in {corpus.people.person(a) for a in before} - {-1}

    assert set(kinds) >= {"A", "B", "C", "C2", "D", "F"}


def test_a_stranger_was_never_met_before(data):
    corpus = _corpus()
    met: set[str] = set()
    for line in _stream(corpus, data, kinds=("D",)).lines():
        if line.injected:
            assert line.injected.wrong not in met
        elif not line.incoming:
            met.update(line.recipients)


def test_clean_messages_come_after_the_senders_twenty_fifth(data):
    nth: Counter[str] = Counter()
    for line in _stream(_corpus(), data).lines():
        if not line.incoming and line.injected is None:
            nth[line.sender] += 1
            assert line.clean == line.judged == (nth[line.sender] > 25)


def test_a_line_is_json_that_says_what_not_to_judge_and_learn(data):
    lines = list(_stream(_corpus(), data).lines())
    injected = json.loads(as_json(next(line for line in lines if line.injected)))
    incoming = json.loads(as_json(next(line for line in lines if line.incoming)))

    assert injected["learn"] is False
    assert incoming["judge"] is False
    assert "learn" not in incoming


def test_typed_slips_differ_from_what_was_meant_and_stay_addresses(data):
    letters, dice = Letters.read(data / "spelling_1edit_counts.tsv"), random.Random(3)
    observed = Observed.read(data / "typo_address_pairs.csv", data / "spelling_birkbeck.tsv")
    made = [typed_slip(ANN, letters, dice) for _ in range(200)] + [observed.slip(BEN, dice) for _ in range(20)]
    written = [slip for slip in made if slip is not None]

    assert len(written) > 100
    assert all(parse_address(slip.address) is not None and slip.address not in {ANN, BEN} for slip in written)
    assert {slip.part for slip in written} == {"local", "domain", "tld", "dot"}
    assert sum(letters.shares().values()) == pytest.approx(1, abs=0.01)
