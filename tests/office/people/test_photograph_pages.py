"""The pages of photographs: added, seen before it counts, cropped without JavaScript, shown, removed."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image
from pytest_django import Settings

from office.accounts.models import Account
from office.app import UPLOAD_PATHS
from office.audit.models import AuditRow
from office.people.intake_process import marker
from office.people.intake_terms import FILE_BYTES_MAX
from office.people.models import Individual, Photograph
from office.people.photographs import REMOVAL_REASONS
from office.people.sealing import sealing
from tests.office.conftest import HART, MakePerson, SignedIn
from tests.office.people.conftest import MakePhotograph
from tests.office.people.pictures import drawn, oriented, saved


@pytest.fixture
def browser(signed_in: SignedIn, co_ordinator: Account) -> Client:
    """Of a co-ordinator of HART only."""
    return signed_in(co_ordinator)


def hand_in(browser: Client, individual: Individual, data: bytes, **fields: str) -> HttpResponse:
    """Send the form."""
    sent = {"source": "camera 4", "taken_on": "2026-01-05", **fields}
    return browser.post(  # type: ignore[return-value]
        f"/individuals/{individual.pk}/photographs/add/", {"file": SimpleUploadedFile("face.jpg", data), **sent}
    )


def actions() -> list[str]:
    return list(AuditRow.objects.order_by("sequence").values_list("action", flat=True))


@pytest.mark.integration
def test_a_photograph_goes_from_the_file_to_the_readers(browser: Client, individual: Individual) -> None:
    answer = hand_in(browser, individual, oriented(6))
    photograph = Photograph.objects.get()
    assert f"/photographs/{photograph.pk}/" == answer.headers["Location"]
    page = browser.get(answer.headers["Location"]).content.decode()
    assert f'<image href="/photographs/{photograph.pk}/whole.jpg" width="400" height="300"/>' in page
    assert "Show this one" not in page
    assert page.count('<label class="proposal"') == 10
    refused = browser.post(f"/photographs/{photograph.pk}/show/", follow=True).content.decode()
    assert "Crop the face first." in refused

    done = browser.post(f"/photographs/{photograph.pk}/", {"proposal": "medium-middle"}, follow=True).content.decode()
    assert "The face was cropped." in done
    assert f'src="/photographs/{photograph.pk}/portrait.jpg"' in done
    assert not Photograph.objects.get().is_shown
    shown = browser.post(f"/photographs/{photograph.pk}/show/", follow=True).content.decode()
    assert "Readers now see this photograph of HART-0042." in shown
    assert Photograph.objects.get().is_shown
    assert ["photograph.added", "photograph.cropped", "photograph.shown"] == actions()


@pytest.mark.integration
def test_a_face_is_cropped_by_numbers(browser: Client, individual: Individual, make_photograph: MakePhotograph) -> None:
    photograph = make_photograph(individual)
    address = f"/photographs/{photograph.pk}/"
    wrong = browser.post(address, {"proposal": "own", "left": "500", "top": "", "width": "150"})
    assert wrong.status_code == 400
    assert "Enter a number." in wrong.content.decode()
    wrong = browser.post(address, {"proposal": "own", "left": "500", "top": "0", "width": "150"})
    assert "Between 0 and 450, with this width." in wrong.content.decode()
    assert browser.post(address, {}).status_code == 400
    assert browser.post(address, {"proposal": "nowhere"}).status_code == 400
    assert actions() == ["photograph.added"]
    assert browser.post(address, {"proposal": "own", "left": "0", "top": "4", "width": "150"}).status_code == 302
    photograph.refresh_from_db()

    assert (0, 4, 150, 200) == (
        photograph.crop_left,
        photograph.crop_top,
        photograph.crop_width,
        photograph.crop_height,
    )
    assert 'y="4" width="150" height="200"' in browser.get(address).content.decode()


@pytest.mark.integration
def test_a_picture_names_its_reader_and_the_audit_keeps_the_view(
    browser: Client, individual: Individual, make_photograph: MakePhotograph
) -> None:
    photograph = make_photograph(individual)
    answer = browser.get(f"/photographs/{photograph.pk}/whole.jpg")
    again = browser.get(f"/photographs/{photograph.pk}/whole.jpg")
    plain = sealing().read(photograph.file, bytes(photograph.wrapped_key), "whole")
    view = AuditRow.objects.get(sequence=2)

    assert ("image/jpeg", "no-store") == (answer.headers["Content-Type"], answer.headers["Cache-Control"])
    with Image.open(io.BytesIO(answer.content)) as shown, Image.open(io.BytesIO(plain)) as stored:
        assert shown.size == stored.size
        assert list(shown.histogram()) != list(stored.histogram())
    assert ("photograph.viewed", "HART-0042", " 1 ") == (view.action, view.subject_name, view.schemes)
    assert "Nobody" not in view.details
    assert again.status_code == 200
    assert actions().count("photograph.viewed") == 2
    marker.close()


@pytest.mark.parametrize("name", ["Zoë Patel", "李娜"])
def test_picture_names_whoever_looks_whatever_letters_their_name_has(
    *,
    name: str,
    individual: Individual,
    make_photograph: MakePhotograph,
    make_person: MakePerson,
    signed_in: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photograph, texts = make_photograph(individual), list[str]()
    reader = make_person("reader", ("co-ordinator", HART), name=name)

    def mark(picture: bytes, text: str) -> bytes:
        texts.append(text)
        return picture

    monkeypatch.setattr(marker, "mark", mark)
    assert 200 == signed_in(reader).get(f"/photographs/{photograph.pk}/whole.jpg").status_code

    who = {"Zoë Patel": name, "李娜": f"{name} account {reader.pk}"}[name]
    assert texts[0].startswith(f"{who}  Co-ordinator  ")


def test_what_is_not_there_is_neither_shown_nor_counted_as_seen(
    browser: Client, individual: Individual, make_photograph: MakePhotograph, settings: Settings, tmp_path: Path
) -> None:
    photograph = make_photograph(individual)
    for size in ("portrait", "original", "huge"):
        assert browser.get(f"/photographs/{photograph.pk}/{size}.jpg").status_code == 404
    settings.PHOTOGRAPHS_FOLDER = tmp_path
    assert browser.get(f"/photographs/{photograph.pk}/whole.jpg").status_code == 404
    page = browser.get(f"/photographs/{photograph.pk}/").content.decode()
    assert "The file of this photograph is lost." in page
    assert "The file is lost." in browser.get(f"/individuals/{individual.pk}/photographs/").content.decode()
    crop = browser.post(f"/photographs/{photograph.pk}/", {"proposal": "large-left"})
    assert "The file of this photograph is lost." in crop.content.decode()

    assert actions() == ["photograph.added"]


@pytest.mark.parametrize(
    ("data", "fields", "said"),
    [
        (b"", {}, "The file is empty."),
        (b"\xff" * (FILE_BYTES_MAX + 1), {}, "8 MB is the most."),
        (saved(drawn()), {"source": " "}, "Say where it comes from."),
        (saved(drawn()), {"source": "x" * 201}, "at most 200 characters"),
        (saved(drawn()), {"source": "police\u202e"}, "Contains characters that cannot be shown"),
        (saved(drawn()), {"taken_on": "2999-01-01"}, "This day has not come yet."),
        (saved(drawn()), {"taken_on": "yesterday"}, "Enter a date"),
    ],
    ids=["empty", "large", "no-source", "long-source", "right-to-left", "future", "no-date"],
)
def test_what_cannot_be_added_comes_back_with_a_sentence(
    browser: Client, individual: Individual, data: bytes, fields: dict[str, str], said: str
) -> None:
    answer = hand_in(browser, individual, data, **fields)

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Photograph.objects.exists()


@pytest.mark.integration
def test_a_hostile_photograph_comes_back_with_a_sentence(browser: Client, individual: Individual) -> None:
    answer = hand_in(browser, individual, saved(drawn(), "GIF"))

    assert answer.status_code == 400
    assert "This is not a photograph that we can read." in answer.content.decode()
    assert browser.get(f"/individuals/{individual.pk}/photographs/").status_code == 200


def test_what_is_handed_in_never_lies_on_a_disk_as_it_is(
    browser: Client, individual: Individual, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a file that Django would write to the folder for temporary files."""

    def written(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", written)
    monkeypatch.setattr(TemporaryUploadedFile, "__init__", written)

    assert "8 MB is the most" in hand_in(browser, individual, b"\xff" * (FILE_BYTES_MAX + 1)).content.decode()


@pytest.mark.integration
def test_a_full_disk_is_told_and_nothing_is_kept(
    browser: Client, individual: Individual, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.PHOTOGRAPHS_FOLDER = tmp_path / "file" / "photographs"

    assert "The photograph could not be stored" in hand_in(browser, individual, saved(drawn())).content.decode()
    assert not Photograph.objects.exists()


def test_removing_wants_a_reason_that_says_nothing_about_the_person(
    browser: Client, individual: Individual, make_photograph: MakePhotograph
) -> None:
    photograph = make_photograph(individual)
    address = f"/photographs/{photograph.pk}/remove/"
    page = browser.get(address).content.decode()
    assert all(words in page for words in REMOVAL_REASONS.values())
    assert browser.post(address, {}).status_code == 400
    assert browser.post(address, {"reason": "is a thief"}).status_code == 400
    assert Photograph.objects.exists()
    removed = browser.post(address, {"reason": "wrong-person"}, follow=True).content.decode()

    assert "The photograph was removed." in removed
    assert not Photograph.objects.exists()
    assert AuditRow.objects.latest("sequence").action == "photograph.removed"


def test_the_other_schemes_photographs_do_not_exist(
    browser: Client, elsewhere: Individual, make_photograph: MakePhotograph
) -> None:
    photograph = make_photograph(elsewhere)
    before = AuditRow.objects.count()
    for address in (
        f"/individuals/{elsewhere.pk}/photographs/",
        f"/individuals/{elsewhere.pk}/photographs/add/",
        f"/photographs/{photograph.pk}/",
        f"/photographs/{photograph.pk}/whole.jpg",
        f"/photographs/{photograph.pk}/remove/",
    ):
        assert browser.get(address).status_code == 404, address
    for address, sent in (
        (f"/individuals/{elsewhere.pk}/photographs/add/", {}),
        (f"/photographs/{photograph.pk}/", {"proposal": "large-left"}),
        (f"/photographs/{photograph.pk}/show/", {}),
        (f"/photographs/{photograph.pk}/remove/", {"reason": "poor"}),
    ):
        assert browser.post(address, sent).status_code == 404, address

    told = list(AuditRow.objects.order_by("sequence").values_list("action", "actor_name"))[before:]
    assert {name for _, name in told} == {"Cora Hart"}
    assert [action.removesuffix(".not-found") for action, _ in told] == [
        *("individual", "individual", "photograph", "photograph", "photograph"),
        *("individual", "photograph", "photograph", "photograph"),
    ]


@pytest.mark.parametrize("role", ["members-contact", "police", "cctv", "pcso"])
def test_photographs_are_the_co_ordinators_to_look_after(
    role: str, individual: Individual, make_photograph: MakePhotograph, make_person: MakePerson, signed_in: SignedIn
) -> None:
    photograph = make_photograph(individual)
    other = signed_in(make_person("other", (role, HART)))

    assert other.get(f"/photographs/{photograph.pk}/whole.jpg").status_code == 404
    assert other.get(f"/individuals/{individual.pk}/photographs/").status_code == 404


def test_an_erased_persons_photographs_are_gone_for_pages(
    browser: Client, individual: Individual, make_photograph: MakePhotograph
) -> None:
    photograph = make_photograph(individual)
    individual.erased_at = photograph.added_at
    individual.save()

    assert browser.get(f"/photographs/{photograph.pk}/whole.jpg").status_code == 404
    assert browser.get(f"/individuals/{individual.pk}/photographs/").status_code == 404


def test_the_program_takes_large_files_where_the_form_sends_them(individual: Individual) -> None:
    assert re.sub(r"\d+", "NUMBER", f"/individuals/{individual.pk}/photographs/add/") in UPLOAD_PATHS
