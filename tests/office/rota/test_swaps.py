"""Swaps: asked by one, agreed by the other."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import NamedTuple

import pytest
from django.test import Client

from office.accounts.models import Account, Notice, RoleGrant
from office.audit.models import AuditRow
from office.rota.models import RotaOverride, RotaPattern, RotaSwap
from office.rota.planned import good_shifts
from office.rota.rules.reading import overlaps
from office.rota.rules.spans import Span
from tests.office.conftest import HART, MakePerson, SignedIn

pytestmark = pytest.mark.usefixtures("days", "nights")


@pytest.fixture
def asker(signed_in: SignedIn, jo: Account) -> Client:
    return signed_in(jo)


@pytest.fixture
def asked(signed_in: SignedIn, sam: Account) -> Client:
    return signed_in(sam)


class Parties(NamedTuple):
    """Both, with their browsers."""

    jo: Account
    asker: Client
    sam: Account
    asked: Client


@pytest.fixture
def parties(jo: Account, asker: Client, sam: Account, asked: Client) -> Parties:
    return Parties(jo, asker, sam, asked)


def key(account: Account, day: int, hour: int) -> str:
    return f"{HART}.pcso.{account.pk}.{int(datetime(2026, 12, day, hour, tzinfo=UTC).timestamp())}"


def ask(asker: Client, jo: Account, sam: Account) -> RotaSwap:
    answer = asker.post("/rota/swaps/ask/", {"given": key(jo, 3, 8), "taken": key(sam, 5, 20)})
    assert answer.status_code == 302, answer.content.decode()
    return RotaSwap.objects.latest("pk")


def on(day: int, hour: int) -> set[int]:
    at = datetime(2026, 12, day, hour, 30, tzinfo=UTC)
    return {shift.account for shift in good_shifts(Span(at, at.replace(minute=31)))}


def test_swap_holds_once_the_other_has_agreed(asker: Client, asked: Client, jo: Account, sam: Account) -> None:
    swap = ask(asker, jo, sam)
    assert (on(3, 8), on(5, 20)) == ({jo.pk}, {sam.pk})
    assert "asks you to swap" in asked.get("/rota/").content.decode()
    assert f'href="/rota/swaps/{swap.pk}/">Jo Patel' in asked.get("/").content.decode()
    assert "Thu 3 Dec, 08:00 to 20:00" in asked.get(f"/rota/swaps/{swap.pk}/").content.decode()
    assert asked.post(f"/rota/swaps/{swap.pk}/", {"answer": "agree"}).status_code == 302

    assert (on(3, 8), on(5, 20), on(4, 8), on(4, 20)) == ({sam.pk}, {jo.pk}, {jo.pk}, {sam.pk})
    assert ["rota-swap.asked", "rota-swap.agreed"] == list(
        AuditRow.objects.order_by("sequence").values_list("action", flat=True)
    )
    assert {"Sam Reed agreed to the swap of shifts that you asked for."} == set(
        Notice.objects.filter(account=jo).values_list("text", flat=True)
    )


@pytest.mark.parametrize(("begins", "length_min", "of_sam"), [(16, 720, [9, 17]), (10, 240, [9, 11, 15])])
def test_shifts_of_one_post_that_overlap_are_swapped_whole(
    parties: Parties, nights: RotaPattern, begins: int, length_min: int, of_sam: list[int]
) -> None:
    """A handover of some hours, or one shift within the other: nobody is on twice, and no hour loses anybody."""
    RotaPattern.objects.filter(pk=nights.pk).update(begins=time(begins), length_min=length_min)
    hours = (9, 11, 15, 17, 21)
    before = {hour: on(3, hour) for hour in hours}
    parties.asker.post("/rota/swaps/ask/", {"given": key(parties.jo, 3, 8), "taken": key(parties.sam, 3, begins)})
    parties.asked.post(f"/rota/swaps/{RotaSwap.objects.get().pk}/", {"answer": "agree"})

    other = {parties.jo.pk: parties.sam.pk, parties.sam.pk: parties.jo.pk}
    assert {hour: {other[one] for one in people} for hour, people in before.items()} == {
        hour: on(3, hour) for hour in hours
    }
    assert {hour for hour in hours if parties.sam.pk in on(3, hour)} >= {*of_sam}
    window = Span(datetime(2026, 12, 3, 6, tzinfo=UTC), datetime(2026, 12, 4, 6, tzinfo=UTC))
    found = good_shifts(window)
    assert not [pair for pair in overlaps(found) if pair[0].account == pair[1].account]


def test_co_ordinator_takes_a_swap_back_as_a_whole(
    asker: Client, asked: Client, cora: Client, jo: Account, sam: Account
) -> None:
    asked.post(f"/rota/swaps/{ask(asker, jo, sam).pk}/", {"answer": "agree"})
    cora.post(f"/rota/overrides/{RotaOverride.objects.earliest('pk').pk}/remove/")

    assert (on(3, 8), on(5, 20)) == ({jo.pk}, {sam.pk})


@pytest.mark.parametrize(
    ("by", "answer", "state"), [("asked", "decline", "declined"), ("asker", "withdraw", "withdrawn")]
)
def test_swap_that_is_declined_or_withdrawn_changes_nothing_and_is_over(
    parties: Parties, by: str, answer: str, state: str
) -> None:
    swap = ask(parties.asker, parties.jo, parties.sam)
    getattr(parties, by).post(f"/rota/swaps/{swap.pk}/", {"answer": answer})
    parties.asked.post(f"/rota/swaps/{swap.pk}/", {"answer": "agree"})

    assert RotaSwap.objects.get().state == state
    assert not RotaOverride.objects.exists()


def test_nobody_answers_for_the_other(asker: Client, cora: Client, jo: Account, sam: Account) -> None:
    swap = ask(asker, jo, sam)
    asker.post(f"/rota/swaps/{swap.pk}/", {"answer": "agree"})

    assert cora.post(f"/rota/swaps/{swap.pk}/", {"answer": "agree"}).status_code == 404
    assert RotaSwap.objects.get().state == "asked"


def test_swap_of_a_shift_that_has_changed_meanwhile_is_refused(
    asker: Client, asked: Client, jo: Account, sam: Account
) -> None:
    swap = ask(asker, jo, sam)
    RotaPattern.objects.filter(begins=time(8)).update(length_min=600)
    answer = asked.post(f"/rota/swaps/{swap.pk}/", {"answer": "agree"}, follow=True)

    assert "not as it was when this was asked" in answer.content.decode()
    assert not RotaOverride.objects.exists()


def test_swap_with_somebody_who_has_lost_the_role_is_refused(
    asker: Client, asked: Client, jo: Account, sam: Account
) -> None:
    swap = ask(asker, jo, sam)
    RoleGrant.objects.filter(account=jo).update(role="police")
    answer = asked.post(f"/rota/swaps/{swap.pk}/", {"answer": "agree"}, follow=True)

    assert "is not PCSO in this scheme" in answer.content.decode()
    assert not RotaOverride.objects.exists()


def test_the_same_is_not_asked_twice(asker: Client, jo: Account, sam: Account) -> None:
    ask(asker, jo, sam)
    answer = asker.post("/rota/swaps/ask/", {"given": key(jo, 3, 8), "taken": key(sam, 5, 20)})

    assert answer.status_code == 400
    assert "asked already" in answer.content.decode()


@pytest.mark.parametrize("given", ["", "1.pcso.1.1", "<script>"])
def test_shift_that_is_not_there_is_refused(asker: Client, sam: Account, given: str) -> None:
    answer = asker.post("/rota/swaps/ask/", {"given": given, "taken": key(sam, 5, 20)})

    assert answer.status_code == 400
    assert not RotaSwap.objects.exists()


def test_who_has_no_shift_is_told_so(signed_in: SignedIn, make_person: MakePerson) -> None:
    page = signed_in(make_person("ola", ("police", HART))).get("/rota/swaps/ask/").content.decode()

    assert "There is nothing to swap" in page
