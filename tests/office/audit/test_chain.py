"""What a verification of the audit finds, by kind of meddling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from office.audit.chain import NO_DIGEST, NO_HEAD, RESTORED, Row, contradiction, digest_of, verify
from wire.snapshots import AuditHead

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


def link(row: Row, before: Row | None) -> Row:
    """The row as it would be written after ``before``."""
    row = replace(row, previous=before.digest if before else NO_DIGEST)
    return replace(row, digest=digest_of(row))


def chain(length: int, *, name: str = "Jo Patel") -> list[Row]:
    rows: list[Row] = []
    for number in range(1, length + 1):
        row = Row(
            sequence=number,
            at=AT + timedelta(seconds=number),
            actor_account=3,
            actor_name=name,
            actor_role="co-ordinator",
            action="role.given",
            subject_kind="Account",
            subject_id=str(number),
            subject_name="Sam",
            schemes=" 1 ",
            details='{"role":"pcso"}',
            previous="",
            digest="",
        )
        rows.append(link(row, rows[-1] if rows else None))
    return rows


def head(rows: list[Row]) -> AuditHead:
    return AuditHead(sequence=rows[-1].sequence, digest=rows[-1].digest)


def found(rows: list[Row], published: AuditHead = NO_HEAD) -> list[tuple[str, int]]:
    return [(problem.kind, problem.sequence) for problem in verify(rows, published).problems]


def test_chain_as_written_is_in_order() -> None:
    rows = chain(9)
    finding = verify(rows, head(rows[:5]))

    assert (9, head(rows), (), ()) == (finding.rows, finding.head, finding.problems, finding.notes)


def test_empty_audit_is_in_order() -> None:
    assert [] == found([])


@pytest.mark.parametrize("field", [name for name in Row.__struct_fields__ if name not in {"sequence", "at"}])
def test_every_field_is_covered(field: str) -> None:
    rows = chain(9)
    changed: dict[str, Any] = {field: 4 if field == "actor_account" else "f" * 64}
    rows[4] = replace(rows[4], **changed)

    assert ("changed", 5) in found(rows)


def test_time_is_covered_whatever_zone_it_is_read_in() -> None:
    rows = chain(9)
    summer = replace(rows[4], at=rows[4].at.astimezone(timezone(timedelta(hours=1))))

    assert [] == found([*rows[:4], summer, *rows[5:]])
    assert [("changed", 5)] == found(
        [*rows[:4], replace(rows[4], at=rows[4].at + timedelta(microseconds=1)), *rows[5:]]
    )


def test_fields_do_not_run_into_one_another() -> None:
    row = chain(1)[0]

    assert digest_of(row) != digest_of(replace(row, actor_name="Jo", actor_role=" Patelco-ordinator"))


def test_removed_rows_are_named() -> None:
    rows = chain(9)
    finding = verify(rows[:3] + rows[5:])

    assert ["Rows 4 to 5 are missing."] == [problem.text for problem in finding.problems]
    assert [("removed", 1)] == found(rows[1:])


def test_removed_rows_with_later_ones_renumbered_are_found() -> None:
    rows = chain(9)
    closed_up = [replace(row, sequence=row.sequence - 1) for row in rows[5:]]

    assert ("moved", 5) in found(rows[:4] + closed_up)


def test_moved_rows_are_named() -> None:
    rows = chain(9)
    rows[3], rows[4] = replace(rows[4], sequence=4), replace(rows[3], sequence=5)
    finding = verify(rows)

    assert [
        "Row 4 was moved: its contents belong to row 5.",
        "Row 5 was moved: its contents belong to row 4.",
    ] == [problem.text for problem in finding.problems]


def test_row_written_anew_with_a_fitting_digest_is_found_by_the_next() -> None:
    rows = chain(9)
    rows[4] = link(replace(rows[4], actor_name="Somebody else"), rows[3])

    assert [("replaced", 6)] == found(rows)


def test_cut_tail_is_found_by_what_was_published() -> None:
    rows = chain(9)
    finding = verify(rows[:6], head(rows))

    assert [("cut", 7)] == [(problem.kind, problem.sequence) for problem in finding.problems]
    assert "Rows 7 to 9 are missing" in finding.problems[0].text
    assert [] == found(rows[:6])  # a chain alone cannot show it


def test_chain_written_anew_is_found_by_what_was_published() -> None:
    rows = chain(9)

    assert [("rewritten", 5)] == found(chain(12, name="Somebody else"), head(rows[:5]))


def test_cut_tail_that_has_grown_again_is_found() -> None:
    rows = chain(9)
    grown = rows[:6]
    for row in chain(12, name="Somebody else")[6:]:
        grown.append(link(row, grown[-1]))

    assert [("rewritten", 9)] == found(grown, head(rows))


def test_restored_office_may_leave_numbers_out_and_it_is_noted() -> None:
    rows = chain(6)
    rows.append(link(replace(rows[-1], sequence=10, action=RESTORED), rows[-1]))
    rows.append(link(replace(rows[-1], sequence=11, action="role.given"), rows[-1]))
    finding = verify(rows)

    assert () == finding.problems
    assert [
        "Row 10: the office was restored from a backup on 27 Nov 2026, 12:00 UTC. Rows 7 to 9 are missing since then."
    ] == [*finding.notes]


def test_restored_row_hides_nothing_from_what_was_published() -> None:
    """Else whoever cuts the tail would only have to write such a row."""
    rows = chain(9)
    cut = rows[:6]
    cut.append(link(replace(cut[-1], sequence=10, action=RESTORED), cut[-1]))

    assert [("rewritten", 9)] == found(cut, head(rows))


def test_contradiction_is_found_from_two_rows() -> None:
    rows = chain(9)

    assert contradiction(head(rows), rows[4].digest, head(rows[:5])) is None
    assert contradiction(NO_HEAD, None, NO_HEAD) is None
    for problem in (
        contradiction(head(rows[:4]), None, head(rows[:5])),
        contradiction(head(rows), "f" * 64, head(rows[:5])),
        contradiction(head(rows), None, head(rows[:5])),
    ):
        assert problem is not None
