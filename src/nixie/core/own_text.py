"""What the author of a mail wrote in it, apart from what is quoted, forwarded or signed.

Every program quotes in its own way, and none says where; these are the marks that are in use. Lines that begin with `>` go
wherever they stand, since an answer may stand below each of them; a block that copies a header cuts off everything after it.
Each pattern begins with a line break, which is found at the speed of C, and none can be tried twice at one place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_TEXT = 20_000
"""Characters of a text that are read."""

_BLOCK = re.compile(
    r"""\n[ \t]{0,8}(?:
          -{2,12}[ ]?(?:Original|Forwarded|Urspr|Weitergeleitet|Message[ ]d|Message[ ]transf|Mensaje|Messaggio|Begin[ ]forw)
        | _{10,80}[ \t]*\n
        | \*?(?:From|Von|De|Da|To|An|À):\*?[ \t][^\n]{1,300}\n[ \t]{0,8}\*?(?:Sent|Date|To|Cc|Subject|Gesendet|Datum|An|Betreff|Envoyé|À|Objet)[ ]?:
        )""",
    re.VERBOSE | re.IGNORECASE,
)
_QUOTED = re.compile(r"\n[ \t]{0,8}[>|][^\n]*")
_ATTRIBUTION = re.compile(
    r"\n(?:On|Am|Le|El|Il|Op)[ ][^\n]{5,200}(?:\n[^\n]{0,120})?(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef)[^\n]{0,80}:[ \t]*(?=\n|\Z)"
)
_SIGNATURE = re.compile(r"\n--[ \t]*\n")


@dataclass(frozen=True, slots=True)
class OwnText:
    """The author's own lines, and those below the mark of a signature (`-- `); both with plain line breaks."""

    body: str = field(repr=False)
    signature: str = field(default="", repr=False)


def own_text(text: str) -> OwnText:
    """Return what of the first `MAX_TEXT` characters of a plain text its author wrote."""
    some = "\n" + text[:MAX_TEXT]
    if "\r" in some:
        some = some.replace("\r\n", "\n").replace("\r", "\n")
    if block := _BLOCK.search(some):
        some = some[: block.start()]
    if "wrote" in some or "sch" in some or "crit" in some:
        some = _ATTRIBUTION.sub("\n", some)
    if ">" in some or "|" in some:
        some = _QUOTED.sub("", some)
    if mark := _SIGNATURE.search(some):
        return OwnText(some[1 : mark.start()], some[mark.end() :])
    return OwnText(some[1:])
