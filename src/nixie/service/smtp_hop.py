"""The next hop as the SMTP door sees it: something that takes envelopes and texts and gives replies.

Two kinds exist: an SMTP server (`smtp_upstream`) and a Maildir (`maildir_hop`). A session asks for one hop and keeps it; it
does not know which kind it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nixie.wire.smtp import Keywords, Mail, Rcpt, Reply


class HopLostError(Exception):
    """The next hop is gone or speaks nonsense. `replies` are those that came before, `goodbye` a 421 among them."""

    def __init__(self, replies: Sequence[Reply] = (), goodbye: Reply | None = None) -> None:
        super().__init__("the next hop is lost")
        self.replies = tuple(replies)
        self.goodbye = goodbye


class Hop(Protocol):
    """One session's next hop. Every method but `drop` may raise HopLostError; after it `alive` is false until `open`."""

    @property
    def alive(self) -> bool:
        """Whether a transaction can begin without `open`."""

    @property
    def keywords(self) -> Keywords:
        """What EHLO offered."""

    async def open(self, forwarded: bytes = b"") -> None:
        """Connect and say hello; `forwarded` are XFORWARD attributes for a hop that wants them. HopLostError if it fails."""

    async def flight(self, commands: Sequence[Mail | Rcpt], *, reset: bool = False) -> tuple[Reply, ...]:
        """Send MAIL and RCPT commands, after RSET when `reset`; return one reply each (RSET's first)."""

    async def reset(self) -> Reply:
        """Send RSET."""

    async def data(self) -> Reply:
        """Send DATA; a reply 354 means go on."""

    async def text(self, text: bytes | memoryview) -> Reply:
        """Send the text and its end; return the final reply."""

    async def quit(self) -> None:
        """Say good-bye and end."""

    def drop(self) -> None:
        """End the connection without a word: what was begun there is void."""


HopFactory: TypeAlias = "Callable[[], Hop]"
"""Makes the next hop of one session."""
