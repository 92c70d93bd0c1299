"""Whom a co-ordinator chose of the register may be erased before it is sent: nobody becomes new by that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType

import pytest
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from office.exclusions import case_views, move_views
from office.exclusions.models import Case
from office.people import erasure
from office.people.models import Individual
from tests.office.conftest import HART, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.exclusions.test_nominate_pages import behalf, check, nominate

GONE = "Whom you chose is not in the register any more"


@pytest.fixture
def contact(town: Town, signed_in: SignedIn) -> Client:
    return signed_in(town.contacts[0])


@pytest.fixture
def cora(town: Town, signed_in: SignedIn) -> Client:
    return signed_in(town.cora)


def erase(individual: Individual) -> None:
    erasure.erase_words(individual)
    Individual.objects.filter(pk=individual.pk).update(erased_at=timezone.now())


def erasing_first(monkeypatch: pytest.MonkeyPatch, views: ModuleType, individual: Individual) -> None:
    """Somebody else’s erasure comes between the reading of the form and the change."""
    acting: Callable[[HttpRequest], AbstractContextManager[object]] = views.acting

    @contextmanager
    def later(request: HttpRequest) -> Iterator[object]:
        erase(individual)
        with acting(request) as theirs:
            yield theirs

    monkeypatch.setattr(views, "acting", later)


def test_check_says_that_whom_one_chose_was_erased_meanwhile(town: Town, contact: Client, cora: Client) -> None:
    known = town.individual("Jolyon Reed")
    nominate(contact, behalf=behalf(town))
    case = Case.objects.get()
    erase(known)
    status, page = check(cora, case, same_as=str(known.pk), note="typed at length")

    assert status == 400
    assert GONE in page
    assert "typed at length" in page
    assert "Jolyon" not in page
    case.refresh_from_db()
    assert case.state == "nominated"
    assert check(cora, case, same_as="somebody-else")[0] == 302


def test_check_says_that_whom_one_chose_was_erased_while_it_was_sent(
    town: Town, contact: Client, cora: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = town.individual("Jolyon Reed")
    nominate(contact, behalf=behalf(town))
    case = Case.objects.get()
    erasing_first(monkeypatch, move_views, known)
    status, page = check(cora, case, same_as=str(known.pk))

    assert status == 400
    assert GONE in page
    assert "Jolyon" not in page
    case.refresh_from_db()
    assert case.state == "nominated"


def test_nominating_somebody_who_was_erased_meanwhile_makes_nobody_new(town: Town, cora: Client) -> None:
    known = town.individual("Jolyon Reed")
    erase(known)

    assert GONE in nominate(cora, behalf=f"{HART}-0", same_as=str(known.pk))
    assert not Case.objects.exists()
    assert Individual.objects.count() == 1


@pytest.mark.parametrize(
    ("chosen", "says"),
    [({"reference": "HART-0001", "name": ""}, "Nobody in HART has this reference."), ({"same_as": "known"}, GONE)],
)
def test_nominating_somebody_who_is_erased_while_it_is_sent_makes_nobody_new(
    town: Town, cora: Client, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], says: str
) -> None:
    known = town.individual("Jolyon Reed")
    if "same_as" in chosen:
        chosen = {"same_as": str(known.pk)}
    erasing_first(monkeypatch, case_views, known)
    page = nominate(cora, behalf=f"{HART}-0", **chosen)

    assert says in page
    assert "Jolyon" not in page
    assert not Case.objects.exists()
