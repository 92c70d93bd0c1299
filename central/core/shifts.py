"""Shifts of the rota as they begin: whom to tell, and who is not on duty although theirs has begun (C2).

| from | until | |
|---|---|---|
| 15 minutes before it begins | 5 minutes after | its person is told once, unless they are on duty for it |
| 5 minutes after it began | its end | NOT ON DUTY on the page, as long as they are not |

The rota puts nobody on duty: only whoever says so at central is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec import field

from central.core.asking_lines import ShiftLine
from central.core.effects import Tell
from central.core.rota import TOLD_BEFORE, RotaBook
from central.core.staff import Staff
from central.core.undo import Record, Table
from central.core.view import OnDuty
from wire.snapshots import Way

MISSING_AFTER: Final = timedelta(minutes=5)


class Shifts(Record):
    """What has been told of this run of central; after a restart the notifier knows what it has sent."""

    _rota: RotaBook
    missing: tuple[ShiftLine, ...] = ()
    """Of shifts that have begun and whose person is not on duty: the earliest first."""
    # By account and beginning: a shift in two posts is one message.
    _told: Table[tuple[int, datetime], None] = field(default_factory=Table)

    def look(
        self, on_duty: Collection[OnDuty], staff: Staff, ways: Mapping[int, tuple[Way, ...]], now_at: datetime
    ) -> list[Tell]:
        """Find who is missing now, and whom to tell now."""
        lines: dict[tuple[int, str, int], ShiftLine] = {}
        orders: list[Tell] = []
        # In whichever of their roles: nobody can be on duty in two, and escalation asks them in both.
        here = {one.account: one for one in on_duty}
        missing_since = now_at - MISSING_AFTER
        for shift in self._rota.near(now_at):
            account, scheme = shift.account, shift.scheme
            if (account in here and here[account].is_for(scheme)) or not staff.may_answer(account, shift.role, scheme):
                continue
            name = self._rota.name(account)
            if not name:
                continue
            if shift.begins_at <= missing_since:
                lines.setdefault((scheme, shift.role, account), ShiftLine(scheme, shift.role, name, shift.begins_at))
            elif account in ways and (account, shift.begins_at) not in self._told:
                self._told[account, shift.begins_at] = None
                valid_s = int((shift.begins_at + MISSING_AFTER - now_at).total_seconds())
                about = f"shift {shift.begins_at.isoformat()}"
                # The first is the phone's, if they have one: no text message is paid for beside it.
                orders.append(Tell("shift", about, ((account, ways[account][:1]),), max(1, valid_s)))
        for key in [key for key in self._told if key[1] + MISSING_AFTER < now_at - TOLD_BEFORE]:
            del self._told[key]
        self.missing = tuple(sorted(lines.values(), key=lambda one: (one.begins_at, one.scheme, one.role, one.name)))
        return orders
