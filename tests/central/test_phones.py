from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from central.phones import PHONES_EACH_MAX, WAKES_NOBODY, Phones, PhonesError, PhoneStore, Tapped
from central.store.database import Database, resolve_url
from central.store.phones import PhoneTable
from tests.support.kept_phones import KeptPhones, subscription
from tests.support.town_office import PATEL, PRIYA, TownOffice
from wire.notices import Delivered, Failed, Notice, Reason

START = datetime(2026, 11, 28, 18, 0, tzinfo=UTC)


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PhoneStore]:
    """Both pass the same tests, so that the one in memory may stand for the other elsewhere."""
    if request.param == "memory":
        yield KeptPhones()
        return
    database = Database(resolve_url("sqlite:///state/central.db", tmp_path))
    database.open()
    table = PhoneTable(database)
    yield table
    table.close()
    database.close()


class Desk:
    """Central's phones, its clock and what was ordered."""

    def __init__(self, store: PhoneStore) -> None:
        self.store = store
        self.now_at = START
        self.ordered: list[Notice] = []
        self.phones = self.restarted()

    def restarted(self) -> Phones:
        self.phones = Phones(self.store, lambda: self.now_at, self.ordered.append, lambda: "", secret=b"s" * 32)
        return self.phones


@pytest.fixture
def desk(store: PhoneStore) -> Desk:
    return Desk(store)


def test_phone_is_told_a_test_and_proven_once_its_owner_opens_it(desk: Desk) -> None:
    """C8: nobody is taken for reachable before a message was seen to reach them."""
    phone = desk.phones.add(PRIYA, subscription())

    (test,) = desk.ordered
    assert ("push", "test", subscription(), PRIYA) == (test.way, test.occasion, test.subscription, test.account)
    assert [None] == [one.proven_at for one in desk.phones.of(PRIYA)]
    desk.now_at += timedelta(seconds=20)
    assert desk.phones.prove(PRIYA, test.reference)
    assert [desk.now_at] == [one.proven_at for one in desk.restarted().of(PRIYA)]
    assert [phone.id] == [one.id for one in desk.phones.of(PRIYA)]


def test_test_proves_nothing_for_somebody_else_nor_twice_nor_much_later(desk: Desk) -> None:
    desk.phones.add(PRIYA, subscription())
    reference = desk.ordered[0].reference

    assert not desk.phones.prove(PATEL, reference)
    assert not desk.phones.prove(PRIYA, "guessed")
    desk.now_at += timedelta(minutes=10)
    assert not desk.phones.prove(PRIYA, reference)
    desk.phones.test(PRIYA, desk.phones.of(PRIYA)[0].id)
    assert desk.phones.prove(PRIYA, desk.ordered[1].reference)
    assert not desk.phones.prove(PRIYA, desk.ordered[1].reference)


def test_phones_are_their_owners_alone(desk: Desk) -> None:
    phone = desk.phones.add(PRIYA, subscription())

    for act in (desk.phones.test, desk.phones.remove):
        with pytest.raises(PhonesError, match="not among yours"):
            act(PATEL, phone.id)
    assert () == desk.phones.of(PATEL)
    desk.phones.remove(PRIYA, phone.id)
    assert () == desk.restarted().of(PRIYA)


def test_same_browser_is_one_phone_and_the_last_who_signed_in_there_has_it(desk: Desk) -> None:
    desk.phones.add(PRIYA, subscription())
    desk.phones.add(PRIYA, subscription())
    assert 1 == len(desk.phones.of(PRIYA))

    desk.phones.add(PATEL, subscription())

    assert [0, 1] == [len(desk.phones.of(account)) for account in (PRIYA, PATEL)]
    desk.restarted()
    assert [0, 1] == [len(desk.phones.of(account)) for account in (PRIYA, PATEL)]


def test_one_person_has_few_phones(desk: Desk) -> None:
    for number in range(PHONES_EACH_MAX):
        desk.phones.add(PRIYA, subscription(str(number)))

    with pytest.raises(PhonesError, match="Remove one"):
        desk.phones.add(PRIYA, subscription("one more"))
    desk.phones.add(PATEL, subscription("another's"))


def test_no_phone_is_sent_two_tests_in_a_minute(desk: Desk) -> None:
    phone = desk.phones.add(PRIYA, subscription())

    with pytest.raises(PhonesError, match="Wait a minute"):
        desk.phones.test(PRIYA, phone.id)
    desk.now_at += timedelta(minutes=1)
    desk.phones.test(PRIYA, phone.id)
    assert 2 == len(desk.ordered)


def test_phone_that_gave_its_subscription_up_counts_no_more_and_its_owner_is_told(desk: Desk) -> None:
    phone = desk.phones.add(PRIYA, subscription())
    desk.phones.prove(PRIYA, desk.ordered[0].reference)
    assert () == desk.phones.warnings(PRIYA)

    desk.phones.take_report(desk.ordered[0], Failed(request=desk.ordered[0].request, reason=Reason.GONE))

    assert "gave it up" in desk.phones.said(phone.id)
    assert [None] == [one.proven_at for one in desk.restarted().of(PRIYA)]
    assert [(WAKES_NOBODY,), ()] == [desk.phones.warnings(account) for account in (PRIYA, PATEL)]


def test_test_that_a_phone_has_shown_before_it_was_given_up_proves_nothing(desk: Desk) -> None:
    desk.phones.add(PRIYA, subscription())
    desk.phones.take_report(desk.ordered[0], Failed(request=desk.ordered[0].request, reason=Reason.GONE))

    desk.phones.prove(PRIYA, desk.ordered[0].reference)

    assert [None] == [one.proven_at for one in desk.phones.of(PRIYA)]


def test_phone_given_up_while_the_disk_refuses_counts_no_more() -> None:
    kept = KeptPhones()
    phones = kept.phones(lambda: START)
    phones.add(PRIYA, subscription())
    phones.prove(PRIYA, kept.ordered[0].reference)
    kept.is_full = True

    phones.take_report(kept.ordered[0], Failed(request=kept.ordered[0].request, reason=Reason.GONE))

    assert [None] == [one.proven_at for one in phones.of(PRIYA)]


def test_browser_that_changed_its_subscription_is_told_there_once_a_test_was_tapped_again(desk: Desk) -> None:
    desk.phones.add(PRIYA, subscription("another of theirs"))
    before = desk.phones.add(PRIYA, subscription("1"))
    desk.phones.prove(PRIYA, desk.ordered[1].reference)

    after = desk.phones.renew(PRIYA, before.id, subscription("2"))

    assert (subscription("2"), "test") == (desk.ordered[2].subscription, desk.ordered[2].occasion)
    found = {one.id: one for one in desk.restarted().of(PRIYA)}
    assert (2, subscription("2"), None) == (len(found), found[after.id].subscription, found[after.id].proven_at)
    assert after == desk.phones.renew(PRIYA, after.id, subscription("2")), "it is that already"
    assert 3 == len(desk.ordered)


def test_nobody_moves_somebody_elses_phone_nor_one_that_was_removed(desk: Desk) -> None:
    phone = desk.phones.add(PRIYA, subscription("1"))
    other = desk.phones.add(PATEL, subscription("2"))

    for account, moved, to in ((PATEL, phone.id, "3"), (PRIYA, "guessed", "3"), (PRIYA, phone.id, "2")):
        with pytest.raises(PhonesError, match="not among yours"):
            desk.phones.renew(account, moved, subscription(to))
    desk.phones.remove(PRIYA, phone.id)
    with pytest.raises(PhonesError, match="not among yours"):
        desk.phones.renew(PRIYA, phone.id, subscription("3"))

    assert [(), (other,)] == [desk.restarted().of(account) for account in (PRIYA, PATEL)]


def test_phone_set_up_again_in_the_same_browser_is_one_phone(desk: Desk) -> None:
    """The button has the browser subscribe anew: somebody who presses it four times has one phone, and not four."""
    phone = desk.phones.add(PRIYA, subscription("1"))

    desk.phones.add(PATEL, subscription("2"), instead_of=phone.id)
    assert (phone,) == desk.phones.of(PRIYA), "another signs in there"
    again = desk.phones.add(PRIYA, subscription("3"), instead_of=phone.id)

    assert (again,) == desk.restarted().of(PRIYA)


def test_what_became_of_a_message_is_said(desk: Desk) -> None:
    phone = desk.phones.add(PRIYA, subscription())
    (test,) = desk.ordered

    desk.phones.take_report(test, Delivered(request=test.request))
    assert "A test was sent. Tap it on the phone." == desk.phones.said(phone.id)
    refused = Failed(request=test.request, reason=Reason.REFUSED, words="The push service refuses it (403).")
    desk.phones.take_report(test, refused)
    assert "NOT SENT. The push service refuses it (403)." == desk.phones.said(phone.id)
    assert 1 == len(desk.phones.of(PRIYA))


def test_what_failed_is_said_until_a_message_goes_out_and_an_answer_is_no_failure(desk: Desk) -> None:
    phone = desk.phones.add(PRIYA, subscription())
    alert = replace(desk.ordered[0], occasion="alert")
    desk.phones.prove(PRIYA, alert.reference)

    answered = Failed(request=alert.request, reason=Reason.CALLED_OFF, words="It was answered.")
    desk.phones.take_report(alert, answered)
    assert "" == desk.phones.said(phone.id)
    desk.phones.take_report(alert, Failed(request=alert.request, reason=Reason.NO_ANSWER, words="No answer."))
    assert "NOT SENT. No answer." == desk.phones.said(phone.id)

    desk.phones.take_report(alert, Delivered(request=alert.request))

    assert "" == desk.phones.said(phone.id)


def test_one_person_who_asks_for_test_after_test_leaves_some_for_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("central.phones.TESTS_MAX", 3)
    for _ in range(3):
        desk.phones.add(PRIYA, subscription())

    desk.phones.add(PATEL, subscription("another's"))


def test_whoever_has_no_account_any_more_is_told_nothing(desk: Desk) -> None:
    office = TownOffice()
    desk.phones.add(PRIYA, subscription("1"))
    desk.phones.add(PATEL, subscription("2"))
    desk.phones.take_people(office.snapshot())
    del office.people[PRIYA]

    desk.phones.take_people(office.snapshot())

    assert [0, 1] == [len(desk.restarted().of(account)) for account in (PRIYA, PATEL)]


def test_reference_names_an_incident_only_to_central(desk: Desk) -> None:
    reference = desk.phones.reference("00000010-7")

    assert "00000010" not in reference
    assert "00000010-7" == desk.phones.incident(reference, ["00000010-6", "00000010-7"])
    assert "00000010-7" == desk.phones.incident(reference, ["00000010-6"]), "people were told of it"
    assert "" == desk.restarted().incident(reference, ["00000010-6"])
    assert "00000010-7" == desk.restarted().incident(reference, ["00000010-7"])
    other = Phones(desk.store, lambda: desk.now_at, desk.ordered.append, lambda: "", secret=b"t" * 32)
    assert "" == other.incident(reference, ["00000010-7"])


def test_disk_that_refuses_changes_nothing() -> None:
    kept = KeptPhones()
    phones = kept.phones(lambda: START)
    phone = phones.add(PRIYA, subscription())
    kept.is_full = True

    with pytest.raises(PhonesError, match="disk"):
        phones.add(PRIYA, subscription("2"))
    with pytest.raises(PhonesError, match="disk"):
        phones.remove(PRIYA, phone.id)
    with pytest.raises(PhonesError, match="disk"):
        phones.prove(PRIYA, kept.ordered[0].reference)
    assert [(phone.id, None)] == [(one.id, one.proven_at) for one in phones.of(PRIYA)]


def test_whoever_asks_to_go_on_duty_by_phone_is_named_their_role_once_one_is_tapped(desk: Desk) -> None:
    with pytest.raises(PhonesError, match="no phone here yet"):
        desk.phones.ask_for_duty(PRIYA, "cctv")
    for name in ("1", "2"):
        desk.phones.add(PRIYA, subscription(name))
    assert Tapped() == desk.phones.prove(PRIYA, desk.ordered[0].reference), "a test alone begins no duty"

    desk.phones.ask_for_duty(PRIYA, "cctv")
    assert 3 == len(desk.ordered), "the other was sent a test just now"
    with pytest.raises(PhonesError, match="Wait a minute"):
        desk.phones.ask_for_duty(PRIYA, "cctv")

    assert desk.phones.prove(PATEL, desk.ordered[2].reference) is None
    assert Tapped("cctv") == desk.phones.prove(PRIYA, desk.ordered[2].reference)
    assert desk.phones.prove(PRIYA, desk.ordered[2].reference) is None
