"""A town whose service runs, for all tests of this folder; each takes numbers of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from node.enrol.command import FOLDER, Standing, enrol
from tests.support.enrolling_town import FIRST, EnrollingTown, open_claim
from tests.support.enrolment_thread import ServiceThread, service_thread
from wire.seed import SEED_FILE, Seed, encode_seed

NUMBERS = count(FIRST)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceThread]:
    town = EnrollingTown.found(tmp_path_factory.mktemp("enrolling") / "ä town")
    town.claim(*(open_claim(number) for number in range(FIRST, FIRST + 150)))
    with service_thread(town) as running:
        yield running


@dataclass
class Unit:
    """A new unit, with a seed on its card."""

    folder: Path
    seed: Seed
    told: list[Standing] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def seed_file(self) -> Path:
        return self.folder / SEED_FILE

    @property
    def config(self) -> Path:
        return self.folder / "node.toml"

    @property
    def staging(self) -> Path:
        return self.folder / FOLDER

    def put_seed(self, seed: Seed | None = None) -> None:
        """Somebody puts a card in."""
        self.seed_file.write_bytes(encode_seed(seed or self.seed))

    def enrol(self) -> int:
        """Once."""

        def wait(seconds: float) -> bool:
            self.waits.append(seconds)
            return True

        return enrol(self.seed_file, self.config, "1.0", tell=self.told.append, wait=wait)

    def files(self) -> dict[str, bytes]:
        """Everything in its folder, but the card's seed."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir()) if path.is_file()}


def new_unit(folder: Path, service: ServiceThread) -> Unit:
    """The next one."""
    folder.mkdir()
    unit = Unit(folder, service.town.seed(service.port, next(NUMBERS)))
    unit.put_seed()
    return unit


@pytest.fixture
def unit(tmp_path: Path, service: ServiceThread) -> Unit:
    return new_unit(tmp_path / "unit", service)
