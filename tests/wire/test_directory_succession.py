"""Which directory may follow the one held: epoch, time, and nothing taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from tools.publish.examples import CHANGES, DELEGATING_DIRECTORY, DIRECTORY, KEYS, PRESSED_AT, PRESSED_AT_S
from wire.directory import (
    EMPTY_DIRECTORY,
    DelegateChanges,
    Delegation,
    Directory,
    DirectoryDocument,
    open_directory,
    seal_changes,
    seal_directory,
)
from wire.directory_succession import newest, refusal


def delegation_of(document: DirectoryDocument) -> Delegation:
    """It has one."""
    assert document.delegation is not None
    return document.delegation


AUTHORITY, DELEGATE = KEYS["authority"], KEYS["delegate"]
DELEGATION = delegation_of(DELEGATING_DIRECTORY)
EXPIRES_AT_S = int(DELEGATION.expires_at.timestamp())
BAKERY = CHANGES.added[0]


def authoritys(document: DirectoryDocument = DELEGATING_DIRECTORY) -> Directory:
    return open_directory(seal_directory(document, AUTHORITY), AUTHORITY.public)


def delegates(changes: DelegateChanges = CHANGES, document: DirectoryDocument = DELEGATING_DIRECTORY) -> Directory:
    sealed = seal_changes(seal_directory(document, AUTHORITY), changes, DELEGATE, AUTHORITY.public)
    return open_directory(sealed, AUTHORITY.public)


def renewed(epoch: int, serial: int = 2_000_000, *, key: bytes = DELEGATION.key) -> DirectoryDocument:
    """The authority's next directory, with another delegation."""
    delegation = Delegation(epoch=epoch, key=key, expires_at=DELEGATION.expires_at)
    return replace(DELEGATING_DIRECTORY, serial=serial, delegation=delegation)


def test_delegates_directory_follows_the_authoritys_and_its_own_and_none() -> None:
    later = replace(CHANGES, serial=1_000_002, struck=(*CHANGES.struck, "00000010"))

    assert refusal(delegates(), authoritys(), (PRESSED_AT_S,)) is None
    assert refusal(delegates(later), delegates(), (PRESSED_AT_S,)) is None
    assert refusal(delegates(), EMPTY_DIRECTORY) is None
    assert refusal(delegates(), authoritys(DIRECTORY)) is None


@pytest.mark.parametrize("is_delegates", [True, False], ids=["the delegate's", "the authority's own"])
def test_directory_of_an_earlier_epoch_follows_none_of_a_later_one(is_delegates: bool) -> None:  # noqa: FBT001
    """Even with a higher serial, as from a fleet that was restored: else the older delegate would be back."""
    held = authoritys(renewed(3))
    old = renewed(2, serial=3_000_000)
    newer = delegates(replace(CHANGES, serial=3_000_001), old) if is_delegates else authoritys(old)

    assert "old delegation" == refusal(newer, held)
    assert "old delegation" == refusal(authoritys(replace(DIRECTORY, serial=4_000_000)), held)


def test_ended_delegation_ends_it_and_the_authority_goes_on_alone() -> None:
    ended = authoritys(renewed(2, key=b""))

    assert refusal(ended, delegates(), (EXPIRES_AT_S + 1,)) is None
    assert "old delegation" == refusal(delegates(replace(CHANGES, serial=1_000_003)), ended)


@pytest.mark.parametrize(
    ("times_s", "expected"),
    [
        ((), None),
        ((0,), None),
        ((EXPIRES_AT_S - 1,), None),
        ((EXPIRES_AT_S,), "delegation expired"),
        ((EXPIRES_AT_S + 1, EXPIRES_AT_S + 90_000), "delegation expired"),
        ((EXPIRES_AT_S - 1, EXPIRES_AT_S + 90_000), None),
        ((EXPIRES_AT_S + 90_000, EXPIRES_AT_S - 1), None),
    ],
    ids=["no clock", "1970", "in time", "at its end", "all say so", "one clock in 2040", "the other in 2040"],
)
def test_delegation_has_expired_once_every_clock_says_so(times_s: tuple[int, ...], expected: str | None) -> None:
    assert expected == refusal(delegates(), authoritys(), times_s)


def test_delegation_has_expired_without_any_clock_if_the_authority_signed_later() -> None:
    """A directory signed after that cannot be changed by a delegate whose time was over."""
    late = replace(DELEGATING_DIRECTORY, issued_at=DELEGATION.expires_at + timedelta(seconds=1))

    assert "delegation expired" == refusal(delegates(document=late), authoritys(DIRECTORY))
    assert refusal(authoritys(late), authoritys(DIRECTORY), (EXPIRES_AT_S + 9,)) is None, "the authority's own"


def test_receiver_without_any_directory_does_not_ask_for_the_time() -> None:
    """A central that begins again on a bare machine would know no node at all."""
    assert refusal(delegates(), EMPTY_DIRECTORY, (EXPIRES_AT_S + 9,)) is None


HELD = replace(CHANGES, added=(BAKERY, replace(BAKERY, node="00000015", revoked_at=PRESSED_AT)))
_SECOND = HELD.added[1]


@pytest.mark.parametrize(
    "changes",
    [
        replace(HELD, struck=()),
        replace(HELD, added=()),
        replace(HELD, added=(replace(BAKERY, key=KEYS["stranger"].public.raw), _SECOND)),
        replace(HELD, added=(replace(BAKERY, premises="Elsewhere"), _SECOND)),
        replace(HELD, added=(replace(BAKERY, schemes=(1, 2)), _SECOND)),
        replace(HELD, added=(replace(BAKERY, office_premises=5), _SECOND)),
        replace(HELD, added=(replace(BAKERY, sealing_key=b"s" * 32), _SECOND)),
        replace(HELD, added=(replace(BAKERY, sealing_key=b""), _SECOND)),
        replace(HELD, added=(BAKERY, replace(_SECOND, revoked_at=None))),
        replace(HELD, added=(BAKERY, replace(_SECOND, key=KEYS["stranger"].public.raw))),
    ],
    ids=[
        "un-strikes",
        "leaves out",
        "changes a key",
        "renames",
        "moves",
        "joins elsewhere",
        "seals to another",
        "seals to nobody",
        "un-strikes its own",
        "changes a struck key",
    ],
)
def test_delegate_takes_nothing_back(changes: DelegateChanges) -> None:
    assert "delegate change" == refusal(delegates(replace(changes, serial=1_000_009)), delegates(HELD))


def test_delegate_strikes_what_it_added_and_adds_again_under_another_number() -> None:
    """A replacement is a strike and an addition."""
    struck = replace(BAKERY, revoked_at=PRESSED_AT)
    again = replace(BAKERY, node="00000016", key=KEYS["stranger"].public.raw)
    newer = delegates(replace(HELD, serial=1_000_002, added=(struck, _SECOND, again)))

    assert refusal(newer, delegates(HELD)) is None


def test_delegate_says_later_what_to_seal_to() -> None:
    """A service that is updated signs again what the version before has added without, under the same directory."""
    before = replace(HELD, added=tuple(replace(entry, sealing_key=b"") for entry in HELD.added))

    assert refusal(delegates(replace(HELD, serial=1_000_002)), delegates(before)) is None


def test_authoritys_next_directory_takes_back_whatever_a_delegate_did() -> None:
    """That is how the strikes of a stolen delegate are undone; the next delegate begins from there."""
    held = delegates(HELD)
    document = renewed(2, key=KEYS["stranger"].public.raw)

    assert refusal(authoritys(document), held) is None
    fresh = replace(CHANGES, serial=2_000_001, added=(replace(BAKERY, key=KEYS["pub"].public.raw),), struck=())
    sealed = seal_changes(seal_directory(document, AUTHORITY), fresh, KEYS["stranger"], AUTHORITY.public)
    assert refusal(open_directory(sealed, AUTHORITY.public), held) is None


def test_kept_directory_counts_at_the_start_unless_the_first_one_may_follow_it() -> None:
    kept, ended = delegates(), authoritys(renewed(2, key=b""))
    renamed = delegates(replace(CHANGES, serial=1_000_005, struck=()))
    revived = authoritys(renewed(1, serial=3_000_000))

    assert kept == newest(authoritys(), kept) == newest(renamed, kept)
    assert ended == newest(ended, kept) == newest(kept, ended) == newest(revived, ended)
