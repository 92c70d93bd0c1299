"""What the demo's office has from the start, made by the office's own acts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from demo.office_people import Shop, fill
from demo.office_stories import STORIES
from demo.premises import ADDRESSES, SCHEMES
from office.accounts.models import Account, Scheme
from office.audit.models import AuditRow
from office.escalation.ways import ways_of
from office.exclusions import due
from office.exclusions.models import Ballot, Case
from office.exclusions.rules.life import State
from office.exclusions.terms import reviews_to_remind, why_off
from office.people.models import Individual, Photograph, RightsRequest
from office.people.photographs import has_files
from office.publisher import rota_content
from office.rota.planned import good_shifts
from office.rota.rules.spans import Span
from office.rota.week import gaps_of

pytestmark = pytest.mark.usefixtures("_filled", "db")


@pytest.fixture(scope="module")
def _filled(django_db_setup: None, django_db_blocker: DjangoDbBlocker, photographs_folder: Path) -> Iterator[None]:
    """Once: it takes a second, and each test takes back what it does itself."""
    as_for_each_test = override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        PHOTOGRAPHS_FOLDER=photographs_folder / "photographs",
        PHOTOGRAPHS_KEY_FILE=photographs_folder / "photographs.key",
    )
    with django_db_blocker.unblock(), as_for_each_test, transaction.atomic():
        Scheme.objects.bulk_create(
            [Scheme(number=number, slug=slug, name=name) for number, (slug, name) in enumerate(SCHEMES.items(), 1)]
        )
        fill(tuple(Shop(one.premises, one.place, one.schemes) for one in ADDRESSES))
        yield
        transaction.set_rollback(True)


def test_demos_office_has_something_on_every_page() -> None:
    for scheme in Scheme.objects.all():
        assert why_off(scheme) is None, "its register is on"
        assert ["impact-assessment"] == [one.kind for one in reviews_to_remind(scheme)]
    assert set(get_args(State)) == set(Case.objects.values_list("state", flat=True))
    assert {"meeting", "between-meetings"} == set(Ballot.objects.filter(ended_at=None).values_list("way", flat=True))
    assert Case.objects.filter(has_open_appeal=True).exists()
    assert Case.objects.filter(is_restricted=True).exists()
    assert Case.objects.filter(scope="listed", state="issued").exists()
    assert Individual.objects.filter(name="").exists()
    assert {None, "Bryony Marsh", "Corin Wells"} == {
        one.individual and one.individual.name for one in RightsRequest.objects.all()
    }
    assert all(map(has_files, Photograph.objects.all()))
    assert sum(bool(story.face) for story in STORIES) == Photograph.objects.count()


def test_demos_office_stands_as_its_rules_would_leave_it() -> None:
    """Nothing is overdue, so the first page that somebody opens changes nothing."""
    before = set(Case.objects.values_list("pk", "state", "version"))

    due.settle()

    assert before == set(Case.objects.values_list("pk", "state", "version"))
    soon = timezone.localdate() + timedelta(days=14)
    assert 1 == Case.objects.filter(state="served", last_on__lte=soon).count(), "one ends soon"


def test_demos_cases_are_in_the_audit_in_the_order_of_their_days() -> None:
    grant = Account.objects.get(username="grant")
    times = list(AuditRow.objects.filter(action__startswith="case.").order_by("sequence").values_list("at", flat=True))

    assert sorted(times) == times
    assert times[0] < timezone.now() - timedelta(days=200)
    assert AuditRow.objects.filter(action="case.issue", actor_account=grant.pk).exists()


def test_demos_rota_has_somebody_on_now_somebody_to_come_and_gaps() -> None:
    now, week = timezone.now(), timedelta(days=7)
    hart, pub_watch = Scheme.objects.get(slug="hart"), Scheme.objects.get(slug="pub-watch")

    on = {(shift.post.role, shift.post.scheme) for shift in good_shifts(Span(now, now + timedelta(seconds=1)), [1, 2])}

    both = {(role, scheme) for role in ("cctv", "co-ordinator") for scheme in (hart.pk, pub_watch.pk)}
    assert both | {("pcso", hart.pk)} == on
    roles = {shift.post.role for shift in good_shifts(Span(now, now + week), [hart.pk])}
    assert {"pcso", "duty-sergeant", "cctv", "co-ordinator"} == roles
    assert {"pcso"} == {gap.role for gap in gaps_of([hart.pk, pub_watch.pk], now)}
    assert {hart.pk, pub_watch.pk} == {one.scheme for one in rota_content.policies()}
    assert ["+447700900101"] == [way.to for way in ways_of(Account.objects.get(username="patel"))]
