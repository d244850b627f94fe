"""A mailing as one line of text: so it travels to the recorder, and so it waits there until it is learned.

The recorder keeps the line as it came, without reading it, in the commit that a mail server waits for. A line is JSON without
raw line ends and in ASCII, people are its addresses' keys, each once: the sender, the recipients, others who are named.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct

from nixie.core.address import from_key
from nixie.core.mailing import MOST_WORDS, Mailing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = tuple(Struct(f"<{n}I") for n in range(MOST_WORDS + 1))
_MICROSECOND = timedelta(microseconds=1)
_person = lru_cache(maxsize=16_384)(from_key)
_dumps = json.JSONEncoder(separators=(",", ":")).encode


class LineError(ValueError):
    """Text that is no mailing; nothing of it is told."""


def line_of(mailing: Mailing) -> str:
    """Return the line of a mailing whose sender is somebody."""
    keys = [mailing.sender.key, *(r.key for r in mailing.recipients)]
    place = {key: n for n, key in enumerate(keys)}
    names = []
    for address, name in mailing.names:
        at = place.setdefault(address.key, len(keys))
        if at == len(keys):
            keys.append(address.key)
        names.append((at, name))
    words = mailing.words[:MOST_WORDS]
    told = (
        mailing.key,
        (mailing.at - _EPOCH) // _MICROSECOND,
        keys,
        len(mailing.recipients),
        [place[r.key] for r in mailing.readers],
        names,
        mailing.references,
        _WORDS[len(words)].pack(*words).hex(),
        int(mailing.ours),
        mailing.topic,
    )
    return _dumps(told)


def mailing_of(line: str) -> Mailing:
    """Return the mailing of a line. Raises `LineError`."""
    try:
        key, at, keys, recipients, readers, names, references, words, ours, topic = json.loads(line)
        people = [_person(text) for text in keys]
        packed = bytes.fromhex(words)
        return Mailing(
            key=key,
            at=_EPOCH + timedelta(microseconds=at),
            sender=people[0],
            recipients=tuple(people[1 : 1 + recipients]),
            references=tuple(references),
            names=tuple((people[n], name) for n, name in names),
            words=_WORDS[len(packed) >> 2].unpack(packed),
            ours=bool(ours),
            topic=topic,
            readers=tuple(people[n] for n in readers),
        )
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        OverflowError,
        RecursionError,
        ArithmeticError,
    ) as error:
        raise LineError(f"a line that is no mailing: {type(error).__name__}") from None
