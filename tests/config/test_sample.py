import re
import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nixie.config import load
from nixie.config.keys import keys_of
from nixie.config.sample import reference_markdown, sample, toml_value
from nixie.config.settings import SECTIONS


def test_the_sample_is_the_defaults_whether_commented_out_or_not(tmp_path: Path):
    (tmp_path / "nixie.toml").write_text(sample(), "utf-8")
    commented = load(tmp_path, {})
    (tmp_path / "nixie.toml").write_text(re.sub(r"^#(?=\w+ = )", "", sample(), flags=re.MULTILINE), "utf-8")

    assert commented == load(tmp_path, {})


def test_every_key_stands_in_the_sample_and_in_the_reference_with_its_sentence():
    text, page = sample(), reference_markdown()

    for name, section in SECTIONS.items():
        assert f"\n[{name}]\n" in text
        assert f"\n## [{name}]\n" in page
        for _, key in keys_of(section):
            assert f"# {key.sentence}" in text
            assert key.sentence.endswith(".")
            assert f"| `{key.name}` | {key.kind.name}" in page


def test_a_key_that_is_given_is_set():
    assert tomllib.loads(sample({"smtp": {"listen": "off"}}))["smtp"] == {"listen": "off"}


VALUES = st.recursive(
    st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**63), 2**63 - 1), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=3),
    ),
    max_leaves=6,
)


@given(VALUES)
def test_every_value_that_is_written_is_read_again(value: object):
    assert tomllib.loads(f"x = {toml_value(value)}")["x"] == value
