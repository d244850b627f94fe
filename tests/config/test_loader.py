from ipaddress import ip_network
from pathlib import Path

import pytest

from nixie.config import ConfigError, Settings, home_of, load
from nixie.core.organisation import Partner, Unit


def loaded(home: Path, text: str, partners: str = "") -> Settings:
    (home / "nixie.toml").write_text(text, "utf-8")
    (home / "partners.toml").write_text(partners, "utf-8")
    return load(home, {})


def test_an_empty_folder_is_a_valid_installation(tmp_path: Path):
    settings = load(tmp_path, {})

    assert (settings.milter.listen, settings.smtp.listen, settings.http.listen) == (
        "127.0.0.1:8893",
        "127.0.0.1:2525",
        "127.0.0.1:8025",
    )
    assert settings.next_hop.address.path == tmp_path / "var/outbox"
    assert settings.release_hop is settings.next_hop.address


def test_the_organisation_is_a_core_value_with_a_labels_and_partners(tmp_path: Path):
    settings = loaded(
        tmp_path,
        '[organisation]\nown_domains = ["Münster.Example", "*.example.org"]\nunits.Press = ["Press-*@example.org"]\n',
        '[[partner]]\nname = "Registry"\ndomains = ["registry.example"]\n',
    )

    assert settings.organisation.own_domains == ("xn--mnster-3ya.example", "*.example.org")
    assert settings.organisation.units == (Unit("Press", ("press-*@example.org",)),)
    assert settings.organisation.partners == (Partner("Registry", ("registry.example",)),)
    assert settings.organisation.owns("mail.example.org")


def test_values_are_read_by_their_units(tmp_path: Path):
    settings = loaded(
        tmp_path,
        '[limits]\nmessage_size = "40MB"\n[notice]\nwait = "500ms"\n[release]\nretry = ["1m", "2h"]\n'
        '[smtp]\nclient_networks = ["10.0.0.0/8"]\nlisten = "0.0.0.0:25"\n[milter]\nlisten = "unix:var/milter"\n',
    )

    assert (settings.limits.message_size, settings.notice.wait, settings.release.retry) == (
        40_000_000,
        0.5,
        (60.0, 7200.0),
    )
    assert settings.smtp.client_networks == (ip_network("10.0.0.0/8"),)
    assert settings.milter.listen == f"unix:{tmp_path}/var/milter"


def test_options_of_checks_are_given_by_the_check_s_name(tmp_path: Path):
    settings = loaded(tmp_path, '[checks.destination]\nlisted_countries = ["ml"]\n')

    assert settings.checks["destination"] == {"listed_countries": ("ML",), "exceptions": ()}
    assert set(settings.checks) == {"destination"}


def test_a_door_may_be_off(tmp_path: Path):
    assert loaded(tmp_path, '[smtp]\nlisten = "off"\n').smtp.listen == ""


def test_notices_are_from_the_postmaster_unless_told(tmp_path: Path):
    who = '[organisation]\nown_domains = ["example.org"]\npostmaster = "postmaster@example.org"\n'

    assert loaded(tmp_path, who).notice_from == "postmaster@example.org"
    assert loaded(tmp_path, who + '[notice]\nfrom = "nixie@example.org"\n').notice_from == "nixie@example.org"


def test_a_repr_shows_no_address(tmp_path: Path):
    settings = loaded(
        tmp_path,
        '[organisation]\nown_domains = ["example.org"]\npostmaster = "secret.name@example.org"\n'
        '[notice]\nreviewers = ["secret.name@example.org"]\nfrom = "secret.name@example.org"\n',
    )

    assert "secret.name" not in repr(settings)


def test_the_home_is_the_option_then_the_environment_then_here():
    assert home_of("/srv/a", {"NIXIE_HOME": "/srv/b"}) == Path("/srv/a")
    assert home_of(None, {"NIXIE_HOME": "/srv/b"}) == Path("/srv/b")
    assert home_of(None, {}) == Path.cwd()


def test_credentials_come_from_systemd(tmp_path: Path):
    assert load(tmp_path, {"CREDENTIALS_DIRECTORY": "/run/credentials/nixie"}).credentials == Path(
        "/run/credentials/nixie"
    )


def test_files_that_cannot_be_read_are_named(tmp_path: Path):
    (tmp_path / "nixie.toml").write_bytes(b"\xff")
    (tmp_path / "partners.toml").mkdir()

    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})

    assert str(caught.value).splitlines() == [
        "nixie.toml: is not UTF-8 text",
        "partners.toml: cannot be read: Is a directory",
    ]


def test_a_reachable_door_needs_networks_or_certificates_for_clients(tmp_path: Path):
    for name in ("chain.pem", "key.pem", "ca.pem"):
        (tmp_path / name).touch()
    text = '[smtp]\nlisten = "[::]:25"\ncertificate = "chain.pem"\nkey = "key.pem"\n'

    with pytest.raises(ConfigError, match="anybody could relay"):
        loaded(tmp_path, text)
    assert loaded(tmp_path, text + 'client_ca = "ca.pem"\n').smtp.client_ca == tmp_path / "ca.pem"
