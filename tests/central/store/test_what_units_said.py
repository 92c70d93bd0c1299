"""What units said of themselves is there after a restart, and never in the way of one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.core.journal import KeptNode
from central.core.unit_lines import UnitFacts
from central.store.database import Database
from central.store.recalling import recall
from central.store.tables import NODES
from tests.support.central_town import CORNER, START

FACTS = UnitFacts(version="1.4", certificate_ends_at=START, free_bytes=120_000_000, has_battery_clock=False)


def test_database_keeps_the_newest_word_of_each_unit(database: Database) -> None:
    later = START + timedelta(minutes=5)
    database.keep_nodes([KeptNode(CORNER, START, "n1")])
    database.keep_nodes([KeptNode(CORNER, later, "n1", facts=FACTS)])

    assert (KeptNode(CORNER, later, "n1", facts=FACTS),) == recall(database, START).nodes


@pytest.mark.parametrize("text", ["", "{", '{"free_bytes":"much"}', "[]"])
def test_database_starts_though_what_a_unit_said_is_damaged(database: Database, text: str) -> None:
    database.keep_nodes([KeptNode(CORNER, START, "n1", facts=FACTS)])
    with database._engine.begin() as connection:
        connection.execute(NODES.update().values(facts=text))

    assert (KeptNode(CORNER, START, "n1"),) == recall(database, START).nodes
