"""Chromium without a window, driven over WebDriver (W3C) by plain HTTP: what a person sees, and the keys they press."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from support.postfix import free_port

TAB, ENTER, END = "\ue004", "\ue007", "\ue010"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip
_OPENER = build_opener(ProxyHandler({}))


def need_chromium() -> None:
    """Skip loudly when Chromium or its driver is missing; fail where everything is required."""
    missing = [p for p in ("chromium", "chromedriver") if shutil.which(p) is None]
    if missing and os.environ.get("NIXIE_REQUIRE") == "all":
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)} (./test --system installs what it can)")


@dataclass
class Browser:
    """One browser with one window; scripts are off unless `javascript` says otherwise."""

    folder: Path
    width: int = 1280
    height: int = 1000
    javascript: bool = False
    arguments: tuple[str, ...] = ()
    _driver: subprocess.Popen[bytes] | None = None
    _base: str = ""
    _session: str = field(default="", repr=False)

    def __enter__(self) -> Self:
        port = free_port()
        self._base = f"http://127.0.0.1:{port}"
        # A group of its own: the browser that the driver started ends with it.
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}", f"--log-path={self.folder}/driver.log"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        end = time.monotonic() + 30
        while True:
            try:
                if self._ask("GET", "/status")["ready"]:
                    break
            except OSError:
                assert time.monotonic() < end, "chromedriver does not answer"
                time.sleep(0.05)
        prefs = {} if self.javascript else {"profile.managed_default_content_settings.javascript": 2}
        size = f"--window-size={self.width},{self.height}"
        options = {
            "args": [*ARGUMENTS, size, f"--user-data-dir={self.folder}/profile", *self.arguments],
            "binary": shutil.which("chromium"),
            "prefs": prefs,
        }
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self._session = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def __exit__(self, *_: object) -> None:
        driver, self._driver = self._driver, None
        if driver is None:
            return
        try:
            if self._session:
                self._ask("DELETE", f"/session/{self._session}")
        finally:
            os.killpg(driver.pid, signal.SIGTERM)
            driver.wait(20)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = Request(self._base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with _OPENER.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except HTTPError as error:
            raise AssertionError(f"{method} {path}: {json.load(error)['value']['message']}") from None

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self._ask(method, f"/session/{self._session}{path}", body)

    def open(self, url: str) -> None:
        self.ask("POST", "/url", {"url": url})

    @property
    def title(self) -> str:
        return str(self.ask("GET", "/title"))

    def wait_title(self, start: str, seconds: float = 20.0) -> str:
        """Return the title once it begins so; fail when it does not in time."""
        end = time.monotonic() + seconds
        while not self.title.startswith(start):
            assert time.monotonic() < end, f"{self.title!r} and not {start!r}"
            time.sleep(0.05)
        return self.title

    @property
    def source(self) -> str:
        return str(self.ask("GET", "/source"))

    def press(self, *keys: str) -> None:
        """Press and release keys one after another, as a person at the keyboard does."""
        moves = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": moves}]})

    def write(self, text: str) -> None:
        self.press(*text)

    def find(self, css: str) -> list[str]:
        found = self.ask("POST", "/elements", {"using": "css selector", "value": css})
        return [element[ELEMENT] for element in found]

    def text(self, css: str) -> str:
        return "\n".join(str(self.ask("GET", f"/element/{element}/text")) for element in self.find(css))

    def focused(self, name: str) -> str:
        """Return an attribute of the element that has the focus, `""` where it has none."""
        element = self.ask("GET", "/element/active")[ELEMENT]
        return str(self.ask("GET", f"/element/{element}/attribute/{name}") or "")

    def focused_text(self) -> str:
        element = self.ask("GET", "/element/active")[ELEMENT]
        return str(self.ask("GET", f"/element/{element}/text"))

    def devtools(self, command: str, **parameters: Any) -> Any:
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def resize(self, width: int, height: int) -> None:
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def media(self, **features: str) -> None:
        """Emulate media features, such as prefers_color_scheme="dark" or forced_colors="active"."""
        told = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.devtools("Emulation.setEmulatedMedia", features=told)

    def page_size(self) -> tuple[int, int]:
        """Return width and height of the whole page in CSS pixels."""
        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        return int(size["width"]), int(size["height"])

    def screenshot(self, path: Path) -> Path:
        """Write a picture of the whole page."""
        told = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(told["data"]))
        return path

    def log(self) -> list[str]:
        """Return what the browser complained about since the last call."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.ask("POST", "/se/log", {"type": "browser"})]
