"""The two doors as an installation's settings describe them."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from nixie.service.milter_door import MilterDoor, MilterSettings
from nixie.service.smtp_door import SmtpDoor, hop_factory
from nixie.service.smtp_settings import SmtpSettings, server_context
from nixie.service.smtp_upstream import UpstreamSettings, UpstreamTls, client_context

if TYPE_CHECKING:
    import ssl

    from nixie.config.settings import Settings
    from nixie.service.ports import Judge


def milter_door(judge: Judge, settings: Settings) -> MilterDoor:
    """Return the door for Postfix and Sendmail."""
    limits = settings.limits
    return MilterDoor(
        judge,
        MilterSettings(
            idle_timeout=settings.milter.idle, max_message_bytes=limits.message_size, max_recipients=limits.recipients
        ),
    )


def smtp_door(judge: Judge, settings: Settings) -> SmtpDoor:
    """Return the proxy in front of the next hop."""
    name = host_name(settings)
    hop, limits = settings.next_hop, settings.limits
    tls = UpstreamTls(hop.tls)
    upstream = UpstreamSettings(
        host=hop.address.host,
        port=hop.address.port,
        hostname=name,
        tls=tls,
        context=client_context(verify=True) if tls is UpstreamTls.VERIFY else None,
        command_seconds=hop.timeout,
    )
    own = SmtpSettings(
        hostname=name,
        networks=settings.smtp.client_networks,
        max_message_bytes=limits.message_size,
        max_recipients=limits.recipients,
        max_sessions=settings.smtp.sessions,
        idle_seconds=settings.smtp.idle,
    )
    return SmtpDoor(judge, hop_factory(str(hop.address), upstream, settings.home), own, tls_context(settings))


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the SMTP door's certificate, None when none is configured."""
    smtp = settings.smtp
    if smtp.certificate is None or smtp.key is None:
        return None
    return server_context(smtp.certificate, smtp.key, smtp.client_ca)


def host_name(settings: Settings) -> str:
    """Return the name by which the doors introduce themselves."""
    return settings.smtp.hostname or socket.getfqdn() or "localhost"
