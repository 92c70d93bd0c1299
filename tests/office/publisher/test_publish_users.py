"""Pages and publisher as two users who share the database by a group, as the units run them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.fleet_broker import DEADLINE_S
from tests.support.office_program import clean_environment, office, write_config

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be other users"),
]

PAGES, PUBLISHER, READERS = 64_801, 64_802, 64_803
"""Numbers of users and groups; nobody need know their names."""
WRITE: Final = "from office.audit.journal import record\nrecord(None, 'role.given')\n"


@pytest.fixture(scope="module")
def config_file() -> Iterator[Path]:
    """An office that root has set up in folders as systemd/tmpfiles.d makes them. Not in pytest's folder, for root."""
    folder = Path(tempfile.mkdtemp(prefix="watchlink-office-"))
    folder.chmod(0o755)
    for name, mode, user, group in (
        ("data", 0o2770, PAGES, PAGES),
        ("keys", 0o750, PAGES, PAGES),
        ("publisher", 0o700, PUBLISHER, PUBLISHER),
        ("snapshots", 0o2750, PUBLISHER, READERS),
    ):
        (folder / name).mkdir()
        os.chown(folder / name, user, group)
        (folder / name).chmod(mode)
    file = write_config(folder)
    file.write_text(f'database = "data/office.sqlite3"\n{file.read_text()}')
    done = office("init", "--config", file)
    assert 0 == done.returncode, done.stderr
    yield file
    shutil.rmtree(folder)


def run_as(user: int, config_file: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Python code with the office's settings, as one of the two users, with the units' umask.

    It becomes that user after its imports: this interpreter may lie where only root reads.
    """
    groups = [READERS, PAGES] if user == PUBLISHER else [READERS]
    become = f"os.setgroups({groups})\nos.setgid({user})\nos.setuid({user})\nos.umask(0o007)\n"
    imports = (
        "import os, threading, django\ndjango.setup()\nfrom django.db import connection\nconnection.cursor().close()\n"
    )
    imports += "connection.close()\nfrom office.publisher.app import Publisher\n"
    return subprocess.run(
        [sys.executable, "-c", imports + become + code],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env=clean_environment()
        | {"WATCHLINK_OFFICE_CONFIG": str(config_file), "DJANGO_SETTINGS_MODULE": "office.settings"},
    )


PUBLISH: Final = """
from office.settings import OFFICE
from runtime.logs import FactLog
from runtime.service import Service
from runtime.stop_request import StopRequest
stop = StopRequest()
publisher = Publisher(OFFICE, FactLog(), Service())
stop.set()
publisher.run(stop)
"""


def test_both_write_the_database_whoever_was_first(config_file: Path) -> None:
    for user, code in ((PUBLISHER, PUBLISH), (PAGES, WRITE), (PUBLISHER, PUBLISH), (PUBLISHER, WRITE), (PAGES, WRITE)):
        done = run_as(user, config_file, code)
        assert 0 == done.returncode, done.stderr
    folder = config_file.parent / "snapshots"
    for name in ("people-1.json", "premises-1.json"):
        status = (folder / name).stat()
        assert (PUBLISHER, READERS, 0o640) == (status.st_uid, status.st_gid, status.st_mode & 0o777)


@pytest.mark.parametrize("user", [PAGES, PUBLISHER])
def test_each_reads_its_own_keys_alone(config_file: Path, user: int) -> None:
    secrets = ("keys/ticket.key", "keys/pages.key", "keys/photographs.key")
    files = (*secrets, "keys/ticket.pub", "publisher/snapshot.key", "snapshots")
    code = f"for path in {[str(config_file.parent / file) for file in files]!r}:\n    print(os.access(path, os.R_OK))\n"
    may = [word == "True" for word in run_as(user, config_file, code).stdout.split()]

    assert may == [*([user == PAGES] * len(secrets)), True, user == PUBLISHER, True]


def test_pages_cannot_put_a_snapshot_or_end_an_alarm(config_file: Path) -> None:
    folder = config_file.parent / "snapshots"
    done = run_as(PAGES, config_file, f"open({str(folder / 'audit-alarm.txt')!r}, 'w')")

    assert "PermissionError" in done.stderr
