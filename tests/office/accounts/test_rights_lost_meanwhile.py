"""What is done by somebody who may no longer: rights are read once the request is whole, under the lock."""

from __future__ import annotations

import pytest

from office.accounts.models import Account, RoleGrant
from office.audit.models import AuditRow
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn

pytestmark = pytest.mark.django_db


def _roles(account: Account) -> set[tuple[str, int]]:
    return set(account.grants.values_list("role", "scheme_id"))


def _actions() -> list[str]:
    return list(AuditRow.objects.order_by("sequence").values_list("action", flat=True))


def test_a_co_ordinator_who_ended_meanwhile_does_nothing(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The body was held back: the account ends after the guards have looked, before the act."""
    from office.accounts import people_views  # noqa: PLC0415
    from office.accounts.access import acting  # noqa: PLC0415

    person = make_person("jo", ("pcso", HART))
    browser = signed_in(co_ordinator)

    def late(request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        Account.objects.filter(pk=co_ordinator.pk).update(is_active=False)
        return acting(request)

    monkeypatch.setattr(people_views, "acting", late)
    answer = browser.post(f"/people/{person.pk}/give-role/", {"role": "cctv", "scheme": HART})

    assert answer.headers.get("Location") == "/sign-in/"
    assert _roles(person) == {("pcso", HART)}


def test_a_role_lost_meanwhile_does_nothing(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from office.accounts import people_views  # noqa: PLC0415
    from office.accounts.access import acting  # noqa: PLC0415

    person = make_person("jo", ("pcso", HART))
    browser = signed_in(co_ordinator)

    def late(request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        RoleGrant.objects.filter(account=co_ordinator).delete()
        return acting(request)

    monkeypatch.setattr(people_views, "acting", late)
    answer = browser.post(f"/people/{person.pk}/give-role/", {"role": "cctv", "scheme": HART})

    assert answer.status_code == 404
    assert _roles(person) == {("pcso", HART)}


def test_a_role_lost_in_one_of_two_schemes_meanwhile_gives_nothing_there(
    make_person: MakePerson, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from office.accounts import people_views  # noqa: PLC0415
    from office.accounts.access import acting  # noqa: PLC0415

    actor = make_person("bea", ("co-ordinator", HART), ("co-ordinator", PUB_WATCH))
    person = make_person("jo", ("pcso", HART), ("pcso", PUB_WATCH))
    browser = signed_in(actor)

    def late(request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        RoleGrant.objects.filter(account=actor, scheme=HART).delete()
        return acting(request)

    monkeypatch.setattr(people_views, "acting", late)

    for act in ("give-role", "remove-role"):
        answer = browser.post(f"/people/{person.pk}/{act}/", {"role": "pcso", "scheme": HART})
        assert answer.status_code == 404
        RoleGrant.objects.create(account=actor, role="co-ordinator", scheme_id=HART)
    assert _roles(person) == {("pcso", HART), ("pcso", PUB_WATCH)}


def test_a_session_that_ended_meanwhile_does_nothing(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from office.accounts import people_views, sessions  # noqa: PLC0415
    from office.accounts.access import acting  # noqa: PLC0415

    person = make_person("jo", ("pcso", HART))
    browser = signed_in(co_ordinator)

    def late(request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        sessions.end_session(co_ordinator, request.session[sessions.SESSION_KEY])
        return acting(request)

    monkeypatch.setattr(people_views, "acting", late)
    answer = browser.post(f"/people/{person.pk}/give-role/", {"role": "cctv", "scheme": HART})

    assert answer.headers.get("Location") == "/sign-in/"
    assert _roles(person) == {("pcso", HART)}
