"""Members' contacts choose to be told of their own premises: by themselves, of nothing unless they do, of no others."""

from __future__ import annotations

import html

import pytest
from django.test import Client

from office.accounts import acts
from office.accounts.models import Account, RoleGrant
from office.audit.models import AuditRow
from office.members import told
from office.members.models import Premises, ToldOf
from office.members.told import choose
from office.publisher import content
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.members.conftest import MakePremises
from wire.snapshots import TOLD_MAX

pytestmark = pytest.mark.django_db


def speaks(account: Account, premises: Premises, scheme: int = HART) -> None:
    premises.member.spokespeople.create(account=account, scheme_id=scheme)


@pytest.fixture
def shop(make_premises: MakePremises) -> Premises:
    return make_premises("Corner Shop", HART)


@pytest.fixture
def asha(make_person: MakePerson, shop: Premises) -> Account:
    """Speaks for the Corner Shop."""
    account = make_person("asha", ("members-contact", HART), name="Asha Shah")
    speaks(account, shop)
    return account


@pytest.fixture
def page(asha: Account, signed_in: SignedIn) -> Client:
    """Her browser."""
    return signed_in(asha)


def text_of(client: Client, address: str) -> str:
    return html.unescape(client.get(address).content.decode())


def published() -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """Name → whom to tell of alerts, and of faults."""
    return {one.name: (one.alerts_to, one.faults_to) for one in content.premises()}


def test_nobody_is_told_who_has_not_chosen_it(asha: Account, page: Client) -> None:
    assert published() == {"Corner Shop": ((), ())}

    assert page.post("/account/told/", {"of": ["alerts"]}).status_code == 302
    assert published() == {"Corner Shop": ((asha.pk,), ())}
    page.post("/account/told/", {"of": ["alerts", "faults"]})
    page.post("/account/told/", {"of": ["faults", "alerts"]})
    assert published() == {"Corner Shop": ((asha.pk,), (asha.pk,))}
    page.post("/account/told/", {})

    assert published() == {"Corner Shop": ((), ())}
    assert [row.details for row in AuditRow.objects.filter(action="told-of.changed").order_by("sequence")] == [
        '{"of":["alerts"]}',
        '{"of":["alerts","faults"]}',
        '{"of":[]}',
    ]


def test_page_says_that_a_silent_alert_is_never_told(page: Client) -> None:
    said = text_of(page, "/account/told/")

    assert "You are never told of a silent alert." in said
    assert "Corner Shop" in said
    assert "nothing can reach you" in said
    assert "Nothing. You can be told" in text_of(page, "/account/")
    page.post("/account/ways/", {"way-1": "07700 900123"})
    page.post("/account/told/", {"of": ["faults"]})
    assert "nothing can reach you" not in text_of(page, "/account/told/")
    assert "faults of the unit. Never of a silent alert" in text_of(page, "/account/")


def test_what_is_no_choice_is_refused(page: Client) -> None:
    assert page.post("/account/told/", {"of": ["everything"]}).status_code == 400

    assert not ToldOf.objects.exists()


def test_contact_is_told_of_their_own_premises_and_scheme_alone(
    asha: Account, shop: Premises, make_premises: MakePremises
) -> None:
    other = make_premises("Other Shop", HART)
    make_premises("Corner Bar", PUB_WATCH, member=shop.member.name)
    choose(asha, {"alerts"})

    assert published() == {"Corner Shop": ((asha.pk,), ()), "Other Shop": ((), ()), "Corner Bar": ((), ())}
    speaks(asha, other)
    assert published()["Other Shop"] == ((asha.pk,), ())


def test_who_sees_premises_as_a_co_ordinator_is_told_of_none_of_them(
    shop: Premises, make_person: MakePerson, signed_in: SignedIn
) -> None:
    both = make_person("cora", ("co-ordinator", HART), ("members-contact", HART))
    choose(both, {"alerts", "faults"})

    assert published() == {shop.name: ((), ())}
    assert "None yet." in text_of(signed_in(both), "/account/told/")


def test_choice_ends_with_role_and_account(asha: Account) -> None:
    choose(asha, {"alerts"})
    grant = RoleGrant.objects.get(account=asha)
    grant.delete()
    other = RoleGrant.objects.create(account=asha, role="pcso", scheme=grant.scheme)
    assert published() == {"Corner Shop": ((), ())}
    other.delete()
    RoleGrant.objects.create(account=asha, role="members-contact", scheme=grant.scheme)
    assert published() == {"Corner Shop": ((asha.pk,), ())}

    acts.close_account(None, asha)

    assert (published(), ToldOf.objects.count()) == ({"Corner Shop": ((), ())}, 0)


def test_more_than_fit_are_left_out_and_the_log_says_so(
    shop: Premises, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [make_person(f"c{number}", ("members-contact", HART)) for number in range(TOLD_MAX + 1)]
    for one in people:
        speaks(one, shop)
        choose(one, {"alerts"})
    said: list[str] = []
    monkeypatch.setattr(content, "_tell", said.append)

    assert published() == {"Corner Shop": (tuple(one.pk for one in people[:-1]), ())}
    monkeypatch.setattr(told, "TOLD_IN_TOWN_MAX", TOLD_MAX - 1)
    assert published() == {"Corner Shop": ((), ())}
    assert said == [f"premises {shop.pk} has more people to tell than fit: some are not told"] * 2
