"""Pages and machine port as two users: the pages read the port's file by a group that may not write, as units do."""

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
from tests.support.office_program import clean_environment

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be other users"),
]

PAGES, PORT = 64_801, 64_804
"""Numbers of users and groups; nobody need know their names."""
IMPORTS: Final = """
import os, sys, time
from pathlib import Path
from office.nodes.reading import Search, look_at
from office.nodes.store import FILE_NAME, Store
from tests.support.asking_town import HART, TOWN
from wire.gallery_contact import Held
from wire.ids import NodeId
file = Path(sys.argv[1]) / FILE_NAME
def become(user, umask):
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
    os.umask(umask)
"""
"""It becomes that user after its imports: this interpreter may lie where only root reads."""
PORT_RUNS: Final = """
become(64_804, 0o027)
store = Store(file, TOWN)
store.note_holds(NodeId(1), [Held(scheme=HART, number=7)], 100)
print("kept", flush=True)
sys.stdin.read()
"""
PAGES_READ: Final = """
become(64_801, 0o007)
with look_at(file) as reported:
    print([one.number for one in reported.receipts()], reported.count_views(Search(schemes=frozenset({HART}))))
try:
    (file.parent / "other").touch()
except PermissionError:
    print("may not write")
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """As systemd/tmpfiles.d makes it. Not in pytest's folder, which is root's."""
    made = Path(tempfile.mkdtemp(prefix="watchlink-nodes-"))
    os.chown(made, PORT, PAGES)
    made.chmod(0o2750)
    yield made
    shutil.rmtree(made)


def start(code: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", IMPORTS + code, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )


def test_pages_read_what_they_may_not_write_while_the_port_runs_is_killed_and_has_ended(folder: Path) -> None:
    def read() -> list[str]:
        out, errors = start(PAGES_READ, folder).communicate(timeout=DEADLINE_S)
        assert "" == errors, errors
        return out.splitlines()

    wanted = ["[7] 0", "may not write"]
    port = start(PORT_RUNS, folder)
    assert port.stdout is not None
    assert "kept\n" == port.stdout.readline()
    assert wanted == read()
    port.kill()
    port.communicate(timeout=DEADLINE_S)
    assert wanted == read()
    port = start(PORT_RUNS.replace("sys.stdin.read()", "store.close()"), folder)
    _, errors = port.communicate(timeout=DEADLINE_S)
    assert (0, "") == (port.returncode, errors)
    assert wanted == read()
