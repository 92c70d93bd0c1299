"""Reports that go with no case go by themselves, unless the clock is not to be believed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django import db
from django.utils import timezone

from office.app import _Housekeeping
from office.audit.journal import record
from office.audit.models import AuditRow
from office.breaches.forgetting import forget_copies
from office.breaches.models import Breach, StatementCopy
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


@pytest.mark.parametrize(("days", "is_left"), [(29, True), (30, False)])
def test_copy_of_a_statement_goes_after_its_month(town: Town, *, days: int, is_left: bool) -> None:
    now = timezone.now()
    StatementCopy.objects.create(
        breach=breach_of(town.case("served")), member=town.members[0], paper=b"{}", made_at=now, made_by="Cora"
    )

    assert int(not is_left) == forget_copies(now + timedelta(days=days))
    assert is_left == StatementCopy.objects.exists()
    assert Breach.objects.exists()
    assert (not is_left) == AuditRow.objects.filter(action="statement-copy.erased").exists()
