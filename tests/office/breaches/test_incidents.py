"""An incident at central about nobody: written down at the office, dealt with there, and made into a statement."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from office.audit.models import AuditRow
from office.breaches import incident_views
from office.breaches.acts import write_down_incident
from office.breaches.forgetting import forget_unknown
from office.breaches.models import Breach
from office.breaches.rules import UNKNOWN_KEPT
from office.papers.orders import StatementPaper
from tests.office.breaches.conftest import NODE, breach_of
from tests.office.breaches.test_breach_pages import act, text
from tests.office.breaches.test_statements import made
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town
from wire.ids import FrameId

PAGE = "/incidents/00000010-7/"
SEEN_THERE = urlencode({"kind": "theft", "at": "2026-07-05T13:03:07Z"})


@pytest.fixture
def cora(town: Town, signed_in: SignedIn) -> Client:
    return signed_in(town.cora)


def typed(town: Town, **more: object) -> dict[str, object]:
    first = {"premises": town.premises[0].pk, "scheme": HART, "happened": "theft", "on": "2026-07-05", "at": "14:03"}
    return first | more


def test_form_says_what_the_control_room_shows(town: Town, cora: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident_views, "premises_of_unit", lambda unit: {"00000010": town.premises[1].pk}.get(unit, 0))
    page = text(cora, f"{PAGE}?{SEEN_THERE}")

    assert f'<option value="{town.premises[1].pk}" selected>Shop 2</option>' in page
    for said in ('value="2026-07-05"', 'value="14:03"', 'value="theft" id="id_happened_2" checked', "00000010-7"):
        assert said in page


@pytest.mark.parametrize("seen", ["", "?at=yesterday&kind=fire", "?at=9999-12-31T23:59:59-14:00", "?at=0001-01-01"])
def test_form_of_an_address_that_says_nothing_can_be_filled_in(town: Town, cora: Client, seen: str) -> None:
    assert "Write down this incident" in text(cora, f"{PAGE}{seen}")


@pytest.mark.parametrize("incident", ["7", "00000000-7", "00000010-0", "00000010-99999999999", "nobody"])
def test_what_is_no_incident_is_not_there(town: Town, cora: Client, incident: str) -> None:
    text(cora, f"/incidents/{incident}/", 404)


def test_incident_is_written_down_once_and_in_hand(town: Town, cora: Client) -> None:
    answer = cora.post(PAGE, typed(town))
    one = Breach.objects.get()

    assert f"/breaches/{one.pk}/" == answer.headers["Location"]
    assert ("incident", "theft", NODE, "Shop 1, High Street") == (one.kind, one.happened, one.node, one.place)
    assert town.members[0] == one.member
    assert (datetime.fromisoformat("2026-07-05T13:03Z"), "in-hand", "00000010-7") == (one.at, one.state, one.incident)
    assert "incident.written-down" == AuditRow.objects.latest("sequence").action
    for ask in (cora.get(f"{PAGE}?{SEEN_THERE}"), cora.post(PAGE, typed(town))):
        assert f"/breaches/{one.pk}/" == ask.headers["Location"]
    assert 1 == Breach.objects.count()
    for address in ("/breaches/", "/breaches/?q=00000010-7", f"/breaches/{one.pk}/"):
        page = text(cora, address)
        assert "Theft" in page
        assert "no such case" not in page


def test_two_who_write_it_down_at_once_write_one(town: Town) -> None:
    first, second = (
        write_down_incident(
            who,
            FrameId.parse("00000010-7"),
            scheme=town.hart,
            premises=town.premises[0],
            happened="theft",
            at=timezone.now(),
        )
        for who in (town.cora, town.deputy)
    )

    assert first == second


def test_report_that_comes_in_after_its_alert_was_written_down_is_found_first(town: Town, cora: Client) -> None:
    """By radio the alert is hours before the report: a shop without a network."""
    cora.post(PAGE, typed(town))
    report = breach_of(town.case("served"), incident="00000010-7")

    assert f"/breaches/{report.pk}/" == cora.get(f"{PAGE}?{SEEN_THERE}").headers["Location"]


def test_words_of_the_reporter_are_not_lost_in_somebody_elses_statement(
    town: Town, cora: Client, ordered: list[StatementPaper]
) -> None:
    cora.post(PAGE, typed(town))
    one = Breach.objects.get()

    assert 400 == made(cora, one, witness="producer", words="He took six bottles.")
    assert 200 == made(cora, one, witness="reporter", words="He took six bottles.")
    assert "He took six bottles." in ordered[0].paragraphs


def test_breach_that_sent_an_alert_is_found_by_it(town: Town, cora: Client) -> None:
    breach = breach_of(town.case("served"), incident="00000010-7")

    assert f"/breaches/{breach.pk}/" == cora.get(f"{PAGE}?{SEEN_THERE}").headers["Location"]


def test_scheme_is_chosen_already_where_the_shop_is_in_one(
    town: Town, make_person: MakePerson, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_views, "premises_of_unit", lambda _unit: town.premises[0].pk)
    both = signed_in(make_person("both", ("police", HART), ("police", PUB_WATCH)))
    before = text(both, PAGE)
    town.premises[0].schemes.add(PUB_WATCH)

    assert f'<option value="{HART}" selected>' in before
    assert '<option value="" selected>Choose</option>' in text(both, PAGE)


def test_no_exclusion_is_extended_by_an_incident(town: Town, cora: Client) -> None:
    cora.post(PAGE, typed(town))
    one = Breach.objects.get()

    assert "extended" not in text(cora, f"/breaches/{one.pk}/")
    assert 400 == act(cora, one, "extended", extended=1)
    assert "The shop is told" not in text(cora, f"/breaches/{one.pk}/")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"premises": ""}, "Choose the premises."),
        ({"happened": ""}, "Choose what it was."),
        ({"on": "2099-01-01"}, "This time has not come yet."),
        ({"at": "noon"}, "Enter a time, such as 14:30."),
    ],
)
def test_what_is_wrong_stands_beside_its_field(town: Town, cora: Client, wrong: dict[str, object], said: str) -> None:
    answer = cora.post(PAGE, typed(town, **wrong))

    assert 400 == answer.status_code
    assert said in answer.content.decode()
    assert not Breach.objects.exists()


def test_premises_and_scheme_of_others_cannot_be_chosen(
    town: Town, make_person: MakePerson, signed_in: SignedIn
) -> None:
    otto = signed_in(make_person("otto", ("co-ordinator", PUB_WATCH)))
    both = signed_in(make_person("both", ("police", HART), ("police", PUB_WATCH)))

    assert "Shop 1" not in text(otto, PAGE)
    assert 400 == otto.post(PAGE, typed(town)).status_code
    answer = both.post(PAGE, typed(town, scheme=PUB_WATCH))
    assert "This premises is not in that scheme." in answer.content.decode()
    assert not Breach.objects.exists()


def test_incident_is_closed_with_a_crime_reference_and_becomes_a_statement(
    town: Town, cora: Client, ordered: list[StatementPaper]
) -> None:
    cora.post(PAGE, typed(town))
    one = Breach.objects.get()

    assert 302 == act(cora, one, "police-informed", crime_reference="26*1", closes="on")
    assert 'value="26*1"' in text(cora, f"/breaches/{one.pk}/statement/")
    assert 200 == made(cora, one, witness="reporter", words="He took six bottles.")
    assert "He took six bottles." in ordered[0].paragraphs
    assert "00000010-7" == ordered[0].reference


def test_incident_goes_after_a_year(town: Town, cora: Client) -> None:
    cora.post(PAGE, typed(town))
    later = timezone.now() + UNKNOWN_KEPT

    assert [0, 1] == [forget_unknown(timezone.now()), forget_unknown(later)]
