"""A mailing survives the way to the recorder and the wait there, whatever its people are called; other text is no mailing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.core.address import from_key
from nixie.core.mailing import Mailing
from nixie.core.mailing_line import LineError, line_of, mailing_of

KEY = st.integers(0, 2**63 - 1)
TEXT = st.text(max_size=12)
PERSON = st.builds("{}@{}".format, TEXT, TEXT).map(lambda text: from_key(from_key(text).key))
PEOPLE = st.lists(PERSON.filter(lambda a: a.key and from_key(a.key) == a), unique=True)
MOMENT = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


@st.composite
def mailings(draw):
    people = draw(PEOPLE.filter(bool))
    others = people[1:]
    return Mailing(
        key=draw(KEY),
        at=draw(MOMENT),
        sender=people[0],
        recipients=tuple(others[: len(others) // 2]),
        references=tuple(draw(st.lists(KEY, max_size=8))),
        names=tuple((a, draw(TEXT)) for a in draw(st.lists(st.sampled_from(people), max_size=4))),
        words=tuple(draw(st.lists(st.integers(0, 2**32 - 1), max_size=32))),
        ours=draw(st.booleans()),
        topic=draw(KEY),
        readers=tuple(draw(st.lists(st.sampled_from(others[: len(others) // 2]), max_size=3)))
        if len(others) > 1
        else (),
    )


@given(mailings())
def test_a_mailing_comes_back_as_it_was(mailing):
    line = line_of(mailing)

    assert mailing_of(line) == mailing
    assert line.isascii()
    assert "\n" not in line


@given(st.text() | st.recursive(st.integers() | TEXT, lambda v: st.lists(v, max_size=10)).map(str))
def test_other_text_is_no_mailing(text):
    with pytest.raises(LineError):
        mailing_of(text)


@pytest.mark.parametrize(
    "text", ["[]", '[1,2,[],0,[],[],[],"",1,0]', '[1,2,["a@b"],0,[7],[],[],"",1,0]', "[" * 100_000]
)
def test_a_line_that_lacks_something_is_no_mailing(text):
    with pytest.raises(LineError):
        mailing_of(text)
