"""Whatever was stolen takes back the links that were made with it, once its owner replaces, removes or reports it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from office.accounts import acts
from office.accounts.models import Account, Invitation, RecoveryLink, Scheme
from office.audit.models import AuditRow
from tests.office.conftest import HART, PASSWORD, PUB_WATCH, MakePerson, SignedIn

pytestmark = pytest.mark.django_db
MADE = "1 invitation and 1 recovery link that"


@pytest.fixture
def thief(make_person: MakePerson) -> Account:
    """A co-ordinator whose phone somebody else has."""
    return make_person("tess", ("co-ordinator", HART), name="Tess Webb")


@pytest.fixture
def links(thief: Account, make_person: MakePerson) -> list[str]:
    """An invitation and a recovery link that were made with that phone, and an invitation that has expired."""
    jo, hart = make_person("jo", ("pcso", HART), name="Jo Reed"), [Scheme.objects.get(pk=HART)]
    acts.invite(thief, name="Late", email="", role="pcso", schemes=hart)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    _, join = acts.invite(thief, name="Eve", email="", role="co-ordinator", schemes=hart)
    recover, _ = acts.make_recovery_link(thief, jo, sets_password=True)
    found = [link.removeprefix("http://localhost") for link in (join, recover)]
    assert [Client().get(link).status_code for link in found] == [200, 200]
    return found


def rows_of(actor: Account) -> list[tuple[str, str, str, str]]:
    """What was taken back by somebody."""
    actions = ("invitation.cancelled", "recovery-link.voided")
    rows = AuditRow.objects.filter(action__in=actions, actor_account=actor.pk).order_by("sequence")
    return list(rows.values_list("action", "subject_name", "schemes", "details"))


def taken_back_by(actor: Account) -> bool:
    details = '{"made_by":"Tess Webb"}'
    return rows_of(actor) == [
        ("invitation.cancelled", "Invitation of Eve", " 1 ", details),
        ("recovery-link.voided", "Jo Reed", " 1 ", details),
    ]


def test_a_lost_phone_takes_back_what_was_made_with_it(
    co_ordinator: Account, thief: Account, links: list[str], signed_in: SignedIn
) -> None:
    page = signed_in(co_ordinator).post(f"/people/{thief.pk}/lost-phone/").content.decode()

    assert [Client().get(link).status_code for link in links] == [410, 410]
    assert f"Taken back: {MADE} Tess Webb had made" in page
    assert taken_back_by(co_ordinator)
    assert thief.notices.filter(text__contains=f"{MADE} you had made").exists()
    # The link that was made for her stands.
    assert list(RecoveryLink.objects.values_list("account", flat=True)) == [thief.pk]


def test_whoever_ends_an_account_is_told_what_goes_with_it(
    co_ordinator: Account, thief: Account, links: list[str], signed_in: SignedIn
) -> None:
    """Those who were invited honestly need another link, and nobody else knows of them."""
    boss = signed_in(co_ordinator)
    asked = boss.get(f"/people/{thief.pk}/end/").content.decode()
    page = boss.post(f"/people/{thief.pk}/end/", follow=True).content.decode()

    assert [Client().get(link).status_code for link in links] == [410, 410]
    assert "Taken back with it: the invitation of Eve." in asked
    assert "Other invitations are open" not in asked
    assert f"Taken back: {MADE} Tess Webb had made" in page
    assert taken_back_by(co_ordinator)


def test_signing_out_everywhere_takes_back_what_was_made_meanwhile(
    thief: Account, links: list[str], signed_in: SignedIn
) -> None:
    page = signed_in(thief).post("/account/sessions/end-all/", follow=True).content.decode()

    assert [Client().get(link).status_code for link in links] == [410, 410]
    assert "You are signed out everywhere." in page
    assert f"Taken back: {MADE} you had made" in page
    assert "nothing was changed" not in page
    assert taken_back_by(thief)
    assert thief.notices.filter(text__contains=f"{MADE} you had made").exists()


@pytest.mark.parametrize(("kind", "word"), [("totp", "authenticator app"), ("webauthn", "passkey")])
def test_removing_ones_own_stolen_method_takes_back_what_was_made_with_it(
    thief: Account, links: list[str], signed_in: SignedIn, kind: str, word: str
) -> None:
    passkey = Authenticator.objects.create(user=thief, type="webauthn", data={"name": "Key"})
    path = "/account/app/remove/" if kind == "totp" else f"/account/passkeys/{passkey.pk}/remove/"
    browser = signed_in(thief)
    asked = browser.get(path).content.decode()
    page = browser.post(path, follow=True).content.decode()

    assert [Client().get(link).status_code for link in links] == [410, 410]
    assert "Open invitations and recovery links that you made are taken back" in asked
    assert f"Taken back: {MADE} you had made" in page
    assert taken_back_by(thief)
    removed, taken_back = list(thief.notices.order_by("pk"))[-2:]
    assert f"The {word} of your account was removed" in removed.text
    assert f"{MADE} you had made" in taken_back.text


def test_a_method_that_stays_takes_nothing_back(thief: Account, links: list[str], signed_in: SignedIn) -> None:
    signed_in(thief).post("/account/app/remove/")

    assert [Client().get(link).status_code for link in links] == [200, 200]


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        (
            "/account/password/",
            {"old": PASSWORD, "password": "seven green bottles stand", "again": "seven green bottles stand"},
        ),
        ("/account/recovery-codes/new/", {}),
    ],
)
def test_what_replaces_something_stolen_takes_back_what_was_made_with_it(
    thief: Account, links: list[str], signed_in: SignedIn, path: str, sent: dict[str, str]
) -> None:
    browser = signed_in(thief)
    asked = browser.get(path).content.decode()
    page = browser.post(path, sent, follow=True).content.decode()

    assert [Client().get(link).status_code for link in links] == [410, 410]
    assert "Open invitations and recovery links that you made are taken back" in asked
    assert f"Taken back: {MADE} you had made" in page
    assert taken_back_by(thief)
    replaced, taken_back = list(thief.notices.order_by("pk"))[-2:]
    assert replaced.text.startswith(("Your password was changed", "New recovery codes were made"))
    assert f"{MADE} you had made" in taken_back.text


def test_a_password_that_is_refused_takes_nothing_back(thief: Account, links: list[str], signed_in: SignedIn) -> None:
    sent = {"old": "wrong", "password": "seven green bottles stand", "again": "seven green bottles stand"}
    signed_in(thief).post("/account/password/", sent)

    assert [Client().get(link).status_code for link in links] == [200, 200]


def test_what_others_made_stands(
    co_ordinator: Account, thief: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    _, join = acts.invite(co_ordinator, name="Ann", email="", role="pcso", schemes=[Scheme.objects.get(pk=HART)])
    recover, _ = acts.make_recovery_link(co_ordinator, make_person("al", ("pcso", HART)), sets_password=True)
    page = signed_in(thief).post("/account/sessions/end-all/", follow=True).content.decode()
    page += signed_in(co_ordinator).post(f"/people/{thief.pk}/lost-phone/").content.decode()

    assert [Client().get(link.removeprefix("http://localhost")).status_code for link in (join, recover)] == [200, 200]
    assert "Taken back" not in page


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize("how", ["lost-phone", "end"])
def test_only_what_the_reader_may_know_of_is_counted(
    co_ordinator: Account, thief: Account, make_person: MakePerson, signed_in: SignedIn, how: str
) -> None:
    """She was co-ordinator of another scheme too, and left links there: that scheme's own business."""
    pub_watch = Scheme.objects.get(pk=PUB_WATCH)
    acts.invite(thief, name="Pat", email="", role="pcso", schemes=[pub_watch])
    acts.make_recovery_link(thief, make_person("al", ("pcso", PUB_WATCH)), sets_password=True)
    page = signed_in(co_ordinator).post(f"/people/{thief.pk}/{how}/", follow=True).content.decode()

    assert f"Taken back: {MADE} Tess Webb had made" in page
    # All of them are void, and their maker, who made them, is told of all.
    assert not RecoveryLink.objects.filter(made_by=thief).exists()
    assert not Invitation.objects.filter(invited_by=thief, cancelled_at=None).exists()
    assert how == "end" or thief.notices.filter(text__contains="2 invitations and 2 recovery links").exists()
