"""C3: at which step an alert stands comes back from disk, in bounded time."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from central.core import effects as do
from central.core import events as ev
from central.core.asking import ASKING_LINES_MAX
from central.core.journal import ASKING_KINDS, ActionEntry
from central.store.database import Database
from central.store.recalling import recall
from tests.support.central_town import ARCADE, CORNER, START, Town, only
from tests.support.escalating_town import JO, KIM, PCSO, POLICY, PUBS, SAM, SERGEANT, reaching, ready, rota, shift, stay
from wire.ids import FrameId
from wire.kinds import AlertKind


def test_database_gives_back_steps_skipped_roles_and_messages(database: Database) -> None:
    town = ready(Town(), SAM)
    town.handle(rota(POLICY, shifts=(shift(KIM, 0, 60),)))
    town.handle(reaching((SAM, ("push",)), (KIM, ("sms",))))
    town.press(7, AlertKind.ATTACK)
    town.later(22)
    step = only(town.said, do.Ask)[-1].entry
    town.handle(ev.NoticeEnded(FrameId(CORNER, 7), 1, step, KIM.account, "sms", is_delivered=False, words="no credit"))
    town.later(2)
    database.commit(town.disk)

    found = recall(database, START)

    assert {"asked", "told"} <= {entry.kind for entry in found.journal if isinstance(entry, ActionEntry)}
    assert tuple(entry for entry in town.disk if entry.incident is not None) == found.journal


def test_recall_reads_the_newest_steps_of_an_alert_that_stood_for_a_night(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("central.store.recalling.STEPS_EACH_MAX", ASKING_LINES_MAX)
    town = ready(Town(), JO)
    town.press(7, AlertKind.ATTACK)
    town.press(8, AlertKind.ATTACK)
    stay(town, 30 * (ASKING_LINES_MAX + 10), JO)
    database.commit(town.disk)
    steps = [one for one in town.disk if isinstance(one, ActionEntry) and one.kind in ASKING_KINDS]
    assert len(steps) > 2 * ASKING_LINES_MAX

    found = recall(database, START)

    read = [one for one in found.journal if isinstance(one, ActionEntry) and one.kind in ASKING_KINDS]
    assert steps[-2 * ASKING_LINES_MAX :] == read
    again = Town(found, now_at=town.now_at)
    assert town.card().asking == again.card().asking
    assert town.card().history[-ASKING_LINES_MAX:] == again.card().history[-ASKING_LINES_MAX:]


def test_step_of_an_hour_is_not_lost_among_messages_and_the_other_schemes_steps(database: Database) -> None:
    """It would begin anew with the first step: its people would be asked twice."""
    town = ready(Town(), JO, SAM)
    long = replace(SERGEANT, wait_s=3_600)
    short = replace(PCSO, wait_s=15)
    town.handle(rota(replace(POLICY, steps=(long,)), replace(PUBS, steps=(short,))))
    town.handle(reaching((JO, ("push",))))
    town.press(7, AlertKind.ATTACK, node=ARCADE)
    for _ in range(80):
        said = len(town.said)
        stay(town, 15, JO, SAM)
        for order in only(town.said[said:], do.Ask):
            town.handle(ev.NoticeEnded(order.incident, 2, order.entry, JO.account, "push", is_delivered=True))
    database.commit(town.disk)

    again = Town(recall(database, START), now_at=town.now_at)

    arcade = "00000013-7"
    assert {1, 2} == {one.scheme for one in again.card(arcade).asking}
    assert town.card(arcade).asking == again.card(arcade).asking


@pytest.mark.parametrize("written", ["{", '{"type": "of-a-newer-version"}'])
def test_step_that_another_version_wrote_keeps_no_central_from_starting(database: Database, written: str) -> None:
    town = ready(Town(), JO)
    town.press(7, AlertKind.ATTACK)
    town.later(1)
    database.commit(town.disk)
    with database._engine.begin() as connection:
        connection.execute(sa.text("UPDATE actions SET details = :it WHERE kind = 'asked'"), {"it": written})

    again = Town(recall(database, START), now_at=town.now_at)

    assert "unanswered" == again.card().state
