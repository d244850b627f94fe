"""Archive copies (`always_bcc`), aliases, and mail from `sendmail`: what the guard sees, and what each mailbox gets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.behind_postfix import Chain
from support.mail import message, submit
from support.postfix import free_port
from support.world_sink import eventually

pytestmark = pytest.mark.system

ARCHIVE = "archive@army.mil"
ALIASES = {
    "crew@army.ml": "one@far.example, two@far.example",
    "watch@army.ml": "three@far.example, four@far.example",
    "press@army.mil": "newsroom@army.ml",
}
WITHOUT_ORIGINAL = free_port()
SERVICES = f"""127.0.0.1:{WITHOUT_ORIGINAL} inet n - n - - smtpd
  -o cleanup_service_name=forgetful
forgetful unix n - n - 0 cleanup
  -o enable_original_recipient=no
"""


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    pairs = ", ".join(f"{{ {alias} = {names} }}" for alias, names in ALIASES.items())
    settings = {
        "always_bcc": ARCHIVE,
        "virtual_alias_maps": f"inline:{{ {pairs} }}",
        "virtual_alias_domains": "",
    }
    with Chain(postfix_settings=settings, services=SERVICES) as chain:
        yield chain


def release(chain: Chain, recipient: str) -> None:
    (hold,) = chain.guard.holds_to(recipient)
    chain.guard.run("holds", "release", hold["id"], "--reason", "it is right", "--as", "major")


def test_the_archive_gets_a_copy_when_something_leaves_and_another_at_the_release(chain: Chain) -> None:
    chain.send(message("<some@army.mil>", ["bob@army.mil", "some@army.ml"]), ["bob@army.mil", "some@army.ml"])
    assert chain.wait_copies("<some@army.mil>", 2) == sorted([ARCHIVE, "bob@army.mil"])

    release(chain, "some@army.ml")
    assert chain.wait_copies("<some@army.mil>", 4) == sorted([ARCHIVE, ARCHIVE, "bob@army.mil", "some@army.ml"])


def test_the_archive_gets_nothing_of_a_message_that_is_held_whole_until_it_is_released(chain: Chain) -> None:
    chain.send(message("<whole@army.mil>", ["whole@army.ml"]), ["whole@army.ml"])
    chain.send(message("<after@army.mil>", ["bob@army.mil"]), ["bob@army.mil"])
    chain.wait_copies("<after@army.mil>", 2)
    assert chain.world.copies("<whole@army.mil>") == []

    release(chain, "whole@army.ml")
    assert chain.wait_copies("<whole@army.mil>", 2) == sorted([ARCHIVE, "whole@army.ml"])


def test_a_held_alias_is_stopped_with_everybody_behind_it_and_released_with_them(chain: Chain) -> None:
    chain.send(message("<crew@army.mil>", ["bob@army.mil", "crew@army.ml"]), ["bob@army.mil", "crew@army.ml"])
    assert chain.wait_copies("<crew@army.mil>", 2) == sorted([ARCHIVE, "bob@army.mil"])
    (hold,) = chain.guard.holds_to("crew@army.ml")
    assert hold["state"] == "waiting"

    release(chain, "crew@army.ml")
    chain.wait_copies("<crew@army.mil>", 5)
    assert {"one@far.example", "two@far.example"} <= set(chain.world.copies("<crew@army.mil>"))


def test_a_held_alias_is_stopped_without_original_recipients_too(chain: Chain) -> None:
    """Postfix's source says that it then compares with the address behind the alias; what this Postfix does is shown here."""
    to = ["bob@army.mil", "watch@army.ml"]
    assert submit(WITHOUT_ORIGINAL, message("<watch@army.mil>", to), to)[0] == 250
    assert chain.wait_copies("<watch@army.mil>", 2) == sorted([ARCHIVE, "bob@army.mil"])


def test_what_an_alias_leads_to_is_not_judged(chain: Chain) -> None:
    chain.send(message("<press@army.mil>", ["press@army.mil"]), ["press@army.mil"])
    assert "newsroom@army.ml" in chain.wait_copies("<press@army.mil>", 2)


def test_mail_from_sendmail_is_guarded_by_non_smtpd_milters(chain: Chain) -> None:
    to = ["bob@army.mil", "cron@army.ml"]
    sent = message("<cron@army.mil>", to)
    done = chain.postfix.run("sendmail", "-f", "ann@army.mil", *to, input_=sent.replace(b"\r\n", b"\n"))
    assert done.returncode == 0, done.stderr

    assert chain.wait_copies("<cron@army.mil>", 2) == sorted([ARCHIVE, "bob@army.mil"])
    eventually(lambda: chain.guard.holds_to("cron@army.ml"), "the hold")
    release(chain, "cron@army.ml")
    chain.wait_copies("<cron@army.mil>", 4)
    assert {a.below_trace for a in chain.world.arrived("<cron@army.mil>")} == {sent}
