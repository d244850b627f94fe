"""Addresses: the one place where they are read, written and compared.

The standard library mangles raw UTF-8, loses `a@x..test`, recurses on nested comments and takes quadratic time
(python/cpython#136063), so the parser is our own: linear, bytes or text in, and whatever it cannot read it hands back as
raw text with a defect. The envelope decides where mail goes; headers only explain.
"""

from __future__ import annotations

from nixie.core._address import NULL, Address, AddressError, from_key, parse_path
from nixie.core._mailbox_items import Mailbox
from nixie.core._mailboxes import MAX_MAILBOXES, parse_address, parse_mailboxes
from nixie.core._rewrites import canonical, rewriting, without_tag
from nixie.core.domains import normal_domain, unicode_domain

__all__ = [
    "MAX_MAILBOXES",
    "NULL",
    "Address",
    "AddressError",
    "Mailbox",
    "canonical",
    "from_key",
    "normal_domain",
    "parse_address",
    "parse_mailboxes",
    "parse_path",
    "rewriting",
    "unicode_domain",
    "without_tag",
]
