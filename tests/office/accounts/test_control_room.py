"""The way into the control room: one ticket for one browser, of a session with a second factor."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest
from django.http import HttpRequest
from django.test import Client
from pytest_django import Settings

from office.accounts import control_room
from office.accounts.models import Account
from office.accounts.second_factor import second_factor_age_s
from office.accounts.sessions import SESSION_KEY, end_session, ended_at_central
from office.config import load_configuration
from tests.office.accounts.codes import code_of
from tests.office.conftest import HART, MakePerson, SignedIn
from wire.signing import PublicKey, SigningKey
from wire.snapshots import Town
from wire.tickets import nonce_of, open_ticket

pytestmark = pytest.mark.django_db
AUTHORITY = SigningKey(bytes(range(32))).public.raw
TICKET_SEED = bytes(range(1, 33))
SECRET = "the secret in the cookie"
WHERE = f"/control-room/?nonce={nonce_of(SECRET)}"


@pytest.fixture(autouse=True)
def central(tmp_path: Path, settings: Settings) -> None:
    """An office that knows its central."""
    (tmp_path / "authority.pub").write_text(AUTHORITY.hex())
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/ticket.key").write_text(TICKET_SEED.hex())
    file = tmp_path / "office.toml"
    file.write_text(
        'authority_file = "authority.pub"\ndirectory_file = "d.json"\n[central]\nurl = "http://localhost:8080/"\n'
    )
    settings.OFFICE = load_configuration(file)


def _ticket(page: str) -> str:
    return page.split('href="http://localhost:8080/enter?ticket=', 1)[1].split('"', 1)[0]


def test_the_ticket_names_person_session_and_browser(co_ordinator: Account, signed_in: SignedIn) -> None:
    began_s = time.time()
    browser = signed_in(co_ordinator, second_factor_age_s=100)

    answer = browser.get(WHERE)

    old_at_most_s = 100 + math.ceil(time.time() - began_s)
    key = SigningKey(TICKET_SEED).public.raw
    ticket = open_ticket(
        _ticket(answer.content.decode()), Town(PublicKey(AUTHORITY)), key, secret=SECRET, now_s=time.time()
    )
    assert (ticket.account, ticket.generation) == (co_ordinator.pk, 1)
    assert ticket.session == browser.session[SESSION_KEY]
    assert ticket.second_factor_age_s is not None
    assert 100 <= ticket.second_factor_age_s <= old_at_most_s
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"


def test_central_hears_of_the_end_of_a_session_that_had_a_ticket(co_ordinator: Account, signed_in: SignedIn) -> None:
    browser, elsewhere = signed_in(co_ordinator), signed_in(co_ordinator)
    browser.get(WHERE)
    public_id = browser.session[SESSION_KEY]

    browser.post("/sign-out/")
    elsewhere.post("/sign-out/")

    assert [one.public_id for one in ended_at_central()] == [public_id]


def test_a_session_that_ends_meanwhile_gets_no_ticket(
    co_ordinator: Account, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Central might never hear of its end."""
    browser = signed_in(co_ordinator)

    def late(request: HttpRequest) -> int | None:
        end_session(co_ordinator, request.session[SESSION_KEY])
        return second_factor_age_s(request)

    monkeypatch.setattr(control_room, "second_factor_age_s", late)

    assert browser.get(WHERE).headers.get("Location") == "/sign-in/"


def test_each_ticket_is_another(co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator)

    assert _ticket(browser.get(WHERE).content.decode()) != _ticket(browser.get(WHERE).content.decode())


def test_a_stranger_signs_in_first_and_comes_back(client: Client, co_ordinator: Account) -> None:
    asked = client.get(WHERE)["Location"]
    assert asked.startswith("/sign-in/?next=/control-room/")
    client.post(asked, {"login": "cora", "password": "correct horse battery staple", "next": WHERE})

    answer = client.post("/sign-in/second-factor/", {"code": code_of(co_ordinator)})

    assert answer["Location"] == WHERE
    assert _ticket(client.get(WHERE).content.decode())


def test_step_up_asks_for_the_second_factor_first(co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator, second_factor_age_s=241)
    assert browser.get(WHERE).status_code == 200

    asked = browser.get(f"{WHERE}&step_up=1")["Location"]
    assert asked.startswith("/again/?next=%2Fcontrol-room%2F%3Fnonce%3D")

    browser.post(asked, {"code": code_of(co_ordinator)})
    assert browser.get(f"{WHERE}&step_up=1").status_code == 200


def test_a_session_without_a_second_factor_gets_no_ticket(co_ordinator: Account, signed_in: SignedIn) -> None:
    answer = signed_in(co_ordinator, second_factor_age_s=None).get(WHERE)

    assert answer["Location"].startswith("/again/")


def test_a_person_without_a_second_factor_gets_no_ticket(make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("pcso", HART), has_second_factor=False)

    assert signed_in(person).get(WHERE)["Location"] == "/second-factor/"


@pytest.mark.parametrize("nonce", ["", "abc", "G" * 64, "a" * 65, "A" * 64, "a" * 64 + "%0A"])
def test_a_nonce_that_is_none_is_refused(co_ordinator: Account, signed_in: SignedIn, nonce: str) -> None:
    answer = signed_in(co_ordinator).get(f"/control-room/?nonce={nonce}")

    assert answer.status_code == 400
    assert "ticket" not in answer.content.decode()


def test_no_form_leads_to_central(co_ordinator: Account, signed_in: SignedIn) -> None:
    answer = signed_in(co_ordinator).get(WHERE)

    assert "form-action 'self'" in answer["Content-Security-Policy"]
    assert "<form" not in answer.content.decode()


def test_without_a_central_the_page_says_so(co_ordinator: Account, signed_in: SignedIn, settings: Settings) -> None:
    settings.OFFICE = None

    assert "no control room yet" in signed_in(co_ordinator).get(WHERE).content.decode()
