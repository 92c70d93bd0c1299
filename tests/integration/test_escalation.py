"""C3: the real central, its disk and Mosquitto: who is asked, across a kill and with the office gone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.core.view import Acknowledge, Card, Done, Person, StartDuty
from demo.stand_in_office import StandInOffice
from provisioning.fleet import Fleet
from tests.support.central_program import CentralProgram, running_central
from tests.support.fleet_broker import free_port, running_broker, wait_until
from tests.support.raw_member import Node, wait_for_link
from wire.messages import IncidentState, decode_message
from wire.snapshots import PolicyEntry, Rota, ShiftEntry, StepEntry, file_name, seal_snapshot

pytestmark = pytest.mark.integration

CCTV = Person("cctv", "Ann Jones")
STEPS = (StepEntry(role="pcso", wait_s=15), StepEntry(role="cctv", wait_s=3_600))
POLICY = PolicyEntry(scheme=1, kinds=("assist",), version=1, steps=STEPS)
PRESS = "00000010-7"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port(), web_port=free_port())
    fleet.add("Corner Shop", "High St", ["hart"])
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port):
        yield fleet


@pytest.fixture
def shop(fleet: Fleet) -> Iterator[Node]:
    node = Node(fleet, "00000010", "hart", 1)
    with contextlib.closing(node.client):
        yield node


def publish(office: StandInOffice, account: int) -> Path:
    """The rota: this person's next shift begins in an hour."""
    now_at = datetime.now(UTC)
    shift = ShiftEntry(
        role="cctv",
        scheme=1,
        account=account,
        begins_at=now_at + timedelta(hours=1),
        ends_at=now_at + timedelta(hours=9),
    )
    rota = Rota(
        number=1, made_at=now_at, audit=office.audit, through=shift.ends_at, shifts=(shift,), policies=(POLICY,)
    )
    assert office.folder is not None
    path = office.folder / file_name("rota", 1)
    path.write_bytes(seal_snapshot(rota, office.town, office.key))
    return path


def asked(central: CentralProgram) -> Card:
    """The card, once somebody is asked about it, or NOBODY is."""
    wait_until(lambda: bool(central.card(PRESS).asking), "a step")
    return central.card(PRESS)


def test_alert_is_asked_about_across_a_kill_with_the_office_gone(fleet: Fleet, shop: Node) -> None:
    config = fleet.layout.central / "central.toml"
    with running_central(config) as central:
        wait_for_link(central)
        published = publish(central.office, central.office.account_of(CCTV))
        wait_until(lambda: bool(central.board().next_shifts), "the rota")
        assert ["Ann Jones"] == [one.name for one in central.board().next_shifts]
        shop.send(shop.alert(7))
        shop.wait_for_receipt(7)

        assert [""] == [one.role for one in asked(central).asking], "NOBODY: nobody is on duty"
        assert central.wait_for_fact("nobody", scheme="1")

        assert Done is type(central.act(StartDuty("page"), CCTV))
        wait_until(lambda: [one.role for one in central.card(PRESS).asking] == ["cctv"], "a step with somebody")
        step = central.card(PRESS).asking
        # Central's page has it before the broker has brought it.
        wait_until(lambda: len(shop.heard("/incident")) >= 3, "the shop hears who is asked")
        states = [decode_message(payload, IncidentState) for payload in shop.heard("/incident")]
        assert [None, None, "cctv"] == [one.asked.role if one.asked else None for one in states]
        central.kill()

    published.unlink()
    with running_central(config) as central:
        wait_for_link(central)
        assert step == central.card(PRESS).asking, "at the same step, since when it began"
        assert ["Ann Jones"] == [one.name for one in central.board().next_shifts], "the last good rota"
        assert 0 == central.count("asked"), "nobody is asked twice"

        assert Done is type(central.act(Acknowledge(PRESS, "assist"), CCTV))
        assert () == central.card(PRESS).asking
        told = [(line.what, line.text) for line in central.card(PRESS).history]
    assert ("asked", "CCTV control room: Ann Jones") in told
    assert ("nobody", "PCSO on duty, CCTV control room") in told
