"""The identity: files, owners, certificate, directory (F2)."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from node.check.report import look
from node.step import Outcome, Step
from provisioning.certificates import CertificateAuthority, issue_client_certificate
from tests.support.fitted_unit import NODE, FittedUnit
from wire.directory import DirectoryDocument, SealedDirectory, seal_directory
from wire.signing import SigningKey
from wire.subjects import NODES


def found(fitted: FittedUnit, name: str, days: float = 0) -> Step:
    at = datetime.now(UTC) + timedelta(days=days)
    return next(step for step in look(fitted.file, "", fitted.machine, at).steps if step.name == name)


def test_missing_file_is_named(fitted: FittedUnit) -> None:
    (fitted.folder / "ca.pem").unlink()
    step = found(fitted, "identity files")

    assert Outcome.BAD is step.outcome
    assert step.text == f"{fitted.folder}/ca.pem is missing"


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_files_that_the_nodes_user_cannot_read_are_wrong_even_if_root_can(fitted: FittedUnit) -> None:
    """Carried here by root, and never given to the unit's user: the commonest slip of all."""
    fitted.systemd(User="nobody")
    step = found(fitted, "identity files")

    assert Outcome.BAD is step.outcome
    assert f"nobody cannot read {fitted.folder}/client.key (owner root, mode 600)" in step.text
    assert step.advice == f"chown -R nobody: {fitted.folder}"


def test_key_that_others_can_read_is_wrong(fitted: FittedUnit) -> None:
    (fitted.folder / "client.key").chmod(0o640)
    step = found(fitted, "identity files")

    assert (Outcome.BAD, f"chmod 600 {fitted.folder}/client.key") == (step.outcome, step.advice)


@pytest.mark.parametrize(
    ("days", "outcome", "left"), [(0, Outcome.OK, 89), (77, Outcome.BAD, 12), (200, Outcome.BAD, None)]
)
def test_certificate_says_by_whom_and_for_how_long(
    fitted: FittedUnit, days: int, outcome: Outcome, left: int | None
) -> None:
    step = found(fitted, "certificate", days)

    assert (outcome, left) == (step.outcome, step.figures.get("days_left"))
    assert left is None or "from the CA Watchlink nodes-1" in step.text


def test_certificate_of_another_town_or_node_is_wrong(fitted: FittedUnit) -> None:
    now = datetime.now(UTC)
    for authority, node, words in (
        (CertificateAuthority.create("other", now), NODE, "is from another CA"),
        (fitted.fleet.issuer(NODES), "00000011", "is the certificate of 00000011"),
    ):
        issued = issue_client_certificate(authority, node, now=now)
        (fitted.folder / "client.pem").write_bytes(issued.certificate_pem)
        (fitted.folder / "client.key").write_bytes(issued.key_pem)
        step = found(fitted, "certificate")

        assert Outcome.BAD is step.outcome
        assert words in step.text


def test_key_of_another_certificate_is_wrong(fitted: FittedUnit) -> None:
    issued = issue_client_certificate(fitted.fleet.issuer(NODES), NODE, now=datetime.now(UTC))
    (fitted.folder / "client.key").write_bytes(issued.key_pem)

    assert "not the key of" in found(fitted, "certificate").text


def test_directory_says_its_number_and_age(fitted: FittedUnit) -> None:
    step = found(fitted, "directory", days=3)

    assert (Outcome.OK, 3, 2) == (step.outcome, step.figures["age_days"], step.figures["senders"])


def test_node_that_was_struck_off_is_told_what_that_means(fitted: FittedUnit) -> None:
    file = fitted.folder / "directory.json"
    document = msgspec.json.decode(
        msgspec.json.decode(file.read_bytes(), type=SealedDirectory).document, type=DirectoryDocument
    )
    senders = tuple(replace(one, revoked_at=document.issued_at) for one in document.senders)
    authority = SigningKey(bytes.fromhex((fitted.fleet.layout.authority / "authority.key").read_text()))
    file.write_bytes(seal_directory(replace(document, senders=senders), authority))
    step = found(fitted, "directory")

    assert Outcome.BAD is step.outcome
    assert "this node is revoked" in step.text
    assert "ask the fleet's engineer for a new one" in step.advice


def test_directory_of_another_town_is_wrong(fitted: FittedUnit) -> None:
    sealed = (fitted.folder / "directory.json").read_text()
    (fitted.folder / "directory.json").write_text(sealed.replace('"signature":"', '"signature":"AAAA', 1))

    assert Outcome.BAD is found(fitted, "configuration").outcome
    assert Outcome.NOT_DONE is found(fitted, "directory").outcome
