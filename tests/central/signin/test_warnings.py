from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.central.signin.conftest import Door
from wire.snapshots import AuditHead, Rota


def head(sequence: int, digit: str = "a") -> AuditHead:
    return AuditHead(sequence=sequence, digest=digit * 64)


def publish_head(door: Door, head: AuditHead) -> None:
    door.office.audit = head
    door.publish()


@pytest.mark.parametrize("then", [head(9), head(8), head(7, "b")], ids=["cut", "cut more", "rewritten"])
def test_audit_that_has_gone_back_is_told(door: Door, then: AuditHead) -> None:
    publish_head(door, head(7) if then.sequence == 7 else head(10))
    publish_head(door, then)

    assert "audit has been changed" in " ".join(door.gate.warnings())


def test_audit_that_has_gone_back_is_told_after_a_restart_too(door: Door) -> None:
    publish_head(door, head(10))
    door.office.audit = head(9)
    door.gate = door.opened()

    assert "audit has been changed" in " ".join(door.gate.warnings())


def test_audit_that_goes_on_is_not_told(door: Door) -> None:
    for sequence in (3, 3, 4, 9):
        publish_head(door, head(sequence))

    assert () == door.gate.warnings()


def test_cut_audit_that_has_grown_past_its_old_end_is_still_told_until_central_is_restarted(door: Door) -> None:
    """Entries are gone all the same, and the thief only waits a little."""
    publish_head(door, head(10))
    publish_head(door, head(9))
    publish_head(door, head(11))

    (told,) = door.gate.warnings()
    assert "now has 9" in told
    assert "watchlink office audit verify" in told
    door.gate = door.opened()
    assert () == door.gate.warnings()


def test_list_that_does_not_change_for_a_week_is_told(door: Door) -> None:
    door.wait(days=8)

    assert "no new list of people for 8 days" in " ".join(door.gate.warnings())


def test_rota_that_has_ended_is_told(door: Door) -> None:
    """The office is gone, or publishes people and no rota: nobody is named who ought to be on duty (ADR 0044)."""
    now_at = door.gate.now()
    through = now_at + timedelta(days=3)
    door.gate.take_rota(Rota(number=1, made_at=now_at, audit=head(1), through=through, shifts=()))
    door.wait(days=2)
    assert () == door.gate.warnings()

    door.wait(days=2)

    (told,) = door.gate.warnings()
    assert f"ended on {through:%d %B %Y}" in told


def test_faults_of_the_sources_are_told_until_they_are_over(door: Door) -> None:
    door.gate.take_fault("people", "The folder cannot be read.")
    assert ("The folder cannot be read.",) == door.gate.warnings()
    door.gate.take_fault("people", "")

    assert () == door.gate.warnings()


def test_snapshot_with_a_cut_audit_is_used_all_the_same(door: Door) -> None:
    """Whoever it ends must be out, whatever has happened to the record."""
    publish_head(door, head(10))
    door.office.people[1] = replace(door.office.people[1], name="Priya Jones")
    publish_head(door, head(9))
    register = door.gate.register

    assert register is not None
    assert "Priya Jones" == register.people.people[0].name
