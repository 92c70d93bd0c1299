"""From the claim to the gallery: what the enrolment service gives out is what the office's machine port asks for."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from provisioning.collecting import collect
from provisioning.office import issue_office_certificate
from tests.support.enrolling_town import HOST, EnrollingTown, NewUnit
from tests.support.enrolment_thread import service_thread
from tests.support.fleet_broker import DEADLINE_S, wait_until
from wire.enrolment import ENROL_PATH
from wire.gallery_contact import GalleryQuestion, decode_answer, encode_question
from wire.gallery_paths import CONTACT_PATH, photograph_path

pytestmark = pytest.mark.integration

SHOP = "00000010"


def configured(town: EnrollingTown, folder: Path) -> Path:
    """``nodes.toml``, on the machine of central and the enrolment service."""
    layout, own = town.fleet.layout, issue_office_certificate(town.fleet.folder, HOST)
    (folder / "snapshots").mkdir()
    for name in ("gallery", "photographs"):
        (folder / f"{name}.key").write_text("ab" * 32)
    toml = folder / "nodes.toml"
    toml.write_text(f"""\
snapshots = "snapshots"
[web]
host = "{HOST}"
port = 0
certificate_file = "{own}/server.pem"
key_file = "{own}/server.key"
[town]
authority_file = "{layout.authority}/authority.pub"
directory_file = "{layout.directory}"
delegated_file = "{town.changed}"
issuers_file = "{town.folder}/nodes.pem"
lists_file = "{layout.broker}/crl.pem"
""")
    return toml


@contextlib.contextmanager
def running_port(toml: Path) -> Iterator[int]:
    """``watchlink office nodes``; gives its port."""
    command = (sys.executable, "-m", "watchlink.cli", "office", "nodes", "--config", str(toml))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        try:
            assert program.stdout is not None
            yield int(json.loads(program.stdout.readline())["url"].rstrip("/").rpartition(":")[2])
        finally:
            program.terminate()


def sent(port: int, context: ssl.SSLContext, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Status and body of the answer."""
    with contextlib.closing(http.client.HTTPSConnection(HOST, port, timeout=DEADLINE_S, context=context)) as asking:
        asking.request("GET" if body is None else "POST", path, body)
        answer = asking.getresponse()
        return answer.status, answer.read()


def is_somebody(port: int, gallery: ssl.SSLContext) -> bool:
    """Whether the port looks for what it asks for: there is none of it."""
    status, body = sent(port, gallery, photograph_path("0" * 64))
    assert (status, json.loads(body)["problem"]) in {(404, "not found"), (403, "unknown node"), (403, "struck")}
    return status == 404


def gallery_of(town: EnrollingTown, unit: NewUnit, certificate: str, folder: Path) -> ssl.SSLContext:
    """The unit's side of TLS."""
    key = unit.gallery.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "gallery.pem").write_text(certificate + key.decode())
    context = ssl.create_default_context(cafile=str(town.fleet.layout.trusted))
    context.load_cert_chain(folder / "gallery.pem")
    return context


def strike(town: EnrollingTown) -> None:
    """The authority's next directory strikes the shop."""
    with town.fleet.folder.changing():
        record = town.fleet.record
        node = msgspec.structs.replace(record.node(SHOP), revoked_at=town.fleet.now())
        town.fleet.folder.commit(record.with_node(node).with_next_directory(town.fleet.now()))
        town.fleet.folder.publish()


def test_shop_that_has_claimed_its_place_asks_for_its_gallery_until_it_is_struck(tmp_path: Path) -> None:
    town, unit = EnrollingTown.found(tmp_path / "town"), NewUnit()
    town.reserve(1)
    with service_thread(town) as service, running_port(configured(town, tmp_path)) as port:
        trusting = ssl.create_default_context(cafile=str(town.fleet.layout.trusted))
        status, body = sent(service.port, trusting, ENROL_PATH, unit.sealed())
        assert 200 == status, body
        gallery = gallery_of(town, unit, json.loads(body)["gallery_certificate"], tmp_path)

        # On the service's word alone: the fleet does not know the shop yet.
        wait_until(lambda: is_somebody(port, gallery), "the port has read the directory")
        status, body = sent(port, gallery, CONTACT_PATH, encode_question(GalleryQuestion()))
        assert (200, (1,)) == (status, decode_answer(body).schemes)

        collect(town.fleet.folder, town.changed)
        assert unit.sealing.hex() == town.fleet.record.node(SHOP).sealing_key
        assert is_somebody(port, gallery)

        strike(town)
        wait_until(lambda: not is_somebody(port, gallery), "the strike has arrived")
