"""The doctor on a good Postfix, and on one with a single mistake each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.service.doctor import Level, Point
from nixie.service.doctor_postconf import read_mailserver, seconds
from nixie.service.doctor_postfix import Guard, examine

TCP = Guard(
    milter="127.0.0.1:8893",
    smtp="127.0.0.1:2525",
    release_hop="127.0.0.1:10026",
    decide_within=30.0,
    message_size=64_000_000,
    recipients=5000,
)
MAIN = {
    "compatibility_level": "3.6",
    "smtpd_milters": "inet:127.0.0.1:8893",
    "non_smtpd_milters": "$smtpd_milters",
    "milter_default_action": "tempfail",
}
SMTP = "smtp inet n - n - - smtpd"
SUBMISSION = "submission inet n - n - - smtpd -o syslog_name=postfix/submission -o smtpd_sasl_auth_enable=yes"
RELEASE = "127.0.0.1:10026 inet n - n - - smtpd -o smtpd_milters= -o mynetworks=127.0.0.0/8"


def points(
    main: dict[str, str] | None = None, master: tuple[str, ...] = (SMTP, SUBMISSION, RELEASE), guard: Guard = TCP
) -> tuple[Point, ...]:
    text = "".join(f"{k} = {v}\n" for k, v in {**MAIN, **(main or {})}.items() if v is not None)
    return examine(read_mailserver(text, "\n".join(master)), guard)


def wrong(found: tuple[Point, ...], level: Level = Level.MISTAKE) -> list[str]:
    return sorted({p.name for p in found if p.level is level})


def with_option(service: str, option: str) -> tuple[str, ...]:
    return tuple(f"{s} -o {option}" if s == service else s for s in (SMTP, SUBMISSION, RELEASE))


def unix(path: str, **more: str) -> Guard:
    return Guard(f"unix:{path}", "", "127.0.0.1:10026", 30.0, 64_000_000, 5000)


def test_a_good_configuration_is_well_and_says_what_is_guarded() -> None:
    found = points()

    assert {p.level for p in found} == {Level.OK}
    assert "guarded: smtp, submission" in [p.text for p in found]
    assert "release-hop" in [p.name for p in found]


MISTAKES = [
    ("the guard is not listed", "milter-listed", {"smtpd_milters": "inet:localhost:8891"}, None),
    ("no milters at all", "milter-listed", {"smtpd_milters": ""}, None),
    ("Sendmail's syntax", "milter-listed", {"smtpd_milters": "inet:8893@127.0.0.1"}, None),
    ("no inet: before it", "milter-listed", {"smtpd_milters": "127.0.0.1:8893"}, None),
    ("no smtpd", "milter-listed", {}, ("pickup unix n - n 60 1 pickup",)),
    ("accept", "milter-default-action", {"milter_default_action": "accept"}, None),
    ("accept on one port", "milter-default-action", {}, with_option(SUBMISSION, "milter_default_action=accept")),
    ("accept in the entry", "milter-default-action",
     {"smtpd_milters": "{ inet:127.0.0.1:8893, default_action = accept }"}, None),
    ("no action", "milter-default-action", {"milter_default_action": ""}, None),
    ("signer first", "signer-order", {"smtpd_milters": "inet:127.0.0.1:8891, inet:127.0.0.1:8893"}, None),
    ("signer by path", "signer-order", {"smtpd_milters": "unix:opendkim/opendkim.sock inet:127.0.0.1:8893"}, None),
    ("old protocol", "milter-protocol", {"milter_protocol": "2"}, None),
    ("old protocol in the entry", "milter-protocol", {"smtpd_milters": "{ inet:127.0.0.1:8893, protocol=4 }"}, None),
    ("proxy filter too", "proxy-filter", {}, with_option(SMTP, "smtpd_proxy_filter=127.0.0.1:10030")),
    ("no original recipients", "original-recipient", {"enable_original_recipient": "no"}, None),
    ("no_milters", "receive-overrides", {"receive_override_options": "no_address_mappings,no_milters"}, None),
    ("sendmail unguarded", "non-smtpd", {"non_smtpd_milters": ""}, None),
    ("short content timeout", "milter-timeout", {"milter_content_timeout": "20s"}, None),
    ("short in the entry", "milter-timeout", {"smtpd_milters": "{ inet:127.0.0.1:8893, content_timeout=10s }"}, None),
    ("short command timeout", "milter-timeout", {"milter_command_timeout": "3"}, None),
    ("larger mail than ours", "message-size", {"message_size_limit": "100000000"}, None),
    ("unlimited mail", "message-size", {"message_size_limit": "0"}, None),
    ("more recipients than ours", "recipient-limit", {"smtpd_recipient_limit": "20000"}, None),
    ("release hop guarded", "release-hop", {}, (SMTP, RELEASE.replace("-o smtpd_milters= ", ""))),
    ("release hop filtered", "release-hop", {}, with_option(RELEASE, "content_filter=smtp:[127.0.0.1]:2525")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "main", "master"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_each_mistake_is_found_alone_and_has_a_remedy(
    name: str, main: dict[str, str], master: tuple[str, ...] | None
) -> None:
    found = points(main, master or (SMTP, SUBMISSION, RELEASE))

    assert wrong(found) == [name]
    assert all(p.remedy for p in found if p.level is not Level.OK)


@pytest.mark.parametrize(
    ("name", "main", "master"),
    [
        ("milter-unguarded-port", {}, with_option(SMTP, "smtpd_milters=")),
        ("milter-maps", {"smtpd_milter_maps": "cidr:/etc/postfix/no-milter"}, None),
        ("milter-default-action", {"milter_default_action": "reject"}, None),
        ("milter-default-action", {"milter_default_action": "quarantine"}, None),
        ("signer-order", {"smtpd_milters": "inet:127.0.0.1:11332, inet:127.0.0.1:8893"}, None),
        ("internal-mail", {"internal_mail_filter_classes": "bounce"}, None),
        ("archive", {"always_bcc": "archive@army.mil"}, None),
        ("release-hop", {}, (SMTP, SUBMISSION)),
        ("release-signs", {"smtpd_milters": "inet:127.0.0.1:8893, inet:127.0.0.1:8891"}, None),
    ],
)
def test_what_may_be_meant_so_is_advice(name: str, main: dict[str, str], master: tuple[str, ...] | None) -> None:
    found = points(main, master or (SMTP, SUBMISSION, RELEASE))

    assert (wrong(found), wrong(found, Level.ADVICE)) == ([], [name])


@pytest.mark.parametrize(
    ("listens", "written", "chroot", "mistakes"),
    [
        ("/run/nixie/milter", "unix:/run/nixie/milter", "n", []),
        ("/run/nixie/milter", "unix:/run/nixie/milter", "y", ["milter-chroot"]),
        ("/run/nixie/milter", "unix:/run/nixie/milter", "-", []),
        ("/var/spool/postfix/nixie/milter", "unix:nixie/milter", "y", []),
        ("/var/spool/postfix/nixie/milter", "unix:nixie/milter", "n", []),
        ("/var/spool/postfix/nixie/milter", "unix:/nixie/milter", "y", []),
        ("/var/spool/postfix/nixie/milter", "unix:/nixie/milter", "n", ["milter-chroot"]),
        ("/var/spool/postfix/nixie/milter", "unix:/var/spool/postfix/nixie/milter", "y", ["milter-chroot"]),
        ("/run/nixie/milter", "unix:/run/other", "n", ["milter-listed"]),
    ],
)
def test_a_unix_path_is_followed_as_the_service_follows_it(
    listens: str, written: str, chroot: str, mistakes: list[str]
) -> None:
    master = (f"smtp inet n - {chroot} - - smtpd", RELEASE)
    found = points({"smtpd_milters": written, "non_smtpd_milters": f"unix:{listens}"}, master, unix(listens))

    assert wrong(found) == mistakes


def test_a_chroot_that_is_not_said_is_one_in_old_configurations() -> None:
    """Before compatibility level 1 a `-` in the fifth column of master.cf means yes."""
    path = "unix:/run/nixie/milter"
    written = {"compatibility_level": "0", "smtpd_milters": path, "non_smtpd_milters": path}
    found = points(written, ("smtp inet n - - - - smtpd", RELEASE), unix("/run/nixie/milter"))

    assert wrong(found) == ["milter-chroot"]


@pytest.mark.parametrize(
    ("hop", "level"),
    [
        ("127.0.0.1:2525", Level.MISTAKE),
        ("localhost:587", Level.MISTAKE),
        ("maildir:/srv/outbox", Level.MISTAKE),
        ("mail.example.org:25", Level.OK),
        ("127.0.0.1:10027", Level.ADVICE),
    ],
)
def test_the_release_hop_must_not_pass_the_door(hop: str, level: Level) -> None:
    guard = Guard("127.0.0.1:8893", "0.0.0.0:2525", hop, 30.0, 64_000_000, 5000)
    (found,) = [p for p in points(guard=guard) if p.name == "release-hop"]

    assert found.level is level


def test_no_milters_on_the_release_hop_is_as_good_as_none_listed() -> None:
    release = RELEASE.replace("smtpd_milters= ", "receive_override_options=no_milters ")

    assert wrong(points(master=(SMTP, SUBMISSION, release))) == []


def test_files_are_read_like_postconf_output() -> None:
    main = "# the gateway\nsmtpd_milters =\n  # ours\n\tinet:127.0.0.1:8893,\n  inet:127.0.0.1:8891\nx = ${smtpd_milters}\n"
    master = "smtp inet n - n - - smtpd\n  -o { milter_protocol = 6 }\n  -o syslog_name=x/$y\n#submission inet n - n - - smtpd\n"
    server = read_mailserver(main, master)

    assert server.value("x") == "inet:127.0.0.1:8893, inet:127.0.0.1:8891"
    assert [m.address for m in server.milters("smtpd_milters")] == ["inet:127.0.0.1:8893", "inet:127.0.0.1:8891"]
    assert [(s.port, dict(s.options)) for s in server.services] == [
        (25, {"milter_protocol": "6", "syslog_name": "x/$y"})
    ]


@pytest.mark.parametrize(
    ("text", "value"), [("30s", 30), ("5m", 300), ("2h", 7200), ("45", 45), ("", 0), ("soon", 0), ("1.5s", 0)]
)
def test_times_are_postfix_times(text: str, value: float) -> None:
    assert seconds(text) == value


@given(st.text("smtpd_milers=inet:127.0 89{},$()\n \t#-o", max_size=300), st.text(max_size=200))
def test_whatever_the_files_hold_the_doctor_answers(main: str, master: str) -> None:
    found = examine(read_mailserver(main, f"{SMTP}\n{master}"), TCP)

    assert all(p.remedy for p in found if p.level is not Level.OK)
