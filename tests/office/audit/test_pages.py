"""The pages of the audit: whose rows are seen, searched and exported."""

from __future__ import annotations

import csv
import io
import os
import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from django.test import Client
from pytest_django import Settings

from office.accounts.models import Account
from office.audit import alarm, rules
from office.audit.journal import Entry, record, record_many
from office.audit.models import AuditRow
from office.config import BackupTable
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def cora(co_ordinator: Account, signed_in: SignedIn) -> Client:
    """Of HART."""
    return signed_in(co_ordinator)


@pytest.fixture
def both_schemes(co_ordinator: Account) -> None:
    """A row of each scheme, of both, and of the whole town."""
    for schemes, name in (((HART,), "of hart"), ((PUB_WATCH,), "of pubwatch"), ((1, 2), "of both"), ((), "of town")):
        record(co_ordinator, "premises.added", name, schemes=schemes, note="Straße" if name == "of both" else "")


def shown(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/audit/{query}")
    assert 200 == answer.status_code
    return [one["row"].subject_name for one in answer.context["rows"]]


def test_co_ordinator_sees_rows_of_own_schemes_newest_first(cora: Client, both_schemes: None) -> None:
    assert ["of town", "of both", "of hart"] == shown(cora)


def test_page_agrees_with_the_rule(cora: Client, both_schemes: None) -> None:
    expected = [row.subject_name for row in AuditRow.objects.all() if rules.may_read(row.schemes, {HART})]

    assert expected == shown(cora)


def test_scheme_11_is_not_scheme_1(cora: Client) -> None:
    record(None, "premises.added", "of eleven", schemes=(11, 21))

    assert [] == shown(cora)
    assert not rules.may_read(" 11 21 ", {1})


def test_for_others_the_page_does_not_exist(make_person: MakePerson, signed_in: SignedIn) -> None:
    pcso = signed_in(make_person("pc", ("pcso", HART), ("police", PUB_WATCH)))
    for path in ("/audit/", "/audit/audit.csv"):
        assert 404 == pcso.get(path).status_code
        assert 302 == Client().get(path).status_code


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?q=BOTH", ["of both"]),
        ("?q=Straße", ["of both"]),
        ("?q=cora", ["of town", "of both", "of hart"]),
        ("?q=pubwatch", []),
        ("?action=premises.added", ["of town", "of both", "of hart"]),
        ("?since=2999-01-01", []),
        ("?until=2000-01-01", []),
        ("?since=2000-01-01&until=2999-01-01&q=town", ["of town"]),
        ("?page=99", ["of town", "of both", "of hart"]),
    ],
)
def test_filters_stand_in_the_address(cora: Client, both_schemes: None, query: str, names: list[str]) -> None:
    assert names == shown(cora, query)


@pytest.mark.parametrize("query", ["?since=tomorrow", "?action=account.invented", "?q=" + "x" * 81])
def test_filter_that_makes_no_sense_is_told_beside_its_field(cora: Client, both_schemes: None, query: str) -> None:
    answer = cora.get(f"/audit/{query}")

    assert (400, True) == (answer.status_code, 'class="error"' in answer.content.decode())


def test_choices_name_no_action_of_the_other_scheme(cora: Client, both_schemes: None) -> None:
    record(None, "pub-watch.secret", schemes=(PUB_WATCH,))

    assert b"Pub watch secret" not in cora.get("/audit/").content


def test_list_has_fifty_rows_and_few_queries(
    cora: Client, co_ordinator: Account, django_assert_max_num_queries: object
) -> None:
    record_many(co_ordinator, [Entry("premises.added", f"shop {number}", schemes=(HART,)) for number in range(120)])
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        assert 50 == len(shown(cora))
    assert 20 == len(shown(cora, "?page=3"))


def test_export_wants_a_recent_second_factor(co_ordinator: Account, signed_in: SignedIn) -> None:
    answer = signed_in(co_ordinator, second_factor_age_s=301).get("/audit/audit.csv?q=x")

    assert 302 == answer.status_code
    assert 0 == AuditRow.objects.filter(action="audit.exported").count()


def test_export_holds_what_is_shown_and_is_recorded(cora: Client, both_schemes: None) -> None:
    answer = cora.get("/audit/audit.csv?q=of")
    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    assert ["of town", "of both", "of hart"] == [row[7] for row in table[1:]]
    assert ["Whole town", "HART", "HART"] == [row[8] for row in table[1:]]
    assert ("no-store", "text/csv; charset=utf-8") == (answer["Cache-Control"], answer["Content-Type"])
    assert ' "rows":3'.strip() in AuditRow.objects.get(action="audit.exported").details


def test_rows_name_no_role_in_a_scheme_that_is_not_ones_own(
    cora: Client, make_person: MakePerson, other_co_ordinator: Account, signed_in: SignedIn
) -> None:
    """A row of the whole town, or of both schemes, is read by both."""
    pat = make_person("pat", ("pcso", HART), ("duty-officer", PUB_WATCH))
    record(pat, "printed-codes.made", pat)
    record(pat, "office.founded", schemes=())
    pages = [client.get("/audit/").content.decode() for client in (cora, signed_in(other_co_ordinator))]
    files = [client.get("/audit/audit.csv").content.decode() for client in (cora, signed_in(other_co_ordinator))]

    assert [(True, False), (False, True)] == [("PCSO" in page, "Duty officer" in page) for page in pages]
    assert [(True, False), (False, True)] == [("PCSO" in file, "Duty officer" in file) for file in files]


def test_export_of_one_who_leads_both_schemes_tells_neither_what_was_looked_for(
    make_person: MakePerson, signed_in: SignedIn
) -> None:
    boss = make_person("boss", ("co-ordinator", HART), ("co-ordinator", PUB_WATCH))
    record(None, "pub-watch.secret", schemes=(PUB_WATCH,))
    filters = "q=Zebra+Inn+landlord&action=pub-watch.secret&since=2020-01-01&until=2999-01-01"
    signed_in(boss).get(f"/audit/audit.csv?{filters}")

    assert '{"rows":0}' == AuditRow.objects.get(action="audit.exported").details


@pytest.mark.parametrize("name", ["=1+1", "+44", "-x", "@cmd", "\tx"])
def test_export_runs_no_formulas(cora: Client, name: str) -> None:
    record(None, "premises.added", name, schemes=(HART,))
    table = list(csv.reader(io.StringIO(cora.get("/audit/audit.csv").content.decode("utf-8-sig"))))

    assert f"'{name}" == table[1][7]


def test_export_is_limited_for_each_person(cora: Client) -> None:
    statuses = [cora.get("/audit/audit.csv").status_code for _ in range(rules.EXPORTS_AN_HOUR + 1)]

    assert [200] * rules.EXPORTS_AN_HOUR + [429] == statuses


def test_export_of_too_many_rows_is_refused_with_a_sentence(
    cora: Client, both_schemes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "EXPORT_ROWS_MAX", 2)
    answer = cora.get("/audit/audit.csv")

    assert 400 == answer.status_code
    assert "Choose a shorter time" in answer.content.decode()


def test_markup_in_a_name_is_text(cora: Client) -> None:
    record(None, "premises.added", "<script>alert(1)</script>", schemes=(HART,), note="<b>")
    page = cora.get("/audit/").content.decode()

    assert "<script>" not in page
    assert "<b>" not in page


def test_alarm_stands_on_every_page_of_a_co_ordinator_and_on_no_other(
    cora: Client, make_person: MakePerson, signed_in: SignedIn, settings: Settings, tmp_path: Path
) -> None:
    settings.OFFICE = SimpleNamespace(snapshots_folder=tmp_path, inter_font_dir=tmp_path, backup=BackupTable())
    pcso = signed_in(make_person("pc", ("pcso", HART)))
    alarm.write(tmp_path, "The end of the audit was cut.")
    pages = [client.get("/account/").content.decode() for client in (cora, pcso, Client())]

    assert [True, False, False] == ["The end of the audit was cut." in page for page in pages]

    alarm.write(tmp_path, "")

    assert "was cut" not in cora.get("/account/").content.decode()


def test_alarm_that_cannot_be_read_is_told_as_one(cora: Client, settings: Settings, tmp_path: Path) -> None:
    settings.OFFICE = SimpleNamespace(snapshots_folder=tmp_path, inter_font_dir=tmp_path, backup=BackupTable())
    (tmp_path / alarm.FILE_NAME).mkdir()

    assert "Whether the audit is in order cannot be read" in cora.get("/account/").content.decode()


def test_fault_of_publishing_stands_on_every_page_of_a_co_ordinator_and_on_no_other(
    cora: Client, make_person: MakePerson, signed_in: SignedIn, settings: Settings, tmp_path: Path
) -> None:
    settings.OFFICE = SimpleNamespace(snapshots_folder=tmp_path, inter_font_dir=tmp_path, backup=BackupTable())
    pcso = signed_in(make_person("pc", ("pcso", HART)))
    alarm.write_fault(tmp_path, "OSError: No space left on device")
    pages = [client.get("/account/").content.decode() for client in (cora, pcso, Client())]

    assert [True, False, False] == ["No space left on device" in page for page in pages]
    assert "does not reach the control room" in pages[0]

    alarm.write_fault(tmp_path, "")

    assert "does not reach" not in cora.get("/account/").content.decode()


@pytest.mark.parametrize(("row_age_s", "file_age_s", "is_told"), [(120, 60, False), (120, 180, True), (30, 180, False)])
def test_publisher_that_does_not_run_is_told(
    cora: Client, settings: Settings, tmp_path: Path, row_age_s: int, file_age_s: int, *, is_told: bool
) -> None:
    """A row of the audit is published within a minute, so one that is older and newer than the file was not."""
    settings.OFFICE = SimpleNamespace(snapshots_folder=tmp_path, inter_font_dir=tmp_path, backup=BackupTable())
    now_s = time.time()
    (tmp_path / "people-1.json").write_text("{}")
    os.utime(tmp_path / "people-1.json", (now_s, now_s - file_age_s))
    with patch_clock(now_s - row_age_s):
        record(None, "office.founded")

    assert is_told == ("does not reach the control room" in cora.get("/account/").content.decode())


def patch_clock(at_s: float) -> AbstractContextManager[object]:
    """Of the audit's rows."""
    return mock.patch("office.audit.journal.timezone.now", return_value=datetime.fromtimestamp(at_s, UTC))


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("role.given", "Role given"),
        ("sign-in-method.added", "Sign-in method added"),
        ("printed-codes.made", "Printed codes made"),
        ("odd", "Odd"),
    ],
)
def test_action_reads_as_words(action: str, text: str) -> None:
    assert text == rules.action_text(action)


def test_details_read_as_words() -> None:
    details = '{"new_password":true,"old":null,"schemes":[1,2],"at":{"x":1}}'

    assert ["new password: yes", "old: none", "schemes: 1, 2", "at: x: 1"] == [*rules.detail_lines(details)]
    assert "PCSO, Police, unheard of" == rules.role_text("pcso:1, police:1, police:2, cctv:3, unheard of:2", {1, 2})


def test_day_ends_at_midnight_in_london(cora: Client) -> None:
    """In summer the 1st of July ends at 23:00 UTC."""
    record(None, "office.founded", "x", schemes=(HART,))
    row = AuditRow.objects.get(action="office.founded")
    row.sequence, row.previous, row.subject_name = 2, row.digest, "late"
    row.at = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    row.save(force_insert=True)

    assert [] == shown(cora, "?until=2026-07-01")
    assert ["late"] == shown(cora, "?until=2026-07-02")
