"""The service as a program: it opens, issues, and says where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from tests.support.enrolling_town import EnrollingTown, NewUnit, running_service
from wire.directory import open_directory
from wire.ids import parse_node

pytestmark = pytest.mark.integration


def test_service_enrols_a_node_and_adds_it_to_the_directory(tmp_path: Path) -> None:
    town = EnrollingTown.found(tmp_path / "town")
    unit = NewUnit()
    with running_service(town) as service:
        service.wait_for_fact("enrolment", status="open")
        status, answer = service.ask(unit.sealed())
        assert 200 == status, answer
        directory = open_directory(town.changed.read_bytes(), town.fleet.folder.authority_public())
        assert unit.signing.public == directory.senders[parse_node("00000010")].key
        names = [
            x509.load_pem_x509_certificates(answer[field].encode())[0].subject.rfc4514_string()
            for field in ("certificate", "gallery_certificate")
        ]
        assert ["CN=00000010,O=node", "CN=gallery-00000010,O=node"] == names
        assert 0 == service.end()
