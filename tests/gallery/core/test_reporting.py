"""Reports (G9): on the disk before the page is told so, kept until the office has them, and what it says of them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.effects import NotShown
from gallery.core.readable import Why
from gallery.core.reporting import ALERT_WAIT_MS, KEPT_MAX
from gallery.core.reports import NO_OUTCOMES
from sim.gallery_node import PowerCutError
from tests.support.gallery_world import ALICE, CASE, HART, GalleryWorld
from wire.gallery_reports import REPORTS_MAX, Outcomes, ReportOutcome

ID = "ab" * 16


@pytest.fixture
def world() -> GalleryWorld:
    """It holds a face."""
    return GalleryWorld().started().with_case()


@pytest.fixture
def session(world: GalleryWorld) -> str:
    """Alice is signed in."""
    return world.sign_in()


def answers(world: GalleryWorld) -> list[Why | NotShown | None]:
    return [one.why for one in world.node.reported]


def sent(world: GalleryWorld) -> list[str]:
    assert world.node.asked is not None
    return [one.id for one in world.node.asked.reports]


def says(
    world: GalleryWorld,
    *,
    reports_committed: frozenset[str] = frozenset(),
    reports_refused: frozenset[str] = frozenset(),
    outcomes: Outcomes | None = None,
) -> None:
    """The office answers, and says this of reports."""
    assert world.node.asked is not None
    answer = world.office.answer(world.node.asked, world.node.now_ms, world.true_s)
    world.node.happen(ev.ReportsAnswered(reports_committed, reports_refused))
    world.node.happen(replace(answer, outcomes=outcomes))


def told_of(state: str = "closed", *, at_s: int, version: str = "0" * 16) -> Outcomes:
    told = ReportOutcome(report=ID, state=state, words="Police informed.", at_s=at_s)
    return Outcomes(version=version, reports=(told,))


def test_report_is_on_the_disk_before_the_page_is_told(world: GalleryWorld, session: str) -> None:
    on_disk: list[int] = []
    world.node.after_each = lambda _event, effects: on_disk.extend(
        len(world.node.disk.book.rows) for effect in effects if isinstance(effect, do.AnswerReport)
    )
    world.report(session)

    assert [1] == on_disk
    assert [None] == answers(world)


def test_report_says_who_reported_whom_and_when(world: GalleryWorld, session: str) -> None:
    world.report(session)
    (row,) = world.node.disk.book.rows
    report = row.report

    assert (ID, "breach", HART, CASE, CASE, ALICE) == (
        report.id,
        report.kind,
        report.scheme,
        report.case,
        report.person,
        report.staff,
    )
    assert (True, "no") == (report.is_proven, report.left)
    assert abs(report.at_s - world.true_s) <= 1


def test_store_that_refuses_takes_no_report_and_says_so(world: GalleryWorld, session: str) -> None:
    world.node.disk.is_refusing = True
    world.report(session)
    world.report(session, "cd" * 16)
    world.node.disk.is_refusing = False
    world.pass_ms(60_000)

    assert [NotShown.NOT_LOGGED] * 2 == answers(world)
    assert () == world.node.disk.book.rows


def test_only_somebody_signed_in_reports_and_only_whom_they_may_see(world: GalleryWorld, session: str) -> None:
    world.report("nobody's")
    world.report(session, case=CASE + 1)
    world.hart.withdraw(CASE)
    world.contact()
    world.report(session)

    assert [NotShown.SIGNED_OUT, Why.WITHDRAWN, Why.WITHDRAWN] == answers(world)


def test_a_press_that_is_repeated_is_one_report(world: GalleryWorld, session: str) -> None:
    world.report(session, request="first")
    world.report(session, request="second")

    assert [None, None] == answers(world)
    assert 1 == len(world.node.disk.book.rows)


def test_report_waits_for_its_alert_and_then_goes_before_the_question(world: GalleryWorld, session: str) -> None:
    world.report(session)
    before = sent(world)
    world.node.happen(ev.ReportAlerted(ID, "00000010-7"))

    assert [] == before
    assert [ID] == sent(world)
    assert world.node.asked is not None
    assert "00000010-7" == world.node.asked.reports[0].incident


def test_report_goes_without_its_alert_after_a_while_and_then_stays_as_it_went(
    world: GalleryWorld, session: str
) -> None:
    world.report(session)
    world.pass_ms(ALERT_WAIT_MS)
    went = sent(world)
    world.node.happen(ev.ReportAlerted(ID, "00000010-7"))

    assert [ID] == went
    assert "" == world.node.disk.book.rows[0].report.incident


def test_alert_that_took_another_number_is_told_while_the_report_waits(world: GalleryWorld, session: str) -> None:
    """Central had another alert with the first number."""
    world.report(session)
    world.node.happen(ev.ReportAlerted(ID, "00000010-7"))
    world.node.happen(ev.ReportAlerted(ID, "00000010-9", is_later=True))

    assert world.node.asked is not None
    assert "00000010-9" == world.node.asked.reports[0].incident
    says(world, reports_committed=frozenset({ID}))
    world.node.happen(ev.ReportAlerted(ID, "00000010-11", is_later=True))
    assert "00000010-9" == world.node.disk.book.rows[0].report.incident


def test_first_number_does_not_replace_a_later_one(world: GalleryWorld, session: str) -> None:
    """The page tells the first when the report is on the disk, and that may take longer."""
    world.report(session)
    world.node.happen(ev.ReportAlerted(ID, "00000010-9", is_later=True))
    world.node.happen(ev.ReportAlerted(ID, "00000010-7"))

    assert "00000010-9" == world.node.disk.book.rows[0].report.incident


def test_report_is_sent_until_the_office_has_it_across_boots(world: GalleryWorld, session: str) -> None:
    world.report(session)
    world.off_for_days(1)
    after_boot = sent(world)
    says(world)
    again = sent(world)
    says(world, reports_committed=frozenset({ID}))
    world.contact()

    assert [[ID], [ID], []] == [after_boot, again, sent(world)]
    assert ["sent"] == [row.state for row in world.node.disk.book.rows]


def test_report_that_will_never_be_taken_is_not_sent_again(world: GalleryWorld, session: str) -> None:
    world.report(session)
    world.pass_ms(ALERT_WAIT_MS)
    says(world, reports_refused=frozenset({ID}))

    assert [] == sent(world)
    assert ["refused"] == [row.state for row in world.node.disk.book.rows]


def test_power_cut_before_a_report_is_kept_leaves_none_and_after_it_leaves_it(
    world: GalleryWorld, session: str
) -> None:
    cuts = iter((True, False, True))

    def cut(effect: do.Effect) -> None:
        if isinstance(effect, do.KeepReports) and next(cuts, False):
            raise PowerCutError

    world.node.cut = cut
    rows = []
    for name in (ID, "cd" * 16):
        with pytest.raises(PowerCutError):
            world.report(session, name)
        rows.append(len(world.node.disk.book.rows))
        world.node.boot()
        world.contact()
        session = world.try_pin()

    assert [0, 1] == rows
    assert [] == world.node.reported


def test_outcome_is_kept_and_the_office_is_told_which_is_held(world: GalleryWorld, session: str) -> None:
    world.report(session)
    world.pass_ms(ALERT_WAIT_MS)
    told = told_of(at_s=world.true_s)
    says(world, reports_committed=frozenset({ID}), outcomes=told)
    world.off_for_days(1)

    assert told == world.node.state.book.outcomes
    assert world.node.asked is not None
    assert told.version == world.node.asked.outcomes


def test_pages_are_redrawn_when_an_outcome_comes(world: GalleryWorld) -> None:
    world.node.effects.clear()
    says(world, outcomes=told_of(at_s=world.true_s))

    assert any(isinstance(effect, do.RedrawPages) for effect in world.node.effects)


def test_pages_are_redrawn_once_a_report_is_on_the_disk(world: GalleryWorld, session: str) -> None:
    """Before, they would not list it yet."""
    on_disk: list[int] = []
    world.node.after_each = lambda _event, effects: on_disk.extend(
        len(world.node.state.book_disk.rows) for effect in effects if isinstance(effect, do.RedrawPages)
    )
    world.report(session)

    assert 1 == on_disk[-1]


def test_report_goes_a_month_after_it_or_its_outcome(world: GalleryWorld, session: str) -> None:
    world.report(session)
    world.pass_ms(ALERT_WAIT_MS)
    says(world, reports_committed=frozenset({ID}))
    left = []
    for days in (29, 2):
        world.pass_days(days)
        says(world, outcomes=told_of("in-hand", at_s=world.true_s, version=f"{days:016x}"))
        left.append(len(world.node.disk.book.rows))
    world.pass_days(31)

    assert [1, 0] == [left[0], len(world.node.disk.book.rows)]


def test_leaving_the_scheme_forgets_reports_that_the_office_has(world: GalleryWorld, session: str) -> None:
    world.report(session)
    world.report(session, "cd" * 16)
    world.pass_ms(ALERT_WAIT_MS)
    says(world, reports_committed=frozenset({ID}))
    world.office.allowed = set()
    says(world)

    assert ["cd" * 16] == [row.report.id for row in world.node.disk.book.rows]


def test_too_many_reports_that_wait_refuse_the_next_and_those_of_before_make_room(
    world: GalleryWorld, session: str
) -> None:
    for number in range(KEPT_MAX):
        world.report(session, f"{number:032x}")
    world.report(session, request="too many")
    full = world.node.reported[-1]
    world.pass_ms(ALERT_WAIT_MS)
    first = sent(world)
    says(world, reports_committed=frozenset(first))
    world.report(session, request="again")

    assert (do.AnswerReport("too many", NotShown.LOG_FULL), REPORTS_MAX) == (full, len(first))
    assert do.AnswerReport("again", None) == world.node.reported[-1]
    assert KEPT_MAX == len(world.node.disk.book.rows)
    assert NO_OUTCOMES == world.node.disk.book.outcomes
