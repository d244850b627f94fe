"""The decision page in a real browser with scripts switched off: by keyboard, at 400 %, in the dark, in forced colours."""

import mailbox
import re
import smtplib
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nixie.core.verdict import Choice
from nixie.service.desk import CopyView, QuestionView, Suggestion
from nixie.service.links import Link, sign
from nixie.web.app import WebSettings
from support.browser import END, ENTER, TAB, Browser, need_chromium
from support.cli_world import SLIP, wait_state
from support.guard import Guard
from support.webserver import TableDesk, serve

pytestmark = pytest.mark.system

KEY = b"k" * 32
COPY = CopyView(
    hold="HAAAA",
    recipient="operations.officer.on.duty@department-of-the-interior.army.ml",
    state="waiting",
    open=True,
    reasons=("You wrote to this address at army.mil 41 times, 30 of them in the last 90 days.", ".ml is Mali."),
    suggestions=(Suggestion("operations.officer.on.duty@department-of-the-interior.army.mil", 0.99),),
    choices=(Choice.CORRECT, Choice.SEND, Choice.CANCEL),
)
QUESTION = QuestionView(
    id="Q1", generation=1, author="ann@army.mil", subject="Roster " + "x" * 100, at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    copies=(COPY, replace(COPY, hold="HBBBB")), passed_on=1, until=datetime(2026, 3, 4, 9, 30, tzinfo=UTC),
)  # fmt: skip


@pytest.fixture
def browser(tmp_path):
    need_chromium()
    with Browser(tmp_path) as browser:
        yield browser


@pytest.fixture
def desk():
    return TableDesk({"Q1": QUESTION})


@pytest.fixture
def page(desk, browser):
    """The browser on the question of the table."""
    for pages in serve(desk, WebSettings(KEY)):
        browser.open(f"http://127.0.0.1:{pages.port}/d/{sign(KEY, Link('Q1', 4_000_000_000))}")
        yield browser


def link_of_notice(guard: Guard) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for message in mailbox.Maildir(guard.home / "var" / "outbox"):
            found = re.search(r"http://127.0.0.1:\d+/d/[\w-]+", message.as_string().replace("=\n", ""))
            if message["X-Nixie-Notice"] and found:
                return found[0]
        time.sleep(0.1)
    raise AssertionError(f"no notice came:\n{guard.log[-2000:]}")


def test_scripts_are_off_in_these_tests(browser) -> None:
    browser.open("data:text/html,<title>off</title><script>document.title='on'</script>")

    assert browser.title == "off"


def test_from_the_held_mail_to_the_corrected_copy_by_keyboard_alone(tmp_path, browser) -> None:
    with Guard(tmp_path / "guard", milter="tcp", settings={"notice": {"wait": "0s"}}) as guard:
        with smtplib.SMTP("127.0.0.1", guard.smtp_port, timeout=60) as client:
            client.sendmail("ann@army.mil", ["ops@army.ml"], SLIP)
        browser.open(link_of_notice(guard))
        (held,) = guard.holds("waiting")
        browser.press(TAB, TAB)
        first = browser.focused_text()
        browser.press(ENTER)

        assert first == "Send it to ops@army.mil instead"
        assert browser.wait_title("Done: ") == "Done: Thank you - Nixie"
        assert "goes to the corrected address" in browser.text("[role=status]")
        assert browser.log() == []
        wait_state(guard, held["id"], "corrected")


def test_a_mistake_is_told_with_the_focus_on_it_and_mended_by_keyboard(page, desk) -> None:
    page.press(TAB, TAB, TAB)
    page.write("nobody")
    page.press(ENTER)

    page.wait_title("Error: ")
    assert page.focused("role") == "alert"
    page.press(TAB)
    assert page.focused("href").endswith("#to-HAAAA")
    page.press(ENTER)
    assert page.focused("id") == "to-HAAAA"
    page.press(END)
    page.write("@army.mil")
    page.press(ENTER)
    page.wait_title("Done: ")
    assert [d.to for _, d, _ in desk.decided] == ["nobody@army.mil"]


def test_a_reason_is_demanded_before_the_form_leaves(page, desk) -> None:
    page.press(TAB, TAB, TAB, TAB, TAB, ENTER)
    assert desk.decided == []

    page.write("they moved")
    page.press(ENTER)

    page.wait_title("Done: ")
    assert [(d.choice, d.reason) for _, d, _ in desk.decided] == [(Choice.SEND, "they moved")]


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(page) -> None:
    reached = []
    for _ in range(14):
        page.press(TAB)
        reached.append(page.focused("id") or page.focused_text().split(" (")[0])

    form = [
        "Send it to operations",
        "to-",
        "Send it to this address",
        "reason-",
        "Send it as it is",
        "Do not send this copy",
    ]
    wanted = ["Skip to the question", *form, *form]
    assert [w for w, r in zip(wanted, reached, strict=False) if not r.startswith(w)] == []


def test_the_browser_has_nothing_to_complain_about(page) -> None:
    assert page.log() == []


@pytest.mark.parametrize(
    ("case", "width", "media"),
    [
        ("a desk", 1280, {}),
        ("400 % zoom", 320, {}),
        ("dark", 1280, {"prefers_color_scheme": "dark"}),
        ("dark at 400 %", 320, {"prefers_color_scheme": "dark"}),
        ("forced colours", 1280, {"forced_colors": "active"}),
        ("forced colours at 400 %", 320, {"forced_colors": "active"}),
    ],
)
def test_the_page_fits_its_window_without_scrolling_sideways(page, tmp_path, case, width, media) -> None:
    page.media(**media)
    page.resize(width, 900)

    assert page.page_size()[0] == width, case
    assert page.screenshot(tmp_path / "page.png").stat().st_size > 10_000
