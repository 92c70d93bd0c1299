"""Rows as they are written, and what the database refuses (both databases)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from office.accounts.models import Account, RoleGrant, Scheme
from office.audit import triggers
from office.audit.chain import NO_DIGEST, NO_HEAD, RESTORED, digest_of, verify
from office.audit.journal import WATCHLINK_NAME, Entry, digest_at, head, record, record_many
from office.audit.models import AuditRow
from wire.snapshots import AuditHead

pytestmark = pytest.mark.django_db


@pytest.fixture
def jo() -> Account:
    """Co-ordinator of HART and Pub Watch, police in HART."""
    person = Account.objects.create(username="jo", name="Jo Patel")
    for number, slug in ((1, "hart"), (2, "pubwatch")):
        Scheme.objects.get_or_create(number=number, defaults={"slug": slug, "name": slug})
        RoleGrant.objects.create(account=person, role="co-ordinator", scheme_id=number)
    RoleGrant.objects.create(account=person, role="police", scheme_id=1)
    return person


def rows() -> list[AuditRow]:
    return list(AuditRow.objects.order_by("sequence"))


def statement_fails(sql: str) -> str:
    """The database's answer."""
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    return str(refused.value)


def test_row_says_who_did_what_as_things_were_then(jo: Account) -> None:
    sam = Account.objects.create(username="sam", name="Sam")
    record(jo, "role.given", sam, schemes=(2,), role="pcso", since=date(2026, 11, 27))
    Account.objects.update(name="Another name")
    row = rows()[0]

    assert (jo.pk, "Jo Patel", "co-ordinator:1, co-ordinator:2, police:1") == (
        row.actor_account,
        row.actor_name,
        row.actor_role,
    )
    assert ("role.given", "Account", str(sam.pk), "Sam") == (
        row.action,
        row.subject_kind,
        row.subject_id,
        row.subject_name,
    )
    assert (" 2 ", '{"role":"pcso","since":"2026-11-27"}') == (row.schemes, row.details)


def test_watchlink_itself_has_no_account() -> None:
    record(None, "office.founded")

    assert (0, WATCHLINK_NAME, "", "") == (
        rows()[0].actor_account,
        rows()[0].actor_name,
        rows()[0].actor_role,
        rows()[0].schemes,
    )


def test_schemes_are_the_subjects_else_the_actors(jo: Account) -> None:
    sam = Account.objects.create(username="sam", name="Sam")
    record(jo, "account.ended", sam)
    RoleGrant.objects.create(account=sam, role="pcso", scheme_id=1)
    record(jo, "account.ended", sam)
    record(jo, "scheme.read", Scheme.objects.get(number=2))

    assert [" 1 2 ", " 1 ", " 2 "] == [row.schemes for row in rows()]


def test_rows_make_a_chain_that_verifies(jo: Account) -> None:
    record(None, "office.founded")
    record_many(jo, [Entry("premises.added", f"shop {number}", {"name": "Käse \0 \ud800"}) for number in range(120)])
    finding = verify([row.as_row() for row in rows()])

    assert (121, ()) == (finding.rows, finding.problems)
    assert finding.head == head()
    assert (rows()[6].digest, None) == (digest_at(7), digest_at(122))


def test_empty_audit_has_no_head() -> None:
    assert NO_HEAD == head()
    record_many(None, [])
    assert AuditHead(sequence=0, digest=NO_DIGEST) == head()


def test_many_rows_take_few_statements(jo: Account, django_assert_max_num_queries: object) -> None:
    entries = [Entry("premises.added", "shop", schemes=(1,)) for _ in range(100)]
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        record_many(jo, entries)

    assert 100 == head().sequence


def test_change_and_row_come_together_or_not_at_all(jo: Account) -> None:
    with transaction.atomic():
        record(jo, "account.ended")
        transaction.set_rollback(True)

    assert [] == rows()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_auditrow SET actor_name = 'Somebody' WHERE sequence = 1",
        "UPDATE audit_auditrow SET sequence = 9 WHERE sequence = 2",
        "DELETE FROM audit_auditrow WHERE sequence = 2",
        "DELETE FROM audit_auditrow",
    ],
)
def test_rows_are_neither_changed_nor_removed(sql: str) -> None:
    record(None, "office.founded")
    record(None, "office.founded")

    assert "append-only" in statement_fails(sql)
    assert 2 == len(rows())


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has no TRUNCATE")
def test_table_is_not_truncated() -> None:
    record(None, "office.founded")

    assert "append-only" in statement_fails("TRUNCATE audit_auditrow")


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's own statements")
@pytest.mark.parametrize("verb", ["REPLACE", "INSERT OR REPLACE", "INSERT OR IGNORE", "INSERT"])
@pytest.mark.parametrize("column", ["sequence", "rowid"])
def test_row_does_not_replace_another(verb: str, column: str) -> None:
    record(None, "office.founded")
    columns = "at,actor_account,actor_name,actor_role,action,subject_kind,subject_id,subject_name,schemes,details"
    chain = "previous,digest"
    source = f"SELECT 1,{columns},{chain} FROM audit_auditrow"
    sql = f"{verb} INTO audit_auditrow ({column},{columns},{chain}) {source}"

    assert "only the row that comes next" in statement_fails(sql)


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="PostgreSQL's own setting")
def test_triggers_hold_where_a_session_only_replays() -> None:
    record(None, "office.founded")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")

    assert "append-only" in statement_fails("DELETE FROM audit_auditrow")


@pytest.mark.parametrize(
    ("sequence", "action", "is_next"),
    [
        (1, "office.founded", True),
        (2, "office.founded", True),
        (3, "office.founded", False),
        (4, "office.founded", True),
        (0, "office.founded", True),
        (3, RESTORED, False),
        (2, RESTORED, True),
        (9, RESTORED, False),
    ],
)
def test_row_that_does_not_fit_is_refused(sequence: int, action: str, is_next: bool) -> None:  # noqa: FBT001
    record(None, "office.founded")
    record(None, "office.founded")
    before = rows()[0] if not is_next else rows()[-1]
    row = AuditRow.objects.get(sequence=2)
    row.sequence, row.action, row.previous = sequence, action, before.digest
    with pytest.raises(DatabaseError, match="only the row that comes next"), transaction.atomic():
        row.save(force_insert=True)

    assert [1, 2] == [row.sequence for row in rows()]


def test_restored_row_alone_may_leave_numbers_out() -> None:
    record(None, "office.founded")
    row = AuditRow.objects.get()
    row.previous, row.sequence, row.action = row.digest, 7, RESTORED
    row.digest = digest_of(row.as_row())
    row.save(force_insert=True)
    record(None, "office.founded")

    assert ([1, 7, 8], ()) == (
        [row.sequence for row in rows()],
        verify([row.as_row() for row in rows()]).problems,
    )


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite's triggers are compared as a whole")
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("audit_no_change", "DELETE {} EXECUTE FUNCTION watchlink_audit_refuse()"),
        ("audit_no_change", "UPDATE OF action OR DELETE {} EXECUTE FUNCTION watchlink_audit_refuse()"),
        ("audit_fits", "INSERT {} WHEN (NEW.sequence < 0) EXECUTE FUNCTION watchlink_audit_fit()"),
    ],
)
def test_trigger_that_does_less_counts_as_missing(name: str, what: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name} ON audit_auditrow")
        cursor.execute(f"CREATE TRIGGER {name} BEFORE {what.format('ON audit_auditrow FOR EACH ROW')}")
        cursor.execute(f"ALTER TABLE audit_auditrow ENABLE ALWAYS TRIGGER {name}")

    assert [name] == triggers.missing(connection)

    triggers.make(connection)

    assert [] == triggers.missing(connection)


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite's triggers are compared as a whole")
@pytest.mark.parametrize("function", ["watchlink_audit_refuse", "watchlink_audit_fit"])
def test_function_that_does_nothing_counts_as_missing(function: str) -> None:
    body = "BEGIN RETURN NEW; END"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")

    assert triggers.missing(connection)

    triggers.make(connection)

    assert [] == triggers.missing(connection)


def test_missing_trigger_is_noticed_and_made_again() -> None:
    assert [] == triggers.missing(connection)
    on = "" if connection.vendor == "sqlite" else " ON audit_auditrow"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER audit_fits{on}")

    assert ["audit_fits"] == triggers.missing(connection)

    triggers.make(connection)

    assert [] == triggers.missing(connection)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="what SQLite's own statement leaves")
def test_weakened_trigger_is_noticed() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_no_update")
        cursor.execute("CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit_auditrow BEGIN SELECT 1; END")

    assert ["audit_no_update"] == triggers.missing(connection)


def test_time_has_microseconds_on_every_database() -> None:
    record(None, "office.founded")
    row = rows()[0]

    assert row.digest == digest_of(row.as_row())
    assert abs((datetime.now(UTC) - row.at).total_seconds()) < 3600
