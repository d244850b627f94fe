"""Addresses that machines rewrote, undone: SRS, BATV, VERP, and the tag after a plus sign.

Sources: M. Shevek, "The Sender Rewriting Scheme" (2004); J. Levine, draft-levine-smtp-batv-01; D. J. Bernstein,
"Variable Envelope Return Paths" (1997); RFC 5233 for the tag. A minus sign is never taken for a tag: too many people
have one in their name.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from nixie.core._address import Address
from nixie.core.domains import examine_domain, usable_domain

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS = 4
"""How many rewritings one address may wear on top of another."""

_LONGEST = 512
"""Longest local part in which a rewriting is looked for; the patterns stay linear in effect."""

_REMEMBERED = 4_096
"""Rewritten addresses whose person is remembered: one mail asks a dozen times."""

_SRS0 = re.compile(r"SRS0[=+-][^=]{1,32}+=[^=]{1,8}+=(?P<domain>[^=]++)=(?P<local>.++)", re.IGNORECASE | re.DOTALL)
_SRS1 = re.compile(
    r"SRS1[=+-][^=]{1,32}+=[^=]++=[=+-][^=]{1,32}+=[^=]{1,8}+=(?P<domain>[^=]++)=(?P<local>.++)",
    re.IGNORECASE | re.DOTALL,
)
# Exchange Online writes the scheme behind a plus sign of the forwarding mailbox.
_SRS_EXCHANGE = re.compile(
    r"[^+=]*+\+SRS=[^=]{1,32}+=[^=]{1,8}+=(?P<domain>[^=]++)=(?P<local>.++)", re.IGNORECASE | re.DOTALL
)
_BATV = re.compile(r"(?:prvs=[0-9a-z]{4,20}+=|btv1==[0-9a-z]{2,20}+==)(?P<local>.++)", re.IGNORECASE | re.DOTALL)
_VERP = re.compile(r"(?P<base>[^+=]++)\+[^=]++=[^=]++", re.DOTALL)
_VERP_EZMLM = re.compile(r"(?P<base>[^=+]*?-return)-[0-9]++-[^=]++=[^=]++", re.IGNORECASE | re.DOTALL)
_VERP_MINUS = re.compile(r"(?P<base>[^=+]*?-?(?:bounces?|owner|return))-[^=]++=[^=]++", re.IGNORECASE | re.DOTALL)


def rewriting(address: Address) -> str:
    """Return which machine's rewriting the address wears: `srs`, `batv`, `verp`, or `""` for none of them."""
    if "=" not in address.local or len(address.local) > _LONGEST:
        return ""
    return next((name for name, undo in _REWRITINGS if undo(address) is not None), "")


def canonical(address: Address) -> Address:
    """Return the address of the person or list behind rewritings: SRS, BATV and VERP undone, the tag stripped."""
    local = address.local
    if "=" in local and len(local) <= _LONGEST:
        return _undone(address)
    return without_tag(address) if "+" in local else address


@lru_cache(maxsize=_REMEMBERED)
def _undone(address: Address) -> Address:
    for _ in range(_ROUNDS):
        if "=" not in address.local or len(address.local) > _LONGEST:
            break
        undone = next((found for _, undo in _REWRITINGS if (found := undo(address)) is not None), None)
        if undone is None:
            break
        address = undone
    return without_tag(address)


def without_tag(address: Address) -> Address:
    """Return the address without `+tag`; one that begins with the plus sign stays."""
    base, plus, _ = address.local.partition("+")
    return Address(base, address.domain) if plus and base else address


def _undo_srs(address: Address) -> Address | None:
    for pattern in (_SRS0, _SRS1, _SRS_EXCHANGE):
        if found := pattern.fullmatch(address.local):
            domain, _ = examine_domain(found["domain"])
            return Address(found["local"], domain) if domain and usable_domain(domain) else None
    return None


def _undo_batv(address: Address) -> Address | None:
    found = _BATV.fullmatch(address.local)
    return Address(found["local"], address.domain) if found else None


def _undo_verp(address: Address) -> Address | None:
    for pattern in (_VERP, _VERP_EZMLM, _VERP_MINUS):
        if found := pattern.fullmatch(address.local):
            return Address(found["base"], address.domain)
    return None


_REWRITINGS: tuple[tuple[str, Callable[[Address], Address | None]], ...] = (
    ("srs", _undo_srs),
    ("batv", _undo_batv),
    ("verp", _undo_verp),
)
