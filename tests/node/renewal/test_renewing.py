"""A certificate is renewed whole or not at all, and nothing that would not let the unit in is put in place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from node.renewal.asking import NotRenewedError
from node.renewal.renewing import due_at, life_of, renew
from provisioning.certificates import CertificateAuthority
from runtime.key_pair import check_pair, settle_pair
from tests.support.killed_steps import killed_at_each_step
from tests.support.renewals import NODE, Signer, make_unit, own_of, renew_here
from wire.renewal import CERTIFICATE_LIFE, Tries


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    folder = tmp_path / "unit"
    make_unit(folder)
    return folder


def contents(folder: Path) -> tuple[bytes, bytes]:
    """Certificate and key, which belong together."""
    pair = own_of(folder).pair
    found = pair.certificate_file.read_bytes(), pair.key_file.read_bytes()
    check_pair(*found)
    return found


def test_renewal_brings_a_new_key_and_a_certificate_that_lasts_longer(unit: Path) -> None:
    before, old_life = contents(unit), life_of(unit / "client.pem")
    ends_at = renew(own_of(unit), Signer(unit))
    certificate, key = contents(unit)

    assert certificate != before[0]
    assert key != before[1]
    assert ends_at == life_of(unit / "client.pem").ends_at > old_life.ends_at
    assert not [path.name for path in unit.iterdir() if path.name.startswith(".")], "nothing is left beside"


def test_gallery_is_renewed_in_its_own_name(unit: Path) -> None:
    own = own_of(unit, is_for_gallery=True)
    renew(own, Signer(unit))
    (name,) = x509.load_pem_x509_certificate((unit / "client.pem").read_bytes()).subject

    assert f"gallery-{NODE}" == name.value


def test_renewal_killed_at_each_step_leaves_a_pair_and_goes_on(unit: Path, tmp_path: Path) -> None:
    before = contents(unit)
    folders = killed_at_each_step(renew_here, unit, tmp_path / "copies")
    for folder in folders:
        settle_pair(own_of(folder).pair)
    after = [contents(folder) for folder in folders]
    for folder in folders[:-1]:
        renew(own_of(folder), Signer(folder, life=2 * CERTIFICATE_LIFE))

    assert before == after[0]
    assert before != after[-1]
    assert all(contents(folder)[0] != old[0] for folder, old in zip(folders[:-1], after[:-1], strict=True))


def test_lost_answer_is_asked_for_again_with_the_same_key(unit: Path) -> None:
    before, signer = contents(unit), Signer(unit)
    signer.is_silent = True
    with pytest.raises(NotRenewedError, match="lost"):
        renew(own_of(unit), signer)

    assert before == contents(unit)
    signer.is_silent = False
    renew(own_of(unit), signer)
    assert signer.keys[0] == signer.keys[1]


def test_spoilt_key_to_come_is_made_anew(unit: Path) -> None:
    own_of(unit).key_to_come.write_bytes(b"spoilt")
    before = contents(unit)
    renew(own_of(unit), Signer(unit))

    assert before != contents(unit)


def test_certificate_of_another_name_is_not_put_in_place(unit: Path) -> None:
    refused(unit, Signer(unit, name="00000011"), "for 00000011, not for 00000010")


def test_certificate_that_lasts_no_longer_is_not_put_in_place(unit: Path) -> None:
    refused(unit, Signer(unit, life=timedelta(days=3)), "does not last longer")


def test_certificate_that_does_not_count_yet_is_not_put_in_place(unit: Path) -> None:
    """The service's clock is in the future: the broker's is not, and would let nobody in."""
    signer = Signer(unit)
    signer.now += 10 * CERTIFICATE_LIFE
    refused(unit, signer, "begins only on")


def test_certificate_of_another_town_is_not_put_in_place(unit: Path, tmp_path: Path) -> None:
    make_unit(tmp_path / "elsewhere")
    refused(unit, Signer(tmp_path / "elsewhere"), "from a CA that")


def test_answer_that_is_no_certificate_is_not_put_in_place(unit: Path) -> None:
    before = contents(unit)
    with pytest.raises(NotRenewedError, match="cannot be used"):
        renew(own_of(unit), lambda _request: b"<html>Please sign in to the hotel's Wi-Fi")

    assert before == contents(unit)


def refused(unit: Path, signer: Signer, words: str) -> None:
    before = contents(unit)
    with pytest.raises(NotRenewedError, match=words):
        renew(own_of(unit), signer)

    assert before == contents(unit)


def test_certificate_file_that_cannot_be_read_is_no_reason_to_refuse_a_new_one(unit: Path) -> None:
    (unit / "client.pem").write_bytes(b"spoilt")
    renew(own_of(unit), Signer(unit))

    contents(unit)


def test_life_ends_when_its_issuers_does(tmp_path: Path) -> None:
    short = CertificateAuthority.create("Old", datetime.now(UTC) - timedelta(days=3_640))
    long = CertificateAuthority.create("New", datetime.now(UTC))
    file = tmp_path / "client.pem"
    file.write_bytes(long.certificate_pem + short.certificate_pem)

    assert short.certificate.not_valid_after_utc == life_of(file).ends_at


def test_renewal_is_due_after_half_the_life_of_the_certificate_on_the_disk(unit: Path) -> None:
    now = datetime.now(UTC)
    at = due_at(own_of(unit), Tries(), now)

    assert timedelta(days=44) < at - now < timedelta(days=55)
