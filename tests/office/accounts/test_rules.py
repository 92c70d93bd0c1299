"""Who may do what, cell by cell."""

from __future__ import annotations

import pytest

from office.accounts.rules import (
    TITLES,
    Rights,
    Standing,
    is_grave,
    may_grant,
    may_open,
    may_redeem,
    may_see,
    why_not_correct,
    why_not_end,
    why_not_recover,
    why_not_remove,
    withdrawn_text,
)
from wire.snapshots import RoleSlug

HART, PUBS = 1, 2
CORA = Rights(1, frozenset({("co-ordinator", HART)}))
BOTH = Rights(3, frozenset({("co-ordinator", HART), ("co-ordinator", PUBS)}))


def _person(*grants: tuple[str, int], account: int = 9, alone_in: tuple[int, ...] = ()) -> Standing:
    return Standing(account, frozenset(grants), frozenset(alone_in))


def test_rights_are_asked_by_role() -> None:
    rights = Rights(1, frozenset({("pcso", HART), ("co-ordinator", PUBS)}))

    assert rights.schemes() == {HART, PUBS}
    assert rights.schemes("pcso", "cctv") == {HART}
    assert rights.co_ordinates == {PUBS}


@pytest.mark.parametrize("role", [role for role in TITLES if role != "co-ordinator"])
def test_no_other_role_sees_or_gives(role: RoleSlug) -> None:
    rights = Rights(1, frozenset({(role, HART)}))

    assert not may_see(rights, _person(("pcso", HART)))
    assert not may_grant(rights, frozenset({HART}))


@pytest.mark.parametrize("role", TITLES)
def test_every_role_is_grave_to_give_but_that_of_a_members_contact(role: RoleSlug) -> None:
    assert is_grave(role) == (role != "members-contact")


def test_one_scheme_in_common_is_enough_to_see() -> None:
    assert may_see(CORA, _person(("pcso", PUBS), ("police", HART)))
    assert not may_see(CORA, _person(("pcso", PUBS)))
    assert not may_see(CORA, _person())


def test_roles_are_given_in_own_schemes_only() -> None:
    assert may_grant(CORA, frozenset({HART}))
    assert not may_grant(CORA, frozenset({HART, PUBS}))
    assert not may_grant(CORA, frozenset())
    assert may_grant(BOTH, frozenset({HART, PUBS}))


def test_the_last_role_and_the_last_co_ordinator_stay() -> None:
    two = _person(("pcso", HART), ("co-ordinator", HART))
    alone = _person(("pcso", HART), ("co-ordinator", HART), alone_in=(HART,))

    assert why_not_remove("co-ordinator", HART, two) is None
    assert "only co-ordinator" in (why_not_remove("co-ordinator", HART, alone) or "")
    assert why_not_remove("pcso", HART, alone) is None
    assert "only role" in (why_not_remove("pcso", HART, _person(("pcso", HART))) or "")


def test_accounts_are_ended_by_who_co_ordinates_all_of_it() -> None:
    assert why_not_end(CORA, _person(("pcso", HART))) is None
    assert why_not_end(BOTH, _person(("pcso", HART), ("pcso", PUBS))) is None
    assert why_not_end(CORA, _person(("pcso", HART), ("pcso", PUBS)))
    assert "only co-ordinator" in (why_not_end(BOTH, _person(("co-ordinator", HART), alone_in=(HART,))) or "")
    assert "your own" in (why_not_end(CORA, _person(("co-ordinator", HART), account=1)) or "")


def test_helping_and_correcting_want_all_schemes_of_the_person() -> None:
    mixed = _person(("pcso", HART), ("co-ordinator", PUBS))

    assert why_not_recover(CORA, mixed)
    assert why_not_correct(CORA, mixed)
    assert why_not_recover(BOTH, mixed) is None
    assert why_not_correct(BOTH, mixed) is None
    assert "for yourself" in (why_not_recover(CORA, _person(("pcso", HART), account=1)) or "")
    assert why_not_correct(CORA, _person(("co-ordinator", HART), account=1)) is None


@pytest.mark.parametrize("alone_in", [(), (PUBS,)])
def test_refusals_tell_nothing_of_a_scheme_that_is_not_the_co_ordinators(alone_in: tuple[int, ...]) -> None:
    mixed = _person(("pcso", HART), ("co-ordinator", PUBS), alone_in=alone_in)

    for why in (why_not_end(CORA, mixed), why_not_recover(CORA, mixed), why_not_correct(CORA, mixed)):
        assert why
        assert "scheme that" not in why
        assert "scheme's" not in why


def test_a_recovery_link_stands_while_its_maker_may_help() -> None:
    assert may_open(CORA, _person(("pcso", HART)))
    assert not may_open(Rights(1), _person(("pcso", HART)))
    assert not may_open(CORA, _person())
    assert not may_open(CORA, _person(("pcso", HART), ("pcso", PUBS)))


def test_an_invitation_stands_while_its_maker_may_give_the_role() -> None:
    assert may_redeem("pcso", frozenset({HART}), CORA)
    assert not may_redeem("pcso", frozenset({HART, PUBS}), CORA)
    assert not may_redeem("pcso", frozenset({HART}), Rights(1))
    assert may_redeem("co-ordinator", frozenset({HART, PUBS}), None)
    assert not may_redeem("pcso", frozenset({HART}), None)


@pytest.mark.parametrize(
    ("invitations", "recovery_links", "text"),
    [
        (0, 0, ""),
        (1, 0, "1 invitation"),
        (0, 1, "1 recovery link"),
        (2, 1, "2 invitations and 1 recovery link"),
        (1, 3, "1 invitation and 3 recovery links"),
    ],
)
def test_links_taken_back_are_counted_in_words(invitations: int, recovery_links: int, text: str) -> None:
    assert withdrawn_text(invitations, recovery_links) == text
