import re

import pytest

from nixie.core.evidence import EVIDENCE
from nixie.core.finding import Candidate, Evidence, Failed, Finding
from nixie.core.verdict import Clause, CopyVerdict, Disposition, Mode, RuleTrace, Verdict
from nixie.render.evidence import _COUNTED, Reader, reasons, sentence, sentences, suggestions

WORDS = {"kind": "omission", "what": "one letter is missing", "written": "army.ml", "intended": "army.mil",
         "domain": "army.mil", "instead": "army.mil", "partner": "Registry", "ending": "ml", "country": "Mali",
         "code": "ML", "basis": "cctld"}  # fmt: skip


def told(code: str, number: int = 3) -> Evidence:
    return Evidence(code, tuple((name, WORDS.get(name, number)) for name in EVIDENCE[code].values))


@pytest.mark.parametrize("code", EVIDENCE)
@pytest.mark.parametrize("number", [0, 1, 2, 41])
@pytest.mark.parametrize("reader", Reader)
def test_every_code_is_a_finished_sentence_in_singular_and_plural(code: str, number: int, reader: Reader):
    text = sentence(told(code, number), reader)

    assert text.endswith(".")
    assert "{" not in text
    assert "?" not in text
    assert not re.search(r"\b[01] (times|copies)\b|\b1 of them\b.*\bonce\b", text)
    if reader is Reader.OTHER:
        assert not re.search(r"\b[Yy]our?\b", text)


def test_there_are_no_words_without_a_code():
    assert set(_COUNTED) <= set(EVIDENCE)


@pytest.mark.parametrize(
    ("number", "lately", "text"),
    [
        (1, 1, "You wrote to this address at army.mil once in the last 90 days."),
        (1, 0, "You wrote to this address at army.mil once, but not in the last 90 days."),
        (41, 41, "You wrote to this address at army.mil 41 times, all of them in the last 90 days."),
        (41, 12, "You wrote to this address at army.mil 41 times, 12 of them in the last 90 days."),
    ],
)
def test_counts_are_said_as_people_say_them(number: int, lately: int, text: str):
    evidence = Evidence("author-wrote-intended", (("n", number), ("n_90d", lately), ("domain", "army.mil")))

    assert sentence(evidence) == text


def test_others_read_about_the_author():
    assert sentence(told("author-wrote-domain"), Reader.OTHER).startswith("The author wrote to army.mil 3 times")
    assert "the organisation's own domains" in sentence(told("own-domain"), Reader.OTHER)


def test_a_look_alike_domain_is_shown_with_its_a_labels():
    evidence = Evidence("first-contact", (("domain", "xn--mnster-3ya.example"),))

    assert "münster.example (xn--mnster-3ya.example)" in sentence(evidence)


def test_a_code_of_an_old_record_and_values_that_are_missing_are_no_errors():
    assert sentence(Evidence("gone-code")) == "Recorded: gone-code."
    assert sentence(Evidence("country")) == ".? is ?."


def verdict() -> Verdict:
    slip = Finding(
        "misdirected",
        0,
        (("probability", 0.9),),
        (told("first-contact"), told("base-rate")),
        (
            Candidate("ops@army.mil", "omission", 0.9, (told("slip"),)),
            Candidate("", "omission", 0.05),
            Candidate("ops@army.mil", "other", 0.01),
        ),
    )
    country = Finding("destination", 0, (("listed", True),), (told("listed-country"),))
    trace = RuleTrace(
        "slip", "likely", Mode.ENFORCE, True, Disposition.HOLD_SENDER,
        (Clause("misdirected.probability", "at_least", "0.5", 0.9, True),),
    )  # fmt: skip
    copy = CopyVerdict(0, Disposition.HOLD_SENDER, Disposition.HOLD_SENDER, "likely", (), (trace,), "Look again.")
    return Verdict((copy,), (slip, country))


def test_the_reasons_are_those_of_the_checks_that_the_rule_asked():
    said = reasons(verdict(), 0)

    assert said[0] == "Look again."
    assert said[1] == "army.ml is like army.mil, but one letter is missing."
    assert not any("list of countries" in text for text in said)
    assert not any("goes astray" in text for text in said)


def test_a_check_that_broke_is_named():
    made = verdict()
    broken = Verdict(made.copies, made.findings, failed=(Failed("destination", "KeyError"),))

    assert reasons(broken, 0)[-1] == "The check destination could not be finished."


def test_suggestions_name_each_address_once_and_nobody_unknown():
    assert [(c.address, c.probability) for c in suggestions(verdict(), 0)] == [("ops@army.mil", 0.9)]


def test_sentences_do_not_repeat_themselves():
    twice = Finding("misdirected", 0, (), (told("country"), told("country")))

    assert len(sentences(twice)) == 1
