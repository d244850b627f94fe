"""The pages that tell how to add a check and a slip kind: what they show is added here, and works."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from nixie.checks.registry import CHECKS
from nixie.core.decide import examine
from nixie.core.similarity import SmallIndex
from nixie.core.slips import SLIPS, explain_with
from support.knowing import Known, case

DOCS = Path(__file__).parents[2] / "docs"


def module_of(page: str) -> ModuleType:
    """Return the module that a page shows."""
    (source,) = re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    module = ModuleType(page.removesuffix(".md").replace("-", "_"))
    exec(compile(source, page, "exec"), vars(module))
    return module


@pytest.mark.parametrize("page", ["add-a-check.md", "add-a-slip-kind.md"])
def test_a_page_is_a_page(page):
    assert len((DOCS / page).read_text("utf-8").splitlines()) <= 55


def test_the_slip_kind_of_the_page_explains_its_examples():
    kind = module_of("add-a-slip-kind.md")
    slip = explain_with((*SLIPS, kind), "dept.example.org", "example.dept.org")

    assert slip is not None
    assert (slip.kind, slip.what) == (kind.KIND, kind.WHAT)
    assert all(kind.likelihood(*pair) > 0.0 for pair in kind.FIRES)
    assert all(kind.likelihood(*pair) == 0.0 for pair in kind.QUIET)


@pytest.mark.parametrize("kind", SLIPS, ids=lambda kind: kind.KIND)
def test_the_index_proposes_the_examples_of_every_kind(kind):
    for intended, written in kind.FIRES:
        if SPELT_OUT not in (intended, written):
            assert SmallIndex((intended,)).near(written, 1) == (intended,)


SPELT_OUT = "mueller.example"
"""A mark spelt out in two letters: the index has no key for it, so this slip is found among the proposals of others only."""


def test_the_check_of_the_page_finds_three_strangers_and_is_quiet_about_two():
    check = module_of("add-a-check.md")
    three = examine(case(Known(), "a@a.example", "b@b.example", "c@c.example"), (*CHECKS, check))
    two = examine(case(Known(), "a@a.example", "b@b.example"), (*CHECKS, check))

    assert [dict(f.values) for f in three.findings if f.check == check.ID] == [{"count": 3}]
    assert (two.findings, two.failed, three.failed) == ((), (), ())
