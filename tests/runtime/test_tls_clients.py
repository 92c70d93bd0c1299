"""Who is let in among those with a certificate of the same root."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.certificates import (
    CertificateAuthority,
    IssuedCertificate,
    issue_client_certificate,
    issue_server_certificate,
)
from runtime.tls import client_context, server_context
from runtime.tls_clients import admit_only
from tests.support.hostile_subjects import NAME, ORGANISATION, signed
from wire.subjects import CENTRAL_SUBJECTS, NODES, SERVICES

CENTRAL, NODE = "00000001", "00000010"
SECRET = b"a secret"


class Town:
    """A root with its two issuers, and a server that central alone may ask."""

    def __init__(self, folder: Path) -> None:
        now = datetime.now(UTC)
        self.folder = folder
        self.root = CertificateAuthority.create_root("Watchlink root of test", now)
        self.nodes = self.root.create_issuer(NODES, "nodes-1", now)
        self.services = self.root.create_issuer(SERVICES, "services-1", now)
        self.first = CertificateAuthority.create("Watchlink CA of test", now)
        self.trusted = self.written("trusted", self.root.certificate_pem + self.first.certificate_pem)

    def written(self, name: str, data: bytes) -> Path:
        """A file with that in it."""
        path = self.folder / name
        path.write_bytes(data)
        return path

    def files(self, name: str, issued: IssuedCertificate) -> tuple[Path, Path]:
        """A certificate and its key."""
        return self.written(f"{name}.pem", issued.certificate_pem), self.written(f"{name}.key", issued.key_pem)

    def told(
        self,
        client: IssuedCertificate,
        trusted: Path | None = None,
        *,
        is_restricted: bool = True,
        server: IssuedCertificate | None = None,
    ) -> bytes:
        """What a client is told by a server with a secret."""
        own = self.files("server", server or issue_server_certificate(self.services, ["127.0.0.1"]))
        context = server_context(*own, clients_ca_file=trusted or self.trusted)
        if is_restricted:
            admit_only(context, CENTRAL_SUBJECTS)
        return asyncio.run(asked(context, client_context(self.trusted, *self.files("client", client), lambda _: None)))


async def asked(server: ssl.SSLContext, client: ssl.SSLContext) -> bytes:
    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SECRET)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(tell, "127.0.0.1", 0, ssl=server) as listening:
        try:
            reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname()[:2], ssl=client)
            heard = await reader.read()
            writer.close()
        except OSError:
            return b""
        return heard


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


@pytest.mark.parametrize("is_restricted", [False, True])
def test_only_the_named_program_is_let_in(town: Town, *, is_restricted: bool) -> None:
    """A stolen node must not be able to read who the people are, and how staff are reached."""
    clients = issue_client_certificate(town.services, CENTRAL), issue_client_certificate(town.nodes, NODE)

    told = [town.told(client, is_restricted=is_restricted) for client in clients]

    assert [SECRET, b"" if is_restricted else SECRET] == told


def test_central_of_before_there_were_issuers_is_let_in_while_its_ca_is_trusted(town: Town) -> None:
    central = issue_client_certificate(town.first, CENTRAL)

    assert [SECRET, b""] == [
        town.told(central),
        town.told(central, town.written("root", town.root.certificate_pem)),
    ]


@pytest.mark.parametrize(
    "subject",
    [
        [(ORGANISATION, "node"), (NAME, CENTRAL)],
        [(NAME, CENTRAL)],
        [(ORGANISATION, "services"), (NAME, CENTRAL)],
        [(ORGANISATION, "node"), (ORGANISATION, "services"), (NAME, CENTRAL)],
        [(ORGANISATION, "node"), (NAME, f"{CENTRAL},O=services")],
    ],
    ids=["own", "none", "foreign", "both", "comma"],
)
def test_certificate_of_a_node_that_says_it_is_central_is_not_let_in(
    town: Town, subject: list[tuple[str, str]]
) -> None:
    assert b"" == town.told(signed(town.nodes, subject))


def test_nodes_issuer_makes_no_server_that_a_node_would_believe(town: Town) -> None:
    """Whoever steals it, online as it is, could play the broker otherwise, and nobody would hear an alert."""
    subject = [(ORGANISATION, "node"), (NAME, "127.0.0.1")]
    thief = signed(town.nodes, subject, server_of="127.0.0.1")
    node = issue_client_certificate(town.nodes, NODE)

    assert [SECRET, b""] == [town.told(node, is_restricted=False), town.told(node, server=thief, is_restricted=False)]


def test_issuer_is_trusted_without_the_others_of_its_root(town: Town) -> None:
    """So that one that was cut off is nobody here either, where there is no revocation list."""
    stolen = issue_client_certificate(town.services, CENTRAL)
    newer = town.root.create_issuer(SERVICES, "services-2", datetime.now(UTC))
    trusted = town.written("newer", newer.certificate_pem)

    assert [b"", SECRET] == [town.told(stolen, trusted), town.told(issue_client_certificate(newer, CENTRAL), trusted)]
