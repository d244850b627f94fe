import pytest

from nixie.core.verdict import Choice, CopyVerdict, Disposition, Verdict
from nixie.render.hold import _OUTCOMES, choices_of, outcome_of, reasons_of, suggestions_of
from nixie.store.hold_states import State


def test_every_state_of_a_hold_has_words():
    assert set(_OUTCOMES) == {str(state) for state in State}


@pytest.mark.parametrize("state", State)
def test_an_outcome_is_a_finished_sentence(state: State):
    text = outcome_of(str(state), "ops@army.mil")

    assert text.endswith(".")
    assert ("ops@army.mil" in text) == (state in (State.CORRECTING, State.CORRECTED))


def test_delivery_is_never_claimed_for_what_only_a_next_hop_took():
    assert "deliver" not in " ".join(_OUTCOMES.values())


def test_a_reviewer_s_copy_cannot_be_sent_by_its_author():
    assert choices_of("hold-reviewer", ("send", "cancel", "correct")) == (Choice.CORRECT, Choice.CANCEL)
    assert choices_of("hold-sender", ("send", "cancel", "eat")) == (Choice.SEND, Choice.CANCEL)


def test_a_copy_that_cannot_be_found_in_its_verdict_has_a_general_reason():
    verdict = Verdict((CopyVerdict(0, Disposition.HOLD_SENDER, Disposition.HOLD_SENDER),))

    for number in (-1, 0, 7):
        assert reasons_of(verdict, number) == ("A rule of your organisation holds it.",)
        assert suggestions_of(verdict, number) == ()
