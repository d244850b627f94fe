"""Whom a mail speaks to, and who signs it: `Dear John,`, `Hi Anna and Tom,`, `Hallo Frau Meier`, `Nora:`.

A greeting that names somebody who does not get the mail is among the best signs of a wrong recipient, and a wrong reading of
one would cry wolf. So only the first lines are read, only what looks like a name counts, and everybody (`all`, `team`,
`colleagues`) is nobody. Languages: English, German, French, and the commonest words of Spanish, Italian and Dutch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nixie.core.common_words import COMMON_WORDS
from nixie.core.name_words import MAX_WORD, PARTICLES, RANKS, TITLES, folded
from nixie.core.own_text import own_text
from nixie.core.person import NO_NAME, PREFIX, ROLES, Name
from nixie.core.short_forms import one_name

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_OPENING = 2_000
"""Characters in which a greeting is looked for."""

FIRST_LINES, LAST_LINES, MAX_LINE = 3, 12, 120
"""Lines that are not empty in which a greeting, or a closing, may stand; characters of each that are read."""

MOST_NAMES = 5
"""Most people spoken to in one greeting; who is one of many is not the one meant."""

MOST_TOKENS = 8

_GREETING = re.compile(
    r"""(?:dear|hi|hello|hey|hiya|howdy|greetings?|good[ ](?:morning|afternoon|evening|day)|my[ ]dear
        | hallo|moin|servus|guten[ ](?:tag|morgen|abend)|(?:sehr[ ])?(?:ge|ver)ehrte[rs]?|liebe[rs]?|werte[rs]?
        | bonjour|bonsoir|salut|ch(?:er|ère|ers|ères)|hola|estimad[oa]s?|querid[oa]s?|buenos[ ]d[ií]as|buenas[ ]tardes
        | ciao|car[oai]|gentile|egregi[oa]|buongiorno|beste|geachte|hej|hei|olá|prezad[oa])\b[ ,]*+""",
    re.VERBOSE | re.IGNORECASE,
)
_CLOSING = re.compile(
    r"""(?:(?:with[ ])?(?:(?:best|kind|kindest|warm|warmest|many)[ ])?(?:regards|wishes|thanks)|thank[ ]you|best|br|rgds|cheers|sincerely
        | yours(?:[ ](?:sincerely|faithfully|truly))?|thx|tia|take[ ]care|mit[ ](?:freundlichen|besten|herzlichen)[ ]gr(?:ü|ue)(?:ß|ss)en
        | (?:viele|beste|liebe|herzliche|freundliche|sch(?:ö|oe)ne)[ ]gr(?:ü|ue)(?:ß|ss)e|gru(?:ß|ss)|mfg|lg|vg
        | (?:bien[ ])?(?:cordialement|amicalement)|bien[ ]à[ ]vous|salutations|(?:un[ ]|atentos[ ])?saludos?|(?:cordiali[ ])?saluti
        | (?:met[ ]vriendelijke[ ])?groet(?:en)?)\b[ ]*+(?:again|and[ ]regards)?[ ]*+[,.!-]*+""",
    re.VERBOSE | re.IGNORECASE,
)
_TITLE_DOT = re.compile(
    r"\b(mrs?|ms|dr|prof|hr|fr|mme|capt|cpt|col|lt|gen|maj|sgt|adm|cdr|rev|ing|dipl|[a-z])\.", re.IGNORECASE
)
_STOP = re.compile(r"[,:;!?()<>\[\]\\\t–—]|\.|\s-|-+\s*\Z")
_JOIN = re.compile(r"\s*+(?:[&+/]|\b(?:and|und|et|y|en|e)\b)\s*+", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")

_NOBODY = """
    a again an any dear dears fwiw anybody anyone are as at body can chers co colleague colleagues collegues community congrats congratulations
    customers developer did do everybody experts fellow fellows folk folks for forum friend friends from fyi gents gentleman gentlemen
    gentlepeople guys how i if in is it kollegen kolleginnen ladies lady list ma'am maam madam madame madams maintainer maintainers
    me member messieurs mesdames my no of ok okay on one or our participants partner partners per people please possible question
    readers recipients re sehr sir sirs subscriber summary that the there this to tous toutes todos tutti url us we welcome whoever
    whom world y'all yall yes you zusammen alle allen allerseits beisammen damen herren freunde together again background agenda date
    attachment attachments subject sent cc bcc am pm yeah yep yup nope neat nice wow oh ah great awesome cool lgtm ack nack sorry
    greeting greetings howdy beneficiary sure love highlights
"""
NOBODY = frozenset(_NOBODY.split()) | ROLES
"""Words that make a greeting one to nobody in particular."""


def greeted_names(text: str) -> tuple[Name, ...]:
    """Return the people whom a mail speaks to, at most `MOST_NAMES`, each once: (`john`, ``), (``, `meier`) after a title.

    `text` is the decoded plain text. `()` when it greets nobody, everybody, or more people than that.
    """
    lines = [line.strip() for line in own_text(text[:MAX_OPENING]).body.split("\n") if line.strip()]
    for at, line in enumerate(lines[:FIRST_LINES]):
        some = line[:MAX_LINE].replace("*", "").strip()
        if greeting := _GREETING.match(some):
            return _people(some[greeting.end() :], greeting[0].endswith(","))
        if at < 2 and (found := _bare(some)):
            return found
    return ()


def greeted(text: str) -> tuple[str, ...]:
    """Return the words of the names whom a mail speaks to, folded, each once (`greeted_names`)."""
    return _words(greeted_names(text))


def signed(text: str) -> tuple[str, ...]:
    """Return the words of the name that signs a mail, folded: below a closing, in the last line, or below `-- `; else `()`."""
    own = own_text(text)
    lines = [line.strip()[:MAX_LINE] for line in own.body[-MAX_OPENING:].split("\n") if line.strip()][-LAST_LINES:]
    for at in range(len(lines) - 1, -1, -1):
        if closing := _CLOSING.match(lines[at]):
            rest = lines[at][closing.end() :] or (lines[at + 1] if at + 1 < len(lines) else "")
            if found := _signature(rest):
                return _words(found)
            break
    below = next((line.strip()[:MAX_LINE] for line in own.signature.split("\n", 4) if line.strip()), "")
    last = lines[-1] if len(lines) > 1 else ""
    return _words(_signature(below) or _signature(last))


def greeting_tokens(words: Iterable[str]) -> tuple[str, ...]:
    """Return the tokens (`core.person.tokens`) under which people with these words in their names are found.

    Whether a word is a given name or a surname is not told by a greeting alone: each gives `g:` and `s:`; at most `MOST_TOKENS`.
    """
    marked = (mark + word[:PREFIX] for word in words if len(word) > 1 for mark in ("g:", "s:"))
    return tuple(dict.fromkeys(marked))[:MOST_TOKENS]


def speaks_to(spoken: Name, person: Name) -> bool:
    """Return whether somebody who was greeted by a name may be that person: what is said of the name fits it."""
    if not (spoken.given or spoken.surname):
        return False
    if spoken.surname and spoken.surname != person.surname:
        return False
    given = spoken.given
    if not given or given == person.given or one_name(given, person.given):
        return True
    if len(given) == 1 or len(person.given) == 1:
        return bool(person.given) and given[0] == person.given[0]
    # `Dear Smith,` and people who are called by the surname.
    return not spoken.surname and (given == person.surname or given in person.given.split("-"))


def _words(names: Iterable[Name]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for name in names for word in (name.given, name.surname) if word))


def _people(rest: str, comma: bool) -> tuple[Name, ...]:
    """Return the names behind the word of greeting; `comma` says that a comma stood between (`Hello, John`)."""
    text = _TITLE_DOT.sub(r"\1", rest)
    stop = _STOP.search(text)
    segment, behind = (text[: stop.start()], text[stop.end() :]) if stop else (text, "")
    found = _named_in(segment, capitals=False)
    if found and comma:  # what follows may be the first sentence
        found = _named_in(segment, capitals=True)
    if not found:
        return () if comma else _leading(segment)
    if behind.strip() and stop is not None and stop[0] == ",":
        found += _more(behind)
    unique = tuple(dict.fromkeys(found))
    return unique if len(unique) <= MOST_NAMES else ()


def _more(behind: str) -> tuple[Name, ...]:
    """Return further names of `Hi John, Anna,` and `Dear John, dear Anna,`, where the whole line is nothing else."""
    found: tuple[Name, ...] = ()
    for part in behind.rstrip(" ,:;!.-–—").split(","):
        greeting = _GREETING.match(part.strip())
        some = _named_in(part.strip()[greeting.end() :] if greeting else part, capitals=True)
        if not some or any(word in COMMON_WORDS for word in _words(some)):
            return ()
        found += some
    return found


def _leading(segment: str) -> tuple[Name, ...]:
    """Return the one name at the beginning of a line without a comma: `Hi John thanks for your mail`."""
    first, _, rest = segment.strip().partition(" ")
    if not first[:1].isupper() or not rest[:1].islower() or folded(first) in COMMON_WORDS or _JOIN.match(" " + rest):
        return ()
    return _named_in(first, capitals=True)


def _bare(line: str) -> tuple[Name, ...]:
    """Return the names of a line that holds nothing else, behind them a comma, colon or dash: `Ben & Oscar,`."""
    text = _TITLE_DOT.sub(r"\1", line)
    names = text.rstrip(" -–—,:!")
    if names == text or len(names) > 48:
        return ()
    found = _named_in(names, capitals=True)
    return found if len(found) <= MOST_NAMES and not any(word in COMMON_WORDS for word in _words(found)) else ()


def _signature(line: str) -> tuple[Name, ...]:
    """Return the name of a line that is a signature."""
    text = _TITLE_DOT.sub(r"\1", line).strip(" -–—/*_,.~")
    found = _named_in(text, capitals=True) if 1 < len(text) <= 48 else ()
    return found if len(found) == 1 and not any(word in COMMON_WORDS for word in _words(found)) else ()


def _named_in(segment: str, *, capitals: bool) -> tuple[Name, ...]:
    """Return the names of a segment that consists of names and nothing else; `()` if any part of it is none."""
    pieces = [piece for piece in _JOIN.split(segment.strip()) if piece]
    names = tuple(_one(piece, capitals=capitals) for piece in pieces)
    return names if names and NO_NAME not in names else ()


def _one(piece: str, *, capitals: bool) -> Name:
    """Return the name that a piece of a greeting is: up to three words, a title before them; else `NO_NAME`."""
    shown = piece.split()
    words = [folded(word).replace("'", "") for word in shown if _NAME.fullmatch(word)]
    if not words or len(words) != len(shown) or len(words) > 6:
        return NO_NAME
    titles = 0
    while titles < len(words) and (words[titles] in TITLES or words[titles] in RANKS):
        titles += 1
    while 0 < titles < len(words) - 1 and words[titles] in PARTICLES:
        titles += 1
    names, written = words[titles:], shown[titles:]
    if (
        not 0 < len(names) <= (3 if titles or capitals or shown[0][0].isupper() else 2)
        or max(map(len, names)) > MAX_WORD
    ):
        return NO_NAME
    if not NOBODY.isdisjoint(names) or (capitals and any(word[0].islower() for word in written)):
        return NO_NAME
    if len(names) == 1:
        # Knights are called by the given name.
        known_by_surname = titles > 0 and words[titles - 1] not in {"sir", "dame", "lord", "lady"}
        if len(names[0]) == 1:
            return NO_NAME
        return Name("", names[0]) if known_by_surname else Name(names[0], "")
    return Name(names[0], names[-1])
