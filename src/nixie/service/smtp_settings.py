"""The SMTP door's numbers, and the files of its TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixie.wire.smtp import Limits

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network
    from pathlib import Path

    Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Bounds and times of the door; times in seconds, sizes in bytes.

    `networks` may connect beside this machine itself. `trusted` peers are mail servers that authenticate their users:
    what they say in `AUTH=` and XFORWARD is believed; None: the same as `networks` and this machine.
    `text_seconds` is the wait for the next bytes of a text, `message_seconds` the time for a whole one.
    """

    hostname: str = "localhost"
    networks: tuple[Network, ...] = ()
    trusted: tuple[Network, ...] | None = None
    max_message_bytes: int = 100_000_000
    max_recipients: int = 10_000
    max_sessions: int = 500
    idle_seconds: float = 300
    text_seconds: float = 180
    message_seconds: float = 3600
    tls_seconds: float = 30
    linger_seconds: float = 5

    @property
    def name(self) -> bytes:
        """Return the host name as it is said."""
        return self.hostname.encode("ascii")

    @property
    def limits(self) -> Limits:
        """Return what the protocol side has to enforce."""
        return Limits(self.max_message_bytes, self.max_recipients)


def server_context(certificate: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """Return the TLS context of the door. Raises OSError or ssl.SSLError for files that are no certificate or key.

    With `client_ca` clients are asked for a certificate that this authority signed; those of the client networks may
    come without one.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context
