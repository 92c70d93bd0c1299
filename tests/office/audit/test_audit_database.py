"""The audit in a real database: written by several processes at once, and its table made anew by a migration."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.fleet_broker import DEADLINE_S
from tests.support.office_program import clean_environment, in_office, office, write_config
from tests.support.postgresql import VARIABLE, cluster

WRITERS: Final = 4
ROWS: Final = 25
WRITE: Final = f"""
import django; django.setup()
from django.db import transaction
from office.audit.journal import Entry, record, record_many
for number in range({ROWS}):
    with transaction.atomic():
        record(None, "role.given", f"person {{number}}")
    record_many(None, [Entry("role.removed"), Entry("role.given")])
"""


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.integration), "postgresql"])
def config_file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """An office that is set up, on either database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("office_file")
        return
    if VARIABLE not in os.environ:
        pytest.skip("PostgreSQL is for make test-deep")
    file = write_config(tmp_path)
    with cluster() as server:
        file.write_text(f'database = "{server.url}"\n{file.read_text()}')
        assert 0 == office("init", "--config", file).returncode
        yield file


def test_rows_of_many_writers_are_one_chain(config_file: Path) -> None:
    first = int(in_office(config_file, "from office.audit.journal import head\nprint(head().sequence)\n"))
    environment = clean_environment() | {
        "WATCHLINK_OFFICE_CONFIG": str(config_file),
        "DJANGO_SETTINGS_MODULE": "office.settings",
    }
    writers = [subprocess.Popen([sys.executable, "-c", WRITE], env=environment) for _ in range(WRITERS)]
    statuses = [writer.wait(DEADLINE_S) for writer in writers]
    verified = office("audit", "verify", "--config", config_file)

    assert [0] * WRITERS == statuses
    assert 0 == verified.returncode, verified.stdout
    assert f"{first + WRITERS * ROWS * 3} rows" in verified.stdout


REBUILD: Final = """
from django.db import connection, models
from office.audit import triggers
from office.audit.models import AuditRow
wider = models.CharField(max_length=65)
wider.set_attributes_from_name("digest")
wider.model = AuditRow
with connection.schema_editor() as editor:
    editor.alter_field(AuditRow, AuditRow._meta.get_field("digest"), wider)
print(len(triggers.missing(connection)))
"""


@pytest.mark.integration
def test_migration_that_makes_the_table_anew_is_followed_by_triggers(office_file: Path) -> None:
    """On SQLite a changed column costs the table its triggers."""
    assert "3" == in_office(office_file, REBUILD).strip()

    refused = office("publish", "--config", office_file)
    assert (1, True) == (refused.returncode, "watchlink office audit protect" in refused.stderr)

    assert 0 == office("migrate", "--config", office_file).returncode
    missing = (
        "from django.db import connection\nfrom office.audit import triggers\nprint(triggers.missing(connection))\n"
    )
    assert "[]" == in_office(office_file, missing).strip()
    assert 0 == office("audit", "verify", "--config", office_file).returncode
