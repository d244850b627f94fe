"""`nixie check`: what would become of each copy, told by exit code, in words and in JSON; no server runs."""

import pytest

from nixie.service.engine import Engine
from support.cli_world import FINE, SLIP, make_home, nixie, write

PAST = """\
From ann@army.mil Thu Oct  1 09:00:00 2026
From: ann@army.mil
To: lab@saltmarsh.edu
Date: Thu, 01 Oct 2026 09:00:00 +0000
Message-ID: <past-{n}@army.mil>

hello

"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make_home(tmp_path_factory.mktemp("check"))


def check(home, text: str, *words: object):
    return nixie("check", "-", "--home", home, *words, stdin=text.encode())


def test_mail_that_goes_where_it_should_ends_with_0(home) -> None:
    ended = check(home, FINE)

    assert ended.code == 0
    assert "deliver        lab@saltmarsh.edu" in ended.out


def test_a_slip_of_the_own_domain_ends_with_1_and_says_why(home) -> None:
    ended = check(home, SLIP)

    assert ended.code == 1
    assert 'hold-sender    ops@army.ml by rule "likely-slip"' in ended.out
    assert "probably meant: ops@army.mil" in ended.out
    assert "army.ml is like army.mil, but its ending is another one." in ended.out
    assert "deliver        bob@army.mil" in ended.out


def test_several_files_are_told_one_by_one(home, tmp_path) -> None:
    files = [write(tmp_path / "slip.eml", SLIP), write(tmp_path / "fine.eml", FINE)]

    ended = nixie("check", *files, "--home", home)
    told = nixie("check", *files, "--home", home, "--json")

    assert (ended.code, told.code) == (1, 1)
    assert [line for line in ended.out.splitlines() if line.endswith(".eml:")] == [f"{f}:" for f in files]
    assert [t["file"] for t in told.json] == [str(f) for f in files]


def test_json_has_a_recipient_for_each_copy_with_every_answer(home) -> None:
    (told,) = check(home, SLIP, "--json").json

    slip, fine = told["recipients"]
    assert told["direction"] == "outgoing"
    assert (slip["address"], slip["disposition"], slip["would_be"]) == ("ops@army.ml", "hold-sender", "hold-sender")
    assert (slip["intended"], slip["slip"]) == ("ops@army.mil", "tld_confusion")
    assert slip["probability"] > 0.9
    assert "factors" not in slip
    assert (fine["disposition"], fine["findings"]) == ("deliver", [])


def test_explain_shows_candidates_with_their_factors_and_the_rules(home) -> None:
    words = check(home, SLIP, "--explain").out
    (told,) = check(home, SLIP, "--explain", "--json").json

    assert "rule slip/likely-slip (enforce): matched" in words
    assert "yes misdirected.probability at_least 0.5" in words
    candidates = told["recipients"][0]["factors"][0]["candidates"]
    assert candidates[0]["address"] == "ops@army.mil"
    assert sum(c["probability"] for c in candidates) <= 1.0001
    assert all(e["text"] for e in candidates[0]["evidence"])


def test_the_envelope_can_be_said_instead_of_read(home) -> None:
    ended = check(home, FINE, "--from", "ann@army.mil", "--to", "ops@army.ml", "--to", "lab@saltmarsh.edu", "--json")

    assert [r["address"] for r in ended.json[0]["recipients"]] == ["ops@army.ml", "lab@saltmarsh.edu"]
    assert ended.code == 1


def test_mail_of_another_house_is_not_judged(home) -> None:
    ended = check(home, SLIP.replace("ann@army.mil", "eve@elsewhere.example"), "--to", "bob@army.mil", "--json")

    assert ended.code == 0
    assert ended.json[0]["direction"] == "incoming"


def test_another_policy_judges_instead_of_the_installations(home, tmp_path) -> None:
    watch = tmp_path / "watch.toml"
    watch.write_text((home / "policy.toml").read_text().replace('mode = "enforce"', 'mode = "observe"'))

    ended = check(home, SLIP, "--policy", watch)

    assert ended.code == 0
    assert "would be hold-sender if every rule were enforced" in ended.out


def test_as_of_a_moment_nothing_that_came_later_is_known(tmp_path) -> None:
    home = make_home(tmp_path)
    past = tmp_path / "past.mbox"
    past.write_text("".join(PAST.format(n=n) for n in range(250)))
    assert nixie("learn", past, "--home", home).code == 0
    slip = FINE.replace("lab@saltmarsh.edu", "lab@saltmarhs.edu")

    assert check(home, slip, "--as-of", "2026-11-01").code == 1
    assert check(home, slip, "--as-of", "2026-09-01T12:00:00Z").code == 0


def test_without_an_installation_the_own_domains_are_said(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NIXIE_HOME", raising=False)

    ended = nixie("check", "-", "--own-domain", "army.mil", stdin=SLIP.encode())
    silent = nixie("check", "-", stdin=SLIP.encode())

    assert ended.code == 1
    assert silent.code == 2
    assert "--own-domain example.org" in silent.err


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        ((), "Subject: x\n\nno From\n", "--from"),
        ((), "From: ann@army.mil\n\nno To\n", "--to"),
        (("--from", "nobody at all"), SLIP, "not an address"),
        (("--to", "@"), SLIP, "not an address"),
        (("--as-of", "tomorrow"), SLIP, "2026-03-01"),
        (("no-such-file.eml",), SLIP, "no-such-file.eml"),
    ],
)
def test_what_cannot_be_judged_ends_with_2_and_names_the_remedy(home, words, text, said) -> None:
    ended = check(home, text, *words)

    assert ended.code == 2
    assert said in ended.err


def test_no_file_at_all_is_a_mistake_of_usage(home) -> None:
    ended = nixie("check", "--home", home)

    assert (ended.code, ended.out) == (2, "")
    assert "name a message file" in ended.err


def test_a_bad_policy_is_bad_input_with_line_and_nearest_name(home, tmp_path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text((home / "policy.toml").read_text().replace("misdirected.probability", "misdirected.probabilty", 1))

    ended = check(home, SLIP, "--policy", bad)

    assert ended.code == 2
    assert 'did you mean "misdirected.probability"' in ended.err


def test_a_fault_of_nixie_ends_with_70_and_tells_no_address(home, monkeypatch) -> None:
    def broken(self, message, envelope, client, as_of):
        raise ZeroDivisionError(f"about {envelope.recipients[0].address}")

    monkeypatch.setattr(Engine, "decide", broken)

    ended = check(home, SLIP)

    assert (ended.code, ended.out) == (70, "")
    assert "ZeroDivisionError" in ended.err
    assert "cli/check.py" in ended.err
    assert "ops@army.ml" not in ended.err


def test_a_file_that_is_no_mail_is_judged_by_what_can_be_read(home) -> None:
    ended = nixie(
        "check", "-", "--home", home, "--from", "ann@army.mil", "--to", "ops@army.ml", stdin=b"\x00\xff" * 5000
    )

    assert ended.code == 1


STREAM = """\
{"id": "1", "date": "2026-03-01T09:00:00Z", "sender": "ann@army.mil", "to": ["lab@saltmarsh.edu"], "subject": "a", "body": "x"}
{"id": "2", "date": "2026-03-02T09:00:00Z", "sender": "ann@army.mil", "to": ["ops@army.ml"], "subject": "b", "body": "x"}
"""


def test_a_stream_gives_a_line_for_a_line_and_a_summary(home) -> None:
    ended = nixie("check", "--stream", "-", "--walk-forward", "--home", home, stdin=STREAM.encode())

    import json

    first, second, last = map(json.loads, ended.out.splitlines())
    assert ended.code == 1
    assert (first["id"], first["recipients"][0]["disposition"]) == ("1", "deliver")
    assert (second["id"], second["recipients"][0]["disposition"]) == ("2", "hold-sender")
    assert (last["summary"]["lines"], last["summary"]["stopped_copies"]) == (2, 1)


def test_a_stream_with_a_broken_line_goes_on_and_ends_with_2(home) -> None:
    ended = nixie("check", "--stream", "-", "--home", home, stdin=b"{broken\n" + STREAM.encode())

    assert ended.code == 2
    assert len(ended.out.splitlines()) == 4
