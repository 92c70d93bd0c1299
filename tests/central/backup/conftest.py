from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import Struct
from pyrage import x25519

from central.backup.making import Made, back_up
from central.config import Configuration, load_configuration
from central.core.view import StartDuty
from central.signin.session import Session
from central.store.database import Database
from central.store.sessions import SessionTable
from provisioning.fleet import Fleet
from runtime.backup_file import new_identity
from tests.support.central_town import JONES, START, Town

SESSION = Session(
    digest="a" * 64,
    account=8,
    name="Ann Jones",
    generation=1,
    way="office",
    began_at=START,
    expires_at=START + timedelta(hours=12),
)


class Kept(Struct):
    """A central that may run, its people's key, and the folder of its backups."""

    configuration: Configuration
    identity: x25519.Identity
    folder: Path
    database: Database
    town: Town

    @property
    def file(self) -> Path:
        """Of the database."""
        assert self.configuration.database.database
        return Path(self.configuration.database.database)

    def back_up(self, hours: float = 0) -> Made:
        return back_up(self.configuration, self.folder, START + timedelta(hours=hours), "0.1.0")

    def press(self, counter: int) -> None:
        """One more alert on the disk."""
        before = len(self.town.disk)
        self.town.press(counter)
        self.database.commit(self.town.disk[before:])

    def lose(self) -> None:
        """The machine is gone: nothing is left but what the fleet made."""
        self.database.close()
        for path in self.file.parent.iterdir():
            path.unlink()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """With an alert, somebody on duty, and a sign-in."""
    config = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=1).layout.central / "central.toml"
    identity = new_identity()
    folder = tmp_path / "backups"
    folder.mkdir()
    with config.open("a") as file:
        file.write(f'\n[backup]\nrecipients = ["{identity.to_public()}"]\nfolder = "{folder}"\nkeep = 3\n')
    configuration = load_configuration(config)
    database = Database(configuration.database)
    database.open()
    town = Town()
    town.act(StartDuty(), JONES)
    database.commit(town.disk)
    central = Kept(configuration, identity, folder, database, town)
    central.press(7)
    database.reserve_counters(10)
    sessions = SessionTable(database)
    sessions.begin(SESSION, None, START)
    sessions.close()
    yield central
    database.close()
