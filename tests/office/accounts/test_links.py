"""One-time links: an invitation makes one account, a recovery link one way back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from office.accounts import acts, redeeming, sessions
from office.accounts.access import rights_of
from office.accounts.models import Account, Invitation, RecoveryLink, RoleGrant, Scheme
from tests.office.conftest import HART, PASSWORD, PUB_WATCH, MakePerson, SignedIn

pytestmark = pytest.mark.django_db
NEW = "a quite different pass phrase"


def _invite(by: Account | None, role: str = "pcso", *schemes: int) -> str:
    chosen = list(Scheme.objects.filter(number__in=schemes or [HART]))
    _, link = acts.invite(by, name="Ann Lee", email="", role=role, schemes=chosen)  # type: ignore[arg-type]
    return link.removeprefix("http://localhost")


def _recovery(by: Account | None, account: Account, *, sets_password: bool = False) -> str:
    link, _ = acts.make_recovery_link(by, account, sets_password=sets_password)
    return link.removeprefix("http://localhost")


def _join(client: Client, link: str, username: str = "ann") -> object:
    return client.post(link, {"username": username, "password": NEW, "again": NEW})


def test_an_invitation_makes_an_account_that_must_set_up_a_second_factor(client: Client, co_ordinator: Account) -> None:
    link = _invite(co_ordinator)
    assert "Ann Lee" in client.get(link).content.decode()

    _join(client, link)

    account = Account.objects.get(username="ann")
    assert set(account.grants.values_list("role", "scheme_id")) == {("pcso", HART)}
    for path in ("/", "/account/", "/account/printed-codes/", "/control-room/"):
        assert client.get(path)["Location"] == "/second-factor/"
    assert client.get("/account/app/").status_code == 200


def test_setting_up_an_app_opens_the_office_and_uses_its_first_code_up(client: Client, co_ordinator: Account) -> None:
    _join(client, _invite(co_ordinator))
    page = client.get("/account/app/").content.decode()
    secret = client.session["mfa.totp.secret"]
    assert "<svg" in page
    assert secret in page
    assert "data:" not in page

    import time  # noqa: PLC0415

    import pyotp  # noqa: PLC0415

    code = pyotp.TOTP(secret).generate_otp(int(time.time()) // 30)
    answer = client.post("/account/app/", {"code": code})

    assert answer["Location"] == "/account/recovery-codes/"
    assert client.get("/").status_code == 200
    again = Client()
    again.post("/sign-in/", {"login": "ann", "password": NEW})
    assert "used already" in again.post("/sign-in/second-factor/", {"code": code}).content.decode()


def test_an_invitation_is_used_once(client: Client, co_ordinator: Account) -> None:
    link = _invite(co_ordinator)
    _join(client, link)

    second = Client()
    assert second.get(link).status_code == 410
    assert second.post(link, {"username": "eve", "password": NEW, "again": NEW}).status_code == 410
    assert not Account.objects.filter(username="eve").exists()


def test_an_invitation_expires(client: Client, co_ordinator: Account) -> None:
    link = _invite(co_ordinator)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert client.get(link).status_code == 410


def test_an_invitation_dies_with_the_rights_of_its_maker(client: Client, co_ordinator: Account) -> None:
    link = _invite(co_ordinator)
    RoleGrant.objects.filter(account=co_ordinator).delete()

    assert client.get(link).status_code == 410


def test_an_invitation_gives_a_role_to_an_account_that_is_there(
    other_co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART))
    link = _invite(other_co_ordinator, "police", PUB_WATCH)
    browser = signed_in(person)

    assert "Add this role to my account" in browser.get(link).content.decode()
    browser.post(link)

    assert ("police", PUB_WATCH) in set(person.grants.values_list("role", "scheme_id"))
    assert browser.post(link).status_code == 410


def test_what_was_typed_stays_when_something_is_wrong(client: Client, co_ordinator: Account) -> None:
    link = _invite(co_ordinator)

    page = client.post(link, {"username": "cora", "password": NEW, "again": "other"}).content.decode()

    assert 'value="cora"' in page
    assert "This username is taken" in page
    assert "The two differ" in page
    assert client.get(link).status_code == 200


def test_nobody_joins_under_a_name_of_watchlink_itself(client: Client, co_ordinator: Account) -> None:
    link = _invite(co_ordinator)

    page = client.post(link, {"username": "watch.link", "password": NEW, "again": NEW}).content.decode()
    Invitation.objects.update(name="Watchlink")  # by an older version

    assert "Choose another username" in page
    assert client.get(link).status_code == 410
    assert not Account.objects.filter(username="watch.link").exists()


def test_a_weak_password_is_refused(client: Client, co_ordinator: Account) -> None:
    link = _invite(co_ordinator)

    for weak in ("short", "password1234", "ann.lee.leeds"):
        client.post(link, {"username": "ann.lee.leeds", "password": weak, "again": weak})

    assert not Account.objects.filter(username="ann.lee.leeds").exists()


def test_pages_of_links_tell_no_other_site_their_address_and_can_be_sent(client: Client, co_ordinator: Account) -> None:
    """With ``no-referrer`` a browser would send the form with the origin ``null``."""
    assert client.get(_invite(co_ordinator))["Referrer-Policy"] == "same-origin"


def test_recovery_wants_the_password_and_then_a_new_second_factor(
    client: Client, co_ordinator: Account, make_person: MakePerson
) -> None:
    person = make_person("jo", ("pcso", HART))
    link = _recovery(co_ordinator, person)

    assert "The password is wrong" in client.post(link, {"old": "wrong"}).content.decode()
    client.post(link, {"old": PASSWORD})

    assert client.get("/")["Location"] == "/second-factor/"
    assert Client().get(link).status_code == 410


def test_without_the_link_a_password_opens_nothing_after_a_lost_phone(
    client: Client, co_ordinator: Account, make_person: MakePerson
) -> None:
    person = make_person("jo", ("pcso", HART))
    _recovery(co_ordinator, person)

    client.post("/sign-in/", {"login": "jo", "password": PASSWORD})

    assert client.get("/second-factor/")["Location"].startswith("/sign-in/")


def test_a_forgotten_password_is_chosen_anew(client: Client, co_ordinator: Account, make_person: MakePerson) -> None:
    person = make_person("jo", ("pcso", HART))
    link = _recovery(co_ordinator, person, sets_password=True)

    client.post(link, {"password": NEW, "again": NEW})

    assert client.get("/")["Location"] == "/second-factor/"
    assert Account.objects.get(pk=person.pk).check_password(NEW)


def test_a_recovery_link_brings_no_ended_account_back(
    client: Client, co_ordinator: Account, make_person: MakePerson
) -> None:
    person = make_person("jo", ("pcso", HART))
    link = _recovery(co_ordinator, person, sets_password=True)
    kept = RecoveryLink.objects.get()
    acts.end_account(co_ordinator, rights_of(co_ordinator), person)
    kept.save(force_insert=True)  # As if it had not been deleted.

    assert client.post(link, {"password": NEW, "again": NEW}).status_code == 410
    assert not Account.objects.get(pk=person.pk).has_usable_password()


def test_a_link_that_a_leaver_made_brings_nobody_in(
    client: Client, co_ordinator: Account, make_person: MakePerson
) -> None:
    leaver, victim = (make_person(name, ("co-ordinator", HART)) for name in ("lea", "vic"))
    link = _recovery(leaver, victim, sets_password=True)
    kept = RecoveryLink.objects.get()
    acts.end_account(co_ordinator, rights_of(co_ordinator), leaver)

    assert not RecoveryLink.objects.exists()
    kept.save(force_insert=True)  # As if it had not been deleted.
    assert client.post(link, {"password": NEW, "again": NEW}).status_code == 410
    assert Account.objects.get(pk=victim.pk).check_password(PASSWORD)


def test_a_recovery_link_dies_with_the_role_of_its_maker(
    client: Client, co_ordinator: Account, make_person: MakePerson
) -> None:
    maker = make_person("mel", ("co-ordinator", HART), ("pcso", HART))
    link = _recovery(maker, make_person("jo", ("pcso", HART)))
    assert client.get(link).status_code == 200

    acts.remove_role(co_ordinator, maker, "co-ordinator", Scheme.objects.get(pk=HART))

    assert client.get(link).status_code == 410


def test_a_recovery_link_opens_no_scheme_that_was_given_later(
    client: Client, co_ordinator: Account, other_co_ordinator: Account, make_person: MakePerson
) -> None:
    person = make_person("jo", ("pcso", HART))
    link = _recovery(co_ordinator, person, sets_password=True)

    acts.give_role(other_co_ordinator, person, "co-ordinator", Scheme.objects.get(pk=PUB_WATCH))

    assert client.post(link, {"password": NEW, "again": NEW}).status_code == 410


def test_a_link_made_on_the_machine_stands_whatever_the_roles(
    client: Client, co_ordinator: Account, make_person: MakePerson
) -> None:
    link = _recovery(None, make_person("bea", ("co-ordinator", HART), ("co-ordinator", PUB_WATCH)), sets_password=True)

    assert client.post(link, {"password": NEW, "again": NEW}).status_code == 302


def test_who_came_back_by_a_link_is_told(client: Client, co_ordinator: Account, make_person: MakePerson) -> None:
    person = make_person("jo", ("pcso", HART))
    client.post(_recovery(co_ordinator, person), {"old": PASSWORD})

    assert person.notices.filter(text__contains="link was used").exists()


def test_an_ended_account_gets_no_password(co_ordinator: Account, make_person: MakePerson) -> None:
    person = make_person("jo", ("pcso", HART))
    held = Account.objects.get(pk=person.pk)  # Read before the end, written after it.
    acts.end_account(co_ordinator, rights_of(co_ordinator), person)

    with pytest.raises(redeeming.LinkVoidError):
        redeeming.set_password(held, NEW)

    assert not Account.objects.get(pk=person.pk).has_usable_password()


def test_a_whole_team_joins_from_one_address(co_ordinator: Account) -> None:
    """However often some of them choose a username that is taken, and while others are at it."""
    for _ in range(3):
        link = _invite(co_ordinator)
        for _ in range(5):
            _join(Client(), link, username="cora")
        assert "Too many attempts" in Client().post(link, {"username": "ann", "password": NEW}).content.decode()
        assert not Account.objects.filter(username="ann").exists()
    for number in range(12):
        _join(Client(), _invite(co_ordinator), username=f"person{number}")

    assert 12 == Account.objects.filter(username__startswith="person").count()


def test_a_new_recovery_link_voids_the_one_before(
    client: Client, co_ordinator: Account, make_person: MakePerson
) -> None:
    person = make_person("jo", ("pcso", HART))
    first = _recovery(co_ordinator, person)
    second = _recovery(co_ordinator, person)

    assert client.get(first).status_code == 410
    assert client.get(second).status_code == 200


def test_signing_out_everywhere_voids_a_recovery_link(
    client: Client, co_ordinator: Account, make_person: MakePerson
) -> None:
    person = make_person("jo", ("pcso", HART))
    link = _recovery(co_ordinator, person)
    sessions.end_all_sessions(person)

    assert client.get(link).status_code == 410


def test_passwords_behind_a_recovery_link_cannot_be_guessed_on_and_on(
    client: Client, co_ordinator: Account, make_person: MakePerson
) -> None:
    person = make_person("jo", ("pcso", HART))
    link = _recovery(co_ordinator, person)
    for _ in range(5):
        client.post(link, {"old": "wrong"})

    assert "Too many attempts" in client.post(link, {"old": PASSWORD}).content.decode()
    assert not Authenticator.objects.filter(user=person).exists()


def test_the_session_of_another_person_is_not_mixed_with_a_recovered_one(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART))
    link = _recovery(co_ordinator, person)
    browser = signed_in(co_ordinator)

    browser.post(link, {"old": PASSWORD})

    assert browser.get("/people/")["Location"] == "/second-factor/"
    assert [way["method"] for way in browser.session["account_authentication_methods"]] == ["password"]
