from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from office.audit.models import AuditRow
from office.exclusions import acts
from office.exclusions.acts import ChangedMeanwhileError, MoveRefusedError
from office.exclusions.models import Case
from office.exclusions.rules.correction import Said, categories_like, changed, why_not_correct
from office.exclusions.rules.life import State
from office.exclusions.rules.period import day_of
from office.exclusions.stale import stale_cases
from office.papers.notices import paper_of
from office.people.forgetting import forget_deleted_rows
from tests.office.conftest import HART, SignedIn
from tests.office.exclusions.conftest import NOMINATION, YESTERDAY, Town

SAID = Said(
    category=NOMINATION.category,
    conduct=NOMINATION.conduct,
    evidence=NOMINATION.evidence,
    happened_on=NOMINATION.happened_on,
    happened_at=NOMINATION.happened_at,
)
TWO = msgspec.structs.replace(SAID, conduct="Took two bottles from the shelf and left.", happened_at="Mill Lane")


def test_correction_is_of_what_is_changed() -> None:
    assert changed(SAID, SAID) == ()
    assert changed(SAID, TWO) == ("conduct", "happened_at")
    assert why_not_correct(SAID, SAID, YESTERDAY) is not None
    assert why_not_correct(SAID, TWO, YESTERDAY) is None


def test_conduct_is_not_corrected_to_a_day_after_its_nomination() -> None:
    later = msgspec.structs.replace(SAID, happened_on=date(2026, 1, 8))

    assert why_not_correct(SAID, later, date(2026, 1, 7)) is not None
    assert why_not_correct(SAID, later, date(2026, 1, 8)) is None


def test_category_of_another_tariff_is_a_new_decision() -> None:
    """Members decided on the length by the tariff beside the vote: a correction must not change what they judged."""
    assert why_not_correct(SAID, msgspec.structs.replace(SAID, category="fraud"), YESTERDAY) is None
    for other in ("violence", "disorder"):
        assert "nominate anew" in (
            why_not_correct(SAID, msgspec.structs.replace(SAID, category=other), YESTERDAY) or ""
        )
    assert set(categories_like("violence")) == {"violence", "drugs"}
    assert categories_like("") == ()


@pytest.mark.parametrize("state", ["decided", "issued", "served"])
def test_decided_case_is_corrected_and_votes_stand(town: Town, state: State) -> None:
    case = town.case(state)
    votes = list(town.ballot(case).votes.order_by("pk").values_list("member", "choice"))
    acts.correct(town.turn(case), TWO, "The till roll says two")
    now = Case.objects.get(pk=case.pk)

    assert (now.state, now.conduct, now.happened_at, now.evidence) == (
        state, TWO.conduct, "Mill Lane", SAID.evidence
    )  # fmt: skip
    assert now.months == 6
    assert (now.ballots.count(), list(town.ballot(case).votes.order_by("pk").values_list("member", "choice"))) == (
        1, votes
    )  # fmt: skip


@pytest.mark.parametrize("state", ["nominated", "voting", "rejected", "revoked"])
def test_what_is_not_decided_or_is_over_is_not_corrected_so(town: Town, state: State) -> None:
    case = town.case("nominated")
    Case.objects.update(state=state)

    with pytest.raises(MoveRefusedError):
        acts.correct(town.turn(case), TWO, "The till roll says two")
    assert Case.objects.get().conduct == SAID.conduct


def test_history_says_what_was_corrected_and_neither_it_nor_the_audit_has_the_old_words(town: Town) -> None:
    """UK GDPR Art. 5(1)(d): what was wrong about a person is not kept; that it was put right, and why, is."""
    case = town.case("served")
    acts.correct(town.turn(case), TWO, "The till roll says two")
    step = case.steps.latest("pk")
    row = AuditRow.objects.get(action="case.correct")

    assert (step.move, step.by) == ("correct", "Cora, Co-ordinator")
    assert step.reason == "Corrected: what happened, the place.\nThe till roll says two"
    assert "happened_at" in str(row.details)
    audit = "".join(f"{one.subject_name} {one.details}" for one in AuditRow.objects.all())
    for words in ("bottles", "Mill Lane", "till roll"):
        assert words not in audit
    assert "three bottles" not in "".join(one.reason for one in case.steps.all())


def test_correction_leaves_no_copy_of_the_old_words_in_the_journal(
    town: Town, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    case = town.case("served")
    with django_capture_on_commit_callbacks() as after:
        acts.correct(town.turn(case), TWO, "The till roll says two")

    assert forget_deleted_rows in after


def test_notice_that_says_what_was_corrected_wants_a_new_version(town: Town) -> None:
    case = town.case("served")
    acts.correct(town.turn(case), msgspec.structs.replace(SAID, evidence="Film of camera 5."), "The other camera")
    assert stale_cases({HART}) == []
    acts.correct(town.turn(case), msgspec.structs.replace(TWO, evidence="Film of camera 5."), "The till roll says two")
    assert stale_cases({HART}) == [case.pk]
    notice = case.notices.select_related("case__scheme", "case__individual").get()
    assert "was corrected" in paper_of(notice, is_pocket_size=True).standing
    acts.reissue(town.turn(case), "corrected")
    newest = case.notices.select_related("case__scheme", "case__individual").first()
    assert newest is not None
    paper = paper_of(newest, is_pocket_size=True)
    assert (stale_cases({HART}), paper.standing, str(paper.happened_at)) == ([], "", "Mill Lane")


@pytest.mark.parametrize(("said", "reason"), [(SAID, "because"), (TWO, " ")])
def test_correction_of_nothing_or_without_a_reason_is_refused(town: Town, said: Said, reason: str) -> None:
    case = town.case("served")
    with pytest.raises(MoveRefusedError):
        acts.correct(town.turn(case), said, reason)
    assert Case.objects.get().version == case.version


def test_correction_of_what_somebody_else_has_moved_is_not_made(town: Town) -> None:
    case = town.case("served")
    old = town.turn(case)
    acts.restrict(town.turn(case, town.deputy), "contested")

    with pytest.raises(ChangedMeanwhileError):
        acts.correct(msgspec.structs.replace(town.turn(case), version=old.version), SAID, "because")


def test_correction_page_shows_what_the_case_says_and_puts_it_right(town: Town, signed_in: SignedIn) -> None:
    case, browser = town.case("served"), signed_in(town.cora)
    address = f"/cases/{case.pk}/correct/"
    page = browser.get(address).content.decode()
    assert SAID.conduct in page
    assert ('value="fraud"' in page, 'value="violence"' in page) == (True, False)
    sent = {**msgspec.to_builtins(TWO), "version": case.version, "reason": "The till roll says two"}

    named = browser.post(address, {**sent, "conduct": "Nobody took two bottles."})
    assert (named.status_code, "seems to name the person" in named.content.decode()) == (400, True)
    assert browser.post(address, {**sent, "category": "violence"}).status_code == 400
    tomorrow = (day_of(timezone.now()) + timedelta(days=1)).isoformat()
    assert browser.post(address, {**sent, "happened_on": tomorrow}).status_code == 400
    assert browser.post(address, {**sent, **msgspec.to_builtins(SAID)}).status_code == 409
    assert browser.post(address, sent).status_code == 302
    page = browser.get(f"/cases/{case.pk}/").content.decode()
    assert TWO.conduct in page
    assert "Corrected: what happened, the place." in page
    assert "Waits for a new version of its notice" in page or "Issue a new version" in page
