from pathlib import Path

import pytest

from nixie.config import ConfigError, load
from nixie.config.home import HomeExistsError, shipped_policy, write_home


def test_a_new_home_says_what_was_asked_for_and_nothing_more(tmp_path: Path):
    home = tmp_path / "home"

    settings = write_home(
        home,
        milter="unix:var/milter",
        smtp="127.0.0.1:2526",
        http="127.0.0.1:8026",
        next_hop="mail.example.org:25",
        own_domains=["example.org", "*.example.org"],
        postmaster="postmaster@example.org",
        notice_from="nixie@example.org",
    )

    assert settings == load(home, {})
    assert settings.organisation.own_domains == ("example.org", "*.example.org")
    assert settings.http.public_url == "http://127.0.0.1:8026"
    assert settings.notice_from == "nixie@example.org"
    set_keys = [line for line in (home / "nixie.toml").read_text("utf-8").splitlines() if line[:1].isalpha()]
    assert len(set_keys) == 8


def test_a_home_is_never_overwritten(tmp_path: Path):
    (tmp_path / "policy.toml").write_text("# mine", "utf-8")

    with pytest.raises(HomeExistsError, match=r"already holds policy\.toml"):
        write_home(tmp_path)

    assert [p.name for p in tmp_path.iterdir()] == ["policy.toml"]


def test_a_home_that_would_not_serve_is_not_left_behind(tmp_path: Path):
    with pytest.raises(ConfigError):
        write_home(tmp_path, smtp="0.0.0.0:25")

    assert list(tmp_path.iterdir()) == []


def test_the_mode_chooses_the_policy(tmp_path: Path):
    write_home(tmp_path, mode="enforce")

    assert (tmp_path / "policy.toml").read_text("utf-8") == shipped_policy("enforce")
    with pytest.raises(ValueError, match="observe, enforce"):
        shipped_policy("strict")


def test_the_text_of_partners_is_ready_to_be_uncommented(tmp_path: Path):
    write_home(tmp_path)
    path = tmp_path / "partners.toml"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(line.removeprefix("# ") for line in lines if "=" in line or "[[" in line), "utf-8")

    assert [p.name for p in load(tmp_path, {}).organisation.partners] == ["Ministry of Examples"]


def test_without_a_postmaster_it_is_the_one_of_the_first_own_domain(tmp_path: Path):
    assert write_home(tmp_path, own_domains=["*.example.org", "example.org"]).notice_from == "postmaster@example.org"
