"""docs/faults.md is a list of tests: each row names one that exists."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = (FOLDER.parents[1] / "docs" / "faults.md").read_text("utf-8")


def test_every_row_names_a_test_that_exists():
    there = {
        name
        for file in FOLDER.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    named = re.findall(r"\| `(test_\w+)` \|$", PAGE, re.MULTILINE)
    rows = [
        line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| what", "| date", "| 2"))
    ]

    assert len(named) == len(rows)
    assert set(named) <= there, set(named) - there
