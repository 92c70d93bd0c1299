"""More people are excluded than a gallery can hold, and a co-ordinator is told: the oldest are on no counter (G4)."""

from __future__ import annotations

import pytest

from office.exclusions.models import Case
from office.start import facts
from tests.office.conftest import PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town


def test_first_page_says_how_many_shops_are_not_shown(
    town: Town, make_person: MakePerson, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "ENTRIES_MAX", 1)
    hidden = town.case("served")
    town.case("served")
    Case.objects.filter(pk=hidden.pk).update(is_restricted=True)
    browser = signed_in(town.cora)
    assert "than shops are shown" not in browser.get("/").content.decode()
    Case.objects.filter(pk=hidden.pk).update(is_restricted=False)
    page = browser.get("/").content.decode()

    assert "1 scheme has more people excluded than shops are shown" in page
    assert "1 not shown" in page
    for who in (town.contacts[0], make_person("otto", ("co-ordinator", PUB_WATCH))):
        assert "than shops are shown" not in signed_in(who).get("/").content.decode()
