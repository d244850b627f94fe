"""SMTP without sockets: bytes in, events and replies out, for both sides of the line (RFC 5321)."""

from nixie.wire.smtp.client import Answered, ClientSession
from nixie.wire.smtp.commands import UNAVAILABLE, CommandError, Hello, Mail, Rcpt, parse, xtext_decode, xtext_encode
from nixie.wire.smtp.data import Defect, TextReader, stuffed
from nixie.wire.smtp.errors import LocalError, ProtocolError, RemoteError
from nixie.wire.smtp.keywords import Keywords, hello_reply, offered, read_keywords
from nixie.wire.smtp.replies import Reply, ReplyReader
from nixie.wire.smtp.server import (
    Data,
    Event,
    Limits,
    Phase,
    Quit,
    Reset,
    ServerSession,
    StartTls,
    Text,
    TextEnd,
)

__all__ = [
    "UNAVAILABLE",
    "Answered",
    "ClientSession",
    "CommandError",
    "Data",
    "Defect",
    "Event",
    "Hello",
    "Keywords",
    "Limits",
    "LocalError",
    "Mail",
    "Phase",
    "ProtocolError",
    "Quit",
    "Rcpt",
    "RemoteError",
    "Reply",
    "ReplyReader",
    "Reset",
    "ServerSession",
    "StartTls",
    "Text",
    "TextEnd",
    "TextReader",
    "hello_reply",
    "offered",
    "parse",
    "read_keywords",
    "stuffed",
    "xtext_decode",
    "xtext_encode",
]
