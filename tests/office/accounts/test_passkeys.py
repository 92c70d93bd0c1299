"""Passkeys: enrolled unlocked and findable, sign in alone, and are never locked by guessing."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from office.accounts import acts
from office.accounts.access import rights_of
from office.accounts.models import Account
from tests.office.accounts.office_passkey import OfficePasskey
from tests.office.conftest import HART, MakePerson, SignedIn

pytestmark = pytest.mark.django_db
HERE = "http://localhost"


def _options_in(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', page)
    assert found is not None
    options: dict[str, Any] = json.loads(found[1])
    return options


def _enrol(browser: Client, passkey: OfficePasskey, *, is_verified: bool = True, origin: str = HERE) -> str:
    options = _options_in(browser.get("/account/passkeys/add/").content.decode())
    sent = {"name": "Key ring", "credential": passkey.register(options, origin, is_verified=is_verified)}
    answer = browser.post("/account/passkeys/add/", sent)
    return answer["Location"] if answer.status_code == 302 else answer.content.decode()


def _sign_in(browser: Client, passkey: OfficePasskey, *, is_verified: bool = True, origin: str = HERE) -> str:
    options = browser.get("/sign-in/passkey/", headers={"accept": "application/json"}).json()["request_options"]
    sent = {"credential": passkey.sign_in(options, origin, is_verified=is_verified)}
    return str(browser.post("/sign-in/passkey/", sent)["Location"])


@pytest.fixture
def passkey(co_ordinator: Account, signed_in: SignedIn) -> OfficePasskey:
    """Of the co-ordinator of HART."""
    made = OfficePasskey()
    assert _enrol(signed_in(co_ordinator), made) == "/account/recovery-codes/"
    return made


def test_nobody_at_the_same_address_shuts_passkeys_out(passkey: OfficePasskey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)  # All in one minute, however slow the machine is.
    stranger = Client()
    for _ in range(125):
        stranger.post("/sign-in/passkey/", {"credential": "{}"})

    assert _sign_in(Client(), passkey) == "/"


def test_enrolment_asks_for_an_unlocked_passkey_that_signs_in_alone(co_ordinator: Account, signed_in: SignedIn) -> None:
    options = _options_in(signed_in(co_ordinator).get("/account/passkeys/add/").content.decode())["publicKey"]

    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert options["rp"]["id"] == "localhost"


def test_a_passkey_signs_in_alone(passkey: OfficePasskey, client: Client) -> None:
    assert _sign_in(client, passkey) == "/"
    assert "Cora Hart" in client.get("/").content.decode()
    assert client.get("/account/printed-codes/").status_code == 200  # It counts as a second factor.


def test_a_passkey_that_was_not_unlocked_is_refused(
    passkey: OfficePasskey, client: Client, co_ordinator: Account, signed_in: SignedIn
) -> None:
    assert _sign_in(client, passkey, is_verified=False) == "/sign-in/"
    assert client.get("/").status_code == 302
    assert "wrong or was used" in _enrol(signed_in(co_ordinator), OfficePasskey(), is_verified=False)


def test_a_passkey_answers_for_our_origin_only(passkey: OfficePasskey, client: Client) -> None:
    assert _sign_in(client, passkey, origin="http://evil.example") == "/sign-in/"


def test_an_answer_is_taken_once(passkey: OfficePasskey, client: Client) -> None:
    options = client.get("/sign-in/passkey/", headers={"accept": "application/json"}).json()["request_options"]
    sent = {"credential": passkey.sign_in(options, HERE)}
    assert client.post("/sign-in/passkey/", sent)["Location"] == "/"

    assert Client().post("/sign-in/passkey/", sent)["Location"] == "/sign-in/"


def test_guessing_the_password_never_locks_the_passkey(passkey: OfficePasskey, client: Client) -> None:
    for _ in range(12):
        Client().post("/sign-in/", {"login": "cora", "password": "wrong"})

    assert _sign_in(client, passkey) == "/"


def test_a_passkey_of_an_ended_account_signs_nobody_in(
    client: Client, co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person, made = make_person("jo", ("pcso", HART)), OfficePasskey()
    _enrol(signed_in(person), made)
    kept = list(Authenticator.objects.filter(user=person, type="webauthn"))
    acts.end_account(co_ordinator, rights_of(co_ordinator), person)
    Authenticator.objects.bulk_create(kept)  # As if they had not been deleted.

    assert _sign_in(client, made) == "/sign-in/"
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "junk",
    ["", "null", "[]", '"x"', "1", "{}", '{"response": 1}', '{"response": {"userHandle": 7}}', '{"id": "é"}', "{"],
)
@pytest.mark.parametrize("path", ["/sign-in/passkey/", "/again/passkey/", "/account/passkeys/add/"])
def test_answers_that_no_browser_gives_are_refused(
    co_ordinator: Account, passkey: OfficePasskey, signed_in: SignedIn, path: str, junk: str
) -> None:
    browser = Client() if path == "/sign-in/passkey/" else signed_in(co_ordinator)
    browser.get(path, headers={"accept": "application/json"})

    assert browser.post(path, {"credential": junk}).status_code in {200, 302}
    assert Authenticator.objects.filter(user=co_ordinator, type="webauthn").count() == 1


def test_stepping_up_by_passkey_leads_back(passkey: OfficePasskey, co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator, second_factor_age_s=400)
    page = browser.get("/again/passkey/?next=/account/printed-codes/").content.decode()

    sent = {"credential": passkey.sign_in(_options_in(page), HERE), "next": "/account/printed-codes/"}

    assert browser.post("/again/passkey/", sent)["Location"] == "/account/printed-codes/"
    assert browser.get("/account/printed-codes/").status_code == 200


def test_a_passkey_of_somebody_else_steps_nobody_up(
    passkey: OfficePasskey, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART))
    _enrol(signed_in(person), OfficePasskey())
    browser = signed_in(person, second_factor_age_s=400)
    page = browser.get("/again/passkey/").content.decode()

    browser.post("/again/passkey/", {"credential": passkey.sign_in(_options_in(page), HERE)})

    assert browser.get("/account/printed-codes/").status_code == 302


def test_a_passkey_is_removed_but_not_the_last_method(
    passkey: OfficePasskey, co_ordinator: Account, signed_in: SignedIn
) -> None:
    browser = signed_in(co_ordinator)
    key = Authenticator.objects.get(user=co_ordinator, type="webauthn")
    browser.post("/account/app/remove/")
    assert not Authenticator.objects.filter(user=co_ordinator, type="totp").exists()

    browser.post(f"/account/passkeys/{key.pk}/remove/")

    assert Authenticator.objects.filter(pk=key.pk).exists()
    assert "only second factor" in browser.get("/account/").content.decode()


def test_nobody_removes_the_passkey_of_another(
    passkey: OfficePasskey, co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    key = Authenticator.objects.get(user=co_ordinator, type="webauthn")

    answer = signed_in(make_person("jo", ("pcso", HART))).post(f"/account/passkeys/{key.pk}/remove/")

    assert answer.status_code == 404
    assert Authenticator.objects.filter(pk=key.pk).exists()
