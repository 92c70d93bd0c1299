"""One's own account: sessions, password, printed codes."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from office.accounts import acts
from office.accounts.access import rights_of
from office.accounts.models import Account, Notice, PrintedCode
from office.accounts.sessions import SESSION_KEY
from tests.office.accounts.codes import code_of
from tests.office.conftest import HART, PASSWORD, MakePerson, SignedIn
from wire.printed_codes import code_digest

pytestmark = pytest.mark.django_db
NEW = "a quite different pass phrase"


def test_sessions_are_listed_and_ended(co_ordinator: Account, signed_in: SignedIn) -> None:
    here, there = signed_in(co_ordinator), signed_in(co_ordinator)
    there_id = there.session[SESSION_KEY]
    page = here.get("/account/").content.decode()
    assert there_id in page
    assert (page.count("A browser"), page.count("A browser, this one")) == (2, 1)

    here.post(f"/account/sessions/{there_id}/end/")

    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200


def test_signing_out_everywhere_ends_this_session_too(co_ordinator: Account, signed_in: SignedIn) -> None:
    here, there = signed_in(co_ordinator), signed_in(co_ordinator)

    here.post("/account/sessions/end-all/")

    assert here.get("/").status_code == there.get("/").status_code == 302
    assert Account.objects.get(pk=co_ordinator.pk).generation == 2


def test_signing_out_ends_the_session_for_central_too(co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator)
    session = co_ordinator.sessions.get()

    browser.post("/sign-out/")

    session.refresh_from_db()
    assert session.ended_at is not None


def test_a_new_password_ends_the_other_sessions_only(co_ordinator: Account, signed_in: SignedIn) -> None:
    here, there = signed_in(co_ordinator), signed_in(co_ordinator)

    answer = here.post("/account/password/", {"old": PASSWORD, "password": NEW, "again": NEW})

    assert answer["Location"] == "/account/"
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 302
    now = Account.objects.get(pk=co_ordinator.pk)
    assert now.check_password(NEW)
    assert now.generation == 2
    assert Notice.objects.filter(account=co_ordinator, text__contains="password was changed").exists()


def test_a_new_password_wants_the_old_one(co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator)

    page = browser.post("/account/password/", {"old": "wrong", "password": NEW, "again": NEW}).content.decode()
    for _ in range(4):
        browser.post("/account/password/", {"old": "wrong", "password": NEW, "again": NEW})
    late = browser.post("/account/password/", {"old": PASSWORD, "password": NEW, "again": NEW}).content.decode()

    assert "The password is wrong" in page
    assert "Too many attempts" in late
    assert Account.objects.get(pk=co_ordinator.pk).check_password(PASSWORD)


def test_a_password_change_brings_no_ended_account_back(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from office.accounts import views  # noqa: PLC0415
    from office.accounts.access import acting  # noqa: PLC0415

    person = make_person("jo", ("pcso", HART))
    browser = signed_in(person)

    def late(request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        acts.end_account(co_ordinator, rights_of(co_ordinator), Account.objects.get(pk=person.pk))
        return acting(request)

    monkeypatch.setattr(views, "acting", late)
    answer = browser.post("/account/password/", {"old": PASSWORD, "password": NEW, "again": NEW})

    now = Account.objects.get(pk=person.pk)
    assert answer["Location"] == "/sign-in/"
    assert not now.is_active
    assert not now.has_usable_password()


def test_printed_codes_are_shown_once_and_only_digests_are_kept(co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator)

    page = browser.post("/account/printed-codes/").content.decode()
    codes = [piece.split("</li>")[0] for piece in page.split("<ol", 1)[1].split("<li>")[1:]]

    assert len(codes) == 10
    kept = set(PrintedCode.objects.values_list("digest", flat=True))
    assert kept == {code_digest(co_ordinator.pk, code) for code in codes}
    assert codes[0] not in browser.get("/account/printed-codes/").content.decode()


def test_a_new_sheet_replaces_the_old_one(co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator)
    browser.post("/account/printed-codes/")
    first = set(PrintedCode.objects.values_list("digest", flat=True))
    browser.post("/account/printed-codes/")

    assert PrintedCode.objects.count() == 10
    assert first.isdisjoint(PrintedCode.objects.values_list("digest", flat=True))


@pytest.mark.parametrize("path", ["/account/printed-codes/", "/account/recovery-codes/new/", "/account/app/remove/"])
def test_grave_pages_want_the_second_factor_just_now(co_ordinator: Account, signed_in: SignedIn, path: str) -> None:
    answer = signed_in(co_ordinator, second_factor_age_s=301).get(path)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/again/")


def test_a_password_is_no_step_up(co_ordinator: Account, signed_in: SignedIn) -> None:
    answer = signed_in(co_ordinator, second_factor_age_s=None).get("/account/printed-codes/")

    assert answer["Location"].startswith("/again/")


def test_stepping_up_leads_back(co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator, second_factor_age_s=400)

    answer = browser.post("/again/", {"code": code_of(co_ordinator), "next": "/account/printed-codes/"})

    assert answer["Location"] == "/account/printed-codes/"
    assert browser.get("/account/printed-codes/").status_code == 200


def test_a_clock_set_back_makes_no_second_factor_recent(co_ordinator: Account, signed_in: SignedIn) -> None:
    answer = signed_in(co_ordinator, second_factor_age_s=-3_000).get("/account/printed-codes/")

    assert answer["Location"].startswith("/again/")


def test_the_only_second_factor_stays(co_ordinator: Account, signed_in: SignedIn) -> None:
    page = signed_in(co_ordinator).post("/account/app/remove/").content.decode()

    assert "only second factor" in page
    assert Authenticator.objects.filter(user=co_ordinator).exists()


def test_an_app_that_became_the_only_second_factor_meanwhile_stays(
    co_ordinator: Account, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two browsers at once: one removes the passkey, the other the app."""
    from office.accounts import method_views  # noqa: PLC0415
    from office.accounts.access import acting  # noqa: PLC0415

    passkey = Authenticator.objects.create(user=co_ordinator, type="webauthn", data={"name": "Key"})
    browser = signed_in(co_ordinator)

    def late(request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        passkey.delete()
        return acting(request)

    monkeypatch.setattr(method_views, "acting", late)
    page = browser.post("/account/app/remove/", follow=True).content.decode()

    assert "only second factor" in page
    assert Authenticator.objects.filter(user=co_ordinator, type="totp").exists()


def test_a_session_is_ended_only_with_its_row_in_the_audit(
    co_ordinator: Account, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from office.accounts import views  # noqa: PLC0415

    here, there = signed_in(co_ordinator), signed_in(co_ordinator)

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(views, "record", fail)
    with pytest.raises(RuntimeError):
        here.post(f"/account/sessions/{there.session[SESSION_KEY]}/end/")

    assert there.get("/").status_code == 200


def test_a_notice_stays_until_it_is_read(
    co_ordinator: Account, other_co_ordinator: Account, signed_in: SignedIn
) -> None:
    notice = Notice.objects.create(account=co_ordinator, text="Something happened.")
    browser = signed_in(co_ordinator)
    assert "Something happened." in browser.get("/").content.decode()

    signed_in(other_co_ordinator).post(f"/notices/{notice.pk}/read/")
    assert "Something happened." in browser.get("/").content.decode()

    browser.post(f"/notices/{notice.pk}/read/")
    assert "Something happened." not in browser.get("/").content.decode()


def test_an_ended_row_signs_a_stolen_cookie_out(co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator)
    stolen = Client(headers={"cookie": f"watchlink-office={browser.session.session_key}"})
    assert stolen.get("/").status_code == 200

    browser.post("/sign-out/")

    assert stolen.get("/").status_code == 302
