"""Read an installation's configuration: nixie.toml and partners.toml in, frozen `Settings` out.

Every mistake of both files is collected and shown together, each with file, line, key and remedy, before any socket is
opened. A file that is missing means its defaults. Errors: ConfigError (see `core.problems`).
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixie.config import kinds
from nixie.config.consistency import contradictions
from nixie.config.keys import keys_of
from nixie.config.settings import SECTIONS, Settings
from nixie.core import toml_places
from nixie.core.nearest import advice
from nixie.core.organisation import Organisation, Partner
from nixie.core.problems import Problem, ProblemsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nixie.config.kinds import AnyKind
    from nixie.core.toml_places import Path as Place

CONFIG_NAME, PARTNERS_NAME = "nixie.toml", "partners.toml"
_PARTNER_KEYS: dict[str, AnyKind] = {"name": kinds.TEXT, "domains": kinds.DOMAINS}


class ConfigError(ProblemsError):
    """The configuration cannot be used; `problems` names each mistake with file, line and key."""


def home_of(option: str | Path | None, environ: Mapping[str, str] | None = None) -> Path:
    """Return the home folder: the option, else NIXIE_HOME, else the working directory."""
    told = option or (os.environ if environ is None else environ).get("NIXIE_HOME") or "."
    return Path(told).absolute()


def load(home: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of the installation in `home`. Raises ConfigError.

    `environ` (default: the process's) tells systemd's directory of credentials, and nothing else.
    """
    told = os.environ if environ is None else environ
    home = home.absolute()
    config, partner_file = _File(home / CONFIG_NAME, home), _File(home / PARTNERS_NAME, home)
    sections = _sections(config)
    partners = _partners(partner_file)
    problems = config.problems + partner_file.problems
    if problems:
        raise ConfigError(tuple(problems))
    who = sections.pop("organisation")
    checks = {
        name.removeprefix("checks."): asdict(sections.pop(name)) for name in SECTIONS if name.startswith("checks.")
    }
    organisation = Organisation(
        own_domains=who.own_domains,
        internal_domains=who.internal_domains,
        trusted_networks=who.trusted_networks,
        units=who.units,
        partners=partners,
        postmaster=who.postmaster,
    )
    credentials = told.get("CREDENTIALS_DIRECTORY")
    settings = Settings(
        home=home,
        organisation=organisation,
        name=who.name,
        checks=checks,
        credentials=Path(credentials) if credentials else None,
        **sections,
    )
    for path, text in contradictions(settings):
        config.note(path, text)
    if config.problems:
        raise ConfigError(tuple(config.problems))
    return settings


class _File:
    """One file while it is read: its data, its lines, what is wrong with it."""

    def __init__(self, path: Path, home: Path) -> None:
        self.home = home
        self.problems: list[Problem] = []
        self.data: dict[str, Any] = {}
        self._source = path.name
        self._lines: dict[Place, int] = {}
        try:
            self.data, self._lines = toml_places.read(path.read_text("utf-8"), self._source)
        except FileNotFoundError:
            pass
        except UnicodeDecodeError:
            self.problems.append(Problem(self._source, 0, "", "is not UTF-8 text"))
        except OSError as error:
            self.problems.append(Problem(self._source, 0, "", f"cannot be read: {error.strerror}"))
        except ProblemsError as error:
            self.problems.extend(error.problems)

    def note(self, path: Place, text: str) -> None:
        line = toml_places.line_of(self._lines, path)
        self.problems.append(Problem(self._source, line, toml_places.dotted(path), text))

    def unknown(self, table: Mapping[str, Any], valid: Iterable[str], path: Place, what: str) -> None:
        names = tuple(valid)
        for name in table:
            if name not in names:
                self.note((*path, name), f'unknown {what} "{name}"; {advice(name, names)}')

    def value(self, kind: AnyKind, value: object, path: Place) -> Any:
        try:
            return kind.read(value, self.home)
        except ValueError as error:
            if not (kind.each and isinstance(value, list)):
                self.note(path, str(error))
                return None
        for number, one in enumerate(value):
            try:
                kind.each(one, self.home)
            except ValueError as error:
                self.note((*path, number), str(error))
        return None


def _sections(file: _File) -> dict[str, Any]:
    checks = file.data.get("checks", {})
    file.unknown(file.data, {name.partition(".")[0] for name in SECTIONS}, (), "section")
    if isinstance(checks, dict):
        names = [name.removeprefix("checks.") for name in SECTIONS if name.startswith("checks.")]
        file.unknown(checks, names, ("checks",), "check")
    else:
        file.note(("checks",), "options of a check are written as [checks.NAME]")
        checks = {}
    sections = {}
    for name, section in SECTIONS.items():
        path: Place = tuple(name.split("."))
        table = checks.get(path[1], {}) if len(path) == 2 else file.data.get(name, {})
        sections[name] = _section(file, section, table, path)
    return sections


def _section(file: _File, section: type, table: object, path: Place) -> Any:
    if not isinstance(table, dict):
        file.note(path, f"is a section and is written as [{'.'.join(map(str, path))}]")
        table = {}
    known = dict(keys_of(section))
    file.unknown(table, (key.name for key in known.values()), path, "key")
    values = {
        field: file.value(key.kind, table.get(key.name, key.default), (*path, key.name)) for field, key in known.items()
    }
    return section(**values)


def _partners(file: _File) -> tuple[Partner, ...]:
    file.unknown(file.data, ("partner",), (), "key")
    listed = file.data.get("partner", [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        file.note(("partner",), "each partner is written as [[partner]]")
        return ()
    partners: list[Partner] = []
    for number, table in enumerate(listed):
        path: Place = ("partner", number)
        file.unknown(table, _PARTNER_KEYS, path, "key")
        for key in _PARTNER_KEYS:
            if not table.get(key):
                file.note((*path, key), f'"{key}" is missing')
        read = {
            key: file.value(kind, table[key], (*path, key)) for key, kind in _PARTNER_KEYS.items() if table.get(key)
        }
        partners.append(Partner(read.get("name") or "", read.get("domains") or ()))
    return tuple(partners)
