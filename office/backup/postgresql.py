"""The office's database on a server of PostgreSQL, by the server's own programs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from runtime.atomic import PRIVATE
from runtime.backup_file import BackupError
from runtime.backup_rules import ASIDE, is_aside_outdated

_COPY: Final = "watchlink_copy_"
"""Begins the names of databases in which a copy is opened; then comes a mark of the office's own database, for several
offices may share a server."""
_LOCK: Final = "SELECT {}(hashtextextended(%s, 0))"
_PROGRAMS: Final = Path("/usr/lib/postgresql")
_NAME_BYTES_MAX: Final = 63
_SERVICE: Final = "office"


class PostgresqlState:
    """See :class:`office.backup.state.State`.

    Args:
        url: ``postgresql://…``.
        beside: a folder in whose folder dumps are made.
    """

    name = "office.dump"
    whose = "PostgreSQL’s"

    def __init__(self, url: str, beside: Path) -> None:
        self.beside = beside
        self._url = url
        self._database = unquote(urlsplit(url).path.removeprefix("/"))
        self._copies = f"{_COPY}{hashlib.sha256(self._database.encode()).hexdigest()[:12]}_"

    def size_bytes(self) -> int:
        """Of the database on its server: a dump is smaller."""
        with self._connected() as server:
            row = server.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0

    def is_there(self) -> bool:
        """Whether it holds tables."""
        with self._connected() as server:
            return server.execute("SELECT to_regclass('django_migrations')").fetchone() != (None,)

    def copy(self, to: Path) -> None:
        """``pg_dump``: one reading transaction."""
        words = ("--format=custom", "--no-owner", "--no-privileges", f"--file={to}")
        self._run("pg_dump", *words, at=self._url, folder=to.parent)

    @contextlib.contextmanager
    def opened(self, copy: Path) -> Iterator[str]:
        """``pg_restore`` into a new database beside the office's own."""
        name = self._copies + secrets.token_hex(4)
        with contextlib.closing(self._held(name)):
            with self._connected() as server:
                self._drop_left(server)
                try:
                    server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
                except psycopg.errors.InsufficientPrivilege as e:
                    user = unquote(urlsplit(self._url).username or "") or "the office's role"
                    raise BackupError(
                        f"a backup is opened in a database of its own, and {user} may make none. As the server's"
                        f' administrator: ALTER ROLE "{user}" CREATEDB'
                    ) from e
            try:
                words = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
                self._run("pg_restore", *words, str(copy), at=self._named(name), folder=copy.parent)
                yield self._named(name)
            finally:
                with self._connected() as server:
                    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _held(self, name: str) -> psycopg.Connection:
        """A connection, to no database of ours, that says as long as it lives that a copy is in use."""
        try:
            holding = psycopg.connect(self._named("postgres"), autocommit=True)
            holding.execute(_LOCK.format("pg_advisory_lock"), [name])
        except psycopg.Error as e:
            raise BackupError(f"the server of the database cannot be used: {e}") from e
        return holding

    def _drop_left(self, server: psycopg.Connection) -> None:
        """Drop what killed runs of this office have left, and nobody uses."""
        left = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [self._copies])
        for (name,) in left.fetchall():
            with contextlib.closing(psycopg.connect(self._named("postgres"), autocommit=True)) as asking:
                if asking.execute(_LOCK.format("pg_try_advisory_lock"), [name]).fetchone() == (True,):
                    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def take_place(self, opened: str, aside: Path) -> None:
        """Two names change in one transaction. What was there is kept under the name of the folder ``aside``."""
        copy = unquote(urlsplit(opened).path.removeprefix("/"))
        was = f"{self._begins(len(aside.name))}{aside.name}"
        try:
            with psycopg.connect(self._named("postgres")) as server:
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                server.execute(rename.format(sql.Identifier(self._database), sql.Identifier(was)))
                server.execute(rename.format(sql.Identifier(copy), sql.Identifier(self._database)))
        except psycopg.Error as e:
            raise BackupError(f"the restored database cannot take its place: {e}") from e

    def forget_aside(self, now_at: datetime, keep: timedelta) -> list[str]:
        """Those of this office alone."""
        with self._connected() as server:
            found = server.execute("SELECT datname FROM pg_database").fetchall()
            names = [name for (name,) in found if self._is_outdated(name, now_at, keep)]
            for name in names:
                server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
        return names

    def _is_outdated(self, name: str, now_at: datetime, keep: timedelta) -> bool:
        begins, _, rest = name.rpartition(ASIDE)
        return begins == self._begins(len(ASIDE + rest)) and is_aside_outdated(ASIDE + rest, now_at, keep)

    def _begins(self, taken: int) -> str:
        """Of the name of a database that was set aside, in which ``taken`` characters are for when that was."""
        return f"{self._database.encode()[: _NAME_BYTES_MAX - taken - 1].decode(errors='ignore')}_"

    @contextlib.contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        try:
            with psycopg.connect(self._url, autocommit=True) as server:
                yield server
        except psycopg.Error as e:
            raise BackupError(f"the database cannot be used: {e}") from e

    def _named(self, database: str) -> str:
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{quote(database)}"))

    def _run(self, name: str, *words: str, at: str, folder: Path) -> None:
        """Run one of the server's programs; ``folder`` is for its owner alone."""
        with self._connected() as server:
            wanted = server.info.server_version // 10_000
        service = folder / ".service"
        service.touch(mode=PRIVATE, exist_ok=False)
        try:
            service.write_text(_service(at), encoding="utf-8")
            done = subprocess.run(  # noqa: S603 - a fixed program, and no shell
                [_program(name, wanted), "--no-password", f"--dbname=service={_SERVICE}", *words],
                env={**os.environ, "PGSERVICEFILE": str(service)},
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            service.unlink()
        if done.returncode:
            said = " ".join(done.stderr.split()) or f"status {done.returncode}"
            raise BackupError(f"{name} failed: {said[:500]}")


def _service(url: str) -> str:
    """A file of connection settings (libpq, "The Connection Service File"): on a command line everybody reads them.

    Raises:
        BackupError: one cannot be written there.
    """
    settings = conninfo_to_dict(url)
    for name, value in settings.items():
        if "\n" in str(value) or str(value) != str(value).rstrip():
            raise BackupError(f"{name} of the database's URL ends with a blank or has several lines: choose another")
    return "".join([f"[{_SERVICE}]\n", *(f"{name}={value}\n" for name, value in settings.items())])


def _program(name: str, wanted: int) -> str:
    """The oldest that knows the server's version: an older one refuses, a newer one's files the server may not read.

    Raises:
        BackupError: there is none.
    """
    found: dict[int, str] = {}
    for path in (*_PROGRAMS.glob(f"*/bin/{name}"), Path(shutil.which(name) or "/nonexistent")):
        if path.exists():
            said = _said([str(path), "--version"])
            match = re.search(r"([0-9]+)(?:\.|devel|beta|rc|$)", said.removeprefix(name))
            if match:
                found.setdefault(int(match[1]), str(path))
    fitting = [version for version in sorted(found) if version >= wanted]
    if not fitting:
        has = f"here is {', '.join(map(str, sorted(found)))}" if found else "there is none"
        raise BackupError(
            f"{name} of PostgreSQL {wanted}, the server's version, is needed; {has}. Install it: apt-get install"
            f" postgresql-client-{wanted}"
        )
    return found[fitting[0]]


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - no shell
