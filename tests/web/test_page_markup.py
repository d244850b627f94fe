"""The pages as documents: labels, headings, language, nothing from elsewhere, and colours that can be read (WCAG 2.2)."""

import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from nixie.core.verdict import Choice
from nixie.service.desk import CopyView, QuestionView, Suggestion
from nixie.service.links import Link, sign
from nixie.web.app import WebSettings
from support.webserver import Pages, TableDesk, serve

KEY = b"k" * 32
PATH = f"/d/{sign(KEY, Link('Q1', 4_000_000_000))}"
COPY = CopyView(
    hold="HAAAA",
    recipient="ops@army.ml",
    state="waiting",
    open=True,
    reasons=("One letter is missing.",),
    suggestions=(Suggestion("ops@army.mil", 0.99),),
    choices=(Choice.CORRECT, Choice.SEND, Choice.CANCEL),
)
SECOND = replace(
    COPY, hold="HBBBB", recipient="lab@saltmarhs.edu", suggestions=(Suggestion("lab@saltmarsh.edu", 0.98),)
)
AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
QUESTION = QuestionView(
    id="Q1",
    generation=2,
    author="ann@tidewatch.example",
    subject="Roster",
    at=AT,
    copies=(COPY, SECOND),
    passed_on=3,
    until=AT,
)


class Document(HTMLParser):
    """The elements of a page in order: (tag, attributes, text until the next element)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))

    def handle_data(self, data) -> None:
        if self.elements and data.strip():
            self.elements[-1][2].append(data.strip())

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes, _ in self.elements if tag in tags]


@pytest.fixture
def desk():
    return TableDesk({"Q1": QUESTION})


@pytest.fixture
def pages(desk):
    yield from serve(desk, WebSettings(KEY))


def every_page(pages: Pages) -> dict[str, str]:
    """Return each kind of page the guard can show, by a name."""
    mistake = {"hold": "HAAAA", "choice": "correct", "to": "nobody"}
    found = {"question": pages.ask("GET", PATH)[1], "mistake": pages.ask("POST", PATH, mistake)[1]}
    found["home"], found["refused"] = pages.ask("GET", "/")[1], pages.ask("GET", "/d/x")[1]
    found["done"] = pages.ask("POST", PATH, {"hold": "HAAAA", "choice": "cancel"})[1]
    found["too late"] = pages.ask("POST", PATH, {"hold": "HAAAA", "choice": "cancel"})[1]
    found["answered"] = pages.ask("POST", PATH, {"hold": "HBBBB", "choice": "cancel"})[1]
    return found


def test_every_page_says_its_language_its_title_and_fits_small_screens(pages) -> None:
    titles = {}
    for name, html in every_page(pages).items():
        document = Document(html)
        titles[name] = re.search(r"<title>(.*?)</title>", html, re.DOTALL)[1]
        assert document.all("html") == [{"lang": "en"}], name
        assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in document.all("meta"), name

    assert titles["question"] == "Did you mean these addresses? - Nixie"
    assert titles["mistake"].startswith("Error: ")
    assert titles["done"].startswith("Done: ")


def test_nothing_is_fetched_from_anywhere_and_nothing_runs(pages) -> None:
    for name, html in every_page(pages).items():
        document = Document(html)
        assert [e["href"] for e in document.all("link")] == ["/nixie.css"], name
        assert document.all("script", "img", "iframe", "object", "style") == [], name
        assert not [a for _, e, _ in document.elements for a in e if a.startswith("on") or a in {"style", "src"}], name


def test_every_field_has_a_visible_label_of_its_own(pages) -> None:
    for name, html in every_page(pages).items():
        document = Document(html)
        labelled = [e["for"] for e in document.all("label")]
        fields = [e for e in document.all("input", "select", "textarea") if e.get("type") != "hidden"]
        assert sorted(labelled) == sorted(e["id"] for e in fields), name


def test_ids_are_unique_and_every_reference_leads_to_one(pages) -> None:
    for name, html in every_page(pages).items():
        document = Document(html)
        ids = [e["id"] for _, e, _ in document.elements if "id" in e]
        told = [
            e[a].split()
            for _, e, _ in document.elements
            for a in ("aria-describedby", "aria-labelledby", "for")
            if a in e
        ]
        links = [e["href"][1:] for e in document.all("a") if e.get("href", "").startswith("#")]
        assert len(ids) == len(set(ids)), name
        assert {one for group in told for one in group} | set(links) <= set(ids), name


def test_headings_go_down_one_step_at_a_time_from_a_single_first_one(pages) -> None:
    for name, html in every_page(pages).items():
        levels = [int(tag[1]) for tag, _, _ in Document(html).elements if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1, name
        assert levels.count(1) == 1, name
        assert all(b <= a + 1 for a, b in itertools.pairwise(levels)), name


def test_a_mistake_is_summed_up_with_the_focus_on_it_and_a_way_to_the_field(pages) -> None:
    html = pages.ask("POST", PATH, {"hold": "HBBBB", "choice": "correct", "to": "nobody"})[1]
    document = Document(html)

    (summary,) = [e for _, e, _ in document.elements if e.get("role") == "alert"]
    (wrong,) = [e for e in document.all("input") if e.get("aria-invalid")]
    assert summary["tabindex"] == "-1"
    assert "autofocus" in summary
    assert "#to-HBBBB" in [e.get("href") for e in document.all("a")]
    assert (wrong["id"], wrong["value"]) == ("to-HBBBB", "nobody")
    assert "to-HBBBB-mistake" in wrong["aria-describedby"]


def test_each_answer_is_a_form_of_its_own_so_that_enter_gives_that_answer(pages) -> None:
    html = pages.ask("GET", PATH)[1]

    forms = re.findall(r"<form method=\"post\">(.*?)</form>", html, re.DOTALL)
    assert len(forms) == 8
    assert all(form.count('type="submit"') == 1 for form in forms)
    assert all('name="hold"' in form and 'name="generation"' in form for form in forms)


def test_buttons_of_different_copies_have_different_names(pages) -> None:
    html = pages.ask("GET", PATH)[1]

    said = [re.sub(r"<.*?>", "", b) for b in re.findall(r"<button.*?</button>", html, re.DOTALL)]
    assert len(said) == len(set(said)) == 8


@pytest.mark.parametrize(
    ("passed_on", "said"),
    [(0, "no other copy"), (1, "1 other copy<"), (2, "2 other copies"), (1000, "1000 other copies")],
)
def test_copies_are_counted_in_good_grammar(desk, pages, passed_on, said) -> None:
    desk.questions["Q1"] = replace(QUESTION, passed_on=passed_on)

    assert said in pages.ask("GET", PATH)[1]


def test_one_copy_and_several_are_asked_about_in_good_grammar(desk, pages) -> None:
    several = pages.ask("GET", PATH)[1]
    desk.questions["Q1"] = replace(QUESTION, copies=(COPY,))
    one = pages.ask("GET", PATH)[1]

    assert ("Did you mean these addresses?" in several, "the copies are never sent" in several) == (True, True)
    assert ("Did you mean this address?" in one, "the copy is never sent" in one) == (True, True)


def test_a_blind_copy_is_not_said_to_stand_in_the_header(desk, pages) -> None:
    desk.questions["Q1"] = replace(QUESTION, copies=(replace(COPY, blind=True),))

    assert "still see the address" not in pages.ask("GET", PATH)[1]


def test_what_a_reviewer_decides_is_said_and_not_asked(desk, pages) -> None:
    desk.questions["Q1"] = replace(QUESTION, copies=(replace(COPY, choices=()),))

    html = pages.ask("GET", PATH)[1]
    assert "A reviewer decides" in html
    assert "<form" not in html


def test_invisible_characters_of_a_subject_are_shown_as_such(desk, pages) -> None:
    desk.questions["Q1"] = replace(QUESTION, subject="Roster\u202egpj.exe\x07")

    html = pages.ask("GET", PATH)[1]
    assert "\u202e" not in html
    assert "Roster\ufffdgpj.exe" in html


# Contrast, WCAG 2.2: 4.5 for text (1.4.3), 3 for the edges of controls and the focus (1.4.11).
TEXT = (("ink", "paper"), ("quiet", "paper"), ("ink", "panel"), ("on-band", "band"), ("on-strong", "strong"), ("bad", "paper"), ("good", "paper"))  # fmt: skip
EDGES = (("line", "paper"), ("line", "panel"), ("focus", "paper"), ("rule", "paper"), ("strong", "paper"))  # fmt: skip


def schemes() -> dict[str, dict[str, str]]:
    """Return the colours of both schemes by token; the dark one stands in its media query."""
    sheet = files("nixie.web").joinpath("static", "nixie.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks)
    return {"light": light, "dark": {**light, **dark}}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_and_edges_can_be_seen(scheme) -> None:
    colours = schemes()[scheme]

    low = [(a, b) for a, b in TEXT if contrast(colours[a], colours[b]) < 4.5]
    low += [(a, b) for a, b in EDGES if contrast(colours[a], colours[b]) < 3]
    assert low == []


def test_colours_are_named_in_one_place() -> None:
    sheet = files("nixie.web").joinpath("static", "nixie.css").read_text()
    rules = re.sub(r":root \{.*?\}", "", sheet, flags=re.DOTALL)

    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb", rules) == []
    assert "@import" not in sheet
    assert "url(" not in sheet
