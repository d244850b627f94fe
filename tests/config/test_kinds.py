import contextlib
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.config import kinds
from nixie.config.keys import keys_of
from nixie.config.kinds import AnyKind, Hop
from nixie.config.settings import SECTIONS

HOME = Path("/srv/nixie")
ALL = {key.kind.name: key.kind for section in SECTIONS.values() for _, key in keys_of(section)}


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (kinds.DURATION, "500ms", 0.5),
        (kinds.DURATION, "1.5h", 5400.0),
        (kinds.DURATION, "2 w", 1_209_600.0),
        (kinds.SIZE, "1KiB", 1024),
        (kinds.SIZE, "40MB", 40_000_000),
        (kinds.LISTEN, "localhost:25", "127.0.0.1:25"),
        (kinds.LISTEN, "[::1]:25", "[::1]:25"),
        (kinds.LISTEN, "unix:run/milter", "unix:/srv/nixie/run/milter"),
        (kinds.LISTEN, "off", ""),
        (kinds.HOP, "mail.example.org:25", Hop("mail.example.org", 25)),
        (kinds.HOP, "[2001:db8::1]:25", Hop("2001:db8::1", 25)),
        (kinds.HOP, "maildir:/tmp/out", Hop(path=Path("/tmp/out"))),
        (kinds.HOP_OR_NONE, "", None),
        (kinds.URL, "https://nixie.example.org/", "https://nixie.example.org"),
        (kinds.COUNTRIES, ["ml", "ML"], ("ML",)),
        (kinds.DOMAINS, ["*.Example.ORG."], ("*.example.org",)),
    ],
)
def test_what_is_written_is_read(kind: AnyKind, written: object, value: object):
    assert kind.read(written, HOME) == value


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (kinds.DURATION, 30),
        (kinds.DURATION, "30"),
        (kinds.DURATION, "-1s"),
        (kinds.SIZE, "40 megabytes"),
        (kinds.LISTEN, "8893"),
        (kinds.LISTEN, "::1:25"),
        (kinds.LISTEN, "mail.example.org:25"),
        (kinds.LISTEN, "127.0.0.1:65536"),
        (kinds.LISTEN, "127.0.0.1:٣"),
        (kinds.HOP, ""),
        (kinds.HOP, "mail.example.org"),
        (kinds.HOP, "mail example:25"),
        (kinds.HOP, "mail.example.org:0"),
        (kinds.URL, "nixie.example.org"),
        (kinds.ADDRESS_OR_NONE, "registry"),
        (kinds.DOMAINS, ["a b"]),
        (kinds.DOMAINS, ["a.*.org"]),
        (kinds.DOMAINS, "example.org"),
        (kinds.NETWORKS, ["10.0.0.1/8"]),
        (kinds.COUNTRIES, ["Mali"]),
        (kinds.UNITS, {"Press": ["press"]}),
        (kinds.UNITS, ["press"]),
        (kinds.TEXT, "two\nlines"),
        (kinds.FLAG, 1),
        (kinds.whole(1, 3), True),
        (kinds.whole(1, 3), 4),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(kind: AnyKind, written: object):
    with pytest.raises(ValueError) as caught:
        kind.read(written, HOME)

    assert "must" in str(caught.value) or "is not" in str(caught.value)


@pytest.mark.parametrize("kind", ALL.values(), ids=ALL)
def test_the_example_of_a_kind_is_valid(kind: AnyKind):
    kind.read(tomllib.loads(f"x = {kind.example}")["x"], HOME)


JUNK = st.recursive(
    st.one_of(st.text(max_size=20), st.integers(), st.floats(), st.booleans(), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@given(st.sampled_from(list(ALL.values())), JUNK)
def test_anything_else_is_a_value_error_and_no_crash(kind: AnyKind, junk: object):
    with contextlib.suppress(ValueError):
        kind.read(junk, HOME)
