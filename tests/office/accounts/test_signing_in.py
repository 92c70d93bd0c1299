"""Signing in by password and code: what it takes, and what an attacker meets."""

from __future__ import annotations

import re
import time

import pytest
from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.test import Client

from office.accounts import acts
from office.accounts.access import rights_of
from office.accounts.adapters import NO_SECOND_FACTOR, TOO_MANY
from office.accounts.models import Account, OfficeSession
from office.audit.models import AuditRow
from tests.office.accounts.codes import code_of
from tests.office.conftest import HART, PASSWORD, MakePerson, SignedIn

pytestmark = pytest.mark.django_db
NEW = "a quite different pass phrase"
WRONG = "Username or password is wrong."
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')


def _locks() -> list[str]:
    return list(AuditRow.objects.filter(action__endswith=".locked").values_list("action", flat=True))


def _give_password(client: Client, username: str, password: str = PASSWORD, **more: str) -> str:
    answer = client.post("/sign-in/", {"login": username, "password": password, **more})
    return answer["Location"] if answer.status_code == 302 else answer.content.decode()


def _give_code(client: Client, code: str) -> str:
    answer = client.post("/sign-in/second-factor/", {"code": code})
    return answer["Location"] if answer.status_code == 302 else answer.content.decode()


def test_password_and_code_sign_in(client: Client, co_ordinator: Account) -> None:
    assert _give_password(client, "CORA") == "/sign-in/second-factor/"
    assert client.get("/").status_code == 302

    assert _give_code(client, code_of(co_ordinator)) == "/"
    assert "Cora Hart" in client.get("/").content.decode()


def test_a_code_is_taken_once(client: Client, co_ordinator: Account) -> None:
    before, code = code_of(co_ordinator, steps_later=-1), code_of(co_ordinator)
    _give_password(client, "cora")
    assert _give_code(client, code) == "/"

    again = Client()
    _give_password(again, "cora")

    assert "wrong or was used already" in _give_code(again, code)
    assert "wrong or was used already" in _give_code(again, before)
    assert _give_code(again, code_of(co_ordinator, steps_later=1)) == "/"


def test_a_password_alone_opens_no_account_without_a_second_factor(client: Client, make_person: MakePerson) -> None:
    make_person("jo", ("pcso", HART), has_second_factor=False)

    assert _give_password(client, "jo") == "/sign-in/"
    assert NO_SECOND_FACTOR in client.get("/sign-in/").content.decode()
    assert client.get("/").status_code == 302


def test_a_wrong_password_and_an_unknown_name_read_the_same(client: Client, co_ordinator: Account) -> None:
    known = _give_password(client, "cora", "wrong").replace('value="cora"', 'value="X"')
    unknown = _give_password(Client(), "nobody", "wrong").replace('value="nobody"', 'value="X"')

    assert WRONG in known
    assert 'value="X"' in known
    assert _TOKEN.sub("", known) == _TOKEN.sub("", unknown)


def test_an_unknown_name_costs_a_hash_like_a_known_one(
    client: Client, co_ordinator: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    from django.contrib.auth.hashers import MD5PasswordHasher  # noqa: PLC0415

    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(salt)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)

    _give_password(client, "cora", "wrong")
    for_known = len(hashed)
    _give_password(client, "nobody", "wrong")

    assert for_known == len(hashed) - for_known == 1


def test_an_ended_account_reads_like_a_wrong_password(
    client: Client, co_ordinator: Account, make_person: MakePerson
) -> None:
    person = make_person("jo", ("pcso", HART))
    acts.end_account(co_ordinator, rights_of(co_ordinator), person)

    assert WRONG in _give_password(client, "jo")


def test_guessing_locks_the_password_way_of_that_account_only(client: Client, make_person: MakePerson) -> None:
    make_person("jo", ("pcso", HART))
    for _ in range(5):
        _give_password(client, "jo", "wrong")

    assert TOO_MANY in _give_password(client, "jo")
    assert TOO_MANY in _give_password(Client(REMOTE_ADDR="192.0.2.7"), "Jo ")


def test_a_lock_leaves_open_sessions_alone(client: Client, make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("pcso", HART))
    browser = signed_in(person)
    for _ in range(6):
        _give_password(client, "jo", "wrong")

    assert browser.get("/account/").status_code == 200
    answer = browser.post("/again/?next=/account/", {"code": code_of(person), "next": "/account/"})
    assert answer["Location"] == "/account/"


def test_another_port_in_the_host_header_begins_no_new_count(client: Client, make_person: MakePerson) -> None:
    make_person("jo", ("pcso", HART))
    for port in range(5):
        Client(HTTP_HOST=f"localhost:{port + 1}").post("/sign-in/", {"login": "jo", "password": "wrong"})

    assert TOO_MANY in _give_password(Client(HTTP_HOST="localhost:9", REMOTE_ADDR="192.0.2.7"), "jo")


def test_guessing_is_slowed_by_address(make_person: MakePerson) -> None:
    make_person("jo", ("pcso", HART))
    for number in range(10):
        _give_password(Client(REMOTE_ADDR="192.0.2.7"), f"nobody{number}", "wrong")

    assert TOO_MANY in _give_password(Client(REMOTE_ADDR="192.0.2.7"), "jo")
    assert _give_password(Client(REMOTE_ADDR="192.0.2.8"), "jo") == "/sign-in/second-factor/"


class Crowded:
    """The cache while others at the same address are counted for three seconds, and the clock of those who wait."""

    now_s = 0.0

    def __getattr__(self, name: str) -> object:
        return getattr(cache, name)

    def add(self, key: str, value: object, timeout: float) -> bool:
        return self.now_s >= 3 and cache.add(key, value, timeout)

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def time(self) -> float:
        return time.time()


def test_a_crowd_at_one_address_is_not_told_of_too_many_attempts(
    client: Client, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine was busy, six people came at once, and one of them waited longer than a second to be counted."""
    make_person("jo", ("pcso", HART))
    crowded = Crowded()
    monkeypatch.setattr(ratelimit, "cache", crowded)
    monkeypatch.setattr(ratelimit, "time", crowded)

    assert "/sign-in/second-factor/" == _give_password(client, "jo")
    assert 3 <= crowded.now_s < 4


def test_codes_cannot_be_guessed_on_and_on(client: Client, co_ordinator: Account) -> None:
    _give_password(client, "cora")
    for _ in range(5):
        _give_code(client, "000000")

    assert TOO_MANY in _give_code(client, code_of(co_ordinator))


def test_who_has_the_password_guesses_no_codes_unseen(client: Client, co_ordinator: Account) -> None:
    _give_password(client, "cora")
    for _ in range(4):
        _give_code(client, "000000")
    assert not _locks()
    for _ in range(3):
        _give_code(client, "000000")

    assert _locks() == ["codes.locked"]
    assert co_ordinator.notices.filter(text__contains="change your password").count() == 1


def test_codes_are_not_guessed_all_day(co_ordinator: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never five in five minutes, so nothing but the count of a day stops it."""
    began_s = time.time()

    def guess(code: str, later_s: int) -> str:
        monkeypatch.setattr(time, "time", lambda: began_s + later_s)
        browser = Client()
        _give_password(browser, "cora")
        return _give_code(browser, code)

    for number in range(20):
        assert "wrong" in guess("000000", number * 90)

    assert TOO_MANY in guess("000000", 3_600)
    assert _locks() == ["codes.locked"]
    assert "wrong" in guess("000000", 86_400 + 20 * 90)


def test_a_new_password_begins_a_new_count_of_codes(client: Client, co_ordinator: Account, signed_in: SignedIn) -> None:
    _give_password(client, "cora")
    for _ in range(5):
        _give_code(client, "000000")
    signed_in(co_ordinator).post("/account/password/", {"old": PASSWORD, "password": NEW, "again": NEW})

    again = Client()
    _give_password(again, "cora", NEW)

    assert _give_code(again, code_of(co_ordinator)) == "/"


def test_many_at_one_address_are_no_lock_of_an_account(client: Client, make_person: MakePerson) -> None:
    make_person("jo", ("pcso", HART))
    _give_password(client, "jo")
    for number in range(10):
        _give_password(Client(), f"nobody{number}", "wrong")

    assert TOO_MANY in _give_code(client, "000000")
    assert not _locks()


def test_a_password_that_is_guessed_is_recorded_once_a_day(client: Client, co_ordinator: Account) -> None:
    for _ in range(5):
        _give_password(client, "Cora ", "wrong")
    for _ in range(4):
        _give_password(Client(REMOTE_ADDR="192.0.2.7"), "cora", "wrong")
    for _ in range(6):
        _give_password(Client(REMOTE_ADDR="192.0.2.8"), "nobody", "wrong")

    assert _locks() == ["password.locked"]
    assert not co_ordinator.notices.exists()


def test_signing_in_and_out_is_recorded_without_the_address(client: Client, co_ordinator: Account) -> None:
    _give_password(client, "cora")
    assert not AuditRow.objects.exists()
    _give_code(client, code_of(co_ordinator))
    client.post("/sign-out/")

    rows = AuditRow.objects.order_by("sequence")
    assert [(row.action, row.actor_account, row.details) for row in rows] == [
        ("account.signed-in", co_ordinator.pk, '{"way":"password, authenticator app"}'),
        ("account.signed-out", co_ordinator.pk, "{}"),
    ]


def test_guessing_codes_at_the_door_never_stops_stepping_up_inside(
    client: Client, co_ordinator: Account, signed_in: SignedIn
) -> None:
    browser = signed_in(co_ordinator, second_factor_age_s=400)
    _give_password(client, "cora")
    for _ in range(6):
        _give_code(client, "000000")

    inside = Client(REMOTE_ADDR="192.0.2.9")
    inside.cookies = browser.cookies
    answer = inside.post("/again/", {"code": code_of(co_ordinator), "next": "/account/"})

    assert answer["Location"] == "/account/"


def test_the_session_gets_a_new_key_by_signing_in(client: Client, co_ordinator: Account) -> None:
    client.get("/sign-in/")
    _give_password(client, "cora")
    before = client.session.session_key

    _give_code(client, code_of(co_ordinator))

    assert client.session.session_key != before
    assert Client(headers={"cookie": f"watchlink-office={before}"}).get("/").status_code == 302


def test_an_account_that_ends_between_password_and_code_is_not_let_in(
    client: Client, co_ordinator: Account, make_person: MakePerson
) -> None:
    person = make_person("jo", ("pcso", HART))
    code = code_of(person)
    _give_password(client, "jo")

    acts.end_account(co_ordinator, rights_of(co_ordinator), person)
    _give_code(client, code)

    assert client.get("/").status_code == 302
    assert not OfficeSession.objects.filter(account=person).exists()


def test_a_password_that_changes_before_the_code_voids_the_sign_in(client: Client, make_person: MakePerson) -> None:
    from office.accounts.redeeming import set_password  # noqa: PLC0415

    person = make_person("jo", ("pcso", HART))
    _give_password(client, "jo")
    set_password(person, "another long password")

    assert _give_code(client, code_of(person)) == "/sign-in/"
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "away", ["https://evil.example/", "//evil.example/", "https:evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_away(client: Client, co_ordinator: Account, away: str) -> None:
    _give_password(client, "cora", next=away)

    assert _give_code(client, code_of(co_ordinator)) == "/"


def test_stepping_up_never_leads_away(co_ordinator: Account, signed_in: SignedIn) -> None:
    answer = signed_in(co_ordinator).post("/again/", {"code": code_of(co_ordinator), "next": "//evil.example/"})

    assert answer["Location"] == "/"


def test_a_strange_host_is_refused(client: Client, db: None) -> None:
    answer = client.get("/sign-in/", headers={"host": "evil.example"})

    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/sign-in/", "/sign-out/", "/account/sessions/end-all/", "/account/printed-codes/"])
def test_a_form_from_another_site_is_refused(co_ordinator: Account, signed_in: SignedIn, path: str) -> None:
    browser = signed_in(co_ordinator, enforce_csrf=True)

    assert browser.post(path, {}).status_code == 403
    assert browser.get("/").status_code == 200


def test_a_sign_in_under_way_can_be_begun_again(client: Client, co_ordinator: Account) -> None:
    _give_password(client, "cora")
    assert client.get("/sign-in/")["Location"] == "/sign-in/second-factor/"

    client.post("/sign-out/")

    assert client.get("/sign-in/").status_code == 200


def test_recovery_codes_sign_in_once_each(client: Client, co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator)
    browser.post("/account/recovery-codes/new/")
    page = browser.get("/account/recovery-codes/").content.decode()
    code = page.split("<ol", 1)[1].split("<li>", 1)[1].split("</li>", 1)[0]
    assert code not in browser.get("/account/recovery-codes/").content.decode()

    _give_password(client, "cora")
    assert _give_code(client, code) == "/"
    actions = list(AuditRow.objects.order_by("sequence").values_list("action", flat=True))
    assert actions[-2:] == ["recovery-code.used", "account.signed-in"]
    assert co_ordinator.notices.filter(text__contains="recovery code").exists()

    again = Client()
    _give_password(again, "cora")
    assert "wrong or was used already" in _give_code(again, code)


def test_secrets_of_apps_are_not_plain_in_the_database(co_ordinator: Account) -> None:
    from allauth.mfa.models import Authenticator  # noqa: PLC0415
    from allauth.mfa.utils import decrypt  # noqa: PLC0415

    kept = Authenticator.objects.get(user=co_ordinator).data["secret"]

    assert decrypt(kept) not in kept
    assert len(decrypt(kept)) == 32
