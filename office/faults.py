"""What a person sees, and the log says, when something of ours fails while a page is made."""

from __future__ import annotations

import logging
import sqlite3
import sys
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

DATABASE_AWAY: Final = (OperationalError, InterfaceError)
"""It was restarted, is full, or is busy for too long: no mistake of this program's."""
RETRY_AFTER_S: Final = 60


def is_database_away(error: BaseException | None) -> bool:
    """Whether an exception comes from a database that did not answer, itself or by what it was raised from."""
    while error is not None:
        if isinstance(error, DATABASE_AWAY) and not _is_not_understood(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_not_understood(error: BaseException) -> bool:
    """Whether SQLite did answer: that there is no such column, for one. PostgreSQL has another kind of error for it."""
    cause = error.__cause__
    # The low byte is the code, the rest says more about it.
    return isinstance(cause, sqlite3.OperationalError) and cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_ERROR


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``: called while the exception is handled. The pages need no database themselves."""
    return _away(request) if is_database_away(sys.exc_info()[1]) else defaults.server_error(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler400``, which also gets a session that could not be saved."""
    return _away(request) if is_database_away(exception) else defaults.bad_request(request, exception)


def _away(request: HttpRequest) -> HttpResponse:
    """Who sent a form is told to look first: a connection that breaks at a commit leaves open which way it went."""
    page = render_to_string("503.html", {"is_sent": request.method not in {"GET", "HEAD"}})
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_S)})


class BriefWhenDatabaseAway(logging.Filter):
    """One line for a request that the database did not answer: how the program came there says nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        error = record.exc_info[1] if record.exc_info else None
        if is_database_away(error):
            record.msg, record.args = "the database did not answer: %s", (" ".join(str(error).split()),)
            record.exc_info = record.exc_text = None
        return True
