"""What an EHLO reply offers, and what the door may offer on behalf of the next hop.

An allow-list: a keyword of the next hop reaches the client only if the door knows that passing the command's bytes on is
all that it takes. CHUNKING is not among them (BDAT has no end marker that could be checked), nor AUTH.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.wire.smtp.replies import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

Keywords = dict[bytes, bytes]
"""Upper-case keyword to its parameters, as the server wrote them."""

PASSED = (b"8BITMIME", b"SMTPUTF8", b"DSN")
"""Offered when the next hop offers them; parameters of these are passed on verbatim. SIZE is treated apart."""

OURS = (b"PIPELINING", b"ENHANCEDSTATUSCODES")
"""Offered always: these are about our side of the line only."""


def read_keywords(reply: Reply) -> Keywords:
    """Return the keywords of an EHLO reply; its first line is the server's greeting."""
    keywords: Keywords = {}
    for line in reply.lines[1:]:
        name, _, params = line.strip().partition(b" ")
        keywords[name.upper()] = params.strip()
    return keywords


def offered(upstream: Mapping[bytes, bytes], *, max_size: int, tls: bool, xforward: bool) -> tuple[bytes, ...]:
    """Return the keyword lines for the client: ours, and what both the list above and `upstream` hold.

    `max_size` is our own limit in bytes, 0 for none; the smaller of both limits is offered (RFC 1870, section 4: SIZE 0
    means that there is no fixed limit).
    """
    lines = list(OURS)
    if b"SIZE" in upstream:
        lines.append(b"SIZE %d" % _smaller(max_size, upstream[b"SIZE"]))
    lines += [name for name in PASSED if name in upstream]
    if tls:
        lines.append(b"STARTTLS")
    if xforward:
        lines.append(b"XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE")
    return tuple(lines)


def hello_reply(hostname: bytes, lines: tuple[bytes, ...]) -> Reply:
    """Return the reply to EHLO (with keyword lines) or HELO (without)."""
    return Reply(250, (hostname, *lines))


def _smaller(ours: int, theirs: bytes) -> int:
    limit = int(theirs) if theirs.isdigit() and len(theirs) < 20 else 0
    return min(ours, limit) if ours and limit else ours or limit
