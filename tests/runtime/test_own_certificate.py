"""A program takes up its new certificate at its next connection, and never loses the one that works."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.certificates import CertificateAuthority
from runtime.config import ConfigError
from runtime.own_certificate import OwnCertificate
from tests.support.pairs import make, pair_in, replace_by_the_next, write_pair


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    return CertificateAuthority.create("Town", datetime.now(UTC))


@pytest.fixture
def own(authority: CertificateAuthority, tmp_path: Path) -> OwnCertificate:
    (tmp_path / "ca.pem").write_bytes(authority.certificate_pem)
    write_pair(tmp_path, make(authority))
    write_pair(tmp_path, make(authority), "next")
    own = OwnCertificate(tmp_path / "ca.pem", pair_in(tmp_path), lambda _error: None)
    own.context()
    return own


def test_files_that_did_not_change_are_not_loaded_again(own: OwnCertificate) -> None:
    assert own.renewed() is None


def test_renewed_files_are_loaded_once(own: OwnCertificate, tmp_path: Path) -> None:
    replace_by_the_next(tmp_path)

    assert own.renewed() is not None
    assert own.renewed() is None


def test_renewal_cut_short_is_finished_before_the_next_connection(own: OwnCertificate, tmp_path: Path) -> None:
    pair = pair_in(tmp_path)
    new = (tmp_path / "next.key").read_bytes() + (tmp_path / "next.pem").read_bytes()
    pair.arriving.write_bytes(new)

    assert own.renewed() is not None
    assert pair.certificate_file.read_bytes() == (tmp_path / "next.pem").read_bytes()


@pytest.mark.parametrize("name", ["client.pem", "client.key", "ca.pem"])
def test_damaged_file_leaves_the_certificate_in_memory_in_use(own: OwnCertificate, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"spoilt")

    assert own.renewed() is None, "go on with what works"
    replace_by_the_next(tmp_path)
    (tmp_path / "ca.pem").write_bytes((tmp_path / "next.pem").read_bytes())
    assert own.renewed() is not None, "and take what is whole again"


def test_first_load_says_what_is_wrong(own: OwnCertificate, tmp_path: Path) -> None:
    (tmp_path / "client.key").write_bytes(b"spoilt")
    with pytest.raises(ConfigError, match="client"):
        own.context()
