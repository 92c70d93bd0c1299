"""What was issued, and to whom: SQLite. A claim is spent in the transaction that keeps what was issued for it."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from enrolment.rules.claiming import Enrolled
from runtime.sqlite_file import transaction
from wire.claims import OpenClaim
from wire.signing import PublicKey

SCHEMA_VERSION: Final = 1
CERTIFICATES_TABLE: Final = """\
CREATE TABLE certificates (
    serial TEXT PRIMARY KEY,
    node TEXT NOT NULL,
    common_name TEXT NOT NULL,
    pem TEXT NOT NULL,
    expires_at_s INTEGER NOT NULL
) STRICT"""
SERIALS_MAX: Final = 200_000
"""So many certificates do struck nodes have together, at most: a node gets twenty a year."""
STEPS_MAX: Final = 20_000_000
"""Of SQLite's machine, for all those: a second or two."""
_STEPS_AT_ONCE: Final = 10_000
_TEXT_BYTES_MAX: Final = 10_000
_SCHEMA: Final = f"""
CREATE TABLE enrolled (
    change INTEGER PRIMARY KEY AUTOINCREMENT,
    node TEXT NOT NULL UNIQUE,
    claim_hash TEXT NOT NULL UNIQUE,
    keys TEXT NOT NULL,
    claim TEXT NOT NULL,
    signing_key BLOB NOT NULL UNIQUE,
    sealing_key BLOB NOT NULL,
    certificate TEXT NOT NULL,
    gallery_certificate TEXT NOT NULL,
    enrolled_at_s INTEGER NOT NULL
) STRICT;
{CERTIFICATES_TABLE};
CREATE INDEX certificates_of_node ON certificates (node);
"""
_read_claim: Final = msgspec.json.Decoder(OpenClaim).decode
_FIELDS: Final = Enrolled.__struct_fields__
_INSERT: Final = f"INSERT INTO enrolled ({', '.join(_FIELDS)}) VALUES ({', '.join(f':{name}' for name in _FIELDS)})"  # noqa: S608 - fields of ours


class RegisterError(Exception):
    """The register cannot be used: the disk, or another version; one sentence without a full stop."""


class IssuedCertificate(msgspec.Struct, frozen=True):
    """A certificate that this service has made.

    Attributes:
        serial: hexadecimal, for a revocation list.
        node: whose.
        common_name: the node's number, or its gallery's name.
        pem: with its issuer's after it.
        expires_at_s: Unix time.
    """

    serial: str
    node: str
    common_name: str
    pem: str
    expires_at_s: int


class RegisterCopy(msgspec.Struct, frozen=True, kw_only=True):
    """All that a register holds. No private key is in it.

    Attributes:
        format: of the file.
        town: the mark of the town whose register it is; 0 = made before a register knew.
        enrolled: oldest first.
        certificates: by expiry.
    """

    format: Literal[1] = 1
    town: int = 0
    enrolled: tuple[Enrolled, ...]
    certificates: tuple[IssuedCertificate, ...]


_read_copy: Final = msgspec.json.Decoder(RegisterCopy).decode


class Register:
    """One database, for any thread. Each change is on disk before its method returns.

    Args:
        path: its file; made if it is not there.
        authority: the town's. A register is one town's: its units are nobody in another. ``None`` = not looked at.

    Raises:
        RegisterError: it cannot be opened, is of a newer version, or another town's.
    """

    def __init__(self, path: Path, authority: PublicKey | None = None) -> None:
        self._lock = threading.Lock()
        self._path = path
        with _told(path):
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                self._open()
                if authority is not None:
                    self._name_town(authority)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """At the end."""
        self._connection.close()

    def enrolled(self) -> tuple[Enrolled, ...]:
        """All that were ever enrolled, oldest first."""
        with self._lock, _told(self._path):
            return tuple(map(_enrolled, self._select("ORDER BY change")))

    def spent_by(self, claim_hash: str) -> Enrolled | None:
        """Who has spent the claim with that hash."""
        return self._one("WHERE claim_hash = ?", claim_hash)

    def holder_of(self, node: str) -> Enrolled | None:
        """Who was enrolled as that node."""
        return self._one("WHERE node = ?", node)

    def spend(self, enrolled: Enrolled, certificates: tuple[IssuedCertificate, ...]) -> Enrolled | None:
        """Spend the claim: all of it or nothing. Returns it with its number, or ``None`` if somebody was quicker.

        Args:
            enrolled: its ``change`` is not looked at.
            certificates: made for it.
        """
        row = _row(enrolled) | {"change": None}  # SQLite gives it the next.
        with self._lock, _told(self._path):
            try:
                with transaction(self._connection):
                    done = self._connection.execute(_INSERT, row)
                    self._remember(certificates)
            except sqlite3.IntegrityError:
                return None
        return msgspec.structs.replace(enrolled, change=done.lastrowid or 0)

    def remember(self, *certificates: IssuedCertificate) -> None:
        """Keep certificates that were made later, of nodes that were enrolled before."""
        with self._lock, _told(self._path):
            self._remember(certificates)

    def certificates(self) -> tuple[IssuedCertificate, ...]:
        """All that were ever made, by expiry."""
        return self._certificates("")

    def certificates_of(self, node: str) -> tuple[IssuedCertificate, ...]:
        """Those of a node and its gallery, by expiry."""
        return self._certificates("WHERE node = ?", node)

    def copy(self) -> bytes:
        """All of it as it is at one moment, as JSON: a :class:`RegisterCopy`."""
        fields = ", ".join(IssuedCertificate.__struct_fields__)
        query = f"SELECT {fields} FROM certificates ORDER BY expires_at_s, serial"  # noqa: S608 - ours
        with self._lock, _told(self._path):
            self._connection.execute("BEGIN")
            try:
                enrolled = tuple(map(_enrolled, self._select("ORDER BY change")))
                rows = self._connection.execute(query).fetchall()
                town = self._town()
            finally:
                self._connection.execute("ROLLBACK")
        certificates = tuple(IssuedCertificate(*row) for row in rows)
        return msgspec.json.encode(RegisterCopy(town=town, enrolled=enrolled, certificates=certificates))

    def put_back(self, data: bytes) -> RegisterCopy:
        """Fill this register, in which nobody is enrolled yet, from a copy: all of it or nothing.

        Certificates with which units have been renewed here meanwhile stay: they are to be revoked one day, too.

        Raises:
            RegisterError: somebody is, or that is no copy of a register, or one of another town's.
        """
        try:
            found = _read_copy(data)
        except (msgspec.MsgspecError, ValueError) as e:
            raise RegisterError(f"that is no copy of a register: {e}") from e
        with self._lock, _told(self._path), transaction(self._connection):
            if found.town and found.town != self._town():
                raise RegisterError(
                    "that is the register of another town, and nothing was put back: its units are nobody here. Take"
                    " the copy that was kept of this town's"
                )
            (claimed,) = self._connection.execute("SELECT count(*) FROM enrolled").fetchone()
            if claimed:
                raise RegisterError(f"{self._path} knows units that have claimed already, and nothing is overwritten")
            self._connection.executemany(_INSERT, map(_row, found.enrolled))
            self._remember(found.certificates)
        return found

    def serials_of(self, nodes: Collection[str]) -> frozenset[int]:
        """Serials of all certificates that were ever made for these nodes and their galleries.

        It is read while a revocation waits, and whoever has taken the service over may have written it: so it is
        refused unless it is as this program makes it, and no more is read, nor for longer, than a town can need.

        Raises:
            RegisterError: it is refused.
        """
        with self._lock, _told(self._path), self._bounded():
            (found,) = self._connection.execute(
                "SELECT group_concat(sql) FROM sqlite_schema WHERE name = 'certificates'"
            )
            if found != (CERTIFICATES_TABLE,):
                raise RegisterError(f"{self._path}: its certificates are not a table that this program has made")
            serials: set[str] = set()
            for node in nodes:
                for (serial,) in self._connection.execute("SELECT serial FROM certificates WHERE node = ?", (node,)):
                    serials.add(serial)
                    if len(serials) > SERIALS_MAX:
                        raise RegisterError(f"{self._path}: more than {SERIALS_MAX} certificates are to be revoked")
        try:
            return frozenset(int(serial, 16) for serial in serials)
        except ValueError as e:
            raise RegisterError(f"{self._path}: {e}") from e

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """One look at the register, which nobody changes meanwhile, with an end."""
        steps = itertools.count(_STEPS_AT_ONCE, _STEPS_AT_ONCE)
        longest = self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _TEXT_BYTES_MAX)
        self._connection.set_progress_handler(lambda: next(steps) > STEPS_MAX, _STEPS_AT_ONCE)
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.set_progress_handler(None, 0)
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _certificates(self, where: str, *values: str) -> tuple[IssuedCertificate, ...]:
        fields = ", ".join(IssuedCertificate.__struct_fields__)
        with self._lock, _told(self._path):
            rows = self._connection.execute(
                f"SELECT {fields} FROM certificates {where} ORDER BY expires_at_s, serial",  # noqa: S608 - ours
                values,
            )
            return tuple(IssuedCertificate(*row) for row in rows)

    def _open(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        elif version != SCHEMA_VERSION:
            raise RegisterError(f"{self._path}: of version {version}, and this program knows {SCHEMA_VERSION}")

    def _town(self) -> int:
        (found,) = self._connection.execute("PRAGMA application_id").fetchone()
        return int(found)

    def _name_town(self, authority: PublicKey) -> None:
        # SQLite's field for whose file it is: enough against a mistake, and no other version stumbles over it.
        mark = int.from_bytes(hashlib.sha256(authority.raw).digest()[:4]) >> 1 or 1
        found = self._town()
        if found == 0:  # New, or from before it was written.
            self._connection.execute(f"PRAGMA application_id = {mark}")
        elif found != mark:
            raise RegisterError(
                f"{self._path}: it is another town's. If this town was founded again, move 'state', 'changed' and"
                " 'delegate.*' out of the service's folder, and make a new key"
            )

    def _remember(self, certificates: tuple[IssuedCertificate, ...]) -> None:
        self._connection.executemany(
            "INSERT INTO certificates VALUES (?, ?, ?, ?, ?)", [msgspec.structs.astuple(one) for one in certificates]
        )

    def _one(self, where: str, value: str) -> Enrolled | None:
        with self._lock, _told(self._path):
            found = [_enrolled(row) for row in self._select(where, value)]
        return found[0] if found else None

    def _select(self, rest: str, *values: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(f"SELECT {', '.join(_FIELDS)} FROM enrolled {rest}", values).fetchall()  # noqa: S608 - ours


def _row(enrolled: Enrolled) -> dict[str, Any]:
    return msgspec.structs.asdict(enrolled) | {"claim": msgspec.json.encode(enrolled.claim).decode()}


def _enrolled(row: tuple[Any, ...]) -> Enrolled:
    fields = dict(zip(_FIELDS, row, strict=True))
    fields["claim"] = _read_claim(fields["claim"])
    return Enrolled(**fields)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as e:
        raise RegisterError(f"{path}: {e}") from e
