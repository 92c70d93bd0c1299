"""Photographs from their adding to their end, and what lies on the disk meanwhile."""

from __future__ import annotations

import os
import re
import time
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from office.accounts.models import Account
from office.audit.models import AuditRow
from office.people import photographs
from office.people.intake_process import PhotographRefusedError, Picture
from office.people.intake_terms import Box
from office.people.models import Individual, Photograph
from office.people.photographs import (
    PHOTOGRAPHS_MAX,
    Tidied,
    add_photograph,
    erase_photographs,
    has_files,
    is_cropped,
    keep_crop,
    remove_photograph,
    show_photograph,
    tidy_photographs,
)
from office.people.sealing import sealing
from tests.office.people.conftest import ORIGINAL, WHOLE, MakePhotograph, taken
from tests.office.test_faults import failing
from tests.support.office_program import in_office

FACE = Picture(480, 640, b"portrait"), Picture(96, 128, b"small")


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """An empty one, of this test alone."""
    settings.PHOTOGRAPHS_FOLDER = tmp_path / "photographs"
    return tmp_path / "photographs"


def crop(actor: Account, photograph: Photograph) -> None:
    keep_crop(actor, photograph, Box(10, 20, 150, 200), FACE)


def test_a_photograph_is_kept_as_it_was_handed_in_and_as_it_is_shown(
    individual: Individual, make_photograph: MakePhotograph
) -> None:
    photograph = make_photograph(individual)
    key = bytes(photograph.wrapped_key)

    assert ORIGINAL == sealing().read(photograph.file, key, "original")
    assert WHOLE == sealing().read(photograph.file, key, "whole")
    assert sha256(ORIGINAL).hexdigest() == photograph.original_sha256
    assert (600, 800) == (photograph.width, photograph.height)
    assert not photograph.is_shown
    assert not is_cropped(photograph)


def test_audit_binds_a_photograph_by_what_nobody_knows_it_by_afterwards(
    individual: Individual, make_photograph: MakePhotograph, folder: Path
) -> None:
    """Its rows stay for ever: whoever has the same file must not find out by them that the person was here."""
    photograph = make_photograph(individual)
    row = AuditRow.objects.get(action="photograph.added")

    assert sha256((folder / f"{photograph.file}.original").read_bytes()).hexdigest() in row.details
    assert sha256(ORIGINAL).hexdigest() not in row.details


def test_two_photographs_have_nothing_in_common(individual: Individual, make_photograph: MakePhotograph) -> None:
    one, two = make_photograph(individual), make_photograph(individual)

    assert one.file != two.file
    assert bytes(one.wrapped_key) != bytes(two.wrapped_key)


def test_what_cannot_be_written_is_not_kept(
    individual: Individual, co_ordinator: Account, folder: Path, settings: Settings
) -> None:
    folder.parent.joinpath("no-folder").write_text("in the way")
    settings.PHOTOGRAPHS_FOLDER = folder.parent / "no-folder" / "photographs"
    with pytest.raises(OSError, match="no-folder"):
        add_photograph(co_ordinator, individual, taken(), source="police", taken_on=None)

    assert not Photograph.objects.exists()
    assert not AuditRow.objects.filter(action="photograph.added").exists()


def test_what_a_full_database_does_not_take_opens_no_more_and_is_tidied_away(
    individual: Individual, co_ordinator: Account, folder: Path
) -> None:
    full = failing(OperationalError("database or disk is full"), 'INSERT INTO "people_photograph"')
    with pytest.raises(OperationalError), transaction.atomic(), full:
        add_photograph(co_ordinator, individual, taken(), source="police", taken_on=None)

    assert not AuditRow.objects.filter(action="photograph.added").exists()
    assert ORIGINAL not in [file.read_bytes() for file in folder.iterdir()]
    assert 2 == len(tidy_photographs(timezone.now() + timedelta(days=2)).removed)
    assert not list(folder.iterdir())


def test_a_person_has_so_many_photographs_and_no_more(
    individual: Individual, make_photograph: MakePhotograph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs, "PHOTOGRAPHS_MAX", 2)
    make_photograph(individual)
    make_photograph(individual)
    with pytest.raises(PhotographRefusedError, match="has 2 photographs already"):
        make_photograph(individual)

    assert PHOTOGRAPHS_MAX >= 2


def test_a_crop_takes_the_place_of_the_one_before(
    individual: Individual, make_photograph: MakePhotograph, co_ordinator: Account
) -> None:
    photograph = make_photograph(individual)
    crop(co_ordinator, photograph)
    keep_crop(co_ordinator, photograph, Box(0, 0, 300, 400), (Picture(480, 640, b"other"), Picture(96, 128, b"less")))
    photograph.refresh_from_db()

    assert (0, 0, 300, 400) == (
        photograph.crop_left,
        photograph.crop_top,
        photograph.crop_width,
        photograph.crop_height,
    )
    assert b"other" == sealing().read(photograph.file, bytes(photograph.wrapped_key), "portrait")
    assert b"less" == sealing().read(photograph.file, bytes(photograph.wrapped_key), "small")


def test_one_photograph_of_a_person_is_shown(
    individual: Individual, make_photograph: MakePhotograph, co_ordinator: Account
) -> None:
    one, two = make_photograph(individual), make_photograph(individual)
    for photograph in (one, two):
        crop(co_ordinator, photograph)
        show_photograph(co_ordinator, photograph)

    assert [two.pk] == list(individual.photographs.filter(is_shown=True).values_list("pk", flat=True))


def test_the_audit_names_the_person_by_reference_alone(
    individual: Individual, make_photograph: MakePhotograph, co_ordinator: Account
) -> None:
    photograph = make_photograph(individual)
    crop(co_ordinator, photograph)
    show_photograph(co_ordinator, photograph)
    remove_photograph(co_ordinator, photograph, "poor")
    rows = list(AuditRow.objects.order_by("sequence"))

    assert ["photograph.added", "photograph.cropped", "photograph.shown", "photograph.removed"] == [
        row.action for row in rows
    ]
    assert {"HART-0042"} == {row.subject_name for row in rows}
    assert not any("Nobody" in row.details or "camera" in row.details for row in rows)


def test_removing_takes_row_and_files_once_it_is_committed(
    individual: Individual,
    make_photograph: MakePhotograph,
    co_ordinator: Account,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    folder: Path,
) -> None:
    photograph, other = make_photograph(individual), make_photograph(individual)
    crop(co_ordinator, photograph)
    with django_capture_on_commit_callbacks(execute=True):
        remove_photograph(co_ordinator, photograph, "wrong-person")
        assert len(list(folder.iterdir())) == 6
    assert [other.file] == list(Photograph.objects.values_list("file", flat=True))
    assert {other.file} == {file.name.partition(".")[0] for file in folder.iterdir()}

    with django_capture_on_commit_callbacks(execute=True):
        assert erase_photographs(co_ordinator, individual) == 1
    assert not Photograph.objects.exists()
    assert not list(folder.iterdir())


def test_tidying_finds_a_file_without_a_row_and_a_row_without_a_file(
    individual: Individual, make_photograph: MakePhotograph, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole, lost, gone = (make_photograph(individual) for _ in range(3))
    (folder / f"{lost.file}.original").unlink()
    Photograph.objects.filter(pk=gone.pk).delete()
    (folder / f".{whole.file}.whole.0badcafe").write_bytes(b"never finished")
    assert Tidied([], ["HART-0042"]) == tidy_photographs()
    found = tidy_photographs(timezone.now() + timedelta(days=2))

    assert sorted([f"{gone.file}.original", f"{gone.file}.whole", f".{whole.file}.whole.0badcafe"]) == sorted(
        found.removed
    )
    assert ["HART-0042"] == found.lost
    assert has_files(whole)
    assert not has_files(lost)
    assert "1 photographs have lost their files: HART-0042" in caplog.text
    assert "3 files that belonged to no photograph were removed" in caplog.text


def test_tidying_spares_what_was_just_written(
    individual: Individual, make_photograph: MakePhotograph, folder: Path
) -> None:
    photograph = make_photograph(individual)
    Photograph.objects.all().delete()
    hour_ago = time.time() - 3_600
    os.utime(folder / f"{photograph.file}.whole", (hour_ago, hour_ago))

    assert Tidied([], []) == tidy_photographs()
    assert len(list(folder.iterdir())) == 2


def test_tidying_without_a_key_harms_nothing(settings: Settings, db: None, caplog: pytest.LogCaptureFixture) -> None:
    settings.PHOTOGRAPHS_KEY_FILE = None

    assert Tidied([], []) == tidy_photographs()
    assert "cannot be tidied up" in caplog.text


ADD_AND_ERASE = """
from pathlib import Path
from django.db import connection, transaction
from office.accounts.models import Account, Scheme
from office.people.intake_process import Picture
from office.people.models import Individual
from office.people.photographs import Taken, add_photograph, erase_photographs
cora = Account.objects.create(username="cora", name="Cora")
one = Individual.objects.create(scheme=Scheme.objects.get(slug="hart"), number=1)
with transaction.atomic():
    photograph = add_photograph(
        cora, one, Taken(b"secret face " * 999, Picture(9, 9, b"secret " * 999)), source="secret source", taken_on=None
    )
key = bytes(photograph.wrapped_key)
print(key.hex(), photograph.file)
if {does_erase}:
    with transaction.atomic():
        erase_photographs(cora, one)
# The journal is there only while the database is open.
print(any(key in file.read_bytes() for file in Path({folder!r}).rglob("*") if file.is_file()))
"""


@pytest.mark.integration
@pytest.mark.parametrize("does_erase", [True, False])
def test_no_byte_of_key_or_face_is_left_in_any_file_of_the_office(office_file: Path, does_erase: bool) -> None:  # noqa: FBT001
    folder = office_file.parent
    code = ADD_AND_ERASE.format(does_erase=does_erase, folder=str(folder))
    key, name, is_left = in_office(office_file, code).split()
    held = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())

    assert b"secret face" not in held
    assert str(not does_erase) == is_left
    assert does_erase == (bytes.fromhex(key) not in held)
    assert does_erase == (b"secret source" not in held)
    assert does_erase == (not list(folder.rglob(f"{name}.*")))
    assert re.fullmatch("[0-9a-f]{32}", name)
