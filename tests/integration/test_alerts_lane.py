"""Alerts have a connection of their own up to central, proven, and share the other one while they have not (N8)."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from central.core.view import Acknowledge, Done, Person
from provisioning.enforcement import reload_by_pid_file
from provisioning.fleet import Fleet, NewNode
from tests.support.central_program import CentralProgram, running_central
from tests.support.fleet_broker import free_port, running_broker, wait_until
from tests.support.frozen_process import freeze
from tests.support.raw_member import Node, wait_for_link

pytestmark = [pytest.mark.integration, pytest.mark.finding(14)]

SHOP = "00000010"
PROVEN = "alerts have a connection of their own"
CCTV = Person("cctv", "Ann Jones")


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port(), web_port=free_port())
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"])])
    return fleet


@pytest.fixture
def broker_log(fleet: Fleet) -> Iterator[Path]:
    conf = fleet.layout.broker / "mosquitto.conf"
    conf.write_text(conf.read_text() + "log_type subscribe\nlog_type unsubscribe\n")
    with running_broker(conf, fleet.record.broker.port):
        yield fleet.layout.broker / "mosquitto.log"


def press(fleet: Fleet, central: CentralProgram, counter: int) -> None:
    """An alert, receipted and answered."""
    shop = Node(fleet, SHOP, "hart", 1)
    with contextlib.closing(shop.client):
        shop.send(shop.alert(counter))
        shop.wait_for_receipt(counter)
        central.card(f"{SHOP}-{counter}")
        assert Done is type(central.act(Acknowledge(f"{SHOP}-{counter}"), CCTV))
        wait_until(lambda: bool(shop.heard("/down/ack")), "the answer")


def says(central: CentralProgram, words: str) -> bool:
    return words in central.log.read_text()


def test_alert_comes_and_is_answered_by_a_connection_of_its_own(fleet: Fleet, broker_log: Path) -> None:
    """And the session that carried everything before carries no alert any more."""
    alone = fleet.layout.central / "alerts.pem"
    away = alone.rename(alone.with_suffix(".away"))
    with running_central(fleet.layout.central / "central.toml") as central:
        wait_for_link(central)
    away.rename(alone)
    with running_central(fleet.layout.central / "central.toml") as central:
        wait_until(lambda: says(central, PROVEN), "proven")
        central.wait_for_board(lambda board: board.has_alerts_lane, "the page says nothing against it")
        wait_until(
            lambda: "CN=00000001,O=services watchlink/1/scheme/+/frame/+" in broker_log.read_text(), "taken back"
        )

        press(fleet, central, 7)

        assert "u'CN=00000001-alerts,O=services'" in broker_log.read_text()
        central.wait_for_fact("committed")
        assert 1 == central.count("committed")


def test_central_without_the_certificate_goes_on_with_one_connection_and_says_so(
    fleet: Fleet, broker_log: Path
) -> None:
    (fleet.layout.central / "alerts.pem").unlink()
    with running_central(fleet.layout.central / "central.toml") as central:
        wait_for_link(central)
        press(fleet, central, 7)

        assert not central.board().has_alerts_lane
        assert says(central, "watchlink fleet renew alerts")
        assert "u'CN=00000001-alerts,O=services'" not in broker_log.read_text()


def test_broker_that_does_not_know_the_connection_loses_no_alert(fleet: Fleet) -> None:
    """It lets central subscribe and sends nothing. Told of it, it is used without a restart of central's."""
    acl, conf = fleet.layout.broker / "acl", fleet.layout.broker / "mosquitto.conf"
    before, _, after = acl.read_text().partition("user CN=00000001-alerts,O=services\n")
    acl.write_text(before + after.partition("\nuser ")[2].join(["user ", ""]))
    with (
        running_broker(conf, fleet.record.broker.port),
        running_central(fleet.layout.central / "central.toml") as central,
    ):
        wait_for_link(central)
        wait_until(lambda: says(central, "do not name the connection for alerts"), "it says so")
        press(fleet, central, 7)
        # The certificate is there, and the connection too: only a message that passes is proof.
        assert not central.board().has_alerts_lane
        fleet.enforce(reload_by_pid_file(fleet.layout.pid_file))
    with (
        running_broker(conf, fleet.record.broker.port),
        running_central(fleet.layout.central / "central.toml") as central,
    ):
        wait_until(lambda: says(central, PROVEN), "proven")
        press(fleet, central, 8)


def test_flood_that_stops_the_brokers_queue_for_alerts_is_over_when_it_is(fleet: Fleet, broker_log: Path) -> None:
    """What it dropped "in flight" filled its window for good: no press reached central until it connected anew."""
    with running_central(fleet.layout.central / "central.toml") as central:
        wait_until(lambda: says(central, PROVEN), "proven")
        thief = Node(fleet, SHOP, "hart", 1)
        with contextlib.closing(thief.client):
            topic = f"watchlink/1/scheme/hart/frame/{SHOP}"
            freeze(central.process.pid)
            try:
                for _ in range(40_000):
                    thief.client.client.publish(topic, bytes(100), qos=0)
                for _ in range(200):
                    thief.client.publish(topic, b"junk")
            finally:
                central.process.send_signal(signal.SIGCONT)
        wait_until(
            lambda: "are being dropped for client CN=00000001-alerts,O=services" in broker_log.read_text(),
            "it dropped some",
        )

        press(fleet, central, 7)

        wait_until(lambda: central.log.read_text().count(PROVEN) > 1, "proven again")
