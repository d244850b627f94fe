# ruff: noqa: RUF009 - `keys.key` is `dataclasses.field` with words
"""Every key of nixie.toml, once, and the frozen value that the guard is built from.

A section of the file is a class, a key a line. Times are in seconds (float), sizes in bytes (int), however they are
written; paths are absolute after loading.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nixie.config import keys, kinds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nixie.config.kinds import Hop
    from nixie.core.organisation import Network, Organisation, Unit

_TLS = kinds.one_of("off", "opportunistic", "required", "verify")


@dataclass(frozen=True, slots=True)
class OrganisationSection:
    """Who "we" are. Everything else is outside, and only mail to outside is judged."""

    name: str = keys.key(kinds.TEXT, "", "The organisation's name as notices say it.")
    own_domains: tuple[str, ...] = keys.key(kinds.DOMAINS, [], "Domains whose people write through this guard.")
    internal_domains: tuple[str, ...] = keys.key(
        kinds.DOMAINS, [], "Domains inside the house that are not ours to answer for."
    )
    trusted_networks: tuple[Network, ...] = keys.key(
        kinds.NETWORKS, ["127.0.0.0/8", "::1/128"], "Clients whose From field is believed without a login."
    )
    units: tuple[Unit, ...] = keys.key(kinds.UNITS, {}, "Parts of the organisation, by patterns of addresses.")
    postmaster: str = keys.key(kinds.ADDRESS_OR_NONE, "", "Who gets what nobody else can decide.")


@dataclass(frozen=True, slots=True)
class MilterSection:
    """The door for Postfix and Sendmail."""

    listen: str = keys.key(
        kinds.LISTEN, "127.0.0.1:8893", 'Where the mail server reaches the guard; a "unix:" path is fastest.'
    )
    idle: float = keys.key(kinds.DURATION, "2h", "A connection that is silent for so long is closed.")


@dataclass(frozen=True, slots=True)
class SmtpSection:
    """The door for every other mail server: a proxy in front of the next hop."""

    listen: str = keys.key(kinds.LISTEN, "127.0.0.1:2525", "Where mail servers hand their mail over.")
    hostname: str = keys.key(kinds.TEXT, "", "The name in the greeting; empty: the machine's own.")
    client_networks: tuple[Network, ...] = keys.key(
        kinds.NETWORKS,
        [],
        "Who may connect from other machines; empty: this machine, and clients with a certificate of client_ca.",
    )
    certificate: Path | None = keys.key(kinds.PATH_OR_NONE, "", "PEM file of the certificate chain for STARTTLS.")
    key: Path | None = keys.key(kinds.PATH_OR_NONE, "", "PEM file of the certificate's private key.")
    client_ca: Path | None = keys.key(
        kinds.PATH_OR_NONE, "", "PEM file of the authority whose client certificates may connect."
    )
    idle: float = keys.key(
        kinds.DURATION, "5m", "A client that is silent for so long is disconnected (RFC 5321, section 4.5.3.2)."
    )
    sessions: int = keys.key(kinds.whole(1, 100_000), 500, "Connections at one time and worker.", "connections")


@dataclass(frozen=True, slots=True)
class HttpSection:
    """The decision pages that notices link to."""

    listen: str = keys.key(
        kinds.LISTEN, "127.0.0.1:8025", "Where browsers, or a reverse proxy in front, reach the pages."
    )
    public_url: str = keys.key(kinds.URL, "http://127.0.0.1:8025", "How links in notices begin.")
    trusted_proxies: tuple[Network, ...] = keys.key(
        kinds.NETWORKS, [], "Reverse proxies whose Remote-User header is believed."
    )
    demand_remote_user: bool = keys.key(
        kinds.FLAG, False, "Whether a link alone is not enough: the proxy must name the author."
    )


@dataclass(frozen=True, slots=True)
class NextHopSection:
    """Where the SMTP door passes mail on to."""

    address: Hop = keys.key(
        kinds.HOP, "maildir:var/outbox", "The mail server behind the SMTP door, or a Maildir to try things out."
    )
    tls: str = keys.key(_TLS, "opportunistic", "STARTTLS towards it; verify checks its certificate too.")
    timeout: float = keys.key(kinds.DURATION, "5m", "How long one command may take (RFC 5321, section 4.5.3.2).")


@dataclass(frozen=True, slots=True)
class ReleaseSection:
    """How held copies leave once they may."""

    hop: Hop | None = keys.key(
        kinds.HOP_OR_NONE,
        "",
        "The mail server that takes released copies and notices, and does not pass them through the guard; empty: the next hop.",
    )
    tls: str = keys.key(_TLS, "opportunistic", "STARTTLS towards it; verify checks its certificate too.")
    retry: tuple[float, ...] = keys.key(
        kinds.DURATIONS, ["30s", "2m", "10m", "30m", "1h"], "Waits between tries; the last one repeats."
    )
    give_up_after: float = keys.key(kinds.DURATION, "2d", "When a release is returned to its author instead.")


@dataclass(frozen=True, slots=True)
class NoticeSection:
    """Questions to authors and reviewers, and what happens when nobody answers."""

    from_: str = keys.key(kinds.ADDRESS_OR_NONE, "", "Who notices are from; empty: the postmaster.")
    reviewers: tuple[str, ...] = keys.key(
        kinds.ADDRESSES, [], "Who is asked when the author may not decide, or does not."
    )
    wait: float = keys.key(
        kinds.DURATION, "2s", "How long a notice waits for further transactions of the same message."
    )
    reminder_after: float = keys.key(kinds.DURATION, "4h", "When the author is asked again.")
    escalate_after: float = keys.key(kinds.DURATION, "1d", "When the reviewers are asked instead.")
    return_after: float = keys.key(kinds.DURATION, "3d", "When the copy goes back to its author, undelivered.")
    link_valid: float = keys.key(kinds.DURATION, "3d", "How long the link in a notice works.")
    return_with: str = keys.key(
        kinds.one_of("message", "header"), "message", "What a returned copy carries of the message."
    )


@dataclass(frozen=True, slots=True)
class KnowledgeSection:
    """What is remembered of the organisation's mail."""

    retention_days: int = keys.key(kinds.whole(30, 36_500), 730, "Counts older than this are forgotten.", "days")


@dataclass(frozen=True, slots=True)
class WorkersSection:
    """The processes that serve the doors."""

    count: int = keys.key(kinds.whole(0, 256), 0, "How many; 0: one for each processor core.", "processes")
    decide_within: float = keys.key(
        kinds.DURATION, "30s", 'A decision that takes longer is answered "try again later".'
    )


@dataclass(frozen=True, slots=True)
class LedgerSection:
    """The record of everything that was seen, decided and done."""

    head_interval: float = keys.key(kinds.DURATION, "1h", "How often the ledger's end is signed.")
    heads: Path = keys.key(kinds.PATH, "var/heads", "Where signed ends are kept; best on another machine's disk.")


@dataclass(frozen=True, slots=True)
class LimitsSection:
    """Bounds; past one, the message is held or answered "try again later", never passed unread."""

    message_size: int = keys.key(kinds.SIZE, "64MB", "The largest message that is taken.")
    recipients: int = keys.key(kinds.whole(1, 100_000), 5000, "The most recipients of one message.", "recipients")
    temporary_answers: int = keys.key(
        kinds.whole(1, 100),
        3,
        'After so many "try again later" a message that fails each time is held for the postmaster.',
        "answers",
    )


@dataclass(frozen=True, slots=True)
class LogSection:
    """What is written to standard error for the system's journal."""

    level: str = keys.key(
        kinds.one_of("debug", "info", "warning", "error"), "info", "The least important lines that are written."
    )


@dataclass(frozen=True, slots=True)
class DestinationSection:
    """The check `destination`: which country a domain belongs to."""

    listed_countries: tuple[str, ...] = keys.key(
        kinds.COUNTRIES, [], "Countries whose domains the check marks as listed."
    )
    exceptions: tuple[str, ...] = keys.key(kinds.DOMAINS, [], "Domains that are never marked.")


SECTIONS: dict[str, type] = {
    "organisation": OrganisationSection,
    "milter": MilterSection,
    "smtp": SmtpSection,
    "http": HttpSection,
    "next_hop": NextHopSection,
    "release": ReleaseSection,
    "notice": NoticeSection,
    "knowledge": KnowledgeSection,
    "workers": WorkersSection,
    "ledger": LedgerSection,
    "limits": LimitsSection,
    "log": LogSection,
    "checks.destination": DestinationSection,
}
"""Every section of nixie.toml in the order of the sample file."""


@dataclass(frozen=True, slots=True)
class Settings:
    """An installation's configuration, checked. Made by `config.load`.

    `organisation` is built from its section and partners.toml; `checks` maps a check's id to its options, as `Case` wants
    them; `credentials` is systemd's directory of credentials where there is one.
    """

    home: Path
    organisation: Organisation
    name: str = ""
    milter: MilterSection = field(default_factory=MilterSection)
    smtp: SmtpSection = field(default_factory=SmtpSection)
    http: HttpSection = field(default_factory=HttpSection)
    next_hop: NextHopSection = field(default_factory=NextHopSection)
    release: ReleaseSection = field(default_factory=ReleaseSection)
    notice: NoticeSection = field(default_factory=NoticeSection)
    knowledge: KnowledgeSection = field(default_factory=KnowledgeSection)
    workers: WorkersSection = field(default_factory=WorkersSection)
    ledger: LedgerSection = field(default_factory=LedgerSection)
    limits: LimitsSection = field(default_factory=LimitsSection)
    log: LogSection = field(default_factory=LogSection)
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    credentials: Path | None = None

    @property
    def policy_file(self) -> Path:
        """Return where the policy lies."""
        return self.home / "policy.toml"

    @property
    def keys_folder(self) -> Path:
        """Return where the keys lie."""
        return self.home / "keys"

    @property
    def var(self) -> Path:
        """Return the folder of everything that changes: databases, spool, sockets."""
        return self.home / "var"

    @property
    def release_hop(self) -> Hop:
        """Return the hop by which released copies and notices leave."""
        return self.release.hop or self.next_hop.address

    @property
    def notice_from(self) -> str:
        """Return the address that notices are from; `""` when nothing is configured."""
        return self.notice.from_ or self.organisation.postmaster
