"""Who may talk to the SMTP door, and whose word counts there.

A next hop usually relays for the machine on which Nixie runs. A door open to everybody would thus be an open relay, so one
that can be reached from elsewhere needs named client networks, or certificates that clients must show.
"""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixie.service.smtp_settings import Network, SmtpSettings


class ListenerError(Exception):
    """The door must not be opened like this; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A client as its connection shows it; `ip` is empty for a UNIX socket."""

    ip: str
    allowed: bool
    trusted: bool
    needs_certificate: bool = False


def check_listener(host: str, networks: tuple[Network, ...], tls: ssl.SSLContext | None) -> None:
    """Raise ListenerError if `host` can be reached from elsewhere and nothing says who may come.

    `tls` counts when it asks clients for certificates. A host name counts as reachable, but for `localhost`.
    """
    if _is_local(host) or networks or _asks_for_certificates(tls):
        return
    raise ListenerError(
        f"the SMTP door would listen on {host} for everybody, and would be an open relay. "
        "Name the mail servers that may connect in [smtp] client_networks, "
        "or the authority of their certificates in [smtp] client_ca, or listen on 127.0.0.1"
    )


def peer_of(peername: object, settings: SmtpSettings, tls: ssl.SSLContext | None) -> Peer:
    """Return what is known of a client from its socket's peer name."""
    if not isinstance(peername, tuple):
        return Peer("", allowed=True, trusted=True)
    ip = str(peername[0]).partition("%")[0]
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    named = address.is_loopback or _within(address, settings.networks)
    trusted = named if settings.trusted is None else _within(address, settings.trusted)
    by_certificate = not named and _asks_for_certificates(tls)
    return Peer(str(address), named or by_certificate, trusted, by_certificate)


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _asks_for_certificates(tls: ssl.SSLContext | None) -> bool:
    return tls is not None and tls.verify_mode is not ssl.CERT_NONE


def _is_local(host: str) -> bool:
    if not host or host.startswith(("unix:", "/")):
        return bool(host)
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
