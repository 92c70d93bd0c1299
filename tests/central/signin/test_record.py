"""The record of sign-ins: a co-ordinator reads those in their own schemes, also of people who have left (S8)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from msgspec.structs import replace

from central.signin.gate import RECORD_SHOWN
from tests.central.signin.conftest import Door, on_loop
from wire.snapshots import RoleEntry


async def names_read_by(door: Door, account: int) -> list[str]:
    """The names in the record that this co-ordinator reads, without the co-ordinator's own."""
    visitor = door.gate.visitor(await door.enter(account))
    assert visitor is not None
    records = await door.gate.records(visitor)
    return [one.session.name for one in records if one.session.account != account]


def test_co_ordinator_reads_who_signed_in_and_how_in_their_schemes(door: Door) -> None:
    async def script() -> None:
        boss = door.office.add("Ann Head", "co-ordinator", 1).account
        hart, pub = door.office.add("H Art", "pcso", 1).account, door.office.add("P Ub", "pcso", 2).account
        door.publish()
        for account in (hart, pub):
            await door.enter(account)
        door.wait(hours=13)
        await door.sweep()
        visitor = door.gate.visitor(await door.enter(boss))
        assert visitor is not None
        records = await door.gate.records(visitor)

        assert [("Ann Head", None), ("H Art", "shift-over")] == [(one.session.name, one.why) for one in records]
        assert door.now_at == records[1].ended_at

    on_loop(script())


def test_record_has_who_has_left_and_nobody_of_other_schemes(door: Door) -> None:
    async def script() -> None:
        hart_boss, pub_boss = (door.office.add(f"Boss {scheme}", "co-ordinator", scheme).account for scheme in (1, 2))
        hart, pub = door.office.add("H Art", "pcso", 1).account, door.office.add("P Ub", "pcso", 2).account
        door.publish()
        for account in (hart, pub):
            await door.enter(account)
        for account in (hart, pub):
            del door.office.people[account]
        door.publish()

        assert ["H Art"] == await names_read_by(door, hart_boss)
        assert ["P Ub"] == await names_read_by(door, pub_boss)

    on_loop(script())


def test_record_has_who_got_a_role_here_while_signed_in(door: Door) -> None:
    async def script() -> None:
        boss = door.office.add("Ann Head", "co-ordinator", 1).account
        pub = door.office.add("P Ub", "pcso", 2).account
        door.publish()
        door.gate.attach(asyncio.get_running_loop())
        await door.enter(pub)
        assert [] == await names_read_by(door, boss)
        door.office.change(pub, roles=(RoleEntry(role="pcso", schemes=(1, 2)),))
        door.publish()
        await asyncio.sleep(0)
        await door.sweep()
        del door.office.people[pub]
        door.publish()

        assert ["P Ub"] == await names_read_by(door, boss)

    on_loop(script())


def test_sign_in_from_before_its_schemes_were_kept_is_in_its_persons_schemes_of_today(door: Door) -> None:
    async def script() -> None:
        hart_boss, pub_boss = (door.office.add(f"Boss {scheme}", "co-ordinator", scheme).account for scheme in (1, 2))
        hart = door.office.add("H Art", "pcso", 1).account
        door.publish()
        session = door.gate.sessions.find(await door.enter(hart))
        assert session is not None
        door.store.change((replace(session, schemes=()),), ())

        assert ["H Art"] == await names_read_by(door, hart_boss)
        assert [] == await names_read_by(door, pub_boss)

    on_loop(script())


def test_record_is_of_the_last_seven_days(door: Door) -> None:
    async def script() -> None:
        boss = door.office.add("Ann Head", "co-ordinator", 1).account
        hart = door.office.add("H Art", "pcso", 1).account
        door.publish()
        await door.enter(hart)
        door.wait(seconds=1)
        await door.enter(hart)
        door.now_at += RECORD_SHOWN - timedelta(milliseconds=500)

        assert ["H Art"] == await names_read_by(door, boss)

    on_loop(script())
