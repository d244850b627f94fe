"""The page of results: goals judged as stated, plots that are SVG, nobody's address anywhere but in the local file."""

import json
from xml.etree import ElementTree as ET

import pytest
from aims import Aim, aims
from alarms import hash_of, highest, labels_of
from baselines import NAMES
from page import goals_table
from plots import Axis, Bar, Panel, Series, bars, sheet
from report import page_html, tell
from results import plain
from table import table_of

from support.misdirected import ORG, line, run_of, sample

ME = "me=own.example@own.example"


@pytest.fixture(scope="module")
def world():
    """Return a run of 1,500 untouched messages and slips of three kinds, of which the product finds most."""
    lines, samples = [], []
    for n in range(1800):
        to = f"p{n % 9}@x.example"
        if n < 1500:
            samples.append(sample(n, {to: 0.3 if n % 50 == 0 else 0.0}, sender=ME, reply=n % 2 == 0))
        else:
            wrong = f"q{n}@x.example"
            kind = "ACE"[n % 3]
            stated = 0.9 if n % 5 else 0.01
            samples.append(
                sample(
                    n,
                    {to: 0.0, wrong: stated},
                    kind=kind,
                    wrong=wrong,
                    true=None if kind == "A" else to,
                    named=True,
                    sender=ME,
                )
            )
        lines.append(line(n, ME, " ".join(r.address for r in samples[-1].recipients), "the turbine", judged=True))
    return run_of(lines, samples)


@pytest.fixture(scope="module")
def told(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    return tell([world], json_file=folder / "out.json", plots=folder, local=folder / "local"), folder


def test_page_json_and_plots_show_no_address(told) -> None:
    files = [f for f in told[1].rglob("*") if f.is_file() and f.parent.name != "local"]

    assert {f.suffix for f in files} == {".md", ".html", ".json", ".svg"}
    assert [f.name for f in files if "x.example" in f.read_text() or ME in f.read_text()] == []


def test_every_detector_is_reported_for_every_kind(told) -> None:
    detectors = told[0]["organisations"][ORG]["detectors"]

    assert set(detectors) == {*NAMES, "yardstick", "nixie"}
    assert {tuple(d["kinds"]) for d in detectors.values()} == {("A", "C known", "E")}


def test_json_has_goals_and_can_be_read(told) -> None:
    read = json.loads((told[1] / "out.json").read_text())

    assert {"measure", "organisation", "goal", "measured", "met"} == set(read["goals"][0])


def test_goals_are_judged_as_they_are_stated(told) -> None:
    found = {a.measure: a for a in aims(told[0])}

    assert found["C known: recall at 1 per 1,000"].met is None  # fewer than two alarms are expected
    assert found["C known: right suggestion first"].met is True
    assert found["shipped policy, untouched test traffic"].met is True
    assert (found["A: Prec@1, mean of organisations"].measured, found["A: Prec@1, mean of organisations"].met) == (
        "1.000",
        True,
    )


def test_html_holds_its_plots(told) -> None:
    text = (told[1] / "misdirection" / "results.html").read_text()

    assert text.count("<svg") == 3
    assert "misdirection/" not in text


def test_the_highest_alarms_are_for_the_reader_at_this_machine(told, world) -> None:
    lines = [json.loads(e) for e in (told[1] / "local" / f"alarms-{ORG}.jsonl").read_text().splitlines()]

    assert len(lines) == 20
    assert lines[0]["body"] == "the turbine"
    assert lines[0]["hash"] == hash_of(ORG, "m0", "p0@x.example")
    assert highest(world, table_of(ORG, world.samples))[0]["stated"] == 0.3


def test_a_label_is_one_of_three_words(tmp_path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("hash,label\nab12,right\ncd34,maybe\n")

    with pytest.raises(ValueError, match="maybe"):
        labels_of(file)
    assert labels_of(tmp_path / "none.csv") == {}


def test_goal_that_cannot_be_measured_says_so() -> None:
    text = goals_table([Aim("E", "usrp", ">= 0.9", "0.950", None), Aim("F", "usrp", ">= 0.9", "0.800", False)])

    assert "| *not measurable here* |" in text
    assert "| **not met** |" in text


def test_html_escapes_and_marks_words() -> None:
    text = page_html("# A & B\n\n| a | b |\n|---|---|\n| **x** | <i> |\n\nsome *words*", {})

    assert "<h1>A &amp; B</h1>" in text
    assert "<td><strong>x</strong></td><td>&lt;i&gt;</td>" in text
    assert "<em>words</em>" in text


def test_numbers_that_are_none_are_null() -> None:
    assert plain({1: float("nan"), "b": (0.12345678, [float("inf")])}) == {"1": None, "b": [0.123457, [None]]}


def test_axis_places_values() -> None:
    axis = Axis("alarms", 0.1, 10, (), log=True)

    assert [axis.at(v) for v in (0.1, 1, 10, 99)] == pytest.approx([0, 0.5, 1, 1])


def test_plots_are_well_formed_and_say_their_names() -> None:
    unit = Axis("x & y", 0, 1, (0, 1))
    curve = sheet(
        "Curves",
        [
            Panel(
                "one < two",
                unit,
                unit,
                (Series("ours", ((0, 0), (1, 1))), Series("dots", ((1, 1),), dot=4)),
                (0, 0.5, "unsure"),
            )
        ],
    )
    share = bars("First", [Bar("ours", 0.9, limits=(0.8, 0.95), heading="this run")])

    assert [ET.fromstring(svg).find("{http://www.w3.org/2000/svg}title").text for svg in (curve, share)] == [
        "Curves",
        "First",
    ]
    assert "one &lt; two" in curve
