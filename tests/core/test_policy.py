import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from nixie.core.verdict import Choice, Disposition, Mode
from support.policy_world import NOW, exemption, judged, policy, rule

LIKELY = '{ "misdirected.probability" = { at_least = 0.5 } }'
SOME = '{ "misdirected.probability" = { at_least = 0.1 } }'
LISTED = '{ "destination.listed" = true }'

PROPERTY_POLICY = "".join(
    (
        rule(name='"mild"', mode='"observe"', when=SOME, then='"hold-sender"'),
        rule(name='"sure"', when=LIKELY),
        rule("destination", name='"listed"', mode='"enforce"', when=LISTED, then='"hold-reviewer"'),
        rule(
            "crowd", name='"crowd"', mode='"observe"', when='{ "crowd.strangers" = { more_than = 9 } }', then='"refuse"'
        ),
        exemption(),
    )
)
SUBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "misdirected.probability": st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.5, 0.97]),
        "destination.listed": st.booleans(),
        "crowd.strangers": st.integers(0, 20),
        "recipient.domain": st.sampled_from(["partner.example", "a.partner.example", "other.example"]),
    },
)


def test_a_copy_about_which_nothing_was_found_is_delivered_without_a_trace():
    copy = judged(rule(when=LIKELY))

    assert copy.disposition is copy.would_be is Disposition.DELIVER
    assert (copy.rule, copy.trace, copy.choices) == ("", (), ())


def test_a_matching_rule_decides_and_tells_every_clause_with_its_value():
    copy = judged(rule(name='"sure"', when=LIKELY), misdirected__probability=0.9)

    assert (copy.disposition, copy.rule) == (Disposition.HOLD_SENDER, "sure")
    assert copy.choices == (Choice.CORRECT, Choice.SEND, Choice.CANCEL)
    (trace,) = copy.trace
    (clause,) = trace.clauses
    assert (trace.matched, clause.predicate, clause.wanted, clause.seen, clause.held) == (
        True,
        "misdirected.probability",
        "0.5",
        0.9,
        True,
    )


def test_the_first_match_decides_within_a_track():
    text = rule(name='"known"', when='{ "recipient.country" = "FR" }', then='"deliver"') + rule(
        name='"sure"', when=LIKELY
    )

    assert judged(text, recipient__country="FR", misdirected__probability=0.9).rule == "known"
    assert judged(text, recipient__country="ML", misdirected__probability=0.9).rule == "sure"


def test_the_strictest_disposition_wins_over_the_tracks():
    text = rule(name='"sure"', when=LIKELY) + rule("destination", name='"listed"', when=LISTED, then='"hold-reviewer"')

    copy = judged(text, misdirected__probability=0.9, destination__listed=True)

    assert (copy.disposition, copy.rule) == (Disposition.HOLD_REVIEWER, "listed")
    assert {trace.rule for trace in copy.trace} == {"sure", "listed"}


def test_the_author_may_do_what_every_holding_rule_allows():
    text = rule(name='"a"', choices='["correct", "send"]') + rule("crowd", name='"b"', choices='["send", "cancel"]')

    assert judged(text).choices == (Choice.SEND,)


def test_rules_that_allow_nothing_in_common_leave_the_author_to_cancel():
    text = rule(name='"a"', choices='["correct"]') + rule("crowd", name='"b"', choices='["send"]')

    assert judged(text).choices == (Choice.CANCEL,)


def test_an_observed_rule_is_recorded_and_does_not_end_the_search():
    text = rule(name='"watch"', mode='"observe"', when=SOME, then='"refuse"') + rule(name='"sure"', when=LIKELY)

    copy = judged(text, misdirected__probability=0.9)

    assert (copy.disposition, copy.rule, copy.would_be) == (Disposition.HOLD_SENDER, "sure", Disposition.REFUSE)
    assert [(t.rule, t.mode) for t in copy.trace] == [("watch", Mode.OBSERVE), ("sure", Mode.ENFORCE)]


def test_an_observed_delivery_makes_what_would_be_milder():
    text = rule(name='"watch"', mode='"observe"', when=SOME, then='"deliver"') + rule(name='"sure"', when=LIKELY)

    copy = judged(text, misdirected__probability=0.9)

    assert (copy.disposition, copy.would_be) == (Disposition.HOLD_SENDER, Disposition.DELIVER)


def test_a_rule_that_is_off_is_not_looked_at():
    copy = judged(rule(mode='"off"'))

    assert (copy.disposition, copy.would_be, copy.trace) == (Disposition.DELIVER, Disposition.DELIVER, ())


def test_an_exemption_silences_its_checks_and_the_trace_says_so():
    copy = judged(rule(when=LIKELY) + exemption(), misdirected__probability=0.9, recipient__domain="a.partner.example")

    assert (copy.disposition, copy.would_be) == (Disposition.DELIVER, Disposition.DELIVER)
    assert [(t.matched, t.exempted) for t in copy.trace] == [(False, "e")]


def test_an_exemption_leaves_other_checks_their_voice():
    text = rule(when=LIKELY) + rule("destination", name='"listed"', when=LISTED) + exemption()

    copy = judged(text, misdirected__probability=0.9, destination__listed=True, recipient__domain="partner.example")

    assert (copy.disposition, copy.rule) == (Disposition.HOLD_SENDER, "listed")


def test_an_exemption_ends_after_its_last_day():
    made = policy(rule(when=LIKELY) + exemption(until="2026-11-23"))
    subject = {"misdirected.probability": 0.9, "recipient.domain": "partner.example"}

    (on_the_day,) = made.judge([subject], NOW)
    (after,) = made.judge([subject], NOW + timedelta(days=1))

    assert (on_the_day.disposition, after.disposition) == (Disposition.DELIVER, Disposition.HOLD_SENDER)
    assert made.expired(NOW.date()) == ()
    assert [e.name for e in made.expired(NOW.date() + timedelta(days=1))] == ["e"]


def test_an_explanation_names_the_misses_too():
    made = policy(rule(name='"far"', when='{ "recipient.country" = "ML" }') + rule(name='"sure"', when=LIKELY))

    (copy,) = made.judge([{"misdirected.probability": 0.9, "recipient.country": "GB"}], NOW, full=True)

    assert [(t.rule, t.matched) for t in copy.trace] == [("far", False), ("sure", True)]


def test_recipients_with_equal_values_are_judged_once():
    made = policy(rule(when=LIKELY))
    subjects = [{"misdirected.probability": 0.9, "recipient.domain": f"d{n}.example"} for n in range(5000)]

    copies = made.judge(subjects, NOW)

    assert [copy.recipient for copy in copies] == list(range(5000))
    assert len({id(copy.trace) for copy in copies}) == 1


def test_the_deciding_rule_gives_message_and_reviewers():
    text = rule(then='"hold-reviewer"', reviewers='["desk@example.org"]', message='"Listed country."')

    copy = judged(text)

    assert (copy.message, copy.reviewers) == ("Listed country.", ("desk@example.org",))


def test_the_digest_is_of_the_meaning_and_not_of_the_layout():
    one = policy(rule(when='{ "recipient.country" = "ML", "destination.listed" = true }'))
    same = policy(
        "# a comment\n" + rule(when='{ all = [{ destination.listed = true }, { recipient.country.is = "ml" }] }')
    )
    other = policy(rule(when='{ "recipient.country" = "FR", "destination.listed" = true }'))

    assert one.digest == same.digest != other.digest
    assert len(one.digest) == 64


@given(st.lists(SUBJECTS, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_recipients_does_not_matter(subjects: list[dict[str, object]], dice: random.Random):
    order = list(range(len(subjects)))
    dice.shuffle(order)
    made = policy(PROPERTY_POLICY)

    straight = made.judge(subjects, NOW)
    shuffled = made.judge([subjects[n] for n in order], NOW)

    for place, n in enumerate(order):
        told, again = straight[n], shuffled[place]
        assert (told.disposition, told.would_be, told.rule, told.trace) == (
            again.disposition,
            again.would_be,
            again.rule,
            again.trace,
        )


@given(SUBJECTS)
def test_what_happens_is_never_milder_than_any_enforced_match(subject: dict[str, object]):
    (copy,) = policy(PROPERTY_POLICY).judge([subject], NOW)
    enforced = [t.disposition.strictness for t in copy.trace if t.matched and t.mode is Mode.ENFORCE]

    assert copy.disposition.strictness == max(enforced, default=0)


@given(SUBJECTS)
def test_observing_changes_nothing_and_tells_what_enforcing_would(subject: dict[str, object]):
    text = PROPERTY_POLICY.replace(rule(name='"sure"', when=LIKELY), "")
    observed, enforced = policy(text.replace('"enforce"', '"observe"')), policy(text.replace('"observe"', '"enforce"'))

    (watched,), (acted,) = observed.judge([subject], NOW), enforced.judge([subject], NOW)

    assert watched.disposition is Disposition.DELIVER
    assert watched.would_be is acted.disposition is acted.would_be
