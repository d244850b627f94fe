"""A letter as a few blocks, from which text and HTML are made alike, so that both always say the same.

HTML is semantic and stands alone: no script, no image, nothing is fetched; dark text on white (contrast above 7:1,
WCAG 2.2, 1.4.6); it reads well without its style. Text is wrapped at 72 characters; links stay whole.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from html import escape

WIDTH = 72


@dataclass(frozen=True, slots=True)
class Text:
    """One paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the second level."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Pairs of name and value."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Points:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A place to go on, with its words."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Command:
    """A line to type."""

    text: str


Block = Text | Section | Facts | Points | Link | Command

_STYLE = (
    "body{font:1rem/1.5 sans-serif;color:#1a1a1a;background:#fff;max-width:40rem;margin:1rem auto;padding:0 1rem}"
    "h1{font-size:1.4rem}h2{font-size:1.1rem}dt{font-weight:bold}dd{margin:0 0 .5rem}"
    "a{color:#0b3d91}code{background:#f2f2f2;padding:.1rem .3rem}"
)


def as_text(title: str, blocks: tuple[Block, ...]) -> str:
    """Return the letter as plain text, paragraphs apart by an empty line, ending with a newline."""
    parts = [_wrapped(title) + "\n" + "=" * min(len(title), WIDTH)]
    for block in blocks:
        match block:
            case Text(text):
                parts.append(_wrapped(text))
            case Section(text):
                parts.append(_wrapped(text) + "\n" + "-" * min(len(text), WIDTH))
            case Facts(pairs):
                parts.append("\n".join(_wrapped(f"{name}: {value}", hang="    ") for name, value in pairs))
            case Points(items):
                parts.append("\n".join(_wrapped(item, first="* ", hang="  ") for item in items))
            case Link(words, url):
                parts.append(f"{words}:\n{url}")
            case Command(text):
                parts.append(f"    {text}")
    return "\n\n".join(part for part in parts if part) + "\n"


def as_html(title: str, blocks: tuple[Block, ...], language: str = "en") -> str:
    """Return the letter as one HTML document; every text is escaped."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Text(text):
            return f"<p>{escape(text)}</p>"
        case Section(text):
            return f"<h2>{escape(text)}</h2>"
        case Facts(pairs):
            return "<dl>" + "".join(f"<dt>{escape(n)}</dt><dd>{escape(v)}</dd>" for n, v in pairs) + "</dl>"
        case Points(items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>" if items else ""
        case Link(words, url):
            return f'<p><a href="{escape(url)}">{escape(words)}</a></p>'
        case Command(text):
            return f"<p><code>{escape(text)}</code></p>"


def _wrapped(text: str, first: str = "", hang: str = "") -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
    )
