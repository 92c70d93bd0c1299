"""Printing a notice: what is ordered, who may, what is recorded. A stand-in for the program that draws answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from office.accounts.models import Scheme
from office.audit.models import AuditRow
from office.exclusions import acts
from office.exclusions.models import Case, Notice, SchemeTerms
from office.exclusions.rules.period import day_of
from office.papers import line, views
from office.papers.asking import pdf_of
from office.papers.orders import ORDER_BYTES_MAX, NoticePaper, Order
from office.people.intake_process import Picture
from office.people.intake_terms import Box
from office.people.models import Individual
from office.people.photographs import add_photograph, keep_crop, show_photograph
from office.people.sealing import sealing
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.people.conftest import WHOLE, taken
from tests.office.test_faults import failing
from tests.support.fleet_broker import DEADLINE_S


class Printer:
    """Answers each order with ``%PDF-`` and its reference, or as planted, and remembers it."""

    def __init__(self, socket_file: Path) -> None:
        self.orders: list[Any] = []
        self.refusal = ""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(socket_file))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(DEADLINE_S)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                asking, _ = self._listener.accept()
            except OSError:
                return
            with asking:
                ends_s = time.monotonic() + DEADLINE_S
                _, data = line.receive(asking, line.ORDER, ORDER_BYTES_MAX, ends_s)
                order = msgspec.json.decode(data, type=Order)
                self.orders.append(order)
                named = order.reference if isinstance(order, NoticePaper) else order.scheme
                answer = self.refusal.encode() or b"%PDF-" + named.encode()
                line.send(asking, line.REFUSAL if self.refusal else line.PDF, answer, ends_s)


@pytest.fixture
def printer(tmp_path: Path, settings: Settings) -> Iterator[Printer]:
    settings.PAPERS_SOCKET = tmp_path / "papers.sock"
    running = Printer(settings.PAPERS_SOCKET)
    yield running
    running.close()


@pytest.fixture
def town(schemes: dict[int, Scheme]) -> Town:
    return Town(schemes)


@pytest.fixture
def notice(town: Town) -> Notice:
    return town.case("served").notices.get()


def address(notice: Notice) -> str:
    return reverse("notice-pdf", kwargs={"number": notice.pk})


def actions(*names: str) -> list[str]:
    return list(AuditRow.objects.filter(action__in=names).values_list("action", flat=True))


def test_co_ordinator_prints_a_notice_that_names_nobody_in_its_file_name(
    town: Town, notice: Notice, printer: Printer, signed_in: SignedIn
) -> None:
    answer = signed_in(town.cora).get(address(notice))

    assert (200, b"%PDF-HART-0001") == (answer.status_code, answer.content)
    assert "application/pdf" == answer.headers["Content-Type"]
    assert 'attachment; filename="HART-0001-version-1.pdf"' == answer.headers["Content-Disposition"]
    assert "no-store" == answer.headers["Cache-Control"]
    assert ["notice.printed"] == actions("notice.printed")
    assert not [row for row in AuditRow.objects.all() if "Nobody" in str(row.details)]


def test_order_says_what_the_notice_and_the_terms_say(
    town: Town, notice: Notice, printer: Printer, signed_in: SignedIn
) -> None:
    SchemeTerms.objects.update(paper_title="Exclusion order", responsible="The BID", contact="Ring us")
    signed_in(town.cora).get(address(notice), {"size": "pocket"})
    case, order = notice.case, printer.orders[0]

    assert ("HART", "Exclusion order", "HART-0001") == (order.scheme, order.title, order.reference)
    assert ("Nobody Atall", "Theft", case.conduct) == (order.name, order.category, order.conduct)
    assert (notice.first_on, notice.last_on) == (order.first_on, order.last_on)
    assert not order.is_regional
    assert (day_of(timezone.now()), case.number) == (order.decided_on, order.case_number)
    assert ("The BID", "Ring us", "", True) == (
        order.responsible,
        order.contact,
        order.standing,
        order.is_pocket_size,
    )
    assert ["Shop 1", "Shop 2", "Shop 3", "Shop 4"] == [one.name for one in order.premises]


def test_premises_are_those_of_the_version_however_the_list_has_changed(
    town: Town, notice: Notice, printer: Printer, signed_in: SignedIn
) -> None:
    town.premises[0].name = "Renamed"
    town.premises[0].save()
    town.premises[1].schemes.clear()
    signed_in(town.cora).get(address(notice))

    assert ["Shop 1", "Shop 2", "Shop 3", "Shop 4"] == [one.name for one in printer.orders[0].premises]


def test_notice_that_names_a_premises_that_has_left_is_a_copy_for_the_file(
    town: Town, notice: Notice, printer: Printer, make_person: MakePerson, signed_in: SignedIn
) -> None:
    """Nobody is told on paper to stay out of where they are not excluded from."""
    browser = signed_in(town.cora)
    town.add_member("Shop 5", make_person("contact5", ("members-contact", HART)))
    browser.get(address(notice))
    town.premises[1].schemes.clear()
    browser.get(address(notice))
    acts.reissue(town.turn(notice.case), "The list has changed.")
    browser.get(address(Notice.objects.latest("pk")))
    before, after, again = printer.orders

    assert "no longer covers every premises named here" in after.standing
    assert (before.standing, again.standing) == ("", "")


def test_list_that_changes_while_a_notice_prints_changes_the_next_version(
    town: Town, notice: Notice, printer: Printer, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def order_while_the_list_changes(order: Order, socket_file: Path) -> bytes:
        town.premises[0].name = "Renamed"
        town.premises[0].save()
        town.premises[1].schemes.clear()
        acts.reissue(town.turn(notice.case), "The list has changed.")
        return pdf_of(order, socket_file)

    browser = signed_in(town.cora)
    with monkeypatch.context() as changing:
        changing.setattr(views, "pdf_of", order_while_the_list_changes)
        answer = browser.get(address(notice))
    browser.get(address(Notice.objects.latest("pk")))
    browser.get(address(notice))
    first, second, again = printer.orders

    assert 'attachment; filename="HART-0001-version-1.pdf"' == answer.headers["Content-Disposition"]
    assert ["Shop 1", "Shop 2", "Shop 3", "Shop 4"] == [one.name for one in first.premises]
    assert ["Renamed", "Shop 3", "Shop 4"] == [one.name for one in second.premises]
    assert (1, 2) == (first.version, second.version)
    assert first.premises == again.premises
    assert "Version 2 has replaced it." in again.standing
    printed = AuditRow.objects.filter(action="notice.printed").order_by("sequence")
    assert [1, 2, 1] == [msgspec.json.decode(row.details)["version"] for row in printed]


def test_notice_is_not_handed_out_if_the_database_cannot_say_who_printed_it(
    town: Town, notice: Notice, printer: Printer, signed_in: SignedIn
) -> None:
    browser = signed_in(town.cora)
    browser.raise_request_exception = False
    with failing(OperationalError("database or disk is full"), 'INSERT INTO "audit_auditrow"'):
        answer = browser.get(address(notice))

    assert (503, 1) == (answer.status_code, len(printer.orders))
    assert b"did not answer. Try again" in answer.content
    assert [] == actions("notice.printed")


def test_pcso_prints_what_is_in_force_and_nothing_that_is_over(
    town: Town, notice: Notice, printer: Printer, make_person: MakePerson, signed_in: SignedIn
) -> None:
    browser = signed_in(make_person("pat", ("pcso", HART)))

    assert 200 == browser.get(address(notice)).status_code
    acts.revoke(town.turn(notice.case), "It was another person.")
    assert 404 == browser.get(address(notice)).status_code


@pytest.mark.parametrize("grant", [("police", HART), ("members-contact", HART), ("co-ordinator", PUB_WATCH)])
def test_nobody_else_prints_it_and_that_they_tried_is_recorded(
    notice: Notice, printer: Printer, make_person: MakePerson, signed_in: SignedIn, grant: tuple[str, int]
) -> None:
    answer = signed_in(make_person("other", grant)).get(address(notice))

    assert (404, []) == (answer.status_code, printer.orders)
    assert [] == actions("notice.printed")
    assert (["notice.not-found"] if grant[0] == "co-ordinator" else []) == actions("notice.not-found")


def test_notice_of_an_erased_person_is_gone(town: Town, notice: Notice, printer: Printer, signed_in: SignedIn) -> None:
    Individual.objects.update(erased_at=timezone.now(), name="")

    assert 404 == signed_in(town.cora).get(address(notice)).status_code


def test_copies_that_are_no_notice_say_so(town: Town, notice: Notice, printer: Printer, signed_in: SignedIn) -> None:
    browser, case = signed_in(town.cora), notice.case
    acts.shorten(town.turn(case), day_of(timezone.now()) + timedelta(days=10), "Less is enough.")
    browser.get(address(notice))
    newer = acts.reissue(town.turn(case), "Shorter.")
    browser.get(address(notice))
    browser.get(address(newer))
    acts.revoke(town.turn(Case.objects.get()), "It was another person.")
    browser.get(address(newer))

    now_ends, replaced, valid, over = (order.standing for order in printer.orders)
    assert "This exclusion now ends with" in now_ends
    assert "Version 2 has replaced it." in replaced
    assert "" == valid
    assert "This exclusion is over: revoked." in over


@pytest.mark.parametrize("field", ["responsible", "contact"])
def test_notice_without_what_must_be_said_is_not_ordered(
    town: Town, notice: Notice, printer: Printer, signed_in: SignedIn, field: str
) -> None:
    SchemeTerms.objects.update(**{field: ""})
    answer = signed_in(town.cora).get(address(notice))

    assert (409, []) == (answer.status_code, printer.orders)
    assert b"in the scheme&#x27;s terms" in answer.content


def test_notice_without_a_premises_is_not_ordered(
    town: Town, notice: Notice, printer: Printer, signed_in: SignedIn
) -> None:
    Notice.objects.update(premises=[])
    answer = signed_in(town.cora).get(address(notice))

    assert (409, []) == (answer.status_code, printer.orders)
    assert b"names no premises" in answer.content


def test_page_says_why_there_is_no_pdf_and_what_to_do(
    town: Town, notice: Notice, printer: Printer, signed_in: SignedIn
) -> None:
    printer.refusal = "It took too long to make this PDF."
    answer = signed_in(town.cora).get(address(notice), {"size": "pocket"})

    assert 503 == answer.status_code
    assert b"took too long" in answer.content
    assert f'href="{address(notice)}?size=pocket"'.encode() in answer.content
    assert [] == actions("notice.printed")


def test_page_says_that_the_program_is_not_there(town: Town, notice: Notice, signed_in: SignedIn) -> None:
    answer = signed_in(town.cora).get(address(notice))

    assert 503 == answer.status_code
    assert b"does not answer" in answer.content


def test_case_page_leads_to_the_papers(town: Town, notice: Notice, signed_in: SignedIn) -> None:
    page = signed_in(town.cora).get(reverse("case", kwargs={"number": notice.case_id})).content

    assert f'href="{address(notice)}"'.encode() in page
    assert f'href="{address(notice)}?size=pocket"'.encode() in page


def with_photograph(town: Town, name: str) -> None:
    """The person of the only case has this name, and a photograph that readers are shown."""
    individual = Individual.objects.get()
    individual.name = name
    individual.save()
    added = add_photograph(town.cora, individual, taken(), source="Camera 4", taken_on=None)
    face = Picture(480, 640, WHOLE)
    keep_crop(town.cora, added, Box(0, 0, 480, 640), (face, face))
    show_photograph(town.cora, added)


def test_photograph_is_printed_for_who_has_no_name_and_for_nobody_else(
    town: Town, notice: Notice, printer: Printer, signed_in: SignedIn
) -> None:
    browser = signed_in(town.cora)
    with_photograph(town, "\u200b")
    browser.get(address(notice))
    browser.get(address(notice), {"size": "pocket"})
    Individual.objects.update(name="Nobody Atall")
    browser.get(address(notice))
    unknown, pocket, known = (order.photograph for order in printer.orders)

    assert unknown.startswith(b"\xff\xd8\xff")
    assert WHOLE != unknown
    assert (b"", b"") == (pocket, known)


def test_notice_is_not_printed_without_its_photograph(
    town: Town, notice: Notice, printer: Printer, signed_in: SignedIn
) -> None:
    with_photograph(town, "")
    for file in sealing().files():
        sealing().remove_file(file.name)
    answer = signed_in(town.cora).get(address(notice))

    assert (503, []) == (answer.status_code, printer.orders)
    assert b"photograph of this person cannot be opened" in answer.content


def test_meeting_list_has_what_waits_for_a_vote_and_says_nobody(
    town: Town, printer: Printer, signed_in: SignedIn
) -> None:
    town.case("served")
    voting, checked = town.case("voting"), town.case("checked")
    town.case("nominated")
    answer = signed_in(town.cora).get(reverse("meeting-pdf", kwargs={"scheme": "hart"}))
    order = printer.orders[0]

    assert (200, b"%PDF-HART") == (answer.status_code, answer.content)
    assert [voting.number, checked.number] == [one.number for one in order.cases]
    assert (6, 6, 12, False) == (
        order.cases[0].months,
        order.cases[0].tariff_first,
        order.cases[0].tariff_again,
        order.cases[0].is_minor,
    )
    written = msgspec.json.encode(order)
    for individual in Individual.objects.all():
        assert individual.name.encode() not in written
        assert individual.reference.encode() not in written
    assert ["meeting-list.printed"] == actions("meeting-list.printed")


def test_meeting_without_a_case_prints_no_list(town: Town, printer: Printer, signed_in: SignedIn) -> None:
    town.case("nominated")
    answer = signed_in(town.cora).get(reverse("meeting-pdf", kwargs={"scheme": "hart"}))

    assert (409, []) == (answer.status_code, printer.orders)
    assert b"No case waits" in answer.content


def test_meeting_page_leads_to_its_list(town: Town, signed_in: SignedIn) -> None:
    page = signed_in(town.cora).get(reverse("meeting")).content

    assert b'href="/papers/meeting/hart/"' in page
    assert b"/papers/meeting/pubwatch/" not in page
