"""What a message's own words say about whom it is for: its telling words, the names it speaks to, the names in its header.

Read once a message, within bounds, and handed to everything that asks: the question to the store, the model, and what is learned.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixie.core.greeting import greeted
from nixie.core.message import NotSeen
from nixie.core.topic import topic_of
from nixie.core.vocabulary import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nixie.core.message import Message

MOST_TEXT = 20_000
"""Characters of text that are looked at."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`words` as in `core.vocabulary`, `greeted` words of names spoken to, `names` display names by `Address.key`, `topic` what its
    subject is about (`core.topic`), `answers` whether the subject marks an answer.
    """

    words: tuple[int, ...] = field(default=(), repr=False)
    greeted: tuple[str, ...] = field(default=(), repr=False)
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    topic: int = 0
    answers: bool = False


NOT_READ = Reading()


def read_people(message: Message) -> Reading:
    """Return what a message says about whom it is for."""
    text = text_of_message(message)
    subject = message.subject if isinstance(message.subject, str) else ""
    names: dict[str, str] = {}
    for mailboxes in (message.to, message.cc):
        if not isinstance(mailboxes, NotSeen):
            for mailbox in mailboxes[:_MOST_NAMES]:
                if mailbox.name and mailbox.address is not None:
                    names.setdefault(mailbox.address.key, mailbox.name)
    return Reading(words_of(subject, text), greeted(text), names, *topic_of(subject))


_MOST_NAMES = 200


def text_of_message(message: Message) -> str:
    """Return the beginning of the first readable plain text, `""` where there is none."""
    if isinstance(message.parts, NotSeen):
        return ""
    for part in message.parts:
        if part.content_type == "text/plain" and part.disposition != "attachment" and isinstance(part.text, str):
            return part.text[:MOST_TEXT]
    return ""
