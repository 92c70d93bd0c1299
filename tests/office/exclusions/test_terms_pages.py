from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from office.accounts.models import Account, Scheme
from office.audit.models import AuditRow
from office.exclusions import acts
from office.exclusions.acts import MoveRefusedError
from office.exclusions.models import LawDocument, SchemeTerms
from office.exclusions.rules.law import DOCUMENT_KINDS, DOCUMENT_TITLES
from office.exclusions.rules.period import day_of
from office.exclusions.terms import terms_of, why_off
from tests.office.conftest import HART, SignedIn
from tests.office.exclusions.conftest import Town

TYPED = {
    "paper_title": "Exclusion order",
    "quorum": 4,
    "majority_percent": 66,
    "responsible": "HART\n1 High Street",
    "contact": "office@example.org",
}


@pytest.fixture
def browser(signed_in: SignedIn, co_ordinator: Account) -> Client:
    """Of a co-ordinator of HART only."""
    return signed_in(co_ordinator)


def test_terms_of_a_scheme_have_defaults(schemes: dict[int, Scheme]) -> None:
    assert (terms_of(schemes[HART]).quorum, terms_of(schemes[HART]).dpia_allows_minors) == (3, False)
    SchemeTerms.objects.create(scheme=schemes[HART], quorum=5)
    assert terms_of(schemes[HART]).quorum == 5


def test_register_goes_on_with_the_last_document(browser: Client, schemes: dict[int, Scheme]) -> None:
    """D: nothing is issued, shown or published before."""
    browser.post("/terms/hart/edit/", TYPED)
    for kind in DOCUMENT_KINDS:
        assert DOCUMENT_TITLES[kind] in str(why_off(schemes[HART]))
        assert "The register is on" not in browser.get("/terms/").content.decode()
        browser.post("/terms/hart/documents/add/", {"kind": kind, "version": "1.0"})

    assert why_off(schemes[HART]) is None
    assert "The register is on" in browser.get("/terms/").content.decode()
    assert AuditRow.objects.filter(action="document.recorded", schemes=" 1 ").count() == len(DOCUMENT_KINDS)


def test_terms_are_saved_and_only_what_changed_is_in_the_audit(browser: Client, schemes: dict[int, Scheme]) -> None:
    assert browser.post("/terms/hart/edit/", TYPED).status_code == 302
    browser.post("/terms/hart/edit/", TYPED)
    browser.post("/terms/hart/edit/", TYPED | {"dpia_allows_minors": "on"})

    terms = terms_of(schemes[HART])
    assert (terms.quorum, terms.majority_percent, terms.dpia_allows_minors) == (4, 66, True)
    newest, first = AuditRow.objects.filter(action="terms.changed")
    assert newest.details == '{"dpia_allows_minors":true}'
    assert '"quorum":4' in first.details


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"quorum": 0}, "greater than or equal to 1"),
        ({"majority_percent": 49}, "greater than or equal to 50"),
        ({"paper_title": "a\u202eb"}, "cannot be shown"),
        ({"contact": "x" * 301}, "use 300 at most"),
    ],
)
def test_terms_are_refused_with_a_sentence(browser: Client, typed: dict[str, object], says: str) -> None:
    answer = browser.post("/terms/hart/edit/", TYPED | typed)

    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert not SchemeTerms.objects.exists()


def test_review_that_is_due_is_told(browser: Client, schemes: dict[int, Scheme], co_ordinator: Account) -> None:
    today = day_of(timezone.now())
    LawDocument.objects.create(
        scheme=schemes[HART],
        kind="privacy-notice",
        version="1",
        recorded_on=today,
        recorded_by=co_ordinator,
        review_due=today,
    )

    assert "Privacy notice: review it by" in browser.get("/terms/").content.decode()


def test_nothing_is_issued_while_the_register_is_off(town: Town) -> None:
    decided = town.case("decided")
    LawDocument.objects.filter(kind="impact-assessment").delete()

    with pytest.raises(MoveRefusedError, match="Data protection impact assessment"):
        acts.issue(town.turn(decided), day_of(timezone.now()))
