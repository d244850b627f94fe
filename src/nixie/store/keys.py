"""The keys of an installation: three secrets, each for one purpose, readable by the guard's user alone.

* KeysError
  x KeyMissingError      the file is not there
  x KeyUnreadableError   it is there, but may not or cannot be read
  x KeyWrongSizeError    it is not what was written (cut, edited, another file under its name)
  x KeyExposedError      others may read it
  x KeyExistsError       it would have been overwritten: a lost spool key is lost mail

`spool.key` wraps the data key of every held message, `links.key` authenticates decision links, `heads.key` signs the
ends of the ledger; `heads.pub` is what an auditor needs to check them (PEM, so that openssl reads it too).
One secret a purpose, so that giving an auditor one proof never gives away another.
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

if TYPE_CHECKING:
    from pathlib import Path

SECRET_BYTES = 32
SPOOL, LINKS, HEADS, HEADS_PUBLIC = "spool.key", "links.key", "heads.key", "heads.pub"
SECRETS = (SPOOL, LINKS, HEADS)


class KeysError(Exception):
    """A key cannot be used; the text names the file and the remedy, never a byte of a key."""


class KeyMissingError(KeysError):
    """The file is not there."""


class KeyUnreadableError(KeysError):
    """The file may not or cannot be read."""


class KeyWrongSizeError(KeysError):
    """The file does not hold a key of its kind."""


class KeyExposedError(KeysError):
    """Others than the guard's user may read the file."""


class KeyExistsError(KeysError):
    """The file exists and is not overwritten."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets, as bytes: `spool` and `links` 32 each; `heads` the signing key and `heads_public` its public half."""

    spool: bytes = field(repr=False)
    links: bytes = field(repr=False)
    heads: Ed25519PrivateKey = field(repr=False)

    @property
    def heads_public(self) -> Ed25519PublicKey:
        """Return the public half, by which signed heads are checked."""
        return self.heads.public_key()

    @property
    def heads_id(self) -> str:
        """Return the name of the signing key as signed heads carry it: 16 hex digits."""
        return public_id(self.heads_public)


def public_id(key: Ed25519PublicKey) -> str:
    """Return the first 16 hex digits of the SHA-256 of a public key: its name in heads and texts."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def create_keys(folder: Path) -> Keys:
    """Make the folder (0700) and the keys (0600, synced) and return them. Raises `KeyExistsError` before it writes any."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in (*SECRETS, HEADS_PUBLIC):
        if (folder / name).exists():
            raise KeyExistsError(
                f"{folder / name}: exists and is not overwritten; move it away only when no held mail needs it"
            )
    heads = Ed25519PrivateKey.generate()
    keys = Keys(secrets.token_bytes(SECRET_BYTES), secrets.token_bytes(SECRET_BYTES), heads)
    pem = heads.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for name, data in (
        (SPOOL, keys.spool),
        (LINKS, keys.links),
        (HEADS, heads.private_bytes_raw()),
        (HEADS_PUBLIC, pem),
    ):
        _write(folder / name, data)
    _sync_folder(folder)
    return keys


def load_keys(folder: Path, credentials: Path | None = None) -> Keys:
    """Read the keys from `folder`, each one from the systemd credential directory instead where it lies there.

    Raises the errors of this module's tree.
    """
    raw = {name: _read(folder, credentials, name) for name in SECRETS}
    return Keys(raw[SPOOL], raw[LINKS], Ed25519PrivateKey.from_private_bytes(raw[HEADS]))


def load_heads_public(path: Path) -> Ed25519PublicKey:
    """Read the public half from a PEM file, as an auditor without the secrets does. Raises the errors of the tree."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except FileNotFoundError:
        raise KeyMissingError(f"{path}: not there; it was written beside heads.key by `nixie init`") from None
    except OSError as error:
        raise KeyUnreadableError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyWrongSizeError(
            f"{path}: not a public key in PEM; copy heads.pub again from the installation"
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyWrongSizeError(f"{path}: not an Ed25519 key; copy heads.pub again from the installation")
    return key


def verify_keys(folder: Path, credentials: Path | None = None) -> tuple[KeysError, ...]:
    """Return everything that is wrong with the files of the keys, all of it at once; `()` when nothing is.

    Whether held mail decrypts with them is the other half of `nixie keys verify`: `spool.Spool.check`.
    """
    wrong: list[KeysError] = []
    for name in SECRETS:
        try:
            _read(folder, credentials, name)
        except KeysError as error:
            wrong.append(error)
    if wrong:
        return tuple(wrong)
    try:
        public = load_heads_public(folder / HEADS_PUBLIC)
    except KeysError as error:
        return (error,)
    if public_id(public) != load_keys(folder, credentials).heads_id:
        return (
            KeyWrongSizeError(
                f"{folder / HEADS_PUBLIC}: belongs to another heads.key; restore the pair from one backup"
            ),
        )
    return ()


def _read(folder: Path, credentials: Path | None, name: str) -> bytes:
    """Return the 32 bytes of one secret after all that can be wrong with it was looked at."""
    path, others = folder / name, 0o077
    if credentials is not None and (credentials / name).exists():
        # systemd gives the unit's user its access by an ACL, which shows as a group bit.
        path, others = credentials / name, 0o007
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(SECRET_BYTES + 1)
    except FileNotFoundError:
        raise KeyMissingError(
            f"{path}: not there; restore it from the backup, or, in a new installation, make the keys with `nixie init`"
        ) from None
    except OSError as error:
        raise KeyUnreadableError(
            f"{path}: cannot be read ({error.strerror}); it must belong to the user that runs nixie"
        ) from None
    if mode & others:
        raise KeyExposedError(f"{path}: others may read it (mode {mode:04o}); run: chmod 600 {path}")
    if len(data) != SECRET_BYTES:
        raise KeyWrongSizeError(f"{path}: must hold exactly {SECRET_BYTES} bytes; restore it from the backup")
    return data


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
