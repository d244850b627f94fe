"""The engine: what is asked, what a broken check becomes, and the values that rules compare."""

from __future__ import annotations

from dataclasses import replace

from nixie.checks.predicates import PREDICATES
from nixie.checks.registry import CHECKS
from nixie.core.decide import Examination, domains_to_ask, examine, facts_to_ask, subjects
from nixie.core.finding import Failed, Finding, Skipped
from support.knowing import NOW, OURS, Known, case, envelope, message, origin, sent

ARMY = Known().domain("army.mil", sent(41)).address("ops@army.mil", sent(30))


class Strange:
    """A check whose answer the test chooses."""

    ID = "strange"
    VALUES = {"odd": bool}  # noqa: RUF012

    def __init__(self, *results):
        self._results = results

    def check(self, _case):
        if not self._results:
            raise RuntimeError("ops@army.ml")
        return self._results


def test_domains_are_asked_once_each_and_never_for_the_house():
    read = message("a@zoo.example", "b@zoo.example", "c@ministry.example")

    assert domains_to_ask(envelope("a@zoo.example", "d@[192.0.2.1]"), read, OURS) == ("zoo.example",)


def test_an_ordinary_recipient_costs_one_address_and_a_suspect_one_its_candidates_too():
    asked = facts_to_ask(
        message(), envelope("zoe@zoo.example", "ops@army.ml"), origin(), OURS, {"army.ml": ("army.mil",)}, NOW
    )

    assert {a.key for a in asked.addresses} == {"zoe@zoo.example", "ops@army.ml", "ops@army.mil"}
    assert set(asked.domains) == {"army.ml", "army.mil"}
    assert asked.as_of == NOW


def test_a_check_that_raises_is_a_failure_by_class_name_and_the_others_still_run():
    found = examine(case(ARMY, "ops@army.ml"), (Strange(), *CHECKS))

    assert found.failed == (Failed("strange", "RuntimeError"),)
    assert [f.check for f in found.findings] == ["misdirected"]


def test_a_finding_that_breaks_its_checks_table_is_a_failure():
    for wrong in (
        Finding("other", 0, ()),
        Finding("strange", 7, ()),
        Finding("strange", 0, (("odd", 1),)),
        Finding("strange", 0, (("even", True),)),
    ):
        assert examine(case(ARMY, "ops@army.ml"), (Strange(wrong),)).failed == (Failed("strange", "BadFindingError"),)


def test_skipped_results_are_kept_apart_from_findings():
    skipped = Skipped("strange", None, "because")

    assert examine(case(ARMY, "ops@army.ml"), (Strange(skipped),)) == Examination(skipped=(skipped,))


def test_the_values_of_each_recipient_are_there_for_rules_by_name_and_type():
    found = case(
        ARMY.address("ann@zoo.example", sent(3)),
        "ops@army.ml",
        "ann@zoo.example",
        "bob@ministry.example",
        settings={"destination": {"listed_countries": ["ML"]}},
    )
    wrong, right, inside = subjects(found, examine(found, CHECKS))

    assert wrong["misdirected.slip"] == "tld_confusion"
    assert (wrong["recipient.country"], wrong["destination.listed"], wrong["recipient.first_contact"]) == (
        "ML", True, True,
    )  # fmt: skip
    assert "misdirected.probability" not in right
    assert right["recipient.known_to_author"] is True
    assert (inside["recipient.inside"], "recipient.first_contact" in inside) == (True, False)
    assert (right["message.recipients"], right["message.outside_recipients"], right["sender.kind"]) == (3, 2, "person")
    for values in (wrong, right, inside):
        assert {name: type(value) for name, value in values.items()} == {n: PREDICATES[n].kind for n in values}


def test_the_threshold_in_force_is_one_of_the_values_and_spares_confused_endings():
    def within(slip, probability, asked_from):
        found = Finding("misdirected", 0, (("probability", probability), ("slip", slip)))
        asked = replace(case(ARMY, "ops@army.ml"), asked_from=asked_from)
        return subjects(asked, Examination((found,)))[0]["misdirected.within_budget"]

    assert within("omission", 0.6, 0.0) is within("omission", 0.6, 0.6) is within("tld_confusion", 0.2, 0.9) is True
    assert within("omission", 0.6, 0.7) is False
    assert "misdirected.within_budget" not in subjects(case(ARMY, "ops@army.ml"), Examination())[0]


def test_a_finding_about_the_whole_message_counts_for_everybody():
    found = case(ARMY, "a@zoo.example", "b@zoo.example")
    both = subjects(found, Examination((Finding("strange", None, (("odd", True),)),)))

    assert [values["strange.odd"] for values in both] == [True, True]


def test_a_message_to_five_thousand_is_decided_with_bounded_questions():
    everybody = tuple(f"u{n}@d{n}.example" for n in range(5_000))
    found = case(ARMY, *everybody)

    assert examine(found, CHECKS).failed == ()
    assert len(subjects(found, Examination())) == 5_000
