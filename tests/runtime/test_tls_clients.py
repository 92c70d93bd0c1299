"""Who is let in among those with a certificate of the same CA."""

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

CENTRAL, NODE = "00000001", "00000010"


@pytest.fixture
def ca() -> CertificateAuthority:
    return CertificateAuthority.create("Watchlink CA of test", datetime.now(UTC))


def written(folder: Path, name: str, issued: IssuedCertificate) -> tuple[Path, Path]:
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(issued.certificate_pem)
    paths[1].write_bytes(issued.key_pem)
    return paths


async def served(server: ssl.SSLContext, clients: dict[str, ssl.SSLContext]) -> dict[str, bytes]:
    """What each client is told by a server that tells everybody a secret."""
    told = {}

    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"a secret")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(tell, "127.0.0.1", 0, ssl=server) as listening:
        port = listening.sockets[0].getsockname()[1]
        for name, context in clients.items():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
                told[name] = await reader.read()
                writer.close()
            except OSError:
                told[name] = b""
    return told


@pytest.mark.parametrize("is_restricted", [False, True])
def test_only_the_named_program_is_let_in(ca: CertificateAuthority, tmp_path: Path, *, is_restricted: bool) -> None:
    """A stolen node must not be able to read who the people are, and how staff are reached."""
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(ca.certificate_pem)
    server = server_context(
        *written(tmp_path, "server", issue_server_certificate(ca, ["127.0.0.1"])), clients_ca_file=ca_file
    )
    if is_restricted:
        admit_only(server, {CENTRAL})
    clients = {
        name: client_context(ca_file, *written(tmp_path, name, issue_client_certificate(ca, name)), lambda _: None)
        for name in (CENTRAL, NODE)
    }

    told = asyncio.run(served(server, clients))

    assert {CENTRAL: b"a secret", NODE: b"" if is_restricted else b"a secret"} == told
