"""``watchlink office publish`` as it runs: on a real database, killed, refused, alarmed."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.office_program import clean_environment, in_office, office, write_config
from wire.signing import PublicKey, SigningKey
from wire.snapshots import People, Town, open_snapshot, parse_file_name

pytestmark = pytest.mark.integration

RSS_MAX_MB: Final = 70
"""At start."""
KILLS: Final = 8


class Program:
    """A running publisher; its facts are read as they come."""

    def __init__(self, config_file: Path) -> None:
        self.errors = config_file.parent / "publish.log"
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "watchlink.cli", "office", "publish", "--config", str(config_file)],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=clean_environment(),
            )

    def fact(self, of: str, /, **fields: object) -> dict[str, Any]:
        """The next fact of this name, with these fields."""
        assert self.process.stdout
        give_up = threading.Timer(DEADLINE_S, self.process.kill)
        give_up.start()
        try:
            for line in self.process.stdout:
                fact: dict[str, Any] = json.loads(line)
                if fact["fact"] == of and fields.items() <= fact.items():
                    return fact
        finally:
            give_up.cancel()
        raise AssertionError(f"no fact {of} in time: {self.errors.read_text()}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status."""
        self.process.send_signal(how)
        self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode


@pytest.fixture
def publish(office_file: Path) -> Iterator[Callable[[], Program]]:
    started: list[Program] = []

    def start() -> Program:
        started.append(Program(office_file))
        return started[-1]

    yield start
    for program in started:
        if program.process.poll() is None:
            program.stop(signal.SIGKILL)
        assert program.process.stdout
        program.process.stdout.close()


def add_account(config_file: Path, username: str) -> None:
    """By another process, as the pages do."""
    with sqlite3.connect(config_file.parent / "office.sqlite3", timeout=60) as database:
        database.execute(
            "INSERT INTO accounts_account (password, username, name, email, generation, is_active, created_at)"
            " VALUES ('', ?, ?, '', 1, 1, '2026-11-27 12:00:00')",
            (username, username),
        )
    database.close()


def snapshots(config_file: Path) -> list[tuple[int, Path]]:
    """Published files of people by number."""
    found = []
    for path in (config_file.parent / "snapshots").iterdir():
        parsed = parse_file_name(path.name)
        if parsed is not None and parsed[0] == "people":
            found.append((parsed[1], path))
    return sorted(found)


def usernames(config_file: Path) -> list[str]:
    folder = config_file.parent
    key = PublicKey(bytes.fromhex((folder / "publisher/snapshot.pub").read_text()))
    town = Town(PublicKey(bytes.fromhex((folder / "authority.pub").read_text())))
    _, path = snapshots(config_file)[-1]
    return [person.username for person in open_snapshot(path.read_bytes(), People, town, (key,)).people]


def test_change_by_another_program_is_published(office_file: Path, publish: Callable[[], Program]) -> None:
    program = publish()
    first = program.fact("snapshot_published", name="people")["number"]
    add_account(office_file, "jo")

    assert first + 1 == program.fact("snapshot_published", name="people")["number"]
    assert ["jo"] == usernames(office_file)
    assert 0 == program.stop()


def test_galleries_are_published_with_a_key_of_the_publishers_own_and_not_again_at_a_restart(
    office_file: Path, publish: Callable[[], Program]
) -> None:
    for _ in range(2):
        program = publish()
        program.fact("publishing", fault="", alarm="")
        assert 0 == program.stop()
    folder = office_file.parent
    files = sorted((folder / "snapshots").glob("gallery-1-*"))

    assert ["gallery-1-1.holders", "gallery-1-1.json", "gallery-1-1.lines"] == [file.name for file in files]
    assert {0o640} == {file.stat().st_mode & 0o777 for file in files}
    assert 0o600 == (folder / "publisher/gallery.key").stat().st_mode & 0o777


def test_publisher_is_small_at_start(office_file: Path, publish: Callable[[], Program]) -> None:
    program = publish()
    program.fact("publishing", fault="", alarm="")
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    rss_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    assert rss_kb < RSS_MAX_MB * 1_000


def test_publisher_killed_at_any_moment_leaves_whole_files_and_used_numbers_behind(
    office_file: Path, publish: Callable[[], Program]
) -> None:
    chance = random.Random(9)
    seen: dict[int, bytes] = {}
    for round_number in range(KILLS):
        program = publish()
        program.fact("snapshot_published", name="people")
        for number in range(chance.randrange(4)):
            add_account(office_file, f"person-{round_number}-{number}")
        wait_until(lambda: chance.random() < 0.05, "a moment of chance")
        program.stop(signal.SIGKILL)
        usernames(office_file)  # the newest is whole, signed, and its number is the highest
        there = {number: path.read_bytes() for number, path in snapshots(office_file)}

        assert max(there) >= max(seen, default=0)
        assert {number: data for number, data in there.items() if number in seen} == {
            number: data for number, data in seen.items() if number in there
        }
        seen |= there


def test_restored_database_raises_the_alarm_and_is_settled_by_the_command(
    office_file: Path, publish: Callable[[], Program]
) -> None:
    folder = office_file.parent
    before = sqlite3.connect(folder / "office.sqlite3")
    backup = sqlite3.connect(folder / "backup.sqlite3")
    before.backup(backup)
    in_office(office_file, "from office.audit.journal import record\nrecord(None, 'role.given')\n")
    program = publish()
    program.fact("snapshot_published", name="people")
    program.stop()
    backup.backup(before)
    before.close()
    backup.close()
    program = publish()

    assert "The end of the audit was cut" in program.fact("publishing")["alarm"]
    assert "was cut" in (folder / "snapshots/audit-alarm.txt").read_text()
    verified = office("audit", "verify", "--config", office_file)
    assert (1, True) == (verified.returncode, "The end of the audit was cut" in verified.stdout)

    assert 0 == office("audit", "restored", "--config", office_file).returncode
    assert "" == program.fact("publishing", alarm="")["alarm"]
    assert 0 == program.stop()
    assert 0 == office("audit", "verify", "--config", office_file).returncode
    assert not (folder / "snapshots/audit-alarm.txt").exists()


def test_publisher_that_ends_under_an_alarm_says_so(office_file: Path, publish: Callable[[], Program]) -> None:
    program = publish()
    program.fact("publishing", alarm="")
    with sqlite3.connect(office_file.parent / "office.sqlite3", timeout=60) as database:
        database.execute("DROP TRIGGER audit_no_update")
    database.close()
    program.fact("publishing")

    assert 3 == program.stop()

    again = office("publish", "--config", office_file)

    assert (1, True) == (again.returncode, "watchlink office audit protect" in again.stderr)


def test_publisher_without_its_key_says_what_is_missing(office_file: Path) -> None:
    key = office_file.parent / "publisher/snapshot.key"
    key.unlink()
    done = office("publish", "--config", office_file)

    assert (2, True) == (done.returncode, str(key) in done.stderr)


def test_publisher_before_init_says_what_to_do(tmp_path: Path) -> None:
    file = write_config(tmp_path)
    for name in ("publisher/snapshot.key", "keys/ticket.pub"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SigningKey(b"k" * 32).public.raw.hex())
    done = office("publish", "--config", file)

    assert (1, True) == (done.returncode, "New: watchlink office init" in done.stderr)
    assert "Traceback" not in done.stderr
