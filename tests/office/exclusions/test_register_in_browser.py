"""The register in Chromium: axe finds nothing in both themes and on a phone; nothing is too wide."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from office.exclusions.models import Case
from office.exclusions.rules.period import day_of
from office.members.facts import folded
from office.people.intake_process import Picture
from office.people.intake_terms import Box
from office.people.models import Individual
from office.people.photographs import Taken, add_photograph, keep_crop, show_photograph
from tests.office.conftest import SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.exclusions.test_pages_in_browser import faults_in_chromium

pytestmark = pytest.mark.integration

FACES = Path(__file__).parents[3] / "demo" / "faces"
NAMES = ("Bartholomew Featherstonehaugh-Cholmondeley", "Jo Reed", "", "Sam Vale", "محمد علي", "Mia Long")


def test_register_can_be_used_by_everybody(town: Town, signed_in: SignedIn) -> None:
    today = day_of(timezone.now())
    for number, name in enumerate(NAMES, 1):
        one = Individual.objects.create(
            scheme=town.hart,
            number=number,
            name=name,
            search_text=folded(name),
            also_known_as="Joey" if number == 2 else "",
            description="Tall.\nRed coat.",
            is_believed_minor=number == 4,
        )
        case = Case.objects.create(
            scheme=town.hart,
            number=number,
            individual=one,
            state="served",
            category="abuse-of-staff",
            conduct="Shouted.",
            evidence="Film",
            happened_on=today,
            happened_at="High Street",
            nominated_by=town.cora,
            first_on=today,
            last_on=today + timedelta(days=200 + number),
            scope="listed" if number == 2 else "all",
            is_restricted=number == 6,
        )
        case.listed.set(town.premises)
        if number != 3:
            face = Picture(480, 640, (FACES / f"nobody-{number:02}.jpg").read_bytes())
            photograph = add_photograph(town.cora, one, Taken(face.data, face), source="camera", taken_on=None)
            keep_crop(town.cora, photograph, Box(0, 0, 480, 640), (face, face))
            show_photograph(town.cora, photograph)
    cora, contact = signed_in(town.cora), signed_in(town.contacts[0])
    first = Individual.objects.get(number=2)
    answers = {
        "register": contact.get("/register/"),
        "register-search": contact.get("/register/", {"q": "bartolomew"}),
        "register-nobody": contact.get("/register/", {"q": "nobody of this name"}),
        "register-co-ordinator": cora.get("/register/"),
        "register-person": contact.get(f"/register/{first.pk}/"),
        "register-person-hidden": cora.get(f"/register/{Individual.objects.get(number=6).pk}/"),
        "register-print": cora.get("/register/print/"),
        "register-print-faces": cora.get("/register/print/?photographs=yes"),
        **{
            f"register/{one.pk}/{size}.jpg": cora.get(f"/register/{one.pk}/{size}.jpg")
            for one in Individual.objects.exclude(number=3)
            for size in ("small", "portrait")
        },
    }

    assert faults_in_chromium(answers) == []
