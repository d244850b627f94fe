"""The kinds of value that nixie.toml knows: what may be written, how it is read, what is said when it cannot be.

A kind is a table row, not a class hierarchy: a name for the reference page, an example, and a function from what TOML
gives to the value that the guard uses. It raises ValueError with a sentence that says what is wanted; the loader adds
file, line and key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

from nixie.core.address import parse_address
from nixie.core.domains import normal_domain
from nixie.core.nearest import advice
from nixie.core.organisation import Unit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nixie.core.organisation import Network

T = TypeVar("T")
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of value: its name for people, an example in TOML, and how it is read (value, home folder) -> value."""

    name: str
    example: str
    read: Callable[[object, Path], T] = field(repr=False)
    private: bool = False
    """Whether a value may not stand in a repr: it holds addresses."""
    each: Callable[[object, Path], object] | None = field(default=None, repr=False)
    """How one element of a list is read, so that a mistake can be told with the element's line."""


@dataclass(frozen=True, slots=True)
class Hop:
    """Where mail goes on: an SMTP server (`host`, `port`), or a Maildir (`path`), for trying out and for tests."""

    host: str = ""
    port: int = 0
    path: Path | None = None

    def __str__(self) -> str:
        if self.path is not None:
            return f"maildir:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)")
_BYTES = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_DOMAIN = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def _text(value: object, _home: Path) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("must be text in quotes on one line")
    return value.strip()


def _flag(value: object, _home: Path) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false, without quotes")  # noqa: TRY004 - one error for every wrong value
    return value


def _duration(value: object, _home: Path) -> float:
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be a time such as "30s", "15m", "2h" or "7d"')
    return float(found[1]) * _SECONDS[found[2]]


def _size(value: object, _home: Path) -> int:
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be a size such as "512kB", "40MB" or "1GB"')
    return int(float(found[1]) * _BYTES[found[2]])


def _path(value: object, home: Path) -> Path:
    text = _text(value, home)
    if not text:
        raise ValueError("must be a path")
    return home / text


def _listen(value: object, home: Path) -> str:
    text = _text(value, home)
    if text == "off":
        return ""
    if text.startswith("unix:") and len(text) > len("unix:"):
        return f"unix:{home / text.removeprefix('unix:')}"
    host, port = _host_and_port(text, 'must be "address:port", "unix:path" or "off"')
    if host == "localhost":
        host = "127.0.0.1"
    try:
        ip = ip_address(host)
    except ValueError:
        raise ValueError(f'"{host}" is not an IP address; write 127.0.0.1, or 0.0.0.0 for every interface') from None
    return f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}"


def _hop(value: object, home: Path) -> Hop:
    text = _text(value, home)
    if text.startswith("maildir:") and len(text) > len("maildir:"):
        return Hop(path=home / text.removeprefix("maildir:"))
    host, port = _host_and_port(text, 'must be "host:port" or "maildir:path"')
    if port == 0 or not (":" in host or _HOST.fullmatch(host)):
        raise ValueError('must be "host:port" with a host name or address and a port from 1 to 65535')
    return Hop(host, port)


def _host_and_port(text: str, wanted: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{wanted}; an IPv6 address stands in brackets, [::1]:2525")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError(wanted)
    return host, int(port)


def _url(value: object, home: Path) -> str:
    text = _text(value, home)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError('must be the address of a site, such as "https://nixie.example.org"')
    return text.rstrip("/")


def _address(value: object, home: Path) -> str:
    text = _text(value, home)
    address = parse_address(text)
    if address is None or address.is_null or not address.domain:
        raise ValueError('must be one mail address, such as "postmaster@example.org"')
    return str(address)


def _domain(value: object, home: Path) -> str:
    text = _text(value, home)
    domain = ("*." if text.startswith("*.") else "") + normal_domain(text.removeprefix("*."))
    if not _DOMAIN.fullmatch(domain) or len(domain) > 255:
        raise ValueError('must be a domain such as "example.org", or "*.example.org" for everything below it')
    return domain


def _network(value: object, home: Path) -> Network:
    text = _text(value, home)
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError('must be a network such as "10.0.0.0/8", "192.0.2.7" or "2001:db8::/32"') from None


def _country(value: object, home: Path) -> str:
    text = _text(value, home).upper()
    if len(text) != 2 or not text.isascii() or not text.isalpha():
        raise ValueError('must be a country code of two letters (ISO 3166), such as "ML"')
    return text


def _units(value: object, home: Path) -> tuple[Unit, ...]:
    if not isinstance(value, dict):
        raise ValueError(f"must be a table such as {UNITS.example}")  # noqa: TRY004 - as above
    units = []
    for name, patterns in value.items():
        read = _list_of(_text)(patterns, home)
        if not read or not all("@" in pattern for pattern in read):
            raise ValueError(f'"{name}" must be a list of patterns of addresses, such as "press-*@example.org"')
        units.append(Unit(name, tuple(pattern.lower() for pattern in read)))
    return tuple(units)


def _list_of(read: Callable[[object, Path], T]) -> Callable[[object, Path], tuple[T, ...]]:
    def read_list(value: object, home: Path) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ValueError("must be a list in brackets")  # noqa: TRY004 - as above
        return tuple(dict.fromkeys(read(one, home) for one in value))

    return read_list


def _or(read: Callable[[object, Path], T], empty: E) -> Callable[[object, Path], T | E]:
    def read_some(value: object, home: Path) -> T | E:
        return empty if value == "" else read(value, home)

    return read_some


def _list_kind(
    name: str, example: str, each: Callable[[object, Path], T], *, private: bool = False
) -> Kind[tuple[T, ...]]:
    return Kind(f"list of {name}", example, _list_of(each), private=private, each=each)


def whole(lowest: int, highest: int) -> Kind[int]:
    """Return the kind of whole numbers in a range."""

    def read(value: object, _home: Path) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return value

    return Kind(f"whole number, {lowest} to {highest}", str(lowest), read)


def one_of(*words: str) -> Kind[str]:
    """Return the kind of a few words."""

    def read(value: object, _home: Path) -> str:
        if value not in words:
            said = f'"{value}" is not one of them' if isinstance(value, str) else "must be text in quotes"
            raise ValueError(f"{said}; {advice(str(value), words)}")
        return str(value)

    return Kind(f"one of {', '.join(words)}", f'"{words[0]}"', read)


TEXT = Kind("text", '"Example Ministry"', _text)
FLAG = Kind("true or false", "true", _flag)
DURATION = Kind("time", '"2h"', _duration)
DURATIONS = _list_kind("times", '["1m", "5m"]', _duration)
SIZE = Kind("size", '"40MB"', _size)
PATH = Kind("path, relative to the home folder", '"keys/smtp.pem"', _path)
PATH_OR_NONE = Kind(f"{PATH.name}, or empty", PATH.example, _or(_path, None))
LISTEN = Kind("address to listen on", '"127.0.0.1:2525"', _listen)
HOP = Kind("where mail goes on", '"mail.example.org:25"', _hop)
HOP_OR_NONE = Kind(f"{HOP.name}, or empty", HOP.example, _or(_hop, None))
URL = Kind("address of a site", '"https://nixie.example.org"', _url)
ADDRESS_OR_NONE = Kind("mail address, or empty", '"postmaster@example.org"', _or(_address, ""), private=True)
ADDRESSES = _list_kind("mail addresses", '["desk@example.org"]', _address, private=True)
DOMAINS = _list_kind("domains", '["example.org", "*.example.org"]', _domain)
NETWORKS = _list_kind("networks", '["10.0.0.0/8"]', _network)
COUNTRIES = _list_kind("country codes", '["ML"]', _country)
UNITS = Kind("table of address patterns", '{ "Press" = ["press-*@example.org"] }', _units)

AnyKind = Kind[Any]
