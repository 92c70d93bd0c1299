"""Reports that go with no case go by themselves, unless the clock is not to be believed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django import db
from django.utils import timezone

from office.app import _Housekeeping
from office.audit.journal import record
from office.breaches.models import Breach
from office.config import load_configuration
from office.public_page import PublicPage
from tests.office.breaches.conftest import breach_of
from tests.office.exclusions.conftest import Town
from tests.support.office_program import write_config


@pytest.mark.parametrize(("days", "is_left"), [(5, True), (370, False), (5_000, True)])
def test_pages_forget_what_is_a_year_old_unless_their_clock_is_wrong(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, days: int, is_left: bool
) -> None:
    breach_of(town.case("nominated"), case=None)
    later = timezone.now() + timedelta(days=days)
    monkeypatch.setattr(timezone, "now", lambda: later)
    # It is the test's connection.
    monkeypatch.setattr(db, "close_old_connections", lambda: None)
    if days < 5_000:
        record(town.cora, "account.made")

    _Housekeeping(load_configuration(write_config(tmp_path)), PublicPage()).look()

    assert is_left == Breach.objects.exists()
