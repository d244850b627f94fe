"""Who may talk to the SMTP door, by network and by certificate; TLS on both sides."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import smtplib
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nixie.service.smtp_peers import ListenerError, Peer, check_listener, peer_of
from nixie.service.smtp_settings import SmtpSettings, server_context
from nixie.service.smtp_upstream import UpstreamSettings, UpstreamTls
from nixie.wire.smtp import ProtocolError
from support.scripted_hop import ScriptedHop, ScriptedJudge
from support.smtp_client import Dialogue
from support.smtp_world import door_of, open_door

NETWORKS = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::/32"))
Keys = tuple[Path, Path]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Return certificate and key of `localhost`, signed by itself and thus its own authority."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def client_tls(keys: Keys | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if keys is not None:
        context.load_cert_chain(*keys)
    return context


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "[::1]", "localhost", "unix:/run/x.sock"])
def test_a_door_on_this_machine_needs_no_networks(host: str) -> None:
    check_listener(host, (), None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "mail.example", ""])
def test_any_other_door_needs_networks_or_certificates(host: str, keys: Keys) -> None:
    with pytest.raises(ListenerError, match="client_networks"):
        check_listener(host, (), None)
    with pytest.raises(ListenerError, match="open relay"):
        check_listener(host, (), server_context(*keys))
    check_listener(host, NETWORKS, None)
    check_listener(host, (), server_context(*keys, client_ca=keys[0]))


@pytest.mark.parametrize(
    "ip, allowed",
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::1", True),
        ("192.0.2.1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_peers_of_the_networks_are_allowed_and_trusted(ip: str, *, allowed: bool) -> None:
    peer = peer_of((ip, 1234), SmtpSettings(networks=NETWORKS), None)

    assert (peer.allowed, peer.trusted) == (allowed, allowed)


def test_a_peer_from_elsewhere_must_show_a_certificate_where_that_is_possible(keys: Keys) -> None:
    tls = server_context(*keys, client_ca=keys[0])

    assert peer_of(("192.0.2.1", 1), SmtpSettings(), tls) == Peer(
        "192.0.2.1", allowed=True, trusted=False, needs_certificate=True
    )


def test_a_unix_socket_is_this_machine() -> None:
    assert peer_of("", SmtpSettings(), None) == Peer("", allowed=True, trusted=True)


def test_a_stranger_is_refused_at_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nixie.service.smtp_door.peer_of", lambda *_: Peer("192.0.2.1", allowed=False, trusted=False))

    async def run() -> None:
        async with ScriptedHop() as hop, open_door(ScriptedJudge(), hop.address) as port, Dialogue(port) as client:
            assert (client.greeting.code, client.greeting.lines[0][:5]) == (554, b"5.7.1")
            assert await client.closed()
            assert hop.connections == 0

    asyncio.run(run())


def test_starttls_on_both_sides(keys: Keys) -> None:
    judge = ScriptedJudge()
    tls = server_context(*keys)

    def send(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.starttls(context=client_tls())
            client.sendmail("a@x.example", ["b@y.example"], b"Subject: x\r\n\r\n" + b"y" * 300_000 + b"\r\n")

    async def run() -> None:
        async with ScriptedHop(tls=tls) as hop, open_door(judge, hop.address, tls=tls) as port:
            await asyncio.to_thread(send, port)
            assert (len(hop.taken), hop.encrypted) == (1, 1)

    asyncio.run(run())

    assert judge.submissions[0].client.tls.startswith("TLSv1.")


def test_commands_in_clear_behind_starttls_are_not_answered(keys: Keys) -> None:
    async def run() -> None:
        async with (
            ScriptedHop() as hop,
            open_door(ScriptedJudge(), hop.address, tls=server_context(*keys)) as port,
            Dialogue(port) as client,
        ):
            await client.say("EHLO c.example")
            client.raw(b"STARTTLS\r\nMAIL FROM:<evil@x.example>\r\n")
            assert (await client.hear()).code == 220
            await client.writer.start_tls(client_tls())
            assert (await client.say("MAIL FROM:<a@x.example>"))[0].code == 503
            (hello, mail) = await client.say("EHLO c.example", "MAIL FROM:<a@x.example>")
            assert b"STARTTLS" not in hello.lines
            assert mail.code == 250
            assert hop.said == ["EHLO", "MAIL FROM:<a@x.example>"]

    asyncio.run(run())


def test_a_handshake_that_is_none_ends_the_connection_and_nothing_else(keys: Keys) -> None:
    async def run() -> None:
        tls = server_context(*keys)
        async with ScriptedHop() as hop, door_of(ScriptedJudge(), hop.address, tls=tls) as (door, port):
            async with Dialogue(port) as client:
                await client.say("EHLO c.example", "STARTTLS")
                client.raw(b"MAIL FROM:<evil@x.example>\r\n" * 10)
                with pytest.raises((EOFError, OSError, ProtocolError)):  # an alert may come first
                    await client.hear()
            async with Dialogue(port) as client:
                await client.say("EHLO c.example")
                assert (await client.send("b@y.example")).code == 250
            await door.stop(5)
            assert door.sessions == 0

    asyncio.run(run())


@pytest.mark.parametrize("shows, code", [(True, 250), (False, 554)])
def test_a_client_from_elsewhere_needs_its_certificate(
    monkeypatch: pytest.MonkeyPatch, keys: Keys, *, shows: bool, code: int
) -> None:
    stranger = Peer("192.0.2.1", allowed=True, trusted=False, needs_certificate=True)
    monkeypatch.setattr("nixie.service.smtp_door.peer_of", lambda *_: stranger)

    async def run() -> None:
        tls = server_context(*keys, client_ca=keys[0])
        async with (
            ScriptedHop() as hop,
            open_door(ScriptedJudge(), hop.address, tls=tls) as port,
            Dialogue(port) as client,
        ):
            replies = await client.say("EHLO c.example", "MAIL FROM:<a@x.example>")
            assert [reply.code for reply in replies] == [250, 530]
            await client.say("STARTTLS")
            await client.writer.start_tls(client_tls(keys if shows else None))
            if shows:
                assert [r.code for r in await client.say("EHLO c.example", "MAIL FROM:<a@x.example>")] == [250, code]
            else:
                assert (await client.hear()).code == code

    asyncio.run(run())


async def hello_code(hop: ScriptedHop, how: UpstreamTls, trusts: Path | None = None) -> int:
    context = None if trusts is None else ssl.create_default_context(cafile=str(trusts))
    upstream = UpstreamSettings("", 0, tls=how, context=context, connect_seconds=5)
    async with hop, open_door(ScriptedJudge(), hop.address, upstream=upstream) as port, Dialogue(port) as client:
        return (await client.say("EHLO c.example"))[0].code


@pytest.mark.parametrize(
    "how, offers, code, encrypted",
    [
        (UpstreamTls.OFF, True, 250, 0),
        (UpstreamTls.OPPORTUNISTIC, True, 250, 1),
        (UpstreamTls.OPPORTUNISTIC, False, 250, 0),
        (UpstreamTls.REQUIRED, True, 250, 1),
        (UpstreamTls.REQUIRED, False, 421, 0),
        (UpstreamTls.VERIFY, True, 421, 0),
    ],
)
def test_tls_towards_the_next_hop_is_as_it_was_configured(
    keys: Keys, how: UpstreamTls, *, offers: bool, code: int, encrypted: int
) -> None:
    hop = ScriptedHop(tls=server_context(*keys) if offers else None)

    assert asyncio.run(hello_code(hop, how)) == code
    assert hop.encrypted == encrypted


def test_a_verified_next_hop_is_one_whose_authority_is_trusted(keys: Keys) -> None:
    hop = ScriptedHop(tls=server_context(*keys))

    assert asyncio.run(hello_code(hop, UpstreamTls.VERIFY, trusts=keys[0])) == 250
    assert hop.encrypted == 1


def test_opportunistic_tls_that_fails_goes_on_in_clear(keys: Keys) -> None:
    hop = ScriptedHop({"STARTTLS": ["454 4.7.0 not now"]}, tls=server_context(*keys))

    assert asyncio.run(hello_code(hop, UpstreamTls.OPPORTUNISTIC)) == 250
    assert (hop.encrypted, hop.connections) == (0, 2)
