"""Read what `postconf -n` and `postconf -M` print, or main.cf and master.cf themselves: text in, values out.

Only what the doctor needs: comments and continuation lines, `$name` and `${name}` with the defaults of the parameters that it
asks for, services with their `-o` options, lists of milters with their own options. A word that is not understood is kept
as it is; nothing here raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULTS = {
    "compatibility_level": "0",
    "enable_original_recipient": "yes",
    "mail_owner": "postfix",
    "message_size_limit": "10240000",
    "milter_command_timeout": "30s",
    "milter_connect_timeout": "30s",
    "milter_content_timeout": "300s",
    "milter_protocol": "6",
    "queue_directory": "/var/spool/postfix",
    "smtpd_recipient_limit": "1000",
}
"""Postfix's own defaults (postconf(5), version 3.7); every parameter that is not listed is empty."""

PORTS = {"smtp": 25, "smtps": 465, "submissions": 465, "submission": 587}
"""Service names of /etc/services as master.cf uses them."""

_REFERENCE = re.compile(r"\$(?:(\w+)|\{(\w+)\}|\((\w+)\))")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Milter:
    """One milter of a list: its address as written, and its own options (`default_action`, `content_timeout`, ...)."""

    address: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """One line of master.cf: `smtp inet n - y - - smtpd -o name=value ...`."""

    name: str
    type: str
    chroot: str
    program: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """The TCP port, 0 when there is none or its name is unknown."""
        port = self.name.rpartition(":")[2]
        return int(port) if port.isdecimal() else PORTS.get(port, 0)

    @property
    def host(self) -> str:
        """The address that it listens on; `""`: those of inet_interfaces."""
        return self.name.rpartition(":")[0].strip("[]")


@dataclass(frozen=True, slots=True)
class Mailserver:
    """A Postfix as it is configured."""

    main: Mapping[str, str]
    services: tuple[Service, ...] = ()

    def value(self, name: str, service: Service | None = None) -> str:
        """Return a parameter as the service sees it, with references expanded."""
        return self._expand(self._raw(name, service), service, _DEPTH)

    def given(self, name: str, service: Service | None = None) -> bool:
        """Return whether the parameter is set anywhere."""
        return name in self.main or (service is not None and name in service.options)

    def yes(self, name: str, service: Service | None = None) -> bool:
        """Return a parameter that is yes or no."""
        return self.value(name, service).lower() == "yes"

    def number(self, name: str, service: Service | None = None) -> int:
        """Return a parameter that is a number, 0 when it is none."""
        text = self.value(name, service)
        return int(text) if text.isdecimal() else 0

    def milters(self, name: str, service: Service | None = None) -> tuple[Milter, ...]:
        """Return the milters of a parameter in order."""
        return tuple(_milters(self.value(name, service)))

    def smtpd(self) -> tuple[Service, ...]:
        """Return the services that take mail by SMTP over the network."""
        return tuple(s for s in self.services if s.type == "inet" and s.program == "smtpd")

    def chrooted(self, service: Service) -> bool:
        """Return whether the service runs inside the queue directory."""
        if service.chroot == "-":
            return self.value("compatibility_level").partition(".")[0] == "0"
        return service.chroot == "y"

    def _raw(self, name: str, service: Service | None) -> str:
        if service is not None and name in service.options:
            return service.options[name]
        return self.main.get(name, DEFAULTS.get(name, ""))

    def _expand(self, text: str, service: Service | None, depth: int) -> str:
        if depth == 0 or "$" not in text:
            return text
        return _REFERENCE.sub(
            lambda m: self._expand(self._raw(m[1] or m[2] or m[3], service), service, depth - 1), text
        )


def read_mailserver(main: str, master: str) -> Mailserver:
    """Return the Mailserver of the two texts."""
    return Mailserver(dict(_parameters(main)), tuple(_services(master)))


def seconds(text: str) -> float:
    """Return a Postfix time (`30s`, `5m`, a bare number in seconds) in seconds, 0 when it is none."""
    match = re.fullmatch(r"(\d+)\s*([smhdw]?)", text.strip())
    return float(int(match[1]) * _SECONDS[match[2] or "s"]) if match else 0.0


def _logical_lines(text: str) -> Iterator[str]:
    """Yield lines with their continuations (lines that begin with white space) joined, without comments."""
    waiting = ""
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace():
            waiting = f"{waiting} {line.strip()}"
        else:
            if waiting:
                yield waiting
            waiting = line.strip()
    if waiting:
        yield waiting


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for line in _logical_lines(text):
        name, equals, value = line.partition("=")
        if equals:
            yield name.strip(), value.strip()


def _services(text: str) -> Iterator[Service]:
    for line in _logical_lines(text):
        words = _words(line)
        if len(words) >= 8:
            name, kind, _private, _unprivileged, chroot, _wakeup, _limit, program = words[:8]
            yield Service(name, kind, chroot, program, dict(_options(words[8:])))


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the `-o` options of a service; `-o { name = value }` keeps white space in the value."""
    for flag, word in pairwise(words):
        if flag == "-o":
            name, _, value = word.removeprefix("{").removesuffix("}").partition("=")
            yield name.strip(), value.strip()


def _words(text: str, also: str = "") -> list[str]:
    """Split at white space and at the characters of `also`, but not inside braces."""
    words, word, depth = [], "", 0
    for c in text:
        depth += (c == "{") - (c == "}")
        if depth <= 0 and (c.isspace() or c in also):
            if word:
                words.append(word)
            word = ""
        else:
            word += c
    return [*words, word] if word else words


def _milters(text: str) -> Iterator[Milter]:
    for word in _words(text, ","):
        if word.startswith("{"):
            address, *options = _words(word.strip("{} "), ",")
            # White space around "=" is allowed inside braces, so the options are read from their joined text.
            pairs = re.findall(r"(\w+)\s*=\s*([^\s,]+)", " ".join(options))
            yield Milter(address, dict(pairs))
        else:
            yield Milter(word)
