"""A phone that is let wake its owner: broker, central, notifier and push service as programs (C3, C8)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from central.core.view import Acknowledge, Done, Person
from central.net.notifier import SILENT
from central.phones import WAKES_NOBODY
from demo.stand_in_office import StandInOffice
from demo.stand_in_phones import Phone, StandInPush
from provisioning.fleet import Fleet, NewNode
from tests.support.central_program import CentralProgram, office_of, running_central
from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.notifier_program import (
    NotifierProgram,
    fleet_beside_notifier,
    notifier_beside_central,
    write_notifier,
)
from tests.support.raw_member import Node, wait_for_link
from tests.support.town_office import COOKIE
from wire.kinds import AlertKind
from wire.snapshots import PolicyEntry, Rota, ShiftEntry, StepEntry, file_name, seal_snapshot

pytestmark = pytest.mark.integration

PRIYA = Person("cctv", "Priya Shah")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with fleet_beside_notifier(tmp_path, NewNode("Corner Shop", "High St", ["hart"])) as fleet:
        yield fleet


@pytest.fixture
def office(fleet: Fleet) -> StandInOffice:
    """Nobody is ever police; Priya Shah is to be on duty, and has opened no page."""
    office = office_of(fleet.layout.central / "central.toml")
    office.add(PRIYA.name, "cctv", 1)
    office.publish()
    publish_rota(fleet, office, -60)
    return office


def publish_rota(fleet: Fleet, office: StandInOffice, *begin_min: int) -> None:
    """Priya Shah's shifts begin so many minutes from now, and last two hours."""
    now_at = datetime.now(UTC).replace(microsecond=0)
    hour = timedelta(hours=1)
    begin_at = [now_at + timedelta(minutes=minutes) for minutes in begin_min]
    account = office.account_of(PRIYA)
    steps = (StepEntry(role="police", wait_s=600), StepEntry(role="cctv", wait_s=600, ways=("push",)))
    rota = Rota(
        number=len(begin_min),
        made_at=now_at,
        audit=office.audit,
        through=now_at + 24 * hour,
        shifts=tuple(
            ShiftEntry(role="cctv", scheme=1, account=account, begins_at=at, ends_at=at + 2 * hour) for at in begin_at
        ),
        policies=(PolicyEntry(scheme=1, kinds=("attack",), version=1, steps=steps),),
    )
    file = fleet.layout.snapshots / file_name("rota", rota.number)
    file.write_bytes(seal_snapshot(rota, office.town, office.key))


@pytest.fixture
def notifier(tmp_path: Path, push_service: StandInPush) -> Iterator[NotifierProgram]:
    with notifier_beside_central(write_notifier(tmp_path, push_service)) as notifier:
        yield notifier


@contextmanager
def linked_page(fleet: Fleet) -> Iterator[tuple[CentralProgram, Page]]:
    """Central is there, and Priya Shah's browser."""
    with running_central(fleet.layout.central / "central.toml") as central:
        wait_for_link(central)
        yield central, Page(central)


class Page:
    """Priya Shah's browser at central's page."""

    def __init__(self, central: CentralProgram) -> None:
        self._central = central
        self._cookies = {COOKIE: central.office.sign_in(central.url, central.office.account_of(PRIYA))}

    def ask(self, path: str, body: object = None) -> httpx.Response:
        given: dict[str, Any] = {
            "cookies": self._cookies,
            "headers": {"x-watchlink": "1"},
            "timeout": DEADLINE_S,
        }
        if body is None:
            return httpx.get(self._central.url + path, **given)
        answer = httpx.post(self._central.url + path, json=body, **given)
        self._cookies.update(answer.cookies)
        return answer

    def warnings(self) -> list[str]:
        said: list[str] = self.ask("me.json").json()["warnings"]
        return said

    def let_wake(self, phone: Phone) -> None:
        """And tap the test."""
        wait_until(lambda: "data-key" in self.ask("phones").text, "the notifier's key")
        assert 200 == self.ask("phones/add", msgspec.to_builtins(phone.subscription)).status_code
        wait_until(lambda: bool(phone.shown), "a test on the phone")
        told = phone.shown[0].told
        assert "test" == told["occasion"]
        assert "It reached you" in self.ask(f"wake/{told['reference']}").text


def test_alert_that_nobody_sees_rings_a_phone_and_a_tap_opens_its_card(
    fleet: Fleet, office: StandInOffice, push_service: StandInPush, notifier: NotifierProgram
) -> None:
    phone = push_service.phone()
    with linked_page(fleet) as (central, page):
        page.let_wake(phone)
        assert "a test reached you" in page.ask("phones").text
        shop = Node(fleet, "00000010", "hart", 1)

        shop.send(shop.alert(7, AlertKind.ATTACK))

        shop.wait_for_receipt(7)
        wait_until(lambda: len(phone.shown) == 2, "an alert on the phone")
        told = phone.shown[1].told
        assert ("alert", []) == (told["occasion"], push_service.refused)
        assert "00000010" not in str(told)
        tapped = page.ask(f"wake/{told['reference']}")
        assert (303, "/#00000010-7") == (tapped.status_code, tapped.headers["location"])
        told_line = ("told", "Priya Shah, by phone")
        wait_until(
            lambda: told_line in [(one.what, one.text) for one in central.card("00000010-7").history],
            "the history",
        )
        assert "skipped" in [one.what for one in central.card("00000010-7").history]
        assert isinstance(central.act(Acknowledge("00000010-7"), PRIYA), Done)
        shop.client.close()


def test_shift_that_begins_is_told_once_also_when_central_is_started_anew(
    fleet: Fleet, office: StandInOffice, push_service: StandInPush, notifier: NotifierProgram
) -> None:
    phone = push_service.phone()
    with linked_page(fleet) as (central, page):
        page.let_wake(phone)
        publish_rota(fleet, office, -60, 10)

        wait_until(lambda: len(phone.shown) == 2, "a shift on the phone")
        assert {"occasion": "shift", "reference": "shift"} == phone.shown[1].told
        tapped = page.ask("wake/shift")
        assert (303, "/") == (tapped.status_code, tapped.headers["location"])
        assert [PRIYA.name] == [one.name for one in central.board().missing], "the shift of an hour ago"
    with linked_page(fleet) as (central, _):
        shop = Node(fleet, "00000010", "hart", 1)
        shop.send(shop.alert(7, AlertKind.ATTACK))
        wait_until(lambda: len(phone.shown) == 3, "an alert on the phone")
        # The notifier answers again of the shift, and sends nothing.
        wait_until(lambda: len(delivered(notifier)) >= 4, "what became of both")
        shop.client.close()
    assert ["test", "shift", "alert"] == [one.told["occasion"] for one in phone.shown]
    assert 3 == len({*delivered(notifier)})


def test_browser_that_changed_its_subscription_is_told_there_and_its_owner_reads_of_it_meanwhile(
    fleet: Fleet, office: StandInOffice, push_service: StandInPush, notifier: NotifierProgram
) -> None:
    before, after = push_service.phone(), push_service.phone()
    with linked_page(fleet) as (central, page):
        page.let_wake(before)
        assert WAKES_NOBODY not in page.warnings()
        shop = Node(fleet, "00000010", "hart", 1)

        before.answer = 410
        shop.send(shop.alert(7, AlertKind.ATTACK))
        wait_until(lambda: WAKES_NOBODY in page.warnings(), "the owner is told")
        wait_until(
            lambda: "not-told" in [one.what for one in central.card("00000010-7").history], "nobody counts as told"
        )
        assert before.subscription.endpoint == page.ask("phones/mine").json()["endpoint"]
        assert 200 == page.ask("phones/renew", msgspec.to_builtins(after.subscription)).status_code
        wait_until(lambda: bool(after.shown), "a test on the phone")
        assert WAKES_NOBODY in page.warnings(), "before the tap"
        assert "It reached you" in page.ask(f"wake/{after.shown[0].told['reference']}").text

        assert WAKES_NOBODY not in page.warnings()
        wait_until(lambda: "alert" in [one.told["occasion"] for one in after.shown], "the alert on the phone")
        shop.client.close()


def delivered(notifier: NotifierProgram) -> list[str]:
    return [fact["request"] for fact in [*notifier.facts] if fact["fact"] == "delivered"]


def test_dead_notifier_is_told_and_costs_no_receipt(
    fleet: Fleet, office: StandInOffice, push_service: StandInPush, notifier: NotifierProgram
) -> None:
    with linked_page(fleet) as (central, page):
        page.let_wake(push_service.phone())
        assert SILENT not in page.warnings()
        notifier.kill()
        wait_until(lambda: SILENT in page.warnings(), "the operator is told")
        shop = Node(fleet, "00000010", "hart", 1)

        shop.send(shop.alert(7, AlertKind.ATTACK))

        shop.wait_for_receipt(7)
        wait_until(
            lambda: "nobody" in [one.what for one in central.card("00000010-7").history],
            "nobody counts as asked",
        )
        shop.client.close()
        with notifier_beside_central(notifier.config):
            wait_until(lambda: SILENT not in page.warnings(), "the fault is over")
