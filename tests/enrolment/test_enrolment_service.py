"""The service as a program: it opens, issues, and says where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from enrolment.cli import main
from tests.support.enrolling_town import EnrollingTown, NewUnit, ServiceProcess, running_service
from wire.directory import open_directory
from wire.fingerprints import key_fingerprint
from wire.ids import parse_node
from wire.signing import SigningKey

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


def test_power_cut_after_an_answer_changes_nothing(tmp_path: Path) -> None:
    town, unit = EnrollingTown.found(tmp_path / "town"), NewUnit()
    with running_service(town) as service:
        given = service.ask(unit.sealed())
    before = town.changed.read_bytes()
    town.changed.unlink()
    with running_service(town) as service:
        assert before == town.changed.read_bytes()
        assert given == service.ask(unit.sealed())
        assert "used" == service.ask(NewUnit().sealed())[1]["problem"]


def test_service_with_a_ca_for_everybody_does_not_start(tmp_path: Path) -> None:
    town = EnrollingTown.found(tmp_path / "town")
    root = town.fleet.record.issuers[-1].root
    for kind in ("pem", "key"):
        (town.folder / f"nodes.{kind}").write_bytes((town.fleet.layout.authority / f"{root}.{kind}").read_bytes())

    with pytest.raises(AssertionError, match="may sign for others than nodes"):
        ServiceProcess(town)


def test_delegates_key_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["key", "--to", str(tmp_path)])
    key = (tmp_path / "delegate.key").read_text()
    assert 0o600 == (tmp_path / "delegate.key").stat().st_mode & 0o777
    public = SigningKey(bytes.fromhex(key)).public
    assert public.raw.hex() == (tmp_path / "delegate.pub").read_text().strip()
    assert key_fingerprint(public.raw) in capsys.readouterr().out

    assert 1 == main(["key", "--to", str(tmp_path)])
    assert key == (tmp_path / "delegate.key").read_text()
