"""What the register's queries read."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from office.accounts.access import rights_of
from office.exclusions import reading
from tests.office.exclusions.conftest import Town


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL judges by what is in the table")
def test_list_and_search_read_no_whole_case(town: Town) -> None:
    """Ten thousand, with all that happened in each, do not fit into the cache of a page."""
    registers = reading.open_to(rights_of(town.cora))
    with CaptureQueriesContext(connection) as queries:
        reading.numbers_of(reading.cases_shown(registers), ["jo"], registers)
    with connection.cursor() as cursor:
        plan = cursor.execute(f"EXPLAIN QUERY PLAN {queries[0]['sql']}").fetchall()

    assert [True] == ["COVERING" in step for *_, step in plan if "exclusions_case" in step]
