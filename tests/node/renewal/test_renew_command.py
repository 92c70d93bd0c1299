"""``watchlink node renew`` against a server over real TLS: what it renews, what it says, what it remembers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from node.cli import main
from node.renewal.asking import NotRenewedError, Service
from node.renewal.command import DONE, FAILED, NOTES, renew_all
from node.renewal.renewing import life_of
from provisioning.certificates import issue_client_certificate, issue_server_certificate
from provisioning.fleet import Fleet, NewNode
from runtime.config import ConfigError
from tests.support.pairs import write_pair
from tests.support.renewals import NODE, EnrolmentAnswers, Signer, serving
from wire.enrolment import Refusal
from wire.renewal import Tries
from wire.renewal_request import PROBLEMS
from wire.signing import SigningKey
from wire.subjects import NODES, SERVICES

DAY = timedelta(days=1)


@dataclass
class Unit:
    """A node of a town, and a server that signs for it."""

    fleet: Fleet
    folder: Path
    answers: type[EnrolmentAnswers]
    signer: Signer
    signed_at: datetime

    @property
    def file(self) -> Path:
        return self.folder / "node.toml"

    def renew(self, day: float, *, is_forced: bool = False) -> int:
        """As the timer does on that day of its certificate's life."""
        self.signer.now = self.signed_at + day * DAY
        return renew_all(self.file, "1", is_forced=is_forced, now=self.signer.now)

    @property
    def notes(self) -> dict[str, Tries]:
        return msgspec.json.decode((self.folder / "state" / NOTES).read_bytes(), type=dict[str, Tries])

    def refuse(self, problem: str) -> None:
        self.answers.signer = None
        self.answers.answer = (403, msgspec.json.encode(Refusal(problem=problem)))


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"], profile="fake")])
    folder, issuer = fleet.node_folder(NODE), fleet.folder.issuer(NODES)
    (tmp_path / "issuer.key").write_bytes(issuer.key_pem)
    (tmp_path / "ca.pem").write_bytes(issuer.certificate_pem)
    write_pair(tmp_path, issue_server_certificate(fleet.folder.issuer(SERVICES), ["127.0.0.1"]), "server")
    signer = Signer(tmp_path)
    signer.key = SigningKey(bytes.fromhex((folder / "signing.key").read_text().strip()))
    answers = type("Answers", (EnrolmentAnswers,), {"signer": staticmethod(signer)})
    with serving(tmp_path / "server.pem", tmp_path / "server.key", answers) as port:
        with (folder / "node.toml").open("a") as file:
            file.write(f'\n[enrolment]\nhost = "127.0.0.1"\nport = {port}\n')
        yield Unit(fleet, folder, answers, signer, life_of(folder / "client.pem").begins_at)


def test_certificate_is_renewed_in_its_time_and_not_before(unit: Unit, capsys: pytest.CaptureFixture[str]) -> None:
    assert unit.renew(44) == DONE
    assert "the certificate is renewed at" in capsys.readouterr().out
    assert unit.renew(55) == DONE
    assert "renewed. The new certificate lasts until" in capsys.readouterr().out
    assert unit.signed_at + 145 * DAY == life_of(unit.folder / "client.pem").ends_at
    assert unit.renew(56) == DONE
    assert "the certificate is renewed at" in capsys.readouterr().out


def test_expired_certificate_is_renewed_too(unit: Unit) -> None:
    assert unit.renew(290) == DONE
    assert unit.signed_at + 380 * DAY == life_of(unit.folder / "client.pem").ends_at


def test_gallery_certificate_is_renewed_likewise(unit: Unit, capsys: pytest.CaptureFixture[str]) -> None:
    issuer = unit.fleet.folder.issuer(NODES)
    write_pair(unit.folder, issue_client_certificate(issuer, f"gallery-{NODE}"), "gallery")

    assert unit.renew(55) == DONE
    assert f"gallery-{NODE}: renewed." in capsys.readouterr().out


def test_after_a_failure_it_waits_and_tries_again(unit: Unit, capsys: pytest.CaptureFixture[str]) -> None:
    unit.refuse("closed")
    assert unit.renew(55) == FAILED
    assert "NOT renewed" in capsys.readouterr().err
    assert unit.renew(55.001) == DONE, "not yet"
    assert unit.renew(55.1) == FAILED
    assert unit.notes[NODE].failures == 2
    unit.answers.signer = staticmethod(unit.signer)  # type: ignore[assignment]
    assert unit.renew(56) == DONE
    assert Tries() == unit.notes[NODE]


def test_failure_says_when_it_is_late(unit: Unit, capsys: pytest.CaptureFixture[str]) -> None:
    unit.refuse("struck")
    unit.renew(59)
    assert "LATE" not in capsys.readouterr().err
    unit.renew(61)
    assert "IT IS LATE: the certificate ends on" in capsys.readouterr().err
    unit.renew(91)
    assert "IT IS LATE: the certificate ended on" in capsys.readouterr().err


@pytest.mark.parametrize("problem", [*PROBLEMS, "a reason of a later version"])
def test_each_refusal_is_told_in_words(unit: Unit, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    unit.refuse(problem)

    assert unit.renew(55) == FAILED
    said = capsys.readouterr().err
    assert problem in said if problem not in PROBLEMS else "refuses: " not in said


def test_answer_without_a_reason_is_told_by_its_status(unit: Unit, capsys: pytest.CaptureFixture[str]) -> None:
    unit.answers.signer, unit.answers.answer = None, (502, b"<html>")

    assert unit.renew(55) == FAILED
    assert "answers with status 502" in capsys.readouterr().err


def test_service_of_another_town_is_asked_for_nothing(unit: Unit, tmp_path: Path) -> None:
    other = Fleet.init(tmp_path / "elsewhere", schemes={"hart": "HART"})
    port = int((unit.file).read_text().rpartition("port = ")[2])
    with pytest.raises(NotRenewedError, match="from another CA"):
        Service("127.0.0.1", port, other.folder.layout.trusted).ask(b"{}")


def test_service_that_is_away_is_no_reason_to_end_badly(unit: Unit, capsys: pytest.CaptureFixture[str]) -> None:
    unit.file.write_text(unit.file.read_text().rpartition("port = ")[0] + "port = 1\n")

    assert unit.renew(55) == FAILED
    assert "no enrolment service answers at 127.0.0.1:1" in capsys.readouterr().err


def test_full_disk_is_told(unit: Unit, capsys: pytest.CaptureFixture[str]) -> None:
    (unit.folder / ".client.key.to-come").mkdir()

    assert unit.renew(55) == FAILED
    assert "the disk refuses" in capsys.readouterr().err


def test_spoilt_notes_only_make_it_ask_sooner(unit: Unit) -> None:
    (unit.folder / "state").mkdir(exist_ok=True)
    (unit.folder / "state" / NOTES).write_text("{")

    assert unit.renew(55) == DONE


def test_unit_without_a_service_is_told_that_an_engineer_has_to_come(
    unit: Unit, capsys: pytest.CaptureFixture[str]
) -> None:
    unit.file.write_text(unit.file.read_text().partition("[enrolment]")[0])

    assert unit.renew(55) == DONE
    assert "an engineer has to carry new certificates here" in capsys.readouterr().out
    with pytest.raises(ConfigError, match=r"enrolment\.host"):
        unit.renew(55, is_forced=True)


def test_command_renews_now_if_it_is_told_to(unit: Unit, capsys: pytest.CaptureFixture[str]) -> None:
    unit.signer.now = datetime.now(UTC) + DAY

    assert main(["renew", "--config", str(unit.file)]) == DONE
    assert "the certificate is renewed at" in capsys.readouterr().out
    assert main(["renew", "--config", str(unit.file), "--now"]) == DONE
    assert "renewed. The new" in capsys.readouterr().out
