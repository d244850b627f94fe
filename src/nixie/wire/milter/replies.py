"""What a filter tells a mail server: one frozen value a reply (SMFIR_* of `mfdef.h`).

Verdicts end a stage (`final`); edits are allowed at the end of a message only and need the `action` that was negotiated;
`Progress` resets the server's timer and decides nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, Final, TypeAlias

from nixie.wire.milter.constants import Action
from nixie.wire.milter.errors import LocalError

MAX_REPLY_LINES: Final = 32
MAX_REPLY_TEXT: Final = 980
"""libmilter's bounds of a reply: lines, and bytes of text in a line."""

_ENHANCED = re.compile(r"([245])\.\d{1,3}\.\d{1,3}\Z", re.ASCII)
_LINE = re.compile(r"([45]\d\d)[ -](?:([45]\.\d{1,3}\.\d{1,3})(?: |\Z))?(.*)\Z", re.ASCII | re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Agreed:
    """The filter's half of the negotiation; `macros` pairs a stage with the names wanted there (no braces)."""

    letter: ClassVar[int] = ord("O")
    version: int
    actions: int
    steps: int
    macros: tuple[tuple[int, tuple[bytes, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class _Verdict:
    final: ClassVar[bool] = True
    action: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class Continue(_Verdict):
    """Go on; at the end of a message: let it pass."""

    letter: ClassVar[int] = ord("c")


@dataclass(frozen=True, slots=True)
class Accept(_Verdict):
    """No more events for this message, or for this connection when said at CONNECT or HELO."""

    letter: ClassVar[int] = ord("a")


@dataclass(frozen=True, slots=True)
class Reject(_Verdict):
    """`550 5.7.1 Command rejected`."""

    letter: ClassVar[int] = ord("r")


@dataclass(frozen=True, slots=True)
class TempFail(_Verdict):
    """`451 4.7.1 Service unavailable - try again later`."""

    letter: ClassVar[int] = ord("t")


@dataclass(frozen=True, slots=True)
class Discard(_Verdict):
    """Say yes to the client and drop the message."""

    letter: ClassVar[int] = ord("d")


@dataclass(frozen=True, slots=True)
class ConnFail(_Verdict):
    """The connection failed (Sendmail only)."""

    letter: ClassVar[int] = ord("f")


@dataclass(frozen=True, slots=True)
class Shutdown(_Verdict):
    """`421` and disconnect."""

    letter: ClassVar[int] = ord("4")


@dataclass(frozen=True, slots=True)
class Skip(_Verdict):
    """No more events of this kind for this message; for the body, where SKIP was offered."""

    letter: ClassVar[int] = ord("s")


@dataclass(frozen=True, slots=True)
class ReplyCode(_Verdict):
    """An SMTP reply of our own: `code` 400 to 599, `enhanced` like `5.7.1` or `""`, one to 32 lines of text.

    `utf8` allows text beyond ASCII, for clients that said SMTPUTF8 (RFC 6531, section 3.7.4.2). Raises LocalError when a
    part is not as SMTP wants it. On the wire every `%` is doubled: Sendmail uses the text as a format.
    """

    letter: ClassVar[int] = ord("y")
    code: int
    enhanced: str
    lines: tuple[str, ...]
    utf8: bool = False

    def __post_init__(self) -> None:
        if not 400 <= self.code <= 599:
            raise LocalError(f"reply code {self.code}; 400 to 599 are allowed")
        match = _ENHANCED.match(self.enhanced)
        if self.enhanced and (match is None or match[1] != str(self.code)[0]):
            raise LocalError(f"enhanced code does not fit the reply code {self.code}")
        if not 1 <= len(self.lines) <= MAX_REPLY_LINES:
            raise LocalError(f"reply of {len(self.lines)} lines; 1 to {MAX_REPLY_LINES} are allowed")
        for line in self.lines:
            if _CONTROL.search(line) or not (self.utf8 or line.isascii()):
                raise LocalError("reply text holds a character that SMTP does not allow here")
            if len(line.encode("utf-8", "surrogateescape")) > MAX_REPLY_TEXT:
                raise LocalError(f"reply line of more than {MAX_REPLY_TEXT} bytes")

    @classmethod
    def from_text(cls, text: str, *, utf8: bool = False) -> ReplyCode:
        """Return the reply that `550 5.7.1 text` says, lines by CR, LF or both (`550-5.7.1 one` before the last).

        What SMTP does not allow in the text becomes `?`, what is too long is cut. Raises LocalError without a code.
        """
        said = re.split(r"\r\n|\r|\n", text.strip("\r\n"))[:MAX_REPLY_LINES]
        first = _LINE.match(said[0])
        if first is None:
            raise LocalError("reply text does not begin with a code 4xx or 5xx")
        code, enhanced = first[1], first[2] or ""
        if enhanced and enhanced[0] != code[0]:
            enhanced = ""
        texts = (match[3] if (match := _LINE.match(line)) and match[1] == code else line for line in said)
        lines = tuple(_clean(line, utf8=utf8) for line in texts)
        return cls(int(code), enhanced, lines, utf8)


def _clean(text: str, *, utf8: bool) -> str:
    text = _CONTROL.sub("?", text)
    encoded = text.encode("utf-8" if utf8 else "ascii", "replace")[:MAX_REPLY_TEXT]
    return encoded.decode("utf-8", "ignore")


@dataclass(frozen=True, slots=True)
class _Edit:
    final: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Progress(_Edit):
    """Still working: the server's timer starts again."""

    letter: ClassVar[int] = ord("p")
    action: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class Quarantine(_Edit):
    """The server holds the whole message; a verdict must follow."""

    letter: ClassVar[int] = ord("q")
    action: ClassVar[int] = Action.QUARANTINE
    reason: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AddRecipient(_Edit):
    """One more recipient."""

    letter: ClassVar[int] = ord("+")
    action: ClassVar[int] = Action.ADDRCPT
    path: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AddRecipientWithParams(_Edit):
    """One more recipient with ESMTP parameters (`NOTIFY=`, `ORCPT=`)."""

    letter: ClassVar[int] = ord("2")
    action: ClassVar[int] = Action.ADDRCPT_PAR
    path: bytes = field(repr=False)
    params: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class DeleteRecipient(_Edit):
    """One recipient less; `path` is byte for byte what RCPT brought, because Postfix compares exactly."""

    letter: ClassVar[int] = ord("-")
    action: ClassVar[int] = Action.DELRCPT
    path: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangeSender(_Edit):
    """Another envelope sender."""

    letter: ClassVar[int] = ord("e")
    action: ClassVar[int] = Action.CHGFROM
    path: bytes = field(repr=False)
    params: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class AddHeader(_Edit):
    """A field at the end of the header; with HDR_LEADSPC the value brings its own leading space."""

    letter: ClassVar[int] = ord("h")
    action: ClassVar[int] = Action.ADDHDRS
    name: bytes
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class InsertHeader(_Edit):
    """A field at `index`; 0 is the top."""

    letter: ClassVar[int] = ord("i")
    action: ClassVar[int] = Action.ADDHDRS
    index: int
    name: bytes
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangeHeader(_Edit):
    """The `index`-th field of that name, counted from 1, gets another value; an empty one deletes it."""

    letter: ClassVar[int] = ord("m")
    action: ClassVar[int] = Action.CHGHDRS
    index: int
    name: bytes
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReplaceBody(_Edit):
    """Bytes of a new body; all of them must follow one another."""

    letter: ClassVar[int] = ord("b")
    action: ClassVar[int] = Action.CHGBODY
    chunk: bytes = field(repr=False)


FinalReply: TypeAlias = Continue | Accept | Reject | TempFail | Discard | ConnFail | Shutdown | Skip | ReplyCode
Edit: TypeAlias = (
    Progress
    | Quarantine
    | AddRecipient
    | AddRecipientWithParams
    | DeleteRecipient
    | ChangeSender
    | AddHeader
    | InsertHeader
    | ChangeHeader
    | ReplaceBody
)
Reply: TypeAlias = FinalReply | Edit
