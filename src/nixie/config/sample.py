"""The sample nixie.toml and the reference page, both made from the registry: what they say is what is loaded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nixie.config.keys import keys_of
from nixie.config.settings import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD = """\
# The configuration of this Nixie. Every key is shown with its default; take the # away from a line to change it.
# Times are written "30s", "15m", "2h", "7d", sizes "512kB", "40MB". Paths are relative to this folder.
"""


def sample(given: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """Return nixie.toml with every key commented out, its sentence above it; the keys in `given` (section, key) are set."""
    given = given or {}
    text = [_HEAD]
    for name, section in SECTIONS.items():
        text.append(f"\n# {_sentence(section)}\n[{name}]\n")
        for _, key in keys_of(section):
            text.append(f"# {key.sentence}{f' In {key.unit}.' if key.unit else ''}\n")
            if key.name in given.get(name, {}):
                text.append(f"{key.name} = {toml_value(given[name][key.name])}\n")
            else:
                text.append(f"#{key.name} = {toml_value(key.default)}\n")
    return "".join(text)


def reference_markdown() -> str:
    """Return the reference page: a table a section, a row a key."""
    text = ["# The keys of nixie.toml\n\nEvery key has a default; an empty file is a valid one.\n"]
    for name, section in SECTIONS.items():
        text.append(
            f"\n## [{name}]\n\n{_sentence(section)}\n\n| key | value | default | meaning |\n|---|---|---|---|\n"
        )
        for _, key in keys_of(section):
            unit = f" ({key.unit})" if key.unit else ""
            text.append(f"| `{key.name}` | {key.kind.name}{unit} | `{toml_value(key.default)}` | {key.sentence} |\n")
    return "".join(text)


def toml_value(value: object) -> str:
    """Return a value as TOML writes it: text, true and false, numbers, lists and inline tables of them."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case list() | tuple():
            return f"[{', '.join(map(toml_value, value))}]"
        case dict():
            pairs = (f"{_text(str(name))} = {toml_value(inner)}" for name, inner in value.items())
            return f"{{ {', '.join(pairs)} }}" if value else "{}"
    return _text(str(value))


def _text(text: str) -> str:
    # JSON's escapes are TOML's, except that TOML wants DEL escaped too (TOML 1.0.0, section "String").
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _sentence(section: type) -> str:
    return " ".join((section.__doc__ or "").split())
