import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.problems import ProblemsError
from nixie.core.toml_places import dotted, line_of, read

TEXT = '''\
# a comment with "quotes" and [brackets]
title = "x # not a comment"
a.b."c d".e = 3

[[slip.rule]]
name = """
[[not.a.header]]
no = 1
"""
when = { all = [ { "m.p" = { at_least = 0.5 } },   # one
                 { m.s.one_of = [
                     'tld',
                     "t\\"ed" ] } ] }
[slip.rule.more]
day = 1979-05-27 07:32:00Z
[[slip.rule]]
name = \'\'\'it's\'\'\'
[  z . "y" ]
list = [
  1, # one

  [2, 3],
  { k = 4 },
]
'''
LINES = {
    ("title",): 2,
    ("a", "b", "c d", "e"): 3,
    ("slip", "rule"): 5,
    ("slip", "rule", 0, "name"): 6,
    ("slip", "rule", 0, "when", "all", 0, "m.p", "at_least"): 10,
    ("slip", "rule", 0, "when", "all", 1, "m", "s", "one_of"): 11,
    ("slip", "rule", 0, "when", "all", 1, "m", "s", "one_of", 0): 12,
    ("slip", "rule", 0, "when", "all", 1, "m", "s", "one_of", 1): 13,
    ("slip", "rule", 0, "more"): 14,
    ("slip", "rule", 0, "more", "day"): 15,
    ("slip", "rule", 1): 16,
    ("slip", "rule", 1, "name"): 17,
    ("z", "y", "list"): 19,
    ("z", "y", "list", 0): 20,
    ("z", "y", "list", 1, 1): 22,
    ("z", "y", "list", 2, "k"): 23,
}


@pytest.mark.parametrize(("path", "line"), LINES.items())
def test_every_key_is_found_in_its_line(path: tuple[str | int, ...], line: int):
    assert read(TEXT, "t")[1][path] == line


def test_a_place_without_a_line_is_looked_for_around_it():
    lines = read(TEXT, "t")[1]

    assert line_of(lines, ("slip", "rule", 1, "mode")) == 16
    assert line_of(lines, ("nothing",)) == 0


def test_places_are_written_as_people_write_them():
    assert dotted(("slip", "rule", 0, "when", "a.b")) == 'slip.rule[1].when."a.b"'


def test_text_that_is_no_toml_is_told_with_line_and_column():
    with pytest.raises(ProblemsError) as caught:
        read('a = 1\nb = "x\n', "some.toml")

    assert str(caught.value).startswith("some.toml:2: column 7: this is not TOML: ")


def paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    if isinstance(value, dict):
        inner = [((*path, key), one) for key, one in value.items()]
    elif isinstance(value, list):
        inner = [((*path, number), one) for number, one in enumerate(value)]
    else:
        return set()
    return {at for at, _ in inner}.union(*(paths(one, at) for at, one in inner))


def test_exactly_the_places_of_the_data_have_lines():
    assert set(read(TEXT, "t")[1]) == paths(tomllib.loads(TEXT))


KEYS = st.sampled_from(["a", "b-c", '"d.e"', "'f g'"])
VALUES = st.recursive(
    st.sampled_from(["1", '"x"', "'#'", '"""\n[k]\n"""', "''''a'''", "true", "1979-05-27", '"\\""', "-inf"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda vs: "[\n " + ", # c ]\n".join(vs) + "\n]"),
        st.lists(inner, max_size=3, min_size=1).map(
            lambda vs: "{ " + ", ".join(f"k{n} = {v}" for n, v in enumerate(vs)) + " }"
        ),
    ),
    max_leaves=8,
)
BLOCKS = st.lists(
    st.tuples(st.sampled_from(["[[t.x]]", "[[t.x]]", "[[u]]", ""]), st.dictionaries(KEYS, VALUES, max_size=3)),
    max_size=5,
)


@given(BLOCKS)
def test_every_place_of_any_valid_text_has_a_line(blocks: list[tuple[str, dict[str, str]]]):
    text = "\n".join(f"{head}\n" + "\n".join(f"{k} = {v}" for k, v in pairs.items()) for head, pairs in blocks)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    assert set(read(text, "t")[1]) == paths(data)
