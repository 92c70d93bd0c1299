"""The liar in the broker changes what it withholds, and the broker goes on taking what everybody says (finding 1)."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from demo.liar import OWN, Liar, Said
from provisioning.fleet import Fleet
from tests.support.fleet_broker import free_port, running_broker, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.finding(1)]

CHANGES = 100


def test_broker_refuses_nothing_while_the_liar_changes_its_mind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its rules were once read half written: a press was refused, and called lost."""
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port(), web_port=free_port())
    broker = fleet.layout.broker
    log = broker / "mosquitto.log"
    town: Any = SimpleNamespace(folder=tmp_path / "town", broker=SimpleNamespace(log=log, pid=None))
    with running_broker(broker / "mosquitto.conf", fleet.record.broker.port) as process:
        town.broker.pid = process.pid
        liar = Liar(town)
        try:
            wait_until(lambda: liar.is_up, "connected")
            for number in range(CHANGES):
                liar.withhold(f"watchlink/1/{number}", "00000010")
                liar.say(Said(f"watchlink/1/{number}", b"", None))
            wait_until(lambda: log.read_text().count(f" PUBLISH from {OWN} ") == CHANGES, "the broker has them all")
        finally:
            liar.stop()
    assert "refuses" not in caplog.text
