"""Write a new installation's folder: nixie.toml, policy.toml, partners.toml; what `nixie init` is made of.

It never overwrites: a second `init` on a folder that holds mail is a mistake, not a wish.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from nixie.config.loader import CONFIG_NAME, PARTNERS_NAME, load
from nixie.config.sample import sample

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nixie.config.settings import Settings

POLICIES = ("observe", "enforce")
_POLICY_NAME = "policy.toml"
_PARTNERS = """\
# Outside organisations that your people write to. Their domains are candidates from the first day: a slip of one is noticed
# although nothing has been learned yet.
#
# [[partner]]
# name = "Ministry of Examples"
# domains = ["example.org", "*.example.org"]
"""


class HomeExistsError(FileExistsError):
    """The folder already holds an installation; nothing was written."""


def shipped_policy(mode: str) -> str:
    """Return the text of a policy that comes with Nixie: `observe` or `enforce`."""
    if mode not in POLICIES:
        raise ValueError(f"no shipped policy {mode}; there are {', '.join(POLICIES)}")
    return (files("nixie.config") / "policies" / f"{mode}.toml").read_text("utf-8")


def write_home(
    home: Path,
    *,
    milter: str | None = None,
    smtp: str | None = None,
    http: str | None = None,
    next_hop: str | None = None,
    own_domains: Sequence[str] = (),
    mode: str = "observe",
    public_url: str | None = None,
    notice_from: str | None = None,
    postmaster: str | None = None,
) -> Settings:
    """Write the files of a new home, only those keys set that were given, and return its settings.

    Without a postmaster it is `postmaster@` the first own domain (RFC 5321, section 4.5.1, demands that it exists). The keys
    of encryption are made elsewhere. Raises HomeExistsError when a file is there already, and ConfigError when what was
    given cannot be used; in both cases nothing stays behind that was not there before.
    """
    wanted: dict[str, dict[str, Any]] = {
        "organisation": {
            "own_domains": list(own_domains) or None,
            "postmaster": postmaster or _postmaster_of(own_domains),
        },
        "milter": {"listen": milter},
        "smtp": {"listen": smtp},
        "http": {"listen": http, "public_url": public_url or _url_of(http)},
        "next_hop": {"address": next_hop},
        "notice": {"from": notice_from},
    }
    given = {name: {key: v for key, v in section.items() if v is not None} for name, section in wanted.items()}
    texts = {CONFIG_NAME: sample(given), _POLICY_NAME: shipped_policy(mode), PARTNERS_NAME: _PARTNERS}
    there = [name for name in texts if (home / name).exists()]
    if there:
        raise HomeExistsError(
            f"{home} already holds {', '.join(there)}; choose another folder, or change the files there"
        )
    home.mkdir(parents=True, exist_ok=True)
    try:
        for name, text in texts.items():
            (home / name).write_text(text, "utf-8")
        settings = load(home)
    except BaseException:
        for name in texts:
            (home / name).unlink(missing_ok=True)
        raise
    settings.var.mkdir(mode=0o700, exist_ok=True)
    return settings


def _postmaster_of(own_domains: Sequence[str]) -> str | None:
    plain = [domain for domain in own_domains if not domain.startswith("*")]
    return f"postmaster@{plain[0]}" if plain else None


def _url_of(http: str | None) -> str | None:
    """Return how links begin when only the listening address was given, so that they lead to it."""
    return f"http://{http}" if http and not http.startswith(("unix:", "off")) else None
