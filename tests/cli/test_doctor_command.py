"""`nixie doctor`: a running installation is well, a broken one is told with remedies, nothing is connected to unasked."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path

import pytest

from nixie.service.doctor_home import examine_home
from support.cli_world import make_home, nixie
from support.postfix import free_port

MASTER = "smtp inet n - n - - smtpd\n127.0.0.1:10026 inet n - n - - smtpd -o smtpd_milters=\n"


def levels(told: dict) -> dict[str, str]:
    return {point["name"]: point["level"] for point in told["points"]}


def postfix_files(folder: Path, milter: str, action: str = "tempfail") -> list[str]:
    main, master = folder / "main.txt", folder / "master.txt"
    main.write_text(
        f"smtpd_milters = inet:{milter}\nnon_smtpd_milters = $smtpd_milters\nmilter_default_action = {action}\n"
    )
    master.write_text(MASTER)
    return ["--postconf", str(main), "--master", str(master)]


def test_a_guard_that_runs_behind_a_good_postfix_is_well(guard, tmp_path) -> None:
    files = postfix_files(tmp_path, guard.milter_address)
    guard_home = tmp_path / "home"
    guard_home.mkdir()
    for path in guard.home.iterdir():
        (guard_home / path.name).symlink_to(path)
    toml = (guard.home / "nixie.toml").read_text().replace('#hop = ""', 'hop = "127.0.0.1:10026"')
    (guard_home / "nixie.toml").unlink()
    (guard_home / "nixie.toml").write_text(toml)

    ended = nixie("doctor", "--home", guard_home, *files)
    told = nixie("doctor", "--home", guard_home, *files, "--json").json

    assert ended.code == 0, ended.out
    assert "no mistake found" in ended.out
    assert told["ok"]
    assert {"recorder", "keys", "policy", "milter-listed", "release-hop"} <= levels(told).keys()


def test_a_mistake_is_exit_code_1_and_comes_with_its_remedy(guard, tmp_path) -> None:
    files = postfix_files(tmp_path, guard.milter_address, action="accept")
    ended = nixie("doctor", "--home", guard.home, *files)

    assert ended.code == 1
    assert re.search(
        r"MISTAKE +smtp: when the guard is down, everything passes unseen.*\n +-> milter_default_action", ended.out
    )


def test_an_installation_that_is_not_served_is_told_so(tmp_path) -> None:
    told = nixie("doctor", "--home", make_home(tmp_path), "--no-postfix", "--json").json

    assert not told["ok"]
    assert levels(told)["recorder"] == "mistake"
    assert [p["name"] for p in told["points"] if p["level"] == "mistake"] == ["recorder"]


def test_damaged_keys_and_a_bad_policy_are_mistakes(tmp_path) -> None:
    home = make_home(tmp_path)
    (home / "keys" / "spool.key").unlink()
    (home / "policy.toml").write_text('[[slip.rule]]\nname = "x"\n')
    told = nixie("doctor", "--home", home, "--no-postfix", "--json").json

    assert levels(told)["keys"] == levels(told)["policy"] == "mistake"


def test_a_configuration_that_cannot_be_loaded_is_told_line_by_line(tmp_path) -> None:
    home = make_home(tmp_path)
    with (home / "nixie.toml").open("a") as file:
        file.write("\n[smpt]\nlisten = 1\n")
    ended = nixie("doctor", "--home", home, "--no-postfix")

    assert ended.code == 1
    assert "MISTAKE" in ended.out
    assert "smpt" in ended.out


def test_only_connect_talks_to_the_hops(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hop:
        hop.settimeout(0.2)
        home = make_home(tmp_path, "--next-hop", f"127.0.0.1:{hop.getsockname()[1]}")
        told = nixie("doctor", "--home", home, "--no-postfix", "--json").json
        assert "next-hop" not in levels(told)
        with pytest.raises(TimeoutError):
            hop.accept()

        hop.settimeout(20)
        greeter = threading.Thread(target=greet, args=(hop,))
        greeter.start()
        told = nixie("doctor", "--home", home, "--no-postfix", "--connect", "--json").json
        greeter.join()
    assert levels(told)["next-hop"] == "ok"


def greet(hop: socket.socket) -> None:
    connection, _ = hop.accept()
    with connection:
        connection.sendall(b"220 mail.example ESMTP\r\n")


def test_a_hop_that_is_not_there_is_a_mistake(tmp_path) -> None:
    home = make_home(tmp_path, "--next-hop", f"127.0.0.1:{free_port()}")
    told = nixie("doctor", "--home", home, "--no-postfix", "--connect", "--json").json

    assert levels(told)["next-hop"] == "mistake"
    assert levels(told)["milter-door"] == "mistake"


def test_connect_greets_the_milter_door_of_a_running_guard(guard) -> None:
    told = nixie("doctor", "--home", guard.home, "--no-postfix", "--connect", "--json").json

    assert levels(told)["milter-door"] == "ok"


def test_half_of_a_postfix_is_not_enough(tmp_path) -> None:
    (tmp_path / "main.txt").write_text("smtpd_milters =\n")
    ended = nixie("doctor", "--home", make_home(tmp_path), "--postconf", tmp_path / "main.txt")

    assert ended.code == 2
    assert "belong together" in ended.err


@pytest.mark.parametrize(("mode", "level"), [(0o2750, "ok"), (0o700, "mistake")])
def test_the_way_to_the_milters_socket_is_walked_as_the_mail_servers_user(mode: int, level: str) -> None:
    import grp
    import os
    import pwd
    import shutil

    from nixie.config.loader import load
    from support.guard import open_folder

    try:
        group = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
    except KeyError:
        pytest.skip("no user nobody here")
    if os.geteuid() != 0:
        pytest.skip("only root gives folders to other groups")
    with open_folder() as folder, socket.socket(socket.AF_UNIX) as listener:
        door = folder / "door"
        door.mkdir()
        shutil.chown(door, group=group)
        door.chmod(mode)
        listener.bind(str(door / "milter"))
        (door / "milter").chmod(0o660)
        home = make_home(folder, "--milter", f"unix:{door}/milter")
        found = examine_home(load(home), mail_owner="nobody")

    assert [p.level for p in found if p.name == "milter-socket"] == [level]


def test_nothing_that_is_said_holds_a_local_part(guard, tmp_path) -> None:
    told = nixie("doctor", "--home", guard.home, *postfix_files(tmp_path, guard.milter_address)).out

    assert not re.search(r"\w@\w", told)
