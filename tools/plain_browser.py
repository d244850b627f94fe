"""A browser without JavaScript, styles or cookies: it fetches one page, reads it as text, and posts its forms.

Enough to show in a terminal what a person sees on the decision page, and to answer it the way the page itself would.
"""

from __future__ import annotations

import textwrap
from html.parser import HTMLParser
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

_BLOCKS = {
    "label",
    "p",
    "h1",
    "h2",
    "h3",
    "li",
    "dt",
    "dd",
    "legend",
    "section",
    "form",
    "button",
    "main",
    "header",
    "div",
}
_SILENT = {"style", "script", "title"}
_OPENER = build_opener(ProxyHandler({}))


class Page:
    """One fetched page: its status, its `lines` as text, the hidden values of its first form, and its choices."""

    def __init__(self, url: str, form: dict[str, str] | None = None) -> None:
        data = urlencode(form).encode() if form is not None else None
        try:
            with _OPENER.open(Request(url, data, {"Accept": "text/html"}), timeout=10) as answer:
                self.status, html = answer.status, answer.read().decode()
        except HTTPError as error:
            self.status, html = error.code, error.read().decode()
        reader = _Reader()
        reader.feed(html)
        reader.close()
        self.url, self.lines, self.hidden, self.choices = url, reader.text(), reader.hidden, reader.choices

    def submit(self, choice: str, **fields: str) -> Page:
        """Post the first form with this choice and return the page that comes back."""
        return Page(self.url, {**self.hidden, "choice": choice, **fields})


class _Reader(HTMLParser):
    """Turns the elements that the pages use into lines of text."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.choices: list[str] = []
        self._lines: list[str] = []
        self._line = ""
        self._silent = 0
        self._forms = 0
        self._spans: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "span":
            # What only a screen reader says is not shown.
            self._spans.append(given.get("class") == "unseen")
            self._silent += self._spans[-1]
        self._silent += tag in _SILENT or (tag == "a" and given.get("class") == "skip")
        if tag in _BLOCKS:
            self._break()
        self._forms += tag == "form"
        if tag == "li":
            self._line = "* "
        elif tag == "button":
            self._line = "[ "
            if given.get("name") == "choice":
                self.choices.append(given.get("value", ""))
        elif tag == "input":
            self._input(given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self._silent -= self._spans.pop()
        self._silent -= tag in _SILENT or (tag == "a" and self._silent > 0)
        if tag == "button":
            self._line = f"{self._line.rstrip()} ]"
        if tag == "dt":
            self._line = f"{self._line.rstrip().rstrip(':')}: "
        elif tag in _BLOCKS:
            self._break()

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if not self._silent and words:
            lead = " " if data[0].isspace() and self._line and not self._line.endswith(" ") else ""
            self._line += f"{lead}{words}{' ' if data[-1].isspace() else ''}"

    def _input(self, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        if kind == "hidden" and self._forms == 1:
            self.hidden[given.get("name", "")] = given.get("value", "")
        elif kind == "text":
            self._break()
            self._line = "[ ______________________________ ]"

    def _break(self) -> None:
        # A term and its description share a line.
        if self._line.strip() and not self._line.endswith(": "):
            self._lines.append(self._line.strip())
            self._line = ""

    def text(self, width: int = 84) -> list[str]:
        """Return the lines, wrapped."""
        self._break()
        return [part for line in self._lines for part in textwrap.wrap(line, width, subsequent_indent="  ")]
