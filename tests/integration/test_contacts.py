"""A member's contact is told of an alert at their own premises by text message: broker to gateway as programs (C8)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from demo.stand_in_office import StandInOffice
from demo.stand_in_phones import StandInPush, StandInTexts
from provisioning.fleet import Fleet, NewNode
from tests.support.central_program import office_of, running_central
from tests.support.fleet_broker import wait_until
from tests.support.notifier_program import (
    NotifierProgram,
    fleet_beside_notifier,
    notifier_beside_central,
    write_notifier,
)
from tests.support.raw_member import Node, wait_for_link
from wire.kinds import AlertKind
from wire.snapshots import PremisesEntry, WayEntry

pytestmark = pytest.mark.integration

ASHA, BEN = "+447700900001", "+447700900002"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    nodes = [
        NewNode(name, "High St", ["hart"], office_premises=number) for name, number in (("Shop", 70), ("Bank", 71))
    ]
    with fleet_beside_notifier(tmp_path, *nodes) as fleet:
        yield fleet


@pytest.fixture
def office(fleet: Fleet) -> StandInOffice:
    """Asha Shah speaks for the shop and Ben Bond for the bank; both chose to be told of alerts."""
    office = office_of(fleet.layout.central / "central.toml")
    premises = []
    for name, number, where in (("Asha Shah", ASHA, 70), ("Ben Bond", BEN, 71)):
        account = office.add(name, "members-contact", 1).account
        office.change(account, ways=(WayEntry(way="sms", to=number),))
        premises.append(PremisesEntry(premises=where, name=name, schemes=(1,), alerts_to=(account,)))
    office.premises = tuple(premises)
    office.publish()
    return office


@pytest.fixture
def gateway() -> Iterator[StandInTexts]:
    gateway = StandInTexts()
    yield gateway
    gateway.close()


@pytest.fixture
def notifier(tmp_path: Path, push_service: StandInPush, gateway: StandInTexts) -> Iterator[NotifierProgram]:
    (tmp_path / "sms.url").write_text(gateway.url + "\n")
    config = write_notifier(tmp_path, push_service, '[sms]\ngateway_file = "sms.url"\n')
    with notifier_beside_central(config) as notifier:
        yield notifier


def test_contact_is_told_of_their_own_shop_and_nobody_of_a_silent_alert(
    fleet: Fleet, office: StandInOffice, notifier: NotifierProgram, gateway: StandInTexts
) -> None:
    assert office.premises
    with running_central(fleet.layout.central / "central.toml") as central:
        wait_for_link(central)
        shop, bank = Node(fleet, "00000010", "hart", 1), Node(fleet, "00000011", "hart", 1)

        bank.send(replace(bank.alert(7, AlertKind.ATTACK), silent=True))
        bank.wait_for_receipt(7)
        shop.send(shop.alert(7, AlertKind.ASSIST))
        shop.wait_for_receipt(7)

        wait_until(lambda: bool(gateway.texts), "a text message")
        assert [(ASHA, "Watchlink: an alert at your premises.")] == gateway.texts
        asked = {one.what for name in ("00000010-7", "00000011-7") for one in central.card(name).history}
        assert {"pressed"} == asked, "nobody counts as asked"
        assert notifier.process.poll() is None
        shop.client.close()
        bank.client.close()
