"""A PostgreSQL cluster of one's own: new folder, free port on loopback, stopped by its own pid.

``python -m tests.support.postgresql COMMAND…`` runs a command with ``WATCHLINK_OFFICE_TEST_DATABASE`` set to it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tests.support.fleet_broker import free_port, wait_until

VARIABLE: Final = "WATCHLINK_OFFICE_TEST_DATABASE"
_USER: Final = "postgres"
_SPEED: Final = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
"""Nothing of it outlives the tests."""
_PATIENCE_S: Final = 600.0
"""In idle time, beside other work, two seconds of computing take minutes (``scripts/test``)."""


def is_installed() -> bool:
    """Whether this machine has the server's programs."""
    return _program("initdb") is not None


class Cluster:
    """One server.

    Attributes:
        url: of its database ``office``, ``postgresql://…``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._password = secrets.token_hex(16)
        self._port = free_port()
        self.url = f"postgresql://{_USER}:{self._password}@127.0.0.1:{self._port}/office"
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make the cluster's files."""
        password = self._folder / "password"
        password.write_text(self._password)
        if os.geteuid() == 0:
            for path in (self._folder, password):
                shutil.chown(path, _USER, _USER)
        self._run(
            *("initdb", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", f"--username={_USER}"),
            *("--auth=scram-sha-256", f"--pwfile={password}", f"--pgdata={self._folder / 'data'}"),
        )

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = {"listen_addresses": "127.0.0.1", "port": str(self._port), "unix_socket_directories": ""} | _SPEED
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(_program("postgres")), "-D", str(self._folder / "data"), *options],
                stdout=log,
                stderr=log,
                **_as_owner(),
            )
        wait_until(self._answers, "PostgreSQL answers", _PATIENCE_S)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it in order, whoever is connected; SIGQUIT at once, as a crash would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_PATIENCE_S)
        self._process = None

    def create_database(self) -> None:
        """The empty database of :attr:`url`."""
        self._run("createdb", "--host=127.0.0.1", f"--port={self._port}", f"--username={_USER}", "office")

    def _answers(self) -> bool:
        ready = [str(_program("pg_isready")), "--quiet", "--host=127.0.0.1", f"--port={self._port}"]
        return subprocess.run(ready, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(_program(program)), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
            env=os.environ | {"PGPASSWORD": self._password},
            **_as_owner(),
        )


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """A running cluster with an empty database, gone afterwards."""
    # Not pytest's folder: it is root's alone, and the server refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="watchlink-postgresql-"))
    made = Cluster(folder)
    try:
        made.make()
        made.start()
        made.create_database()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


def _program(name: str) -> Path | None:
    """Debian keeps the server's programs apart, by version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    for folder in reversed(versions):
        if (folder / name).exists():
            return folder / name
    found = shutil.which(name)
    return Path(found) if found else None


def _as_owner() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam(_USER)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": [], "cwd": "/"}


def main(command: Sequence[str]) -> int:
    """Run a command beside a cluster; returns its exit status."""
    if not is_installed():
        sys.stderr.write("PostgreSQL's programs are not installed: apt-get install postgresql\n")
        return 1
    with cluster() as running:
        return subprocess.run(command, env=os.environ | {VARIABLE: running.url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
