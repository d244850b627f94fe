"""The page of results: goals first, then each organisation, as Markdown, as one HTML file with its plots inside, and as JSON.

The page holds counts and names of kinds, never an address. `tell` is what `run.py` calls.
"""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

from aims import Aim, aims
from alarms import LOCAL, read_alarms
from page import markdown
from results import figures, tables_of
from sheets import drawn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from values import OrgRun

PLOT = "![{title}](misdirection/{name}.svg)"
_ADDRESS = re.compile(r"[\w.+-]@[\w-]+\.[\w-]")
_PLOT = re.compile(r"<p>!\[[^\]]*\]\(misdirection/([\w-]+)\.svg\)</p>")
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:66rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;margin:1rem 0;font-size:13px}th,td{border-bottom:1px solid #ddd;padding:.2rem .6rem;text-align:left}
td:not(:first-child),th:not(:first-child){font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto}h2{margin-top:2.5rem}"""


def tell(runs: Sequence[OrgRun], *, json_file: Path | None, plots: Path | None, local: Path = LOCAL) -> dict[str, Any]:
    """Compute, print and write everything; return the figures.

    `json_file` gets every figure; the folder `plots` gets `misdirection.md`, and in `misdirection/` the plots and `results.html`. The
    alarms to be read go to `local`, which is no part of the repository. Raises ValueError rather than print an address.
    """
    tables, usage = tables_of(runs)
    found = figures(runs, tables, usage)
    for org, counts in read_alarms(runs, tables, local).items():
        found["organisations"][org]["read"] = counts
    goals = aims(found)
    told = json.dumps({"goals": [_aim(a) for a in goals], **found}, indent=1, allow_nan=False) + "\n"
    sheets = drawn(found)
    text = markdown(found, goals, {name: PLOT.format(title=title, name=name) for name, (title, _) in sheets.items()})
    for written in (text, told):
        if _ADDRESS.search(written):
            raise ValueError("the report shows an address; only counts and hashes may be in it")
    print(text)
    if plots is not None:
        (plots / "misdirection").mkdir(parents=True, exist_ok=True)
        for name, (_, svg) in sheets.items():
            (plots / "misdirection" / f"{name}.svg").write_text(svg + "\n")
        (plots / "misdirection.md").write_text(text)
        (plots / "misdirection" / "results.html").write_text(
            page_html(text, {name: svg for name, (_, svg) in sheets.items()})
        )
    if json_file is not None:
        json_file.write_text(told)
    return found


def _aim(aim: Aim) -> dict[str, Any]:
    return {"measure": aim.measure, "organisation": aim.org, "goal": aim.goal, "measured": aim.measured, "met": aim.met}


def page_html(text: str, svgs: dict[str, str]) -> str:
    """Return the page as one HTML file: what `page` writes of Markdown (headings, paragraphs, lists, tables) and no more."""
    blocks = [_block(b) for b in text.strip().split("\n\n")]
    body = _PLOT.sub(lambda m: svgs.get(m[1], ""), "\n".join(blocks))
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Who was meant: results</title><style>{STYLE}</style>\n{body}\n</html>\n'


def _block(block: str) -> str:
    lines = block.splitlines()
    level = len(block) - len(block.lstrip("#"))
    if level:
        return f"<h{level}>{_words(block[level:].strip())}</h{level}>"
    if block.startswith("|"):
        rows = [
            [_words(c.strip()) for c in line.strip("|").split("|")]
            for line in lines
            if not re.fullmatch(r"[|\s:-]+", line)
        ]
        head = "".join(f"<th>{c}</th>" for c in rows[0])
        rest = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows[1:])
        return f"<table><tr>{head}</tr>{rest}</table>"
    if block.startswith("* "):
        items = re.sub(r"\n  ", " ", block).splitlines()
        return "<ul>" + "".join(f"<li>{_words(i[2:])}</li>" for i in items) + "</ul>"
    return f"<p>{_words(' '.join(lines))}</p>"


def _words(text: str) -> str:
    text = html.escape(text, quote=False)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"\*([^*\s][^*]*)\*", r"<em>\1</em>", text)
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
