"""Signed heads: what is signed stays true, what was changed is refused."""

import json

import pytest

from nixie.store.heads import BadHeadError, BadSignatureError, check, keep, last_head, read_head, sign
from nixie.store.keys import create_keys, load_heads_public


@pytest.fixture
def keys(tmp_path):
    return create_keys(tmp_path / "keys")


def test_a_head_survives_its_line_and_verifies_by_the_public_half_alone(keys, tmp_path):
    head = sign(7, bytes(range(32)), 123, keys.heads)

    check(read_head(head.line()), load_heads_public(tmp_path / "keys" / "heads.pub"))

    assert read_head(head.line()) == head


@pytest.mark.parametrize("change", [{"seq": 8}, {"at": 124}, {"chain": "00" * 32}, {"signature": "00" * 64}])
def test_a_changed_head_is_refused(keys, change):
    told = json.loads(sign(7, bytes(range(32)), 123, keys.heads).line())

    with pytest.raises(BadSignatureError, match="changed"):
        check(read_head(json.dumps({**told, **change})), keys.heads_public)


def test_a_head_of_another_key_is_refused_by_name(keys, tmp_path):
    other = create_keys(tmp_path / "other")

    with pytest.raises(BadSignatureError, match=other.heads_id):
        check(sign(7, bytes(32), 123, keys.heads), other.heads_public)


@pytest.mark.parametrize(
    "text", ["", "7", "[]", "{}", '{"seq":1,"chain":"00","at":1,"key":"a","signature":""}', "\x00", '{"seq":']
)
def test_what_is_not_a_head_is_an_error_of_its_own(text):
    with pytest.raises(BadHeadError):
        read_head(text)


def test_the_last_head_of_a_file_counts(keys, tmp_path):
    path = tmp_path / "heads.jsonl"
    for seq in (1, 2, 3):
        keep(sign(seq, bytes(32), 5, keys.heads), path)

    assert last_head(path).seq == 3


def test_a_file_without_heads_names_itself(tmp_path):
    (tmp_path / "empty").write_text("\n")

    with pytest.raises(BadHeadError, match="empty"):
        last_head(tmp_path / "empty")
    with pytest.raises(BadHeadError, match="absent"):
        last_head(tmp_path / "absent")
