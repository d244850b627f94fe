"""What single keys cannot say: settings that contradict each other, or the machine, found before a socket is opened.

Each rule is a function of the settings that yields places and sentences; the table at the end lists them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from nixie.core.organisation import domain_matches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nixie.config.settings import Settings

    Contradiction = tuple[tuple[str, ...], str]


def contradictions(settings: Settings) -> Iterator[Contradiction]:
    """Yield the place (section, key) and the sentence of everything that does not go together."""
    for rule in _RULES:
        yield from rule(settings)


def is_loopback(listen: str) -> bool:
    """Return whether a checked listen address can be reached from this machine alone."""
    return not listen or listen.startswith(("unix:", "127.", "[::1]:"))


def _proxy_is_not_open(settings: Settings) -> Iterator[Contradiction]:
    smtp = settings.smtp
    if not is_loopback(smtp.listen) and not smtp.client_networks and not (smtp.certificate and smtp.client_ca):
        yield (
            ("smtp", "listen"),
            "reaches beyond this machine, so anybody could relay through it; name client_networks, or certificate, key and client_ca",
        )


def _certificate_has_key(settings: Settings) -> Iterator[Contradiction]:
    smtp = settings.smtp
    if smtp.certificate and not smtp.key:
        yield ("smtp", "certificate"), "needs its private key; set key"
    if smtp.key and not smtp.certificate:
        yield ("smtp", "key"), "needs its certificate; set certificate"
    if smtp.client_ca and not smtp.certificate:
        yield ("smtp", "client_ca"), "asks clients for certificates, which needs STARTTLS; set certificate and key"


def _files_are_there(settings: Settings) -> Iterator[Contradiction]:
    smtp = settings.smtp
    named: tuple[tuple[str, Path | None], ...] = (
        ("certificate", smtp.certificate),
        ("key", smtp.key),
        ("client_ca", smtp.client_ca),
    )
    for name, path in named:
        if path is not None and not path.is_file():
            yield ("smtp", name), f"there is no file {path}"


def _no_loop(settings: Settings) -> Iterator[Contradiction]:
    own = settings.smtp.listen
    for section, hop in (("next_hop", settings.next_hop.address), ("release", settings.release.hop)):
        if hop is not None and hop.path is None and own and str(hop).replace("localhost:", "127.0.0.1:") == own:
            key = "address" if section == "next_hop" else "hop"
            yield (section, key), "is the guard's own SMTP door, so mail would go round in a loop"


def _listeners_differ(settings: Settings) -> Iterator[Contradiction]:
    seen: dict[str, str] = {}
    for section, listen in (
        ("milter", settings.milter.listen),
        ("smtp", settings.smtp.listen),
        ("http", settings.http.listen),
    ):
        if listen and not listen.endswith(":0") and listen in seen:
            yield (section, "listen"), f"is already taken by [{seen[listen]}]"
        seen.setdefault(listen, section)


def _silence_has_an_order(settings: Settings) -> Iterator[Contradiction]:
    notice = settings.notice
    steps = ("wait", "reminder_after", "escalate_after", "return_after")
    for earlier, later in pairwise(steps):
        if getattr(notice, later) <= getattr(notice, earlier):
            yield (
                ("notice", later),
                f"must be longer than {earlier}: first a notice, then a reminder, the reviewers, the return",
            )
    if notice.link_valid < notice.reminder_after:
        yield (
            ("notice", "link_valid"),
            "must be at least reminder_after, or the link ends before anybody was asked twice",
        )


def _retries_are_waits(settings: Settings) -> Iterator[Contradiction]:
    if not settings.release.retry or min(settings.release.retry) <= 0:
        yield ("release", "retry"), "must be at least one wait, each longer than nothing"


def _notices_stay_inside(settings: Settings) -> Iterator[Contradiction]:
    who = settings.organisation
    if not who.own_domains:
        return
    told = (
        ("organisation", "postmaster", (who.postmaster,)),
        ("notice", "from", (settings.notice.from_,)),
        ("notice", "reviewers", settings.notice.reviewers),
    )
    for section, key, addresses in told:
        for address in filter(None, addresses):
            domain = address.rpartition("@")[2]
            if not who.inside(domain):
                yield (
                    (section, key),
                    f"{domain} is not in own_domains or internal_domains, and the guard never writes outside",
                )


def _partners_are_outside(settings: Settings) -> Iterator[Contradiction]:
    own = settings.organisation.own_domains
    for partner in settings.organisation.partners:
        for domain in partner.domains:
            if domain in own or domain_matches(domain, own):
                yield (
                    ("organisation", "own_domains"),
                    f"{domain} is ours, and in partners.toml the partner {partner.name}'s",
                )


def _login_needs_a_proxy(settings: Settings) -> Iterator[Contradiction]:
    if settings.http.demand_remote_user and not settings.http.trusted_proxies:
        yield ("http", "demand_remote_user"), "believes no proxy, so nobody could decide; name trusted_proxies"


_RULES = (
    _proxy_is_not_open,
    _certificate_has_key,
    _files_are_there,
    _no_loop,
    _listeners_differ,
    _silence_has_an_order,
    _retries_are_waits,
    _notices_stay_inside,
    _partners_are_outside,
    _login_needs_a_proxy,
)
