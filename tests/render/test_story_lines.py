import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nixie.core.verdict import CopyVerdict, Disposition, Verdict
from nixie.render.story import _ROWS, Told, story_json, story_lines
from nixie.store.ledger import Kind

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADDRESSES = ("ann@example.org", "ops@army.ml", "ops@army.mil")
QUIET, HOLD = Disposition.DELIVER, Disposition.HOLD_SENDER
VERDICT = Verdict((CopyVerdict(0, QUIET, QUIET), CopyVerdict(1, HOLD, HOLD, "likely")), policy="0123456789abcdef")


def row(
    kind: str, body: Any = None, addresses: tuple[str, ...] = (), hold: str = "H1", verdict: Verdict | None = None
) -> Told:
    return Told(7, NOW, kind, hold, addresses, body, verdict)


STORY = (
    Told(
        1, NOW, "decision", "", ADDRESSES,
        {"door": "milter", "direction": "outgoing", "author": 0, "from": 0, "to": [2, 1], "queue": "4QX", "verdict": {}},
        VERDICT,
    ),
    Told(2, NOW, "held", "H1", ("ops@army.ml",), {"id": "H1", "state": "waiting", "disposition": "hold-sender"}),
    Told(3, NOW + timedelta(seconds=4), "notice", "", ("ann@example.org",), {"question": "Q1", "step": "notice", "more": None}),
    Told(
        4, NOW + timedelta(minutes=5), "correcting", "H1", ("ann@example.org", "ops@army.mil"),
        {"actor": {"role": "author", "by": "link", "address": 0}, "reason": "typing", "corrected": 1},
    ),
    Told(5, NOW + timedelta(minutes=5), "attempt", "H1", (), {"tries": 1, "reply": "451 4.3.0", "next": 0}),
    Told(6, NOW + timedelta(minutes=6), "corrected", "H1", (), {"actor": {"role": "system", "by": "courier"}, "reply": "250 2.0.0"}),
)  # fmt: skip


def test_a_story_reads_from_the_question_to_the_end():
    assert list(story_lines(STORY)) == [
        "2026-11-23 12:00:00 #1  judged: outgoing mail of ann@example.org to 2 recipients, by milter, queue id 4QX",
        "    policy 0123456789abcdef",
        '    ops@army.ml: hold-sender by rule "likely"',
        "    1 copy went on",
        "2026-11-23 12:00:00 #2 H1  held: the copy to ops@army.ml (hold-sender)",
        "2026-11-23 12:00:04 #3  the author was asked (question Q1)",
        "2026-11-23 12:05:00 #4 H1  corrected to ops@army.mil by its author ann@example.org (link)",
        "    reason: typing",
        "2026-11-23 12:05:00 #5 H1  try 1 did not succeed: 451 4.3.0",
        "2026-11-23 12:06:00 #6 H1  sent to the corrected address: the next mail server took it",
        "    answer of the mail server: 250 2.0.0",
    ]


def test_the_story_as_json_names_addresses_instead_of_numbers():
    told = json.loads(json.dumps(story_json(STORY)))

    assert told[0]["to"] == ["ops@army.mil", "ops@army.ml"]
    assert told[0]["verdict"]["copies"][0]["rule"] == "likely"
    assert told[1]["recipient"] == "ops@army.ml"
    assert (told[3]["corrected"], told[3]["actor"]["address"]) == ("ops@army.mil", "ann@example.org")
    assert told[3]["at"] == "2026-11-23T12:05:00+00:00"


def test_every_kind_of_row_has_words():
    assert set(_ROWS) == {kind.name.lower() for kind in Kind}


def test_an_erased_row_says_so():
    assert next(iter(story_lines((row("releasing"),)))).endswith("releasing: what was recorded has been erased")
    assert story_json((row("releasing"),))[0]["erased"] is True


def test_a_firm_hold_has_no_body_and_is_not_called_erased():
    assert "erased" not in next(iter(story_lines((row("waiting"),))))
    assert story_json((row("waiting"),))[0]["erased"] is False


JUNK = st.recursive(
    st.one_of(st.none(), st.text(max_size=10), st.integers(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
BODIES = st.dictionaries(
    st.sampled_from(["actor", "reason", "corrected", "reply", "step", "question", "tries", "from"]), JUNK
)


@given(st.sampled_from([*_ROWS, "later-kind"]), BODIES)
def test_a_row_of_another_shape_is_told_as_far_as_it_goes(kind: str, body: dict[str, Any]):
    rows = (row(kind, body, ADDRESSES, verdict=None),)

    assert list(story_lines(rows))
    json.dumps(story_json(rows))
