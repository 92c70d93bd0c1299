"""A town on a clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from provisioning import enforcement
from provisioning.fleet import Fleet, NewNode
from provisioning.office import change_keys
from runtime.broker_probe import BrokerProbe
from tests.support.fleet_broker import DEADLINE_S
from tests.support.fleet_office import Office
from tests.support.proof_broker import ProofBroker
from tests.support.release_bundles import Maker


@dataclass
class Clock:
    """Aware now; moved by hand."""

    at: datetime = datetime(2027, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """As the fleet asks it."""
        return self.at

    def pass_by(self, span: timedelta) -> None:
        """Move on."""
        self.at += span


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fleet(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """A town, whose commands go by the test's clock too: by the real one, its claims would end one day."""
    open_now = Fleet.open
    monkeypatch.setattr(Fleet, "open", lambda town, clock=clock: open_now(town, clock=clock))
    return Fleet.init(tmp_path / "town", schemes={"hart": "HART", "pubwatch": "Pub Watch"}, clock=clock)


@pytest.fixture
def broker() -> Iterator[ProofBroker]:
    """A broker that obeys, until a test tells it otherwise."""
    broker = ProofBroker()
    yield broker
    broker.close()


@pytest.fixture
def obeyed(tmp_path: Path, broker: ProofBroker, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """A fleet with a node, and that broker, which may wait for its turn for longer than a real one."""
    monkeypatch.setattr(enforcement, "BrokerProbe", partial(BrokerProbe, timeout_s=DEADLINE_S))
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=broker.port)
    fleet.add("Corner Shop", "High St", ["hart"])
    broker.obey(fleet.layout.broker)
    return fleet


@pytest.fixture
def office(fleet: Fleet, tmp_path: Path) -> Office:
    """An office that the fleet does not trust yet."""
    folder = tmp_path / "office"
    folder.mkdir()
    return Office(fleet, folder)


@pytest.fixture
def trusted(office: Office) -> Office:
    """An office whose key the directory lists."""
    change_keys(office.fleet.folder, trust=office.key.public.raw)
    return office


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "maker")


@pytest.fixture
def town(fleet: Fleet) -> Fleet:
    """With ten shops, the first 00000010."""
    fleet.add_all([NewNode(f"Shop {number}", "High St", ["hart"]) for number in range(10)])
    return fleet
