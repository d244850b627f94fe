"""Addresses that name another house inside an address of ours: `ops%army.ml@army.mil`, `army.ml!ops@army.mil`.

RFC 1123 (section 5.2.16) and RFC 5321 (appendix F.2) know these forms of source routing, and mail servers still undo them
(Postfix: `allow_percent_hack`, `swap_bangpath`, `resolve_dequoted_address`): the copy leaves the house although its envelope
names us. So it is judged by where it goes. The envelope itself is never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nixie.core._address import Address
from nixie.core.domains import examine_domain, usable_domain

if TYPE_CHECKING:
    from nixie.core.organisation import Organisation


_MARKS = frozenset("%!@")


def routed(address: Address, organisation: Organisation) -> Address:
    """Return where a copy to this address goes in the end; the address itself where it names no other house.

    As servers do: `site!user` first, then `user%site` and `"user@site"` from the right; a name without a dot is a machine of
    ours.
    """
    if _MARKS.isdisjoint(address.local):
        return address
    local, domain = address.local, address.domain
    while not domain or "." not in domain or organisation.inside(domain):
        site, bang, rest = local.partition("!")
        if not bang:
            last = max(local.rfind("%"), local.rfind("@"))
            if last < 0:
                return address
            rest, site = local[:last], local[last + 1 :]
        local, domain = rest, examine_domain(site)[0]
        if not local:
            return address
    return Address(local, domain) if local is not address.local and usable_domain(domain) else address
