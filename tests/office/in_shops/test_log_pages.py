"""The view log as co-ordinators search it: whose is found, what is said of it, and that each search is kept."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone

from office.accounts.models import Scheme
from office.audit import rules
from office.audit.models import AuditRow
from office.exclusions.models import Case
from office.members.models import Premises
from office.people.models import Individual, RightsRequest
from office.staff.models import StaffMember
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import NOMINATION, Town
from tests.office.in_shops.conftest import PUBS_UNIT, UNITS
from tests.support.asking_town import TOWN
from tests.support.shop_galleries import ShopGalleries
from tests.support.view_log import logged
from wire.gallery_views import ViewHead, no_views

pytestmark = pytest.mark.django_db

LOOKED_S = int(datetime(2026, 11, 3, 12, 1, tzinfo=UTC).timestamp())


@pytest.fixture
def case(town: Town) -> Case:
    """Of HART-0001, in force."""
    return town.case("served")


@pytest.fixture
def of_the_pubs(schemes: dict[int, Scheme], town: Town) -> Case:
    """Another scheme's, with the same number."""
    individual = Individual.objects.create(scheme=schemes[PUB_WATCH], number=1, name="Zebra Somebody")
    return Case.objects.create(
        scheme=schemes[PUB_WATCH],
        number=1,
        individual=individual,
        state="served",
        category="theft",
        conduct=NOMINATION.conduct,
        evidence=NOMINATION.evidence,
        happened_on=NOMINATION.happened_on,
        happened_at="Zebra Street",
        nominated_by=town.cora,
        first_on=timezone.localdate(),
        last_on=timezone.localdate(),
    )


@pytest.fixture
def log(fitted: ShopGalleries, case: Case, of_the_pubs: Case) -> ShopGalleries:
    """HART's first shop looked at its list and at its person; a pub at its own."""
    fitted.fit(PUBS_UNIT, 999, PUB_WATCH, name="Zebra Inn")
    fitted.store.add_views(UNITS[0], logged(UNITS[0], (0, 0), (HART, case.number), at_s=LOOKED_S, staff=3), LOOKED_S)
    pubs = logged(PUBS_UNIT, (PUB_WATCH, 1), (0, 0), at_s=LOOKED_S, staff=9)
    fitted.store.add_views(PUBS_UNIT, pubs, LOOKED_S)
    return fitted


def rows(client: Client, **asked: str | int) -> list[tuple[str, int, str]]:
    """Shop, number of the record and reference of each look."""
    answer = client.get("/galleries/views/", asked)
    assert 200 == answer.status_code, answer.content.decode()
    return [(one.shop, one.n, one.case.individual.reference if one.case else "") for one in answer.context["rows"]]


def told(action: str) -> list[tuple[str, str, dict[str, object]]]:
    found = AuditRow.objects.filter(action=action).order_by("sequence")
    return [(row.subject_name, row.schemes, json.loads(row.details)) for row in found]


def test_co_ordinator_finds_looks_of_own_shops_and_at_own_persons_alone(
    log: ShopGalleries, cora: Client, otto: Client
) -> None:
    assert [("Shop 1", 2, "HART-0001"), ("Shop 1", 1, "")] == rows(cora)
    assert [("Zebra Inn", 2, ""), ("Zebra Inn", 1, "PUBWATCH-0001")] == rows(otto)
    for client, other in ((cora, b"Zebra"), (otto, b"Shop 1")):
        assert other not in client.get("/galleries/views/").content
        assert other not in client.get("/galleries/views.csv").content


def test_person_of_another_scheme_is_nobody(log: ShopGalleries, cora: Client) -> None:
    for text in ("PUBWATCH-0001", "Pub Watch case 1", "HART-0099", "Nobody Atall", "HART-0001\0"):
        answer = cora.get("/galleries/views/", {"person": text})
        assert 400 == answer.status_code
        assert not answer.context["rows"]
    for name, number in (("premises", 999), ("staff", 9)):
        assert 400 == cora.get("/galleries/views/", {name: number}).status_code


def test_looks_are_found_by_person_case_shop_staff_time_and_number(
    log: ShopGalleries, cora: Client, case: Case, town: Town
) -> None:
    whole = [("Shop 1", 2, "HART-0001"), ("Shop 1", 1, "")]
    assert whole[:1] == rows(cora, person="hart-1") == rows(cora, person="HART  case 1")
    assert whole == rows(cora, premises=town.premises[0].pk)
    assert [] == rows(cora, premises=town.premises[1].pk)
    assert whole == rows(cora, staff=3)
    assert whole[:1] == rows(cora, number=2)
    assert whole == rows(cora, since="2026-11-03", until="2026-11-03")
    assert [] == rows(cora, since="2026-11-04") == rows(cora, until="2026-11-02")
    assert whole == rows(cora, until="9999-12-31", since="0001-01-01")


def test_all_cases_of_a_person_are_found_also_of_who_turned_out_to_be_the_same(
    log: ShopGalleries, cora: Client, town: Town
) -> None:
    same = town.case("served")
    Individual.objects.filter(pk=same.individual_id).update(same_as=Individual.objects.get(scheme=HART, number=1))
    views = logged(UNITS[1], (HART, same.number), at_s=LOOKED_S - 9)
    log.store.add_views(UNITS[1], views, LOOKED_S)

    both = [("Shop 1", 2), ("Shop 2", 1)]
    assert both == [one[:2] for one in rows(cora, person="HART-0001")]
    assert both == [one[:2] for one in rows(cora, person=f"HART-{same.individual.number}")]


def test_each_search_is_in_the_audit_before_anything_is_shown(
    log: ShopGalleries, cora: Client, otto: Client, make_person: MakePerson, signed_in: SignedIn
) -> None:
    both = signed_in(make_person("bo", ("co-ordinator", HART), ("co-ordinator", PUB_WATCH)))
    rows(cora)
    rows(both, person="HART-0001", since="2026-11-01")

    assert [
        ("view log of shops", " 1 ", {"filters": [], "found": 2, "page": 1}),
        ("HART-0001", " 1 ", {"filters": ["person", "since"], "found": 1, "page": 1}),
    ] == told("views.searched")
    # Whoever reads the audit of the other scheme learns nothing of it.
    assert "HART-0001" not in otto.get("/audit/").content.decode()
    with mock.patch("office.in_shops.log_views.record", side_effect=RuntimeError), pytest.raises(RuntimeError):
        cora.get("/galleries/views/")


def test_unproven_time_gap_and_copied_card_are_said(fitted: ShopGalleries, cora: Client, case: Case) -> None:
    fitted.config.write_text("views_days = 3_660\n")  # The day of these looks lies further back each day.
    views = logged(UNITS[0], *[(HART, case.number)] * 4, at_s=60, is_proven=False)
    fitted.store.add_views(UNITS[0], views[:1], LOOKED_S)
    fitted.store.add_views(UNITS[0], views[2:], LOOKED_S)
    fitted.store.is_forked(UNITS[0], ViewHead(n=4, digest="ab" * 32), LOOKED_S)

    answer = cora.get("/galleries/views/")

    text = " ".join(answer.content.decode().split())
    assert "by a clock that is not proven; came in 3 Nov, 12:01" in text
    assert "record 2 is missing" in text
    assert "two units say that they are this one, from record 4 on" in text
    assert [
        ["two units say that they are this one"],
        ["records before it are missing"],
        [],
    ] == [one.marks for one in answer.context["rows"]]
    assert [3] == [one[1] for one in rows(cora, since="2026-11-03", until="2026-11-03", number=3)]


def test_staff_are_named_of_own_shops_alone(log: ShopGalleries, cora: Client, town: Town) -> None:
    zebra = Premises.objects.create(member=town.members[0], name="Zebra Inn")
    now = timezone.now()
    StaffMember.objects.create(number=3, premises=town.premises[0], name="Sam Till", taken_off_at=now)
    StaffMember.objects.create(number=1, premises=zebra, name="Zebra Barman")
    log.store.add_views(UNITS[1], logged(UNITS[1], (0, 0), at_s=LOOKED_S - 9), LOOKED_S)

    answer = cora.get("/galleries/views/")

    assert ["Sam Till", "Sam Till", "staff number 1"] == [one.who for one in answer.context["rows"]]
    assert b"Zebra" not in answer.content


def test_what_is_forgotten_is_said(log: ShopGalleries, cora: Client) -> None:
    log.store.forget_views(LOOKED_S + 1)

    text = " ".join(cora.get("/galleries/views/", {"since": "2020-01-01"}).content.decode().split())
    assert "Kept for 90 days" in text
    assert "is forgotten" in text
    assert "Nothing from before" in text
    assert "Nobody has looked" in text


def test_record_of_a_unit_elsewhere_names_no_shop_of_another_scheme(
    log: ShopGalleries, cora: Client, case: Case
) -> None:
    head = no_views(TOWN, PUBS_UNIT)
    assert head
    views = logged(PUBS_UNIT, (PUB_WATCH, 1), (0, 0), (HART, case.number), at_s=LOOKED_S, staff=9)
    log.store.add_views(PUBS_UNIT, views, LOOKED_S)

    assert ("A unit that is not in your schemes", 3, "HART-0001") in rows(cora)
    assert b"Zebra" not in cora.get("/galleries/views/").content


def test_shop_that_changes_scheme_leaves_its_past_looks_behind(
    log: ShopGalleries, cora: Client, otto: Client, town: Town, schemes: dict[int, Scheme]
) -> None:
    """Each reads what was looked at in their own scheme’s time, by whom, and how the shop was called."""
    shop = town.premises[0]
    shop.schemes.set([schemes[PUB_WATCH]])
    sam = StaffMember.objects.create(number=3, premises=shop, name="Sam Till")
    sam.schemes.set([schemes[HART]])
    log.fit(UNITS[0], shop.pk, PUB_WATCH, name="Zebra Till")
    log.store.note_holds(UNITS[0], [], LOOKED_S, ViewHead(n=2, digest="ab" * 32))
    views = logged(UNITS[0], (0, 0), (HART, 1), (0, 0), at_s=LOOKED_S, staff=3)
    log.store.add_views(UNITS[0], views[2:], LOOKED_S + 9)

    name = f"Shop {shop.pk}"
    assert [(name, 2, "HART-0001"), (name, 1, "")] == rows(cora) == rows(cora, premises=shop.pk)
    assert b"Sam Till" in cora.get("/galleries/views/").content
    assert [(shop.name, 3, "")] == rows(otto, premises=shop.pk)
    assert 3 == len(rows(otto))


def test_list_is_exported_with_guarded_cells(log: ShopGalleries, cora: Client, town: Town) -> None:
    Premises.objects.filter(pk=town.premises[0].pk).update(name="=1+1")

    answer = cora.get("/galleries/views.csv", {"person": "HART-0001"})

    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert "Time (UTC)" == table[0][0]
    assert [
        ["2026-11-03T12:01:01+00:00", "yes", "2026-11-03T12:01:00+00:00", "'=1+1", "00000010", "2", "staff number 3"]
    ] == [row[:7] for row in table[1:]]
    assert ["the person", "HART-0001", "HART case 1", ""] == table[1][7:]
    assert [("HART-0001", " 1 ", {"filters": ["person"], "rows": 1})] == told("views.exported")


def test_export_wants_a_fresh_second_factor_and_has_limits(
    log: ShopGalleries, cora: Client, town: Town, signed_in: SignedIn
) -> None:
    assert 302 == signed_in(town.cora, second_factor_age_s=400).get("/galleries/views.csv").status_code
    with mock.patch.object(rules, "EXPORT_ROWS_MAX", 1):
        assert b"more than a file may hold" in cora.get("/galleries/views.csv").content
    with mock.patch.object(rules, "EXPORTS_AN_HOUR", 1):
        assert 200 == cora.get("/galleries/views.csv").status_code
        assert 429 == cora.get("/galleries/views.csv").status_code
    assert 400 == cora.get("/galleries/views.csv", {"person": "PUBWATCH-0001"}).status_code


def test_request_of_a_person_leads_to_who_has_looked_at_them(log: ShopGalleries, cora: Client, case: Case) -> None:
    today = timezone.localdate()
    asked = RightsRequest.objects.create(
        scheme=case.scheme,
        kind="access",
        asked_by="Somebody",
        received_on=today,
        due_on=today,
        individual=case.individual,
        recorded_by=case.nominated_by,
    )

    assert b'href="/galleries/views/?person=HART-0001"' in cora.get(f"/rights/{asked.pk}/").content


def test_choice_stays_chosen_and_names_are_escaped(log: ShopGalleries, cora: Client, town: Town) -> None:
    number = town.premises[0].pk
    Premises.objects.filter(pk=number).update(name='<b>"Fish" & Chips')

    text = cora.get("/galleries/views/", {"premises": number}).content.decode()

    assert f'<option value="{number}" selected>&lt;b&gt;&quot;Fish&quot; &amp; Chips</option>' in text
    assert '<select name="premises" id="id_premises"><option value="">Any</option>' in text


def test_pages_are_fifty_long(fitted: ShopGalleries, cora: Client, case: Case) -> None:
    fitted.store.add_views(UNITS[0], logged(UNITS[0], *[(HART, case.number)] * 120, at_s=LOOKED_S), LOOKED_S)

    assert list(range(120, 70, -1)) == [one[1] for one in rows(cora)]
    assert list(range(20, 0, -1)) == [one[1] for one in rows(cora, page=3)]


def test_office_that_cannot_tell_says_why(cora: Client) -> None:
    assert b"answers no units" in cora.get("/galleries/views/").content
    assert 503 == cora.get("/galleries/views.csv").status_code


def test_kept_days_are_the_ports(log: ShopGalleries, cora: Client) -> None:
    log.config.write_text("views_days = 7\n")

    answer = cora.get("/galleries/views/", {"since": str(date.today() - timedelta(days=8))})  # noqa: DTZ011 - as typed
    assert b"Kept for 7 days" in answer.content
    assert answer.context["goes_back_further"]
