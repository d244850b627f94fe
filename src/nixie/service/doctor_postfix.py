"""The mistakes that a Postfix around a guard can have: a table of functions of its configuration.

Each looks at one thing and yields points. A *guarded* service is an smtpd with the guard among its milters; the release hop is
the one that must not be guarded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixie.service.doctor import Point, advice, mistake, ok
from nixie.service.doctor_postconf import Mailserver, Milter, Service, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nixie.config.settings import Settings

LOCAL = {"", "0.0.0.0", "::", "127.0.0.1", "::1", "localhost"}  # noqa: S104 - names to compare with, nothing is bound
SIGNER_PORTS = {"8891", "12301"}
"""Where OpenDKIM and dkimpy-milter listen in their packages; any address with "dkim" in it is taken for a signer too."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What the checks need to know of the installation: addresses as in nixie.toml, bounds in seconds, bytes, recipients."""

    milter: str
    smtp: str
    release_hop: str
    decide_within: float
    message_size: int
    recipients: int

    @classmethod
    def of(cls, settings: Settings) -> Guard:
        """Return the guard of an installation's settings."""
        return cls(
            milter=settings.milter.listen,
            smtp=settings.smtp.listen,
            release_hop=str(settings.release_hop),
            decide_within=settings.workers.decide_within,
            message_size=settings.limits.message_size,
            recipients=settings.limits.recipients,
        )


def as_postfix(server: Mailserver, guard: Guard) -> str:
    """Return the milter's address as smtpd_milters wants it; relative inside the queue directory, right with and without a chroot."""
    if guard.milter.startswith("unix:"):
        queue = server.value("queue_directory").rstrip("/")
        return "unix:" + guard.milter.removeprefix("unix:").removeprefix(f"{queue}/")
    host, _, port = guard.milter.rpartition(":")
    return f"inet:{'127.0.0.1' if host in LOCAL else host}:{port}"


def examine(server: Mailserver, guard: Guard) -> tuple[Point, ...]:
    """Return the points of all checks, in the order of the table."""
    guarded = tuple(
        service
        for service in server.smtpd()
        if position(server, guard, server.milters("smtpd_milters", service), service) >= 0
        and not (_is_release(guard, service) and _no_milters(server, service))
    )
    if not guarded:
        return (*_not_listed(server, guard), *_release_hop(server, guard, guarded))
    return tuple(point for check in CHECKS for point in check(server, guard, guarded))


def position(server: Mailserver, guard: Guard, milters: tuple[Milter, ...], service: Service | None = None) -> int:
    """Return which of the milters is the guard, -1 when none is."""
    for number, milter in enumerate(milters):
        kind, _, rest = milter.address.partition(":")
        if kind in ("unix", "local") and guard.milter.startswith("unix:"):
            if _path(server, rest, service) == guard.milter.removeprefix("unix:"):
                return number
        elif kind == "inet" and _same_place(rest, guard.milter):
            return number
    return -1


def _path(server: Mailserver, path: str, service: Service | None) -> str:
    """Return where a socket's path leads: relative paths, and every path inside a chroot, begin at the queue directory."""
    queue = server.value("queue_directory").rstrip("/")
    if not path.startswith("/") or (service is not None and server.chrooted(service)):
        return f"{queue}/{path.lstrip('/')}"
    return path


def _same_place(one: str, other: str) -> bool:
    """Return whether two `host:port` mean the same listener on this machine or the same host."""
    (host, _, port), (other_host, _, other_port) = one.rpartition(":"), other.rpartition(":")
    host, other_host = host.strip("[]").lower(), other_host.strip("[]").lower()
    return port == other_port and (host == other_host or {host, other_host} <= LOCAL)


def _not_listed(server: Mailserver, guard: Guard) -> Iterator[Point]:
    """Say why no service is guarded: wrong syntax, a path that leads elsewhere, or no entry at all."""
    remedy = f"in main.cf: smtpd_milters = {as_postfix(server, guard)}"
    entries = {m.address: s for s in server.smtpd() for m in server.milters("smtpd_milters", s)}
    for address, service in entries.items():
        bare = address.partition(":")[2] if address.startswith(("inet:", "unix:", "local:")) else address
        port, at, host = bare.partition("@")
        if at and _same_place(f"{host}:{port}", guard.milter):
            text = f"smtpd_milters has {address}: that is how Sendmail writes it, Postfix wants inet:host:port"
            yield mistake("milter-listed", text, remedy)
        elif bare == guard.milter and not address.startswith("inet:"):
            yield mistake("milter-listed", f"smtpd_milters has {address} without inet: before it", remedy)
        elif "unix:" + bare == guard.milter and address.startswith(("unix:", "local:")):
            yield _lost_in_chroot(server, guard, service)
        elif guard.milter == f"unix:{_path(server, bare.lstrip('/'), None)}" and address.startswith("unix:/"):
            text = f"smtpd_milters has {address}, which is right inside a chroot only, and {service.name} runs in none"
            yield mistake("milter-chroot", text, remedy)
        else:
            continue
        return
    if not server.smtpd():
        remedy = "give the output of postconf -M with --master"
        yield mistake("milter-listed", "there is no smtpd service in master.cf", remedy)
        return
    yield mistake("milter-listed", "Nixie is not among the smtpd_milters of any port: no mail is guarded", remedy)


def _lost_in_chroot(server: Mailserver, guard: Guard, service: Service) -> Point:
    path = guard.milter.removeprefix("unix:")
    queue = server.value("queue_directory").rstrip("/")
    text = f"{service.name} runs chrooted in {queue}, so unix:{path} leads it to {queue}{path}"
    inside = f"let [milter] listen be unix:{queue}/nixie/milter and smtpd_milters = unix:nixie/milter"
    if path.startswith(f"{queue}/"):
        inside = f"write smtpd_milters = {as_postfix(server, guard)}"
    return mistake("milter-chroot", text, f"{inside}, or take the service out of the chroot (n in its fifth column)")


def _listed(server: Mailserver, guard: Guard, guarded: tuple[Service, ...]) -> Iterator[Point]:
    yield ok("milter-listed", f"guarded: {', '.join(s.name for s in guarded)}")
    for service in server.smtpd():
        if service not in guarded and not _is_release(guard, service):
            remedy = f"right for incoming mail only; otherwise add {as_postfix(server, guard)} to its smtpd_milters"
            yield advice("milter-unguarded-port", f"the port {service.name} is not guarded", remedy)
    if server.value("smtpd_milter_maps"):
        remedy = "make sure that no client whose people write to the outside is listed there"
        yield advice("milter-maps", "smtpd_milter_maps can turn the guard off for some clients", remedy)


def _default_action(server: Mailserver, guard: Guard, guarded: tuple[Service, ...]) -> Iterator[Point]:
    name = "milter-default-action"
    for service in guarded:
        action = _own(server, guard, service, "default_action") or server.value("milter_default_action", service)
        if action == "accept":
            text = f"{service.name}: when the guard is down, everything passes unseen (accept)"
            yield mistake(name, text, "milter_default_action = tempfail: clients try again")
        elif action == "quarantine":
            text = f"{service.name}: when the guard is down, mail goes to Postfix's hold queue (quarantine)"
            remedy = "milter_default_action = tempfail; Postfix asks no milter again when mail leaves the hold queue"
            yield advice(name, text, remedy)
        elif action == "reject":
            text = f"{service.name}: when the guard is down, mail is refused for good (reject)"
            yield advice(name, text, "milter_default_action = tempfail: clients try again")
        elif not action:
            text = f"{service.name}: milter_default_action is not set, and its default differs between versions"
            yield mistake(name, text, "milter_default_action = tempfail")
        else:
            yield ok(name, f"{service.name}: {action} when the guard is down")


def _signer_order(server: Mailserver, guard: Guard, guarded: tuple[Service, ...]) -> Iterator[Point]:
    name = "signer-order"
    for service in guarded:
        milters = server.milters("smtpd_milters", service)
        at = position(server, guard, milters, service)
        for milter in milters[:at]:
            if _signs(milter):
                text = f"{service.name}: {milter.address} signs before the guard looks, so a held copy keeps an old signature"
                yield mistake(name, text, "list the guard first and the signer after it, and at the release hop too")
            else:
                text = f"{service.name}: {milter.address} comes before the guard"
                yield advice(name, text, "a filter that signs or changes mail belongs behind the guard")


def _signs(milter: Milter) -> bool:
    return "dkim" in milter.address.lower() or milter.address.rpartition(":")[2] in SIGNER_PORTS


def _protocol(server: Mailserver, guard: Guard, guarded: tuple[Service, ...]) -> Iterator[Point]:
    for service in guarded:
        version = _own(server, guard, service, "protocol") or server.value("milter_protocol", service)
        if version.isdecimal() and int(version) < 6:
            text = f"{service.name}: milter_protocol is {version}; the guard then waits for every header line"
            yield mistake("milter-protocol", text, "milter_protocol = 6")


def _proxy_filter(server: Mailserver, _: Guard, guarded: tuple[Service, ...]) -> Iterator[Point]:
    for service in guarded:
        if server.value("smtpd_proxy_filter", service):
            text = f"{service.name}: smtpd_proxy_filter hides the content from milters, so the guard judges empty mail"
            yield mistake("proxy-filter", text, "use the guard as milter or as proxy, not both on one port")


def _original_recipient(server: Mailserver, _: Guard, __: tuple[Service, ...]) -> Iterator[Point]:
    if not server.yes("enable_original_recipient"):
        text = "enable_original_recipient is off: Postfix may not find a held recipient again whose address it rewrote"
        yield mistake("original-recipient", text, "enable_original_recipient = yes, the default")


def _overrides(server: Mailserver, _: Guard, guarded: tuple[Service, ...]) -> Iterator[Point]:
    for service in guarded:
        if _no_milters(server, service):
            text = f"{service.name}: receive_override_options has no_milters, so the guard never hears of its mail"
            yield mistake("receive-overrides", text, "take no_milters out, except at the release hop")


def _no_milters(server: Mailserver, service: Service) -> bool:
    return "no_milters" in server.value("receive_override_options", service)


def _non_smtpd(server: Mailserver, guard: Guard, _: tuple[Service, ...]) -> Iterator[Point]:
    if position(server, guard, server.milters("non_smtpd_milters")) >= 0:
        yield ok("non-smtpd", "mail from sendmail(1) is guarded")
    else:
        text = "non_smtpd_milters does not name the guard: mail from sendmail(1) on this machine passes unseen"
        yield mistake("non-smtpd", text, f"non_smtpd_milters = {as_postfix(server, guard)}")


def _internal_mail(server: Mailserver, _: Guard, __: tuple[Service, ...]) -> Iterator[Point]:
    if "bounce" in server.value("internal_mail_filter_classes"):
        text = "internal_mail_filter_classes has bounce: a bounce that the guard cannot take stays in the queue"
        yield advice("internal-mail", text, "leave it empty; the guard never judges bounces")


def _timeouts(server: Mailserver, guard: Guard, guarded: tuple[Service, ...]) -> Iterator[Point]:
    for service in guarded:
        for timer in ("content", "command"):
            given = _own(server, guard, service, f"{timer}_timeout")
            wait = seconds(given or server.value(f"milter_{timer}_timeout", service))
            needed = guard.decide_within if timer == "content" else min(5.0, guard.decide_within)
            if wait <= needed:
                text = f"{service.name}: milter_{timer}_timeout is {wait:.0f} s, the guard may take {needed:.0f} s"
                yield mistake("milter-timeout", text, f"milter_{timer}_timeout = {max(30.0, 2 * needed):.0f}s")


def _size_limit(server: Mailserver, guard: Guard, guarded: tuple[Service, ...]) -> Iterator[Point]:
    for service in guarded:
        size = server.number("message_size_limit", service)
        if size == 0 or size > guard.message_size:
            shown = f"{size} bytes" if size else "not limited"
            text = f"{service.name}: message_size_limit is {shown}, the guard reads at most {guard.message_size}"
            yield mistake("message-size", text, f"message_size_limit = {guard.message_size}, or raise message_size")


def _recipient_limit(server: Mailserver, guard: Guard, guarded: tuple[Service, ...]) -> Iterator[Point]:
    for service in guarded:
        limit = server.number("smtpd_recipient_limit", service)
        if limit > guard.recipients:
            text = f"{service.name}: smtpd_recipient_limit is {limit}, the guard takes {guard.recipients} recipients"
            yield mistake("recipient-limit", text, f"smtpd_recipient_limit = {guard.recipients}, or raise recipients")


def _archive(server: Mailserver, _: Guard, __: tuple[Service, ...]) -> Iterator[Point]:
    named = [p for p in ("always_bcc", "sender_bcc_maps", "recipient_bcc_maps") if server.value(p)]
    if named:
        text = f"{' and '.join(named)}: the archive gets a held copy when it is released, not when it is held"
        yield advice("archive", text, "let the release hop archive too; the held mail itself is in Nixie's spool")


def _release_hop(server: Mailserver, guard: Guard, guarded: tuple[Service, ...]) -> Iterator[Point]:
    name, hop = "release-hop", guard.release_hop
    remedy = "set [release] hop to a port of its own without the guard (docs/behind-postfix.md)"
    if hop.startswith("maildir:"):
        yield mistake(name, f"released copies and notices go to a folder ({hop}), so they reach nobody", remedy)
        return
    if guard.smtp and _same_place(hop, guard.smtp):
        yield mistake(name, f"the release hop {hop} is the guard's own SMTP door", remedy)
        return
    service = next((s for s in server.smtpd() if _is_release(guard, s)), None)
    if service is None:
        host = hop.rpartition(":")[0].strip("[]")
        text = f"the release hop {hop} is not a port of this Postfix"
        if host in LOCAL:
            yield advice(name, text, "make sure that it is a mail server that does not pass mail through the guard")
        else:
            yield ok(name, f"{text}; make sure that it does not send mail back here")
    elif service in guarded:
        yield mistake(
            name, f"the release hop {hop} is guarded, so released copies and notices pass the guard again", remedy
        )
    elif _leads_to(server, guard, service):
        yield mistake(name, f"the release hop {hop} filters its mail through the guard's SMTP door", remedy)
    else:
        yield ok(name, f"the release hop {hop} does not pass the guard")
        missing = [m.address for s in guarded for m in server.milters("smtpd_milters", s) if _signs(m)]
        if missing and not any(_signs(m) for m in server.milters("smtpd_milters", service)):
            text = f"the release hop {hop} does not sign, while the guarded ports do ({missing[0]})"
            yield advice("release-signs", text, f"on that service: -o smtpd_milters={missing[0]}")


def _is_release(guard: Guard, service: Service) -> bool:
    host, _, port = guard.release_hop.rpartition(":")
    host = host.strip("[]")
    return str(service.port) == port and (service.host == host or {service.host, host} <= LOCAL)


def _leads_to(server: Mailserver, guard: Guard, service: Service) -> bool:
    """Return whether a service's mail goes to the guard's SMTP door by content_filter or smtpd_proxy_filter."""
    words = [server.value(p, service) for p in ("content_filter", "smtpd_proxy_filter")]
    places = [w.partition(":")[2] if w.count(":") > 1 else w for w in words if w]
    return any(_same_place(place.replace("[", "").replace("]", ""), guard.smtp) for place in places)


def _own(server: Mailserver, guard: Guard, service: Service, option: str) -> str:
    """Return the option that stands with the guard's own entry in smtpd_milters."""
    milters = server.milters("smtpd_milters", service)
    return milters[position(server, guard, milters, service)].options.get(option, "")


CHECKS: tuple[Callable[[Mailserver, Guard, tuple[Service, ...]], Iterator[Point]], ...] = (
    _listed,
    _default_action,
    _signer_order,
    _protocol,
    _proxy_filter,
    _original_recipient,
    _overrides,
    _non_smtpd,
    _internal_mail,
    _timeouts,
    _size_limit,
    _recipient_limit,
    _archive,
    _release_hop,
)
