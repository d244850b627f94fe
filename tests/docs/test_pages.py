"""The pages say what is: files that are named exist, links lead somewhere, lists are complete, generated pages are current."""

import re
from pathlib import Path

import pytest

from nixie.config.sample import reference_markdown

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
EACH = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
FILE = re.compile(r"`((?:src|tests|tools|docs|bench)/[\w./-]+)`")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


@EACH
def test_files_that_a_page_names_exist(page) -> None:
    # The pages about adding something name files that the reader will make.
    named = FILE.findall(page.read_text()) if not page.name.startswith("add-") else []

    assert [name for name in named if not (ROOT / name).exists()] == []


@EACH
def test_links_of_a_page_lead_to_files(page) -> None:
    assert [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []


@EACH
def test_a_page_has_one_title(page) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)

    assert len(re.findall(r"^# ", prose, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", ["README.md", "docs/index.md", "docs/life-of-a-message.md", "docs/known-limits.md"])
def test_every_sentence_has_a_line_of_its_own(name) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`", "", (ROOT / name).read_text(), flags=re.DOTALL)

    assert [line for line in prose.splitlines() if re.search(r"[a-z)][.?!] [A-Z]", line)] == []


def test_the_index_lists_every_page() -> None:
    listed = set(LINK.findall((ROOT / "docs/index.md").read_text()))

    assert listed == {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}


def test_the_reference_of_the_configuration_is_current() -> None:
    assert (ROOT / "docs/configuration.md").read_text() == reference_markdown(), (
        "write it anew: .venv/bin/python -c 'from nixie.config.sample import *; print(reference_markdown(), end=\"\")' "
        "> docs/configuration.md"
    )


def test_the_life_of_a_message_names_a_file_in_every_step() -> None:
    text = (ROOT / "docs/life-of-a-message.md").read_text()
    steps = re.split(r"^\d+\. ", text, flags=re.MULTILINE)[1:]

    assert [step for step in steps if not FILE.search(step)] == []
    assert len(steps) > 20


def test_the_pages_speak_of_the_product_alone() -> None:
    private = re.compile(r"/work/|/tmp/|/root/|/home/\w|\bTODO\b|\bFIXME\b|\bsession of\b|\bissue #?\d", re.IGNORECASE)

    assert [(page.name, found) for page in PAGES for found in private.findall(page.read_text())] == []
