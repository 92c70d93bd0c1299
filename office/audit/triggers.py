"""Triggers that keep the audit append-only, on SQLite and PostgreSQL, whoever writes to the database.

They refuse every change of a row that is there, and a new row whose number or previous digest does not fit. On SQLite
a migration that changes the table makes it anew and loses them: they are made again after every run of migrations, and
the programs check at start that they are there.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from office.audit.chain import NO_DIGEST, RESTORED

TABLE: Final = "audit_auditrow"
LOCK: Final = 0x5741_5544_4954
"""Of pg_advisory_xact_lock: rows are appended one transaction at a time."""

_FIT: Final = "the audit takes only the row that comes next"
_APPEND_ONLY: Final = "the audit is append-only"

_SQLITE: Final = {
    "audit_no_update": f"BEFORE UPDATE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END",
    "audit_no_delete": f"BEFORE DELETE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END",
    # REPLACE deletes without asking delete triggers, but this comes first: the number it would replace does not fit.
    "audit_fits": f"""BEFORE INSERT ON {TABLE} BEGIN
        SELECT RAISE(ABORT, '{_FIT}') WHERE NEW.sequence IS NULL
            OR NEW.previous IS NOT COALESCE((SELECT digest FROM {TABLE} ORDER BY sequence DESC LIMIT 1), '{NO_DIGEST}')
            OR NEW.sequence <= COALESCE((SELECT MAX(sequence) FROM {TABLE}), 0)
            OR (NEW.sequence <> COALESCE((SELECT MAX(sequence) FROM {TABLE}), 0) + 1 AND NEW.action <> '{RESTORED}');
        END""",  # noqa: S608 - of constants
}

_POSTGRESQL_FUNCTIONS: Final = {
    "watchlink_audit_refuse": f"""
BEGIN
    RAISE EXCEPTION '{_APPEND_ONLY}';
END """,
    "watchlink_audit_fit": f"""
DECLARE
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock({LOCK});
    SELECT sequence, digest INTO last FROM {TABLE} ORDER BY sequence DESC LIMIT 1;
    IF NEW.previous IS DISTINCT FROM COALESCE(last.digest, '{NO_DIGEST}')
        OR NEW.sequence IS NULL OR NEW.sequence <= COALESCE(last.sequence, 0)
        OR (NEW.sequence <> COALESCE(last.sequence, 0) + 1 AND NEW.action <> '{RESTORED}')
    THEN
        RAISE EXCEPTION '{_FIT}';
    END IF;
    RETURN NEW;
END """,  # noqa: S608 - of constants
}
_POSTGRESQL: Final = {
    "audit_no_change": "BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION watchlink_audit_refuse()",
    "audit_no_truncate": "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION watchlink_audit_refuse()",
    "audit_fits": "BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION watchlink_audit_fit()",
}
_POSTGRESQL_WHEN: Final = {
    "audit_no_change": (0b0_1_1_0_1_1, "watchlink_audit_refuse"),
    "audit_no_truncate": (0b1_0_0_0_1_0, "watchlink_audit_refuse"),
    "audit_fits": (0b0_0_0_1_1_1, "watchlink_audit_fit"),
}
"""pg_trigger.tgtype (PostgreSQL's pg_trigger.h: truncate, update, delete, insert, before, each row) and function."""


def make(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers, over those of an earlier version, if the table is there."""
    if TABLE not in connection.introspection.table_names():
        return
    remove(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name, rest in _SQLITE.items():
                cursor.execute(f"CREATE TRIGGER {name} {rest}")
        else:
            for name, body in _POSTGRESQL_FUNCTIONS.items():
                cursor.execute(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
            for name, rest in _POSTGRESQL.items():
                cursor.execute(f"CREATE TRIGGER {name} {rest.format(table=TABLE)}")
                # Also in a session that says it only replays what another server has checked.
                cursor.execute(f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {name}")


def remove(connection: BaseDatabaseWrapper) -> None:
    """Remove the triggers: for :func:`make`, and for tests that empty the table."""
    with connection.cursor() as cursor:
        for name in _names(connection):
            on = "" if connection.vendor == "sqlite" else f" ON {TABLE}"
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of the triggers that are not there, not in force, or not as :func:`make` makes them."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [TABLE])
            there = dict(cursor.fetchall())
            return [name for name, rest in _SQLITE.items() if there.get(name) != f"CREATE TRIGGER {name} {rest}"]
        # In force in every session, of every row and column, and with a function of ours that is as we wrote it.
        cursor.execute(
            "SELECT tgname, tgtype, proname, prosrc FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
            " WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal AND tgenabled = 'A' AND tgqual IS NULL"
            " AND cardinality(tgattr::int2[]) = 0",
            [TABLE],
        )
        in_force = {
            name
            for name, when, function, body in cursor.fetchall()
            if _POSTGRESQL_WHEN.get(name) == (when, function) and _POSTGRESQL_FUNCTIONS.get(function) == body
        }
        return [name for name in _POSTGRESQL if name not in in_force]


def _names(connection: BaseDatabaseWrapper) -> list[str]:
    return list(_SQLITE if connection.vendor == "sqlite" else _POSTGRESQL)
