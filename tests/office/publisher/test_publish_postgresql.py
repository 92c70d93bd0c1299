"""The publisher on PostgreSQL, which is restarted under it. Part of ``make test-deep``."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.office.publisher.test_publish_process import Program, usernames
from tests.support.office_program import in_office, office, write_config
from tests.support.postgresql import VARIABLE, Cluster, cluster

pytestmark = pytest.mark.skipif(VARIABLE not in os.environ, reason="PostgreSQL is for make test-deep")

ADD = "from office.accounts.models import Account\nAccount.objects.create(username={0!r}, name={0!r})\n"


@pytest.fixture
def server() -> Iterator[Cluster]:
    """A server of this file alone: the other tests do not like restarts."""
    with cluster() as running:
        yield running


def test_publisher_goes_on_when_postgresql_comes_back(server: Cluster, tmp_path: Path) -> None:
    file = write_config(tmp_path)
    file.write_text(f'database = "{server.url}"\n{file.read_text()}')
    assert 0 == office("init", "--config", file).returncode
    program = Program(file)
    try:
        program.fact("publishing", alarm="", fault="")
        in_office(file, ADD.format("before"))
        program.fact("snapshot_published", name="people")
        server.stop(signal.SIGQUIT)
        assert "OperationalError" in program.fact("publishing")["fault"]
        server.start()
        assert "" == program.fact("publishing")["fault"]
        in_office(file, ADD.format("after"))
        program.fact("snapshot_published", name="people")

        assert ["before", "after"] == usernames(file)
        assert 0 == program.stop()
        assert "Traceback" not in program.errors.read_text()
        assert 0 == office("audit", "verify", "--config", file).returncode
    finally:
        if program.process.poll() is None:
            program.stop(signal.SIGKILL)
        assert program.process.stdout
        program.process.stdout.close()
