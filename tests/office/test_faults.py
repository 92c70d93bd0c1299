"""What a person is told when a page fails: by a database that does not answer, or by a mistake of ours."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError, connection, transaction
from django.http import HttpResponseBase
from django.test import Client

from office.accounts.models import Account
from office.faults import is_database_away
from tests.office.conftest import SignedIn

pytestmark = pytest.mark.django_db
AWAY = "The office’s database did not answer. Try again in a minute"
LOOK = "but look first whether what you sent was saved"
Ask = Callable[[Client], HttpResponseBase]


@contextmanager
def failing(error: Exception, words: str = "") -> Iterator[None]:
    """A database that answers nothing in which these words occur."""

    def refuse(execute, sql, params, many, context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        if words in sql:
            raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


def asked(browser: Client, ask: Ask, error: Exception, words: str = "") -> tuple[int, str]:
    browser.raise_request_exception = False
    with failing(error, words):
        answer = ask(browser)
    return answer.status_code, b"".join(answer).decode()


@pytest.mark.parametrize("error", [OperationalError("server closed the connection"), InterfaceError("closed already")])
@pytest.mark.parametrize("words", ["", "members_premises"], ids=["from the start", "half-way"])
def test_a_page_is_told_to_try_again(co_ordinator: Account, signed_in: SignedIn, error: Exception, words: str) -> None:
    status, text = asked(signed_in(co_ordinator), lambda browser: browser.get("/premises/"), error, words)

    assert (503, True, False) == (status, AWAY in text, LOOK in text)


def test_who_sent_something_is_told_to_look_first(co_ordinator: Account, signed_in: SignedIn) -> None:
    """The database may have saved it and died before it could say so."""

    def send(browser: Client) -> HttpResponseBase:
        return browser.post("/members/add/", {"name": "Shops Ltd", "joined-1": "2026-01-05"})

    status, text = asked(signed_in(co_ordinator), send, OperationalError("gone"), "audit_auditrow")

    assert (503, True, True) == (status, AWAY in text, LOOK in text)


def test_a_session_that_could_not_be_saved_is_no_bad_request(co_ordinator: Account, signed_in: SignedIn) -> None:
    """Django takes it for one that was deleted meanwhile."""
    browser, words = signed_in(co_ordinator), 'UPDATE "django_session"'
    status, text = asked(browser, lambda it: it.get("/account/passkeys/add/"), OperationalError("gone"), words)

    assert (503, True) == (status, AWAY in text)


def test_a_mistake_of_ours_is_told_as_one(co_ordinator: Account, signed_in: SignedIn) -> None:
    status, text = asked(signed_in(co_ordinator), lambda it: it.get("/premises/"), ProgrammingError("no such column"))

    assert (500, True) == (status, "tell your engineer" in text)


def test_a_statement_that_no_database_understands_is_a_mistake_of_ours() -> None:
    """SQLite calls it an operational error too."""
    with pytest.raises(DatabaseError) as raised, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column FROM django_session")

    assert not is_database_away(raised.value)


def test_sqlite_that_cannot_open_its_file_is_away(tmp_path: Path) -> None:
    try:
        sqlite3.connect(tmp_path / "missing" / "office.sqlite3")
    except sqlite3.OperationalError as e:
        away = OperationalError(*e.args)
        away.__cause__ = e

    assert is_database_away(away)


def test_a_request_that_cannot_be_understood_is_told_as_one() -> None:
    answer = Client().get("/sign-in/", headers={"host": "evil.example"})

    assert (400, True) == (answer.status_code, "cannot be understood" in answer.content.decode())


def test_browsers_are_told_when_to_come_back() -> None:
    browser = Client(raise_request_exception=False)
    with failing(OperationalError("gone")):
        answer = browser.get("/", headers={"cookie": "watchlink-office=0123456789abcdefghijklmnopqrstuv"})

    assert (503, "60", "no-store") == (answer.status_code, *map(answer.headers.get, ("Retry-After", "Cache-Control")))


def test_the_log_has_a_line_for_each_request(
    co_ordinator: Account, signed_in: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "django.request")
    asked(signed_in(co_ordinator), lambda it: it.get("/"), OperationalError("server closed\nthe connection"))
    asked(signed_in(co_ordinator), lambda it: it.get("/"), ProgrammingError("no such column"))

    first, second = caplog.records
    assert ("the database did not answer: server closed the connection", None) == (first.getMessage(), first.exc_info)
    assert second.exc_info is not None
