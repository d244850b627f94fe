"""The decision pages on a real loopback port, over a desk that is a table."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import uvicorn

from nixie.service.desk import Decided, NotAllowedError, QuestionView
from nixie.web.app import WebSettings, create_app
from support.postfix import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class TableDesk:
    """Questions from a dict; decisions are remembered and close the copy, as the store's states do."""

    questions: dict[str, QuestionView]
    decided: list[tuple[str, Decided, str]] = field(default_factory=list)
    good: bool = True

    def question(self, question: str) -> QuestionView | None:
        return self.questions.get(question)

    async def decide(self, question: str, decided: Decided, login: str) -> str:
        view = self.questions[question]
        copy = next(c for c in view.copies if c.hold == decided.hold)
        if not copy.open:
            raise NotAllowedError("This copy was decided already.")
        self.decided.append((question, decided, login))
        closed = replace(copy, open=False, state="releasing", outcome="It is on its way.")
        copies = tuple(closed if c.hold == copy.hold else c for c in view.copies)
        self.questions[question] = replace(view, copies=copies)
        return "The copy is on its way."

    def healthy(self) -> bool:
        return self.good


class Pages:
    """A client that is a browser without JavaScript."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str) -> tuple[int, str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        body = urlencode(fields).encode() if fields is not None else None
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        if body is not None:
            named.setdefault("Content-Type", "application/x-www-form-urlencoded")
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, answer.headers


def serve(desk: Any, settings: WebSettings, now: Any = time.time) -> Iterator[Pages]:
    """Serve the pages while the generator is open."""
    port = free_port()
    config = uvicorn.Config(
        create_app(desk, settings, now), host="127.0.0.1", port=port, log_config=None, lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 10
    while not server.started and time.monotonic() < end:
        time.sleep(0.005)
    try:
        yield Pages(port)
    finally:
        server.should_exit = True
        thread.join(10)
