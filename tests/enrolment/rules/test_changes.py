"""What the delegate signs follows from the authority's directory and the register."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from enrolment.rules.changes import changed_directory, clock_fault, objection, refusal
from enrolment.rules.claiming import Enrolled
from tools.publish.examples import DELEGATING_DIRECTORY, KEYS
from wire.claims import OpenClaim
from wire.delegation import next_serial
from wire.directory import Directory, DirectoryDocument, SenderEntry, open_directory, seal_directory
from wire.directory_succession import refusal as objection_of_receivers
from wire.ids import parse_node
from wire.renewal import BACKDATED
from wire.signing import SigningKey

AUTHORITY, DELEGATE = KEYS["authority"], KEYS["delegate"]
NEW = SigningKey(b"n" * 32)


def enrolled(change: int, node: str = "00000077") -> Enrolled:
    claim = OpenClaim(
        node=node,
        premises="New Shop",
        schemes=(1,),
        profile="fake",
        claim_hash="ab" * 32,
        ends_at=1_000,
        office_premises=5,
    )
    return Enrolled(change, node, "ab" * 32, "1" * 64, claim, NEW.public.raw, b"x" * 32, "pem", "pem", 1_800_000_000)


def changed(*all_enrolled: Enrolled, base: DirectoryDocument = DELEGATING_DIRECTORY) -> Directory:
    data = changed_directory(seal_directory(base, AUTHORITY), all_enrolled, DELEGATE, AUTHORITY.public)
    return open_directory(data, AUTHORITY.public)


def test_enrolled_node_is_a_signing_member_of_its_schemes() -> None:
    sender = changed(enrolled(1)).senders[parse_node("00000077")]

    assert (NEW.public, frozenset({1}), True, False, 5) == (
        sender.key, sender.schemes, sender.signs, sender.is_central, sender.office_premises
    )  # fmt: skip
    assert b"x" * 32 == sender.sealing_key


def test_each_enrolment_has_a_higher_number_that_receivers_accept() -> None:
    before, after = changed(enrolled(1)), changed(enrolled(1), enrolled(2, "00000078"))

    assert after.serial == before.serial + 1
    assert None is objection_of_receivers(after, before)


def test_same_register_gives_the_same_bytes() -> None:
    """So a service that lost its memory is no other service."""
    sealed = seal_directory(DELEGATING_DIRECTORY, AUTHORITY)

    assert changed_directory(sealed, [enrolled(3)], DELEGATE, AUTHORITY.public) == changed_directory(
        sealed, [enrolled(3)], DELEGATE, AUTHORITY.public
    )


def test_nothing_to_add_leaves_the_authoritys_bytes() -> None:
    sealed = seal_directory(DELEGATING_DIRECTORY, AUTHORITY)

    assert sealed == changed_directory(sealed, [], DELEGATE, AUTHORITY.public)


def test_next_directory_has_the_rest_of_what_was_enrolled() -> None:
    """What the authority has taken over is as it says, even if it says something else."""
    taken = SenderEntry(node="00000077", key=b"k" * 32, premises="As the fleet says", schemes=(1,))
    base = msgspec.structs.replace(
        DELEGATING_DIRECTORY,
        serial=next_serial(DELEGATING_DIRECTORY.serial),
        senders=(*DELEGATING_DIRECTORY.senders, taken),
    )
    found = changed(enrolled(1), enrolled(2, "00000078"), base=base)

    assert "As the fleet says" == found.senders[parse_node("00000077")].premises
    assert NEW.public == found.senders[parse_node("00000078")].key


def test_delegate_that_is_another_or_none_signs_nothing() -> None:
    directory = changed()

    assert None is objection(directory, DELEGATE.public)
    assert "another delegate" in str(objection(directory, NEW.public))
    assert "no delegate" in str(objection(msgspec.structs.replace(directory, delegation=None), DELEGATE.public))


@pytest.mark.parametrize(("after", "is_believed"), [(timedelta(0), True), (-2 * BACKDATED, False)])
def test_nobody_is_enrolled_by_a_clock_that_is_behind(after: timedelta, *, is_believed: bool) -> None:
    """The certificates would have ended, and their node could never have others."""
    directory = changed()
    now_s = directory.issued_at_s + int(after.total_seconds())

    assert is_believed is (refusal(directory, DELEGATE.public, now_s) is None)
    assert is_believed is (clock_fault(directory, now_s) is None)


@pytest.mark.parametrize(("after_s", "is_open"), [(-1, True), (0, False)])
def test_nobody_is_enrolled_after_the_end_of_the_delegation(after_s: int, is_open: bool) -> None:  # noqa: FBT001
    directory = changed()
    assert directory.delegation is not None
    end_s = int(directory.delegation.expires_at.timestamp())

    assert is_open is (refusal(directory, DELEGATE.public, end_s + after_s) is None)
