import json

from nixie.core.address import Address
from nixie.core.direction import Direction, Origin, SenderKind
from nixie.core.envelope import Envelope, Recipient
from nixie.core.evidence import EVIDENCE
from nixie.core.finding import Candidate, Evidence, Failed, Finding, Skipped
from nixie.core.verdict import Clause, CopyVerdict, Disposition, Mode, RuleTrace, Verdict
from nixie.render.decision import decision_json, decision_lines

ANN = Address("ann", "example.org")
ORIGIN = Origin(Direction.OUTGOING, ANN, "from", ANN, ANN, SenderKind.PERSON, ())
QUIET = Disposition.DELIVER


def envelope(*domains: str) -> Envelope:
    to = tuple(Recipient(f"<ops@{d}>".encode(), Address("ops", d)) for d in domains)
    return Envelope(b"<ann@example.org>", ANN, to)


def slip(number: int) -> Finding:
    return Finding(
        "misdirected",
        number,
        (("probability", 0.94), ("slip", "omission")),
        (Evidence("first-contact", (("domain", "army.ml"),), 2.5),),
        (Candidate("ops@army.mil", "omission", 0.94, (Evidence("own-domain", (("domain", "army.mil"),), 1.0),)),),
    )


def held(number: int) -> CopyVerdict:
    clause = Clause("misdirected.probability", "at_least", "0.5", 0.94, True)
    trace = RuleTrace("slip", "likely", Mode.ENFORCE, True, Disposition.HOLD_SENDER, (clause,))
    return CopyVerdict(number, Disposition.HOLD_SENDER, Disposition.HOLD_SENDER, "likely", (), (trace,))


VERDICT = Verdict((CopyVerdict(0, QUIET, QUIET), held(1)), (slip(1),), policy="0123456789abcdef")
ENVELOPE = envelope("example.com", "army.ml")


def test_what_is_stopped_comes_first_with_who_was_meant_and_why():
    assert list(decision_lines(ENVELOPE, ORIGIN, VERDICT)) == [
        "outgoing mail of ann@example.org (person)",
        'hold-sender    ops@army.ml by rule "likely"',
        "    probably meant: ops@army.mil (94%)",
        "    army.mil is one of the organisation's own domains.",
        "    Nobody in the organisation ever wrote to this address at army.ml.",
        "deliver        ops@example.com",
    ]


def test_an_explanation_shows_factors_and_clauses():
    lines = "\n".join(decision_lines(ENVELOPE, ORIGIN, VERDICT, explain=True))

    assert "misdirected: probability 0.94, slip omission" in lines
    assert "Nobody in the organisation ever wrote to this address at army.ml. [+2.5]" in lines
    assert "yes misdirected.probability at_least 0.5: 0.94" in lines


def test_what_would_be_and_exemptions_are_told():
    trace = (
        RuleTrace("slip", "watch", Mode.OBSERVE, True, Disposition.REFUSE),
        RuleTrace("slip", "likely", Mode.ENFORCE, False, Disposition.HOLD_SENDER, (), "moving"),
    )
    verdict = Verdict((CopyVerdict(0, QUIET, Disposition.REFUSE, trace=trace),))

    lines = list(decision_lines(envelope("example.com"), ORIGIN, verdict))

    assert '    would be refuse if every rule were enforced (rule "watch")' in lines
    assert '    rule "likely" was silenced by the exemption "moving"' in lines


def test_many_quiet_copies_are_counted():
    domains = [f"d{n}.example" for n in range(5000)]
    verdict = Verdict(tuple(CopyVerdict(n, QUIET, QUIET) for n in range(5000)))

    lines = list(decision_lines(envelope(*domains), ORIGIN, verdict))

    assert len(lines) == 22
    assert lines[-1] == "deliver        4980 more copies"


def test_what_did_not_run_and_what_failed_is_said():
    skipped = tuple(Skipped("misdirected", n, "too-little-history") for n in range(2))
    verdict = Verdict(
        VERDICT.copies, skipped=(*skipped, Skipped("misdirected", None, "odd-code")), failed=(Failed("x", "KeyError"),)
    )

    lines = list(decision_lines(ENVELOPE, ORIGIN, verdict))

    assert lines[-3:] == [
        "misdirected did not run for 2 recipients: too little is known yet",
        "misdirected did not run: odd code",
        "x failed (KeyError): what it would have found is not known",
    ]


def test_json_has_a_list_of_recipients_with_the_likeliest_address():
    told = json.loads(json.dumps(decision_json(ENVELOPE, ORIGIN, VERDICT)))
    quiet, stopped = told["recipients"]

    assert (quiet["address"], quiet["disposition"], quiet["probability"], quiet["intended"]) == (
        "ops@example.com",
        "deliver",
        None,
        None,
    )
    assert (stopped["probability"], stopped["intended"], stopped["slip"], stopped["rule"]) == (
        0.94,
        "ops@army.mil",
        "omission",
        "likely",
    )
    assert "factors" not in stopped


def test_json_explains_with_factors_and_rules():
    stopped = decision_json(ENVELOPE, ORIGIN, VERDICT, explain=True)["recipients"][1]

    assert stopped["factors"][0]["candidates"][0]["evidence"][0]["code"] in EVIDENCE
    assert stopped["rules"][0]["clauses"][0]["seen"] == 0.94


def test_bytes_that_are_no_text_do_not_break_the_output():
    odd = Envelope(b"<>", ANN, (Recipient(b"<\xff@example.com>", Address("\udcff", "example.com")),))
    verdict = Verdict((CopyVerdict(0, QUIET, QUIET),))

    json.dumps(decision_json(odd, ORIGIN, verdict), ensure_ascii=False).encode("utf-8")
    "\n".join(decision_lines(odd, ORIGIN, verdict)).encode("utf-8")
