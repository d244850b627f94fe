import pytest

from nixie.core.nearest import advice, nearest


@pytest.mark.parametrize(
    ("word", "expected"),
    [("own_domain", "own_domains"), ("Own-Domains", "own_domains"), ("listne", "listen"), ("xyzzy", ""), ("", "")],
)
def test_the_nearest_valid_name_is_found(word: str, expected: str):
    assert nearest(word, ["own_domains", "listen"]) == expected


def test_advice_lists_the_valid_names_when_none_is_near():
    assert advice("xyzzy", ["b", "a"]) == "valid: a, b"
    assert advice("xyzzy", [f"{n:02}" for n in range(20)]).endswith("10, 11, ...")
    assert advice("xyzzy", []) == "nothing is valid here"
