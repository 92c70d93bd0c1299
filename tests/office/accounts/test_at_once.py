"""Two people at the very same moment. SQLite lets one writer in at a time, so this is asked of PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from office.accounts import acts
from office.accounts.models import Account, RoleGrant, Scheme
from office.audit import triggers
from tests.office.accounts.codes import code_of
from tests.office.conftest import HART, PASSWORD, MakePerson, SignedIn

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets one writer in at a time"),
]
NEW = "a quite different pass phrase"


@pytest.fixture(autouse=True)
def _audit_may_be_emptied(transactional_db: None) -> Iterator[None]:
    """Between these tests the tables are emptied, which the audit's triggers refuse; Django then makes them again."""
    yield
    triggers.remove(connection)
    cache.clear()


def _at_once(*acts_: Callable[[], object]) -> list[object]:
    """What each of them returns; they begin together."""
    start = threading.Barrier(len(acts_))
    answers: list[object] = [None] * len(acts_)

    def run(number: int) -> None:
        start.wait()
        try:
            answers[number] = acts_[number]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts_))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("turn", range(3))
def test_two_co_ordinators_who_remove_each_other_leave_one(
    make_person: MakePerson, signed_in: SignedIn, turn: int
) -> None:
    people = [make_person(name, ("co-ordinator", HART), ("pcso", HART)) for name in ("ann", "bob")]
    browsers = [signed_in(one) for one in people]
    sent = {"role": "co-ordinator", "scheme": HART}

    _at_once(
        lambda: browsers[0].post(f"/people/{people[1].pk}/remove-role/", sent).status_code,
        lambda: browsers[1].post(f"/people/{people[0].pk}/remove-role/", sent).status_code,
    )

    assert RoleGrant.objects.filter(role="co-ordinator", scheme=HART).count() == 1


@pytest.mark.parametrize("turn", range(3))
def test_two_co_ordinators_who_end_each_other_leave_one(
    make_person: MakePerson, signed_in: SignedIn, turn: int
) -> None:
    people = [make_person(name, ("co-ordinator", HART)) for name in ("ann", "bob")]
    browsers = [signed_in(one) for one in people]

    answers = _at_once(
        lambda: browsers[0].post(f"/people/{people[1].pk}/end/").status_code,
        lambda: browsers[1].post(f"/people/{people[0].pk}/end/").status_code,
    )

    assert Account.objects.filter(is_active=True).count() == 1
    assert 500 not in answers


@pytest.mark.parametrize("turn", range(3))
def test_an_invitation_that_two_use_at_once_makes_one_account(co_ordinator: Account, turn: int) -> None:
    _, link = acts.invite(co_ordinator, name="Ann", email="", role="pcso", schemes=list(Scheme.objects.all()[:1]))
    path = link.removeprefix("http://localhost")

    answers = _at_once(
        *(
            lambda name=name: Client().post(path, {"username": name, "password": NEW, "again": NEW}).status_code
            for name in ("ann", "eve")
        )
    )

    assert sorted(map(str, answers)) == ["302", "410"]
    assert Account.objects.filter(username__in=["ann", "eve"]).count() == 1


@pytest.mark.parametrize("turn", range(3))
def test_a_code_that_two_use_at_once_signs_one_in(co_ordinator: Account, turn: int) -> None:
    browsers = [Client(), Client()]
    for browser in browsers:
        asked = browser.post("/sign-in/", {"login": "cora", "password": PASSWORD})
        assert asked["Location"] == "/sign-in/second-factor/"
    code = code_of(co_ordinator)

    answers = _at_once(
        *(
            lambda browser=browser: browser.post("/sign-in/second-factor/", {"code": code}).get(
                "Location", "asked again"
            )
            for browser in browsers
        )
    )

    assert sorted(map(str, answers)) == ["/", "asked again"]
