"""A shop without network for sixty days, and a pub closed for a year, on a clock that libfaketime moves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioning.certificates import issue_client_certificate
from provisioning.enrolment import open_enrolment
from provisioning.fleet import Fleet, NewNode
from runtime.broker_probe import Verdict
from tests.integration.test_certificate_renewal import in_place, seen
from tests.integration.test_wrong_clocks import FakedClock
from tests.support.central_program import running_central
from tests.support.enrolling_town import HOST, EnrollingTown, running_service
from tests.support.fleet_broker import free_port
from tests.support.mosquitto import Mosquitto
from tests.support.node_process import NodeProcess
from tests.support.node_town import SHOP
from tests.support.pairs import write_pair
from wire.subjects import NODES

pytestmark = pytest.mark.integration

DAY = timedelta(days=1)


@dataclass
class PassingTown:
    """A town whose programs, once they are started, go by a clock that a test moves. The test's own does not move."""

    enrolling: EnrollingTown
    broker: Mosquitto
    clock: FakedClock
    passed: timedelta = timedelta()

    @property
    def fleet(self) -> Fleet:
        """On that clock."""
        return Fleet.open(self.enrolling.fleet.layout.town, clock=self.now)

    @property
    def central(self) -> Path:
        return self.fleet.layout.central / "central.toml"

    def now(self) -> datetime:
        return datetime.now(UTC) + self.passed

    def pass_by(self, span: timedelta) -> None:
        self.passed += span
        self.clock.set(int(self.passed.total_seconds()))

    def renew_crl(self) -> None:
        """As its timer does, every day."""
        run("fleet", "renew-crl", "--dir", str(self.fleet.layout.town))


def run(*words: str) -> None:
    """A command of ``watchlink``, which ends well."""
    done = subprocess.run([sys.executable, "-m", "watchlink.cli", *words], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PassingTown]:
    """With one shop, and a broker that runs."""
    clock, port = FakedClock(tmp_path / "clock", 0), free_port()
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=port, web_port=free_port())
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"], profile="fake")])
    enrolling = EnrollingTown.of(fleet, free_port())
    for name, value in clock.env.items():
        monkeypatch.setenv(name, value)
    broker = Mosquitto(fleet.layout.broker / "mosquitto.conf", port)
    broker.start()
    yield PassingTown(enrolling, broker, clock)
    broker.stop()


def test_shop_without_network_for_sixty_days_and_pub_closed_for_a_year_come_back(town: PassingTown) -> None:
    """Each with a certificate that has ended meanwhile, and nobody goes there."""
    folder = town.fleet.node_folder(SHOP)
    write_pair(folder, issue_client_certificate(town.fleet.folder.issuer(NODES), SHOP, now=town.now() - 40 * DAY))
    config = folder / "node.toml"
    with running_service(town.enrolling) as service, running_central(town.central):
        with config.open("a") as file:
            file.write(f'[enrolment]\nhost = "{HOST}"\nport = {service.port}\n[clock]\nproof = "machine"\n')
        with NodeProcess(folder) as shop:
            shop.press("assist")
            shop.wait_for_fact("receipt")
            town.broker.stop()
            town.pass_by(60 * DAY)
            shop.press("assist")
            shop.wait_for_face("undelivered")
            town.broker.start()
            town.renew_crl()
            assert seen(town.fleet, in_place(folder)) is Verdict.REFUSED

            run("node", "renew", "--config", str(config))
            shop.wait_for_fact("receipt", 2)
    ends_at = in_place(folder).expires_at
    assert ends_at > town.now() + 89 * DAY

    town.broker.stop()
    town.pass_by(ends_at - town.now() + 364 * DAY)
    for who in ("broker", "central", "alerts"):
        town.fleet.renew(who)
    open_enrolment(town.fleet.folder, [HOST])
    town.broker.start()
    town.renew_crl()
    with running_service(town.enrolling), running_central(town.central):
        run("node", "renew", "--config", str(config))
        with NodeProcess(folder) as pub:
            pub.press("attack")
            pub.wait_for_fact("receipt")
