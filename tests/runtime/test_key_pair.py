"""Certificate and key are replaced as one, whenever the power goes."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.certificates import CertificateAuthority, IssuedCertificate
from runtime.folder_lock import folder_lock
from runtime.key_pair import PairError, Turn, check_pair, replace_pair, settle_pair
from runtime.tls import server_context
from tests.support.killed_steps import killed_at_each_step
from tests.support.pairs import make, pair_in, replace_by_the_next, write_pair


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    return CertificateAuthority.create("Town", datetime.now(UTC))


@pytest.fixture
def issued(authority: CertificateAuthority, tmp_path: Path) -> tuple[IssuedCertificate, IssuedCertificate]:
    """The one in place, and the next, both in files of the folder ``own``."""
    old, new = make(authority), make(authority)
    folder = tmp_path / "own"
    folder.mkdir()
    write_pair(folder, old)
    write_pair(folder, new, "next")
    return old, new


def found(folder: Path) -> tuple[bytes, bytes]:
    """What lies there now: certificate and key."""
    pair = pair_in(folder)
    return pair.certificate_file.read_bytes(), pair.key_file.read_bytes()


def both(issued: IssuedCertificate) -> tuple[bytes, bytes]:
    return issued.certificate_pem, issued.key_pem


def test_pair_killed_at_each_step_is_the_old_one_or_the_new_one(
    issued: tuple[IssuedCertificate, IssuedCertificate], tmp_path: Path
) -> None:
    copies = tmp_path / "copies"
    (tmp_path / "own" / "client.key").chmod(0o600)
    (tmp_path / "own" / "next.key").chmod(0o600)
    folders = killed_at_each_step(replace_by_the_next, tmp_path / "own", copies)
    keys = [path for path in copies.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert [] == [path.name for path in keys if path.stat().st_mode & 0o077], "on its way for everybody to read"
    was_finished = [settle_pair(pair_in(folder)) for folder in folders]
    ends = [found(folder) for folder in folders]

    assert {both(one) for one in issued} == set(ends), "neither a mixture nor a part"
    assert both(issued[1]) == ends[-1], "not killed"
    assert True in was_finished
    assert ends == sorted(ends, key=lambda end: end == both(issued[1])), "once the new one counts, it stays so"


def test_settling_again_changes_nothing(issued: tuple[IssuedCertificate, IssuedCertificate], tmp_path: Path) -> None:
    folder = tmp_path / "own"
    replace_by_the_next(folder)

    assert not settle_pair(pair_in(folder))
    assert both(issued[1]) == found(folder)


def test_new_key_is_for_its_owner_alone(issued: tuple[IssuedCertificate, IssuedCertificate], tmp_path: Path) -> None:
    del issued
    replace_by_the_next(tmp_path / "own")

    assert pair_in(tmp_path / "own").key_file.stat().st_mode & 0o777 == 0o600


def test_halves_of_two_pairs_change_nothing(
    issued: tuple[IssuedCertificate, IssuedCertificate], tmp_path: Path
) -> None:
    old, new = issued
    with pytest.raises(PairError, match="another key"):
        replace_pair(pair_in(tmp_path / "own"), new.certificate_pem, old.key_pem)

    assert both(old) == found(tmp_path / "own")


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"junk", id="junk"),
        pytest.param(b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n", id="no-key"),
    ],
)
def test_damage_where_a_new_pair_arrives_is_no_pair(
    junk: bytes, issued: tuple[IssuedCertificate, IssuedCertificate], tmp_path: Path
) -> None:
    pair = pair_in(tmp_path / "own")
    pair.arriving.write_bytes(junk)

    assert not settle_pair(pair)
    assert both(issued[0]) == found(tmp_path / "own")
    assert not pair.arriving.exists()


def test_whoever_does_not_wait_leaves_it_to_the_program_that_is_at_it(
    issued: tuple[IssuedCertificate, IssuedCertificate], tmp_path: Path
) -> None:
    """The broker's unit: whoever holds the folder may be waiting for the broker to start."""
    folder = tmp_path / "own"
    pair = pair_in(folder)
    pair.arriving.write_bytes(issued[1].key_pem + issued[1].certificate_pem)
    with folder_lock(folder):
        assert not settle_pair(pair, Turn.TRY)
        assert both(issued[0]) == found(folder)
        assert settle_pair(pair, Turn.HELD)

    assert both(issued[1]) == found(folder)


def test_server_that_starts_finishes_what_was_interrupted(
    issued: tuple[IssuedCertificate, IssuedCertificate], tmp_path: Path
) -> None:
    pair = pair_in(tmp_path / "own")
    pair.arriving.write_bytes(issued[1].key_pem + issued[1].certificate_pem)
    pair.key_file.write_bytes(issued[1].key_pem)

    server_context(pair.certificate_file, pair.key_file)
    assert both(issued[1]) == found(tmp_path / "own")


def test_link_where_a_new_pair_arrives_shows_nobody_anothers_key(
    issued: tuple[IssuedCertificate, IssuedCertificate], tmp_path: Path
) -> None:
    """Root would put it where the folder's owner, who may be an enemy, reads it."""
    pair, secret = pair_in(tmp_path / "own"), tmp_path / "web.pem"
    secret.write_bytes(issued[1].key_pem + issued[1].certificate_pem)
    pair.arriving.symlink_to(secret)

    assert not settle_pair(pair)
    assert both(issued[0]) == found(tmp_path / "own")
    assert (False, True) == (pair.arriving.is_symlink(), secret.exists())


def test_pipe_where_a_new_pair_arrives_holds_nobody_up(tmp_path: Path) -> None:
    """Root looks into folders whose owner may be an enemy."""
    pair = pair_in(tmp_path)
    os.mkfifo(pair.arriving)

    assert not settle_pair(pair)
    assert not pair.arriving.exists()


@pytest.mark.parametrize(("certificate", "key"), [(b"", b""), (b"x", b"y")])
def test_bytes_that_are_no_pair_are_refused(certificate: bytes, key: bytes) -> None:
    with pytest.raises(PairError, match="cannot be read"):
        check_pair(certificate, key)
