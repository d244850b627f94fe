"""A mail server that keeps to the letter what the sending side must: no bytes beyond ASCII in commands without SMTPUTF8.

It knows nothing of what is tested: it reads lines from a socket, keeps every one, and answers as it is told.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass
class StrictHop:
    """`with StrictHop() as hop:` listens on a loopback port; `lines` are the commands, `bodies` the texts without stuffed dots."""

    keywords: tuple[str, ...] = ("8BITMIME", "SMTPUTF8")
    rcpt: Callable[[str], str] = lambda _: "250 2.1.5 ok"
    replies: dict[str, str] = field(default_factory=dict)
    """Replies to `greeting`, `EHLO`, `DATA` and `end` other than yes."""
    lines: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Self:
        hop = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                _talk(hop, self.rfile, self.wfile)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def said(self, verb: str) -> list[bytes]:
        """Return the commands with this verb, in order."""
        return [line for line in self.lines if line.upper().startswith(verb.encode())]


def _talk(hop: StrictHop, reader: Any, writer: Any) -> None:
    def say(text: str) -> None:
        writer.write(text.encode() + b"\r\n")

    say(hop.replies.get("greeting", "220 hop.example"))
    declared = False
    while line := reader.readline():
        line = line.rstrip(b"\r\n")
        hop.lines.append(line)
        verb = line[:4].upper()
        if verb == b"EHLO" and "EHLO" not in hop.replies:
            words = ("hop.example", *hop.keywords)
            for number, word in enumerate(words, 1):
                say(f"250{' ' if number == len(words) else '-'}{word}")
        elif verb in (b"EHLO", b"HELO"):
            say(hop.replies.get("EHLO", "250 hop.example"))
        elif verb in (b"MAIL", b"RCPT"):
            declared = declared if verb == b"RCPT" else b"SMTPUTF8" in line.upper()
            good = hop.rcpt(line.decode()) if verb == b"RCPT" else "250 2.1.0 ok"
            say(good if declared or line.isascii() else "553 5.6.7 SMTPUTF8 is missing")
        elif verb == b"DATA":
            say(hop.replies.get("DATA", "354 go on"))
            if hop.replies.get("DATA", "354").startswith("354"):
                hop.bodies.append(_text(reader))
                say(hop.replies.get("end", "250 2.0.0 taken"))
        else:
            say("221 bye" if verb == b"QUIT" else "250 ok")


def _text(reader: Any) -> bytes:
    body = bytearray()
    while (line := reader.readline()) not in (b".\r\n", b""):
        body += line[1:] if line.startswith(b".") else line
    return bytes(body)
