"""Signed ends of the ledger, for keeping where the ledger's owner cannot reach them.

A head says: row `seq` existed at `at`, and everything up to it hashes to `chain`. Signed with Ed25519, one JSON line each,
appended to `var/heads.jsonl`; copy that file (or any line of it) to another machine, a log collector, a printer. A ledger
whose end was cut off or rewritten contradicts the first head it no longer contains.

There is no Merkle tree. A tree proves one row's membership in a few hashes to somebody who may not see the others; here the
verifier is an auditor with the database in hand, for whom walking the chain takes seconds per million rows, and a second
structure would have to be kept right on every commit.

* HeadError
  x BadHeadError        not a head: unreadable line, wrong fields
  x BadSignatureError   the line was changed, or signed with another key
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature

from nixie.store.keys import public_id
from nixie.store.ledger import read_tail

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class HeadError(Exception):
    """A head cannot be used; the text names the file or the field and the remedy."""


class BadHeadError(HeadError):
    """What was given is not a head."""


class BadSignatureError(HeadError):
    """The signature does not belong to this head and this key."""


@dataclass(frozen=True, slots=True)
class Head:
    """The signed end of a ledger; `at` is milliseconds UTC, `key` names the signing key (`keys.public_id`)."""

    seq: int
    chain: bytes
    at: int
    key: str
    signature: bytes = field(repr=False)

    def line(self) -> str:
        """Return the head as one line of JSON without the line end."""
        return json.dumps(
            {
                "seq": self.seq,
                "chain": self.chain.hex(),
                "at": self.at,
                "key": self.key,
                "signature": self.signature.hex(),
            }
        )


def sign(seq: int, chain: bytes, at: int, key: Ed25519PrivateKey) -> Head:
    """Return the signed head of a ledger that ends so."""
    name = public_id(key.public_key())
    return Head(seq, chain, at, name, key.sign(_told(seq, chain, at, name)))


def current_head(db: sqlite3.Connection, key: Ed25519PrivateKey, at: int) -> Head:
    """Return the signed head of the ledger as it stands, for keeping elsewhere."""
    tail = read_tail(db)
    return sign(tail.seq, tail.chain, at, key)


def read_head(text: str) -> Head:
    """Return the head that a line of JSON tells. Raises `BadHeadError`; the signature is not yet checked."""
    try:
        told = json.loads(text)
        head = Head(
            int(told["seq"]),
            bytes.fromhex(told["chain"]),
            int(told["at"]),
            str(told["key"]),
            bytes.fromhex(told["signature"]),
        )
    except (ValueError, KeyError, TypeError):
        raise BadHeadError("not a head: expected one JSON line with seq, chain, at, key and signature") from None
    if len(head.chain) != 32 or not 0 <= head.seq < 1 << 63:
        raise BadHeadError("not a head: chain must be 64 hex digits and seq a row number")
    return head


def last_head(path: Path) -> Head:
    """Return the last head of a file of heads. Raises `BadHeadError`, naming the file."""
    try:
        lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        raise BadHeadError(f"{path}: cannot be read as a file of heads") from None
    if not lines:
        raise BadHeadError(f"{path}: empty; use a copy of heads.jsonl that was kept elsewhere")
    try:
        return read_head(lines[-1])
    except BadHeadError as error:
        raise BadHeadError(f"{path}, line {len(lines)}: {error}") from None


def check(head: Head, key: Ed25519PublicKey) -> None:
    """Return quietly when this key signed this head. Raises `BadSignatureError`."""
    if head.key != public_id(key):
        raise BadSignatureError(
            f"the head was signed with key {head.key}, not with {public_id(key)}; use the heads.pub of its time"
        )
    try:
        key.verify(head.signature, _told(head.seq, head.chain, head.at, head.key))
    except InvalidSignature:
        raise BadSignatureError(
            f"the head of row {head.seq} was changed after it was signed; use another copy"
        ) from None


def keep(head: Head, path: Path) -> None:
    """Append the head to the file of heads, synced."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    with os.fdopen(descriptor, "ab") as file:
        file.write(head.line().encode("ascii") + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _told(seq: int, chain: bytes, at: int, key: str) -> bytes:
    """Return the bytes that are signed: a name for the purpose first, so that no other signature can pass for a head."""
    return f"nixie ledger head 1\n{seq}\n{chain.hex()}\n{at}\n{key}\n".encode("ascii")
