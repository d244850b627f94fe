"""Intent: who was meant, weighed over a whole message, with trust that repetition cannot buy."""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core import proposals
from nixie.core.direction import Direction, SenderKind
from nixie.core.evidence import EVIDENCE
from nixie.core.facts import Counts, History, Totals
from nixie.core.finding import Finding, Skipped
from nixie.core.hypotheses import ENOUGH_HISTORY
from nixie.core.intent import REPORTED_FROM, weigh
from nixie.core.organisation import Organisation, Partner
from support.knowing import NULL, Known, address, case, origin, probabilities, sent

BANK = Organisation(own_domains=("cba.com.au",))


def army() -> Known:
    """Return what an organisation knows that wrote to army.mil 41 times, once in a while to ops."""
    return Known().domain("army.mil", sent(41)).address("ops@army.mil", sent(12), sent(30))


def only(found):
    (finding,) = weigh(found)
    assert isinstance(finding, Finding)
    return finding


def test_a_letter_lost_in_the_ending_is_found_with_what_was_meant():
    finding = only(case(army(), "ops@army.ml"))

    assert dict(finding.values)["probability"] > 0.99
    assert finding.candidates[0].address == "ops@army.mil"
    assert dict(finding.values) | {"probability": 1} == {
        "probability": 1, "slip": "tld_confusion", "intended_known": True, "intended_relation": "known",
    }  # fmt: skip


def test_an_own_domain_is_a_candidate_on_the_first_day():
    finding = only(case(Known(Totals()), "bob.ray@cba.com", organisation=BANK))

    assert dict(finding.values)["probability"] > 0.9
    assert dict(finding.values)["intended_relation"] == "own"


def test_below_some_history_only_named_domains_are_weighed_and_the_rest_is_skipped():
    young = replace(army(), totals=Totals(0, ENOUGH_HISTORY - 1))

    assert weigh(case(young, "ops@army.ml", "zoe@zoo.example")) == (Skipped("misdirected", 0, "too-little-history"),)


def test_a_partner_is_a_candidate_on_the_first_day():
    ours = Organisation(own_domains=("ministry.example",), partners=(Partner("Forces", ("army.mil", "*.army.mil")),))
    found = weigh(case(Known(Totals()), "ops@army.ml", "ops@hq.army.ml", organisation=ours))

    assert [c.candidates[0].address for c in found if isinstance(c, Finding)] == ["ops@army.mil", "ops@hq.army.mil"]


def test_an_ending_that_does_not_exist_needs_no_history():
    finding = only(case(Known(Totals()), "bob.ray@example.con"))

    assert dict(finding.values)["intended_relation"] == "unknown"
    assert finding.candidates[0].address == "bob.ray@example.com"
    assert finding.candidates[0].evidence[1].code == "no-such-ending"


@pytest.mark.parametrize("times", [1, 5, 13])
def test_the_same_wrong_address_still_flags_however_often_it_was_written(times):
    known = army().address("ops@army.ml", sent(times)).domain("army.ml", sent(times))

    assert probabilities(case(known, "ops@army.ml"))["ops@army.ml"] > 0.99


def test_the_owner_of_a_look_alike_gains_nothing_by_writing_first_or_by_answering():
    flood = Counts(wrote_to_us=1_000, replied=1_000)
    courted = army().address("ops@army.ml", flood).domain("army.ml", flood)

    assert probabilities(case(courted, "ops@army.ml")) == probabilities(case(army(), "ops@army.ml"))


def test_whoever_writes_to_us_does_not_become_somebody_we_may_have_meant():
    courted = Known().domain("army.ml", Counts(wrote_to_us=1_000)).address("ops@army.ml", Counts(wrote_to_us=1_000))

    assert weigh(case(courted, "ops@army.mil")) == ()


@pytest.mark.parametrize(
    "history, cleared",
    [
        (History(author=sent(1, released_by_sender=1), organisation=sent(1, released_by_sender=1)), True),
        (History(organisation=sent(1, released_by_sender=1)), False),
        (History(organisation=sent(1, released_by_reviewer=1)), True),
        (History(organisation=Counts(confirmed=1)), True),
        (History(organisation=sent(1, cancelled=1)), False),
    ],
)
def test_only_a_persons_word_clears_a_doubted_address(history, cleared):
    known = army()
    known.addresses["ops@army.ml"] = history
    known.domains["army.ml"] = History(organisation=sent(1))

    assert (probabilities(case(known, "ops@army.ml"))["ops@army.ml"] < 0.1) is cleared


def test_a_neighbour_that_is_written_to_as_often_is_trusted():
    known = Known().domain("msu.edu", sent(30)).domain("smu.edu", sent(30)).address("kim@smu.edu", sent(3))
    known.address("kim@msu.edu", sent(3))

    assert weigh(case(known, "kim@smu.edu")) == ()


def test_bounces_and_corrections_raise_suspicion_within_bounds():
    known = Known().domain("hotmail.com", sent(500))
    before = probabilities(case(known, "bob.ray@hptmail.com"))["bob.ray@hptmail.com"]
    known.address("bob.ray@hptmail.com", Counts(), Counts(bounced=1))
    bounced = only(case(known, "bob.ray@hptmail.com"))
    known.address("bob.ray@hptmail.com", Counts(), Counts(bounced=10**6, disowned=10**6))
    after = probabilities(case(known, "bob.ray@hptmail.com"))["bob.ray@hptmail.com"]

    assert before < dict(bounced.values)["probability"] < after < 0.999
    assert "bounced-before" in {e.code for e in bounced.evidence}


def test_a_message_split_into_transactions_gives_the_same_probabilities():
    everybody = ("ops@army.ml", "bob.ray@gmial.com", "zoe@zoo.example")
    known = army().domain("gmail.com", sent(900))
    whole = probabilities(case(known, *everybody))
    parts = [probabilities(case(known, one, to=everybody)) for one in everybody]

    assert whole == {name: value for part in parts for name, value in part.items()}


def test_two_sure_slips_in_one_message_are_two_findings():
    found = probabilities(case(army().domain("gmail.com", sent(900)), "ops@army.ml", "bob.ray@gmial.com"))

    assert min(found.values()) > 0.8


def test_two_copies_at_one_wrong_domain_are_one_slip_and_do_not_compete():
    alone = probabilities(case(Known(Totals()), "ann@cba.com", organisation=BANK))
    both = probabilities(case(Known(Totals()), "ann@cba.com", "bob@cba.com", organisation=BANK))

    assert both["ann@cba.com"] == alone["ann@cba.com"]


def test_many_weak_suspicions_share_one_base_rate():
    known = Known()
    for letter in "abcdefghij":
        known.domain(f"{letter}mail.com", sent(100))
    alone = probabilities(case(known, "bob.ray@amailw.com"))["bob.ray@amailw.com"]
    together = probabilities(case(known, *(f"bob.ray@{letter}mailw.com" for letter in "abcdefghij")))

    assert together["bob.ray@amailw.com"] < alone < 0.1


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"direction": Direction.INCOMING}, "not-outgoing"),
        ({"kind": SenderKind.BOUNCE, "author": None, "envelope_sender": NULL}, "not-typed"),
        ({"kind": SenderKind.LIST}, "not-typed"),
        ({"kind": SenderKind.FORWARD}, "not-typed"),
        ({"kind": SenderKind.MACHINE}, "not-typed"),
        ({"author": None, "author_basis": "none"}, "no-author"),
    ],
)
def test_nobody_typed_the_addresses_of_some_mail(changes, reason):
    assert weigh(case(army(), "ops@army.ml", origin=origin(**changes))) == (Skipped("misdirected", None, reason),)


def test_a_login_that_names_nobody_is_one_of_ours_who_may_slip():
    nobody = origin(author=None, author_basis="login")

    assert dict(only(case(army(), "ops@army.ml", origin=nobody)).values)["probability"] > 0.9


@pytest.mark.parametrize("written", ["ops%army.ml@ministry.example", "army.ml!ops@ministry.example"])
def test_an_address_of_ours_that_names_a_slip_inside_is_weighed_by_where_it_goes(written):
    finding = only(case(army(), written))

    assert finding.candidates[0].address == "ops@army.mil"
    assert dict(finding.values)["probability"] > 0.99


def test_all_copies_at_one_wrong_domain_are_found_however_many():
    people = tuple(f"r{n}@army.ml" for n in range(600))

    assert [f.recipient for f in weigh(case(army(), *people))] == list(range(600))


def test_copies_at_many_wrong_domains_are_found_each():
    known = Known()
    for n in range(600):
        known.domain(f"house{n:03}mil.example", sent(40))
    people = tuple(f"ops@house{n:03}ml.example" for n in range(600))

    assert {f.recipient for f in weigh(case(known, *people)) if isinstance(f, Finding)} == set(range(600))


def test_recipients_of_whom_not_all_could_be_weighed_are_named(monkeypatch):
    monkeypatch.setattr(proposals, "PER_MESSAGE", 5)
    known = army().domain("arm.ml", sent(90)).domain("zoo.example", sent(90))
    found = weigh(case(known, *(f"p{n}@army.ml" for n in range(5)), "kim@zoo.example"))

    skipped = [s.recipient for s in found if isinstance(s, Skipped) and s.reason == proposals.TOO_MANY]
    assert skipped == [None, 0, 1, 2, 3, 4]


def test_an_index_that_knows_more_than_the_moment_changes_nothing():
    then, later = army(), army()
    for name in ("army.nl", "arny.ml", "army.mk", "armi.ml"):
        later.domains[name] = History()

    assert weigh(case(later, "ops@army.ml")) == weigh(case(then, "ops@army.ml"))


def test_another_host_of_the_same_registered_domain_is_no_slip():
    known = Known().domain("de.example.com", sent(200)).address("kim@de.example.com", sent(9))

    assert weigh(case(known, "kim@example.com")) == ()


def test_literals_bare_names_and_inside_recipients_are_no_slips():
    assert weigh(case(army(), "ops@[192.0.2.1]", "ann@ministry.example", to=())) == ()


def test_a_tag_neither_hides_nor_makes_an_acquaintance():
    known = Known().domain("gmail.com", sent(900)).address("bob.ray@gmail.com", sent(20))

    assert dict(only(case(known, "bob.ray+trip@gmial.com")).values)["intended_known"] is True


def test_evidence_is_in_the_table_and_adds_up_to_the_odds():
    finding = only(case(army().address("ops@army.ml", sent(2)).domain("army.ml", sent(2)), "ops@army.ml"))
    (best, *_), probability = finding.candidates, dict(finding.values)["probability"]

    for one in (*finding.evidence, *best.evidence):
        assert tuple(name for name, _ in one.values) == EVIDENCE[one.code].values
    weight = sum(e.weight for e in (*finding.evidence, *best.evidence))
    assert weight == pytest.approx(log(best.probability / (1.0 - float(probability))), rel=0.01)
    assert {"doubted", "country", "author-wrote-written"} <= {e.code for e in finding.evidence}


def test_nothing_of_a_local_part_is_in_a_repr():
    assert "ops" not in repr(only(case(army(), "ops@army.ml")))


NAMES = ("ops@army.ml", "bob.ray@gmial.com", "zoe@zoo.example", "kim@smu.edu", "ann@mailw.com", "lee@armymil.com")


@given(st.permutations(NAMES))
def test_the_order_of_recipients_changes_nothing(names):
    known = army().domain("gmail.com", sent(900)).domain("mail.com", sent(90)).domain("msu.edu", sent(80))

    assert probabilities(case(known, *names)) == probabilities(case(known, *NAMES))


@given(st.integers(0, 400), st.integers(1, 400), st.sampled_from(("ops@army.ml", "bob.ray@army.ml", "info@army.ml")))
def test_more_copies_to_the_intended_never_lower_the_probability(n, more, written):
    def probability(count):
        known = Known(Totals(500 + count, 5_000 + count, 300, 100)).domain("army.mil", sent(count))
        known.address("ops@army.mil", sent(count)).domain("army.ml", sent(2)).address("ops@army.ml", sent(2))
        return probabilities(case(known, written))[written]

    assert probability(n) <= probability(n + more) or probability(n) < REPORTED_FROM


def test_addresses_are_compared_by_key():
    assert address("OPS@Army.ML").key == "ops@army.ml"
    assert probabilities(case(army(), "OPS@Army.ML")).popitem()[1] > 0.99
