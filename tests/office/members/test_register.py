from __future__ import annotations

import pytest

from office.accounts.models import Account
from office.audit.models import AuditRow
from office.members.facts import PremisesFacts
from office.members.models import Member, Premises
from office.members.register import (
    ChangedMeanwhileError,
    ChangeRefusedError,
    Wanted,
    add_premises,
    change_member,
    change_premises,
    remove_premises,
)
from office.members.rules import PREMISES_BYTES_MAX, SchemesRefusedError
from tests.office.conftest import HART, PUB_WATCH
from tests.office.members.conftest import MakePremises

OWN = frozenset({HART})


def wanted(member: Member, *schemes: int, name: str = "New") -> Wanted:
    return Wanted(member, frozenset(schemes), PremisesFacts(name=name))


def test_a_change_of_an_older_version_is_refused(co_ordinator: Account, make_premises: MakePremises) -> None:
    shop = make_premises("Corner", HART)
    change_premises(co_ordinator, OWN, shop.pk, 1, wanted(shop.member, HART))
    with pytest.raises(ChangedMeanwhileError):
        change_premises(co_ordinator, OWN, shop.pk, 1, wanted(shop.member, HART, name="Late"))
    change_member(co_ordinator, shop.member_id, 1, "Ltd", {})
    with pytest.raises(ChangedMeanwhileError):
        change_member(co_ordinator, shop.member_id, 1, "Late Ltd", {})

    assert Premises.objects.get().name == "New"
    assert Member.objects.get().name == "Ltd"


def test_a_premises_that_has_left_ones_schemes_cannot_be_changed(
    co_ordinator: Account, make_premises: MakePremises
) -> None:
    pub = make_premises("Lion", PUB_WATCH)
    with pytest.raises(Premises.DoesNotExist):
        change_premises(co_ordinator, OWN, pub.pk, 1, wanted(pub.member, HART))
    with pytest.raises(Premises.DoesNotExist):
        remove_premises(co_ordinator, OWN, pub.pk, frozenset({HART}))

    assert not AuditRow.objects.exists()


def test_a_refused_change_leaves_nothing_behind(co_ordinator: Account, make_premises: MakePremises) -> None:
    shop = make_premises("Corner", HART)
    with pytest.raises(SchemesRefusedError):
        add_premises(co_ordinator, OWN, wanted(shop.member, PUB_WATCH))
    with pytest.raises(SchemesRefusedError):
        change_premises(co_ordinator, OWN, shop.pk, 1, wanted(shop.member, HART, PUB_WATCH))
    with pytest.raises(SchemesRefusedError):
        remove_premises(co_ordinator, OWN, shop.pk, frozenset({PUB_WATCH}))

    assert Premises.objects.get().name == "Corner"
    assert not AuditRow.objects.exists()


def test_joining_a_scheme_is_told_to_that_scheme_alone(co_ordinator: Account, make_premises: MakePremises) -> None:
    shop = make_premises("Corner", HART)
    both = frozenset({HART, PUB_WATCH})
    change_premises(co_ordinator, both, shop.pk, 1, wanted(shop.member, HART, PUB_WATCH, name="Corner"))

    assert list(AuditRow.objects.order_by("sequence").values_list("action", "schemes")) == [
        ("premises.joined-scheme", f" {PUB_WATCH} "),
        ("membership.set", f" {PUB_WATCH} "),
    ]


def test_what_no_snapshot_could_hold_is_refused(co_ordinator: Account, make_premises: MakePremises) -> None:
    shop, large = make_premises("Corner", HART, place="High Street"), make_premises("Large", PUB_WATCH)
    Premises.objects.filter(pk=large.pk).update(entry_bytes=PREMISES_BYTES_MAX - shop.entry_bytes - 20)
    with pytest.raises(ChangeRefusedError, match="Shorten the notes"):
        add_premises(co_ordinator, OWN, wanted(shop.member, HART))
    with pytest.raises(ChangeRefusedError, match="Shorten the notes"):
        change_premises(co_ordinator, OWN, shop.pk, 1, wanted(shop.member, HART, name="x" * 64))
    change_premises(co_ordinator, OWN, shop.pk, 1, wanted(shop.member, HART, name="Short"))
    remove_premises(co_ordinator, frozenset({PUB_WATCH}), large.pk, frozenset({PUB_WATCH}))
    add_premises(co_ordinator, OWN, wanted(shop.member, HART))

    assert {one.name for one in Premises.objects.all()} == {"Short", "New"}
