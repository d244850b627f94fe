"""Command lines to values: paths and parameters byte for byte, everything else a reply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixie.wire.smtp import CommandError, Hello, Mail, Rcpt, parse, xtext_decode, xtext_encode
from nixie.wire.smtp.commands import Plain, Xforward

PARAMS = b"SIZE=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ314159 AUTH=<>".split()
ACCEPTED = [
    (b"EHLO mail.example", Hello(b"mail.example", extended=True)),
    (b"helo [192.0.2.1]", Hello(b"[192.0.2.1]", extended=False)),
    (b"MAIL FROM:<ann@example.org>", Mail(b"<ann@example.org>")),
    (b"mail from: <ann@example.org>", Mail(b"<ann@example.org>")),
    (b"MAIL FROM:ann@example.org", Mail(b"<ann@example.org>")),
    (b"MAIL FROM:<>", Mail(b"<>")),
    (b"MAIL FROM:<ann@example.org> " + b" ".join(PARAMS), Mail(b"<ann@example.org>", tuple(PARAMS))),
    (b'RCPT TO:<"a b>c"@example.org>', Rcpt(b'<"a b>c"@example.org>')),
    (b'RCPT TO:<"\\""@example.org> NOTIFY=NEVER', Rcpt(b'<"\\""@example.org>', (b"NOTIFY=NEVER",))),
    (b"RCPT TO:<@a.example,@b.example:c@d.example>", Rcpt(b"<@a.example,@b.example:c@d.example>")),
    (b"RCPT TO:<Postmaster>", Rcpt(b"<Postmaster>")),
    ("RCPT TO:<jos\u00e9@example.org>".encode(), Rcpt("<jos\u00e9@example.org>".encode())),
    (b"RCPT TO:<x@e.org> ORCPT=rfc822;a+3Db@e.org", Rcpt(b"<x@e.org>", (b"ORCPT=rfc822;a+3Db@e.org",))),
    (b"DATA", Plain(b"DATA")),
    (b"NOOP anything", Plain(b"NOOP")),
    (b"VRFY ann", Plain(b"VRFY")),
    (b"XFORWARD NAME=a+2Bb HELO=[UNAVAILABLE]", Xforward((("NAME", "a+b"),))),
    (b"XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]", Xforward((("ADDR", "[UNAVAILABLE]"),))),
]
REFUSED = [
    (b"", 500),
    (b"HELLO x", 500),
    (b"EHLO", 501),
    (b"MAIL", 501),
    (b"MAIL FROM", 501),
    (b"MAIL FROM:", 501),
    (b"MAIL FROM:<a@b", 501),
    (b"MAIL FROM:<a@b>x", 501),
    (b"MAIL FROM:<a b@c>", 501),
    (b"MAIL FROM:<a@b> SIZE=", 501),
    (b"MAIL FROM:<a@b> =5", 501),
    (b"MAIL TO:<a@b>", 501),
    (b"RCPT TO:<a@b><c@d>", 501),
    (b"RSET now", 501),
    (b"AUTH PLAIN x", 502),
    (b"EXPN list", 502),
    (b"NOOP \x00", 500),
    (b"RCPT TO:<a\x00@b>", 500),
    (b"NOOP " + b"x" * 506, 500),
    (b"XFORWARD", 501),
]


@pytest.mark.parametrize("line, command", ACCEPTED)
def test_a_good_line_is_a_value(line: bytes, command: object) -> None:
    assert parse(line) == command


@pytest.mark.parametrize("line, code", REFUSED)
def test_a_bad_line_is_a_reply(line: bytes, code: int) -> None:
    with pytest.raises(CommandError) as caught:
        parse(line)

    assert (caught.value.reply.code, caught.value.close) == (code, False)


@pytest.mark.parametrize("line", [b"BDAT 10 LAST", b"GET / HTTP/1.1", b"POST /x HTTP/1.1", b"CONNECT a:25 HTTP/1.1"])
def test_what_is_followed_by_bytes_that_are_no_commands_ends_the_connection(line: bytes) -> None:
    with pytest.raises(CommandError) as caught:
        parse(line)

    assert caught.value.close


@pytest.mark.parametrize(
    "line", [b"MAIL FROM:<a@b.example> SIZE=1 AUTH=<>", b'RCPT TO:<"x y"@b.example> NOTIFY=SUCCESS,FAILURE']
)
def test_the_line_for_the_next_hop_is_the_one_that_came(line: bytes) -> None:
    command = parse(line)

    assert isinstance(command, (Mail, Rcpt))
    assert command.line == line


def test_parameters_are_found_by_name() -> None:
    mail = Mail(b"<>", (b"size=10", b"SMTPUTF8"))

    assert (mail.param(b"SIZE"), mail.param(b"SMTPUTF8"), mail.param(b"RET")) == (b"10", b"", None)


def test_reprs_show_no_address() -> None:
    assert "ann" not in repr(parse(b"MAIL FROM:<ann@example.org>"))


@given(st.text(max_size=40))
def test_xtext_comes_back(text: str) -> None:
    assert xtext_decode(xtext_encode(text)) == text


@given(
    st.binary(max_size=120)
    | st.builds(
        lambda a, b: a + b, st.sampled_from([b"MAIL FROM:", b"RCPT TO:<", b"XFORWARD "]), st.binary(max_size=60)
    )
)
def test_any_line_is_a_command_or_a_command_error(line: bytes) -> None:
    code = 250
    try:
        parse(line)
    except CommandError as error:
        code = error.reply.code

    assert code == 250 or 500 <= code < 600


def test_a_hostile_path_is_read_in_linear_time() -> None:
    for line in (b"RCPT TO:<" + b'"\\' * 200_000, b"RCPT TO:<" + b"a" * 400_000, b"RCPT TO:" + b"<" * 400_000):
        with pytest.raises(CommandError):
            parse(line)
