"""The liar in the broker changes what it withholds, and the broker goes on taking what everybody says (finding 1)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from demo.liar import OWN, Liar, Said
from provisioning.fleet import Fleet
from tests.support.fleet_broker import DEADLINE_S, free_port, listening, running_broker, wait_until
from tests.support.frozen_process import freeze

pytestmark = [pytest.mark.integration, pytest.mark.finding(1)]

CHANGES = 100
SHOP = "00000010"


@contextlib.contextmanager
def lying(fleet: Fleet) -> Iterator[tuple[Liar, subprocess.Popen[bytes]]]:
    """The liar at a broker, and that."""
    log = fleet.layout.broker / "mosquitto.log"
    town: Any = SimpleNamespace(folder=fleet.layout.town, broker=SimpleNamespace(log=log, pid=None))
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port) as process:
        town.broker.pid = process.pid
        liar = Liar(town)
        try:
            wait_until(lambda: liar.is_up, "connected")
            yield liar, process
        finally:
            liar.stop()


def test_broker_refuses_nothing_while_the_liar_changes_its_mind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its rules were once read half written: a press was refused, and called lost."""
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port(), web_port=free_port())
    log = fleet.layout.broker / "mosquitto.log"
    with lying(fleet) as (liar, _):
        for number in range(CHANGES):
            liar.withhold(f"watchlink/1/{number}", SHOP)
            liar.say(Said(f"watchlink/1/{number}", b"", None))
        wait_until(lambda: log.read_text().count(f" PUBLISH from {OWN} ") == CHANGES, "the broker has them all")
    assert "refuses" not in caplog.text


def test_what_is_withheld_is_withheld_once_the_broker_is_seen_to_obey(tmp_path: Path) -> None:
    """It may stand still for longer than anybody would sleep, and may lose an order among others."""
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port(), web_port=free_port())
    fleet.add("Corner Shop", "High St", ["hart"])
    topic, other = (f"watchlink/1/node/{SHOP}/down/{channel}" for channel in ("receipt", "ack"))
    with lying(fleet) as (liar, broker), listening(fleet.record.broker.port, fleet.node_folder(SHOP)) as shop:
        for each in (topic, other):
            shop.subscribe(each)
        for number in range(CHANGES):
            liar.withhold(f"watchlink/1/{number}", SHOP)
        freeze(broker.pid)
        liar.withhold(topic, SHOP)
        with ThreadPoolExecutor(1) as waiting:
            obeyed = waiting.submit(asyncio.run, liar.until_obeyed())
            is_too_soon = bool(wait([obeyed], 1.0).done)
            broker.send_signal(signal.SIGCONT)
            obeyed.result(DEADLINE_S)
        for each in (topic, other):
            liar.say(Said(each, each.encode(), None))
        shop.wait_for(other.encode())

    assert not is_too_soon
    assert [other] == [one for one, _ in shop.received]
