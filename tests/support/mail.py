"""Messages as mail clients write them, and ways to hand them over."""

from __future__ import annotations

import smtplib
from base64 import b64encode
from collections.abc import Sequence

import dkim
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def message(
    message_id: str,
    to: Sequence[str],
    *,
    sender: str = "ann@army.mil",
    body: str = "The figures are attached.\r\nAnn\r\n",
    more: str = "",
) -> bytes:
    """Return an invented message with CRLF line ends; `more` are further header lines."""
    head = f"From: Ann Lee <{sender}>\r\nTo: {', '.join(to)}\r\nMessage-ID: {message_id}\r\n"
    return f"{head}Date: Mon, 23 Nov 2026 09:00:00 +0000\r\nSubject: The figures\r\n{more}\r\n{body}".encode()


def submit(
    port: int,
    content: bytes,
    to: Sequence[str],
    *,
    sender: str = "ann@army.mil",
    mail_options: Sequence[str] = (),
    rcpt_options: Sequence[str] = (),
) -> tuple[int, str]:
    """Hand one transaction over and return the final reply, or the first reply that refuses it; bytes go as they are."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo("client.example")
        replies = [client.docmd("MAIL", f"FROM:<{sender}> {' '.join(mail_options)}".rstrip())]
        replies += [client.docmd("RCPT", f"TO:<{r}> {' '.join(rcpt_options)}".rstrip()) for r in to]
        for code, text in replies:
            if code // 100 != 2:
                return code, text.decode("utf-8", "replace")
        code, text = client.docmd("DATA")
        if code == 354:
            stuffed = content.replace(b"\r\n.", b"\r\n..")
            client.send((b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n")
            code, text = client.getreply()
        return code, text.decode("utf-8", "replace")


class Signer:
    """DKIM with a key of its own; `simple/simple` covers every byte of the signed fields and of the body (RFC 6376, 3.4)."""

    def __init__(self, domain: str) -> None:
        key = generate_private_key(65537, 2048)
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._domain = domain.encode()
        self._private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        self._record = b"v=DKIM1; k=rsa; p=" + b64encode(public)

    def signature(self, content: bytes) -> bytes:
        """Return the DKIM-Signature field that goes on top of the message."""
        simple = (b"simple", b"simple")
        return bytes(dkim.sign(content, b"s1", self._domain, self._private, canonicalize=simple))

    def verifies(self, content: bytes) -> bool:
        return bool(dkim.verify(content, dnsfunc=lambda *_, **__: self._record))
